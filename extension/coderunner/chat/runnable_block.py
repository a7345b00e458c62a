"""The code block of a reply that runs, or would run in another kernel, when its fence closes."""

from itertools import chain

from coderunner.chat.parsing.fence_parser import Code, FenceAbandoned, FenceClosed, FenceOpened
from coderunner.chat.parsing.reply_parser import Event, ReplyParser
from coderunner.languages import PYTHON, Language
from coderunner.outputs import Cell

SPACE = " \t\r\n"


class RunnableBlock:
    """The code of the fence that is open, if it is one for a kernel that speaks `language`."""

    __slots__ = ("_code", "_language", "_name")

    def __init__(self, language: Language = PYTHON) -> None:
        self._language = language
        self._code: list[str] | None = None
        self._name = ""

    @property
    def open(self) -> bool:
        """Whether such a fence is open."""
        return self._code is not None

    def follow(self, event: Event) -> Cell | None:
        """The cell that the event completes, if it closes such a fence and there is any code in it.

        Its language may be another one: a model wrote it for a kernel that does not speak it.
        """
        match event:
            case Code(code=code) if self._code is not None:
                self._code.append(code)
            case FenceOpened(info=info) if name := self._language.names(info):
                self._code, self._name = [], name
            case FenceClosed() if self._code is not None:
                source, self._code = "".join(self._code), None
                return Cell(source, self._name) if source.strip() else None
            case FenceAbandoned():
                self._code = None
        return None


def unanswered_cell(prior: str, *, thinking: bool, language: Language = PYTHON) -> Cell | None:
    """The cell that ends `prior`, if a block that runs does."""
    reader, block, cell = ReplyParser(thinking=thinking), RunnableBlock(language), None
    for event in chain(reader.receive(prior.rstrip(SPACE)), reader.close()):
        cell = block.follow(event)
    return cell
