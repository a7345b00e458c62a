"""The code block of a reply that runs when its fence closes."""

from itertools import chain

from coderunner.chat.parsing.fence_parser import Code, FenceAbandoned, FenceClosed, FenceOpened, runnable
from coderunner.chat.parsing.reply_parser import Event, ReplyParser
from coderunner.outputs import Cell

SPACE = " \t\r\n"


class RunnableBlock:
    """The code of the fence that is open, if it is one that runs."""

    __slots__ = ("_code",)

    def __init__(self) -> None:
        self._code: list[str] | None = None

    @property
    def open(self) -> bool:
        """Whether such a fence is open."""
        return self._code is not None

    def follow(self, event: Event) -> Cell | None:
        """The cell that the event completes, if it closes such a fence and there is any code in it."""
        match event:
            case Code(code=code) if self._code is not None:
                self._code.append(code)
            case FenceOpened(info=info) if runnable(info):
                self._code = []
            case FenceClosed() if self._code is not None:
                source, self._code = "".join(self._code), None
                return Cell(source) if source.strip() else None
            case FenceAbandoned():
                self._code = None
        return None


def unanswered_cell(prior: str, *, thinking: bool) -> Cell | None:
    """The cell that ends `prior`, if a block that runs does."""
    reader, block, cell = ReplyParser(thinking=thinking), RunnableBlock(), None
    for event in chain(reader.receive(prior.rstrip(SPACE)), reader.close()):
        cell = block.follow(event)
    return cell
