"""The messages of a conversation and the parts of a reply: pure values, and functions that extend them.

Each function takes the parts of a reply and gives new ones; finished parts stay the same objects, so that
their rendered HTML can be cached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.outputs import Refusal, Status
from coderunner.page import block_transitions
from coderunner.page.append_only_text import AppendOnlyText
from coderunner.page.block_state import Block, State
from coderunner.text.line_diff import differ


class _Written:
    __slots__ = ("_text",)
    __match_args__ = ("text",)

    def __init__(self, text: str | AppendOnlyText) -> None:
        self._text = text if isinstance(text, AppendOnlyText) else AppendOnlyText(text)

    @property
    def text(self) -> str:
        """The text so far."""
        return str(self._text)

    def wrote(self, text: str) -> Self:
        """The part with more text; costs only what is added."""
        return type(self)(self._text + text)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, _Written) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._text!r})"


class Prose(_Written):
    """Markdown that the model wrote."""

    __slots__ = ()


class Thought(_Written):
    """The model's thinking; shown folded, never run."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of the app in the reply: why it ended early."""

    text: str


Part = Prose | Thought | Notice | Block
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `text` is what the model gets, `parts` are what a page shows."""

    role: Literal["user", "assistant"]
    text: str
    parts: Parts = ()
    finished: bool = True
    late: str = ""
    """Late results, which the model reads before the text of a user's message."""
    tokens: int = 0
    """The tokens of the reply as the endpoint counts them, all requests together; 0 if it does not."""
    reply: str = ""
    """The id of the reply; the runs of its blocks have it too."""
    number: int | None = None
    """Its number in the conversation, hidden versions included; None until it is shown."""
    previous: int | None = None
    """The number of the message that it follows; None: the one before its own."""
    shown: bool = True
    """Whether it is the one that is shown among its versions: those that follow the same message."""
    files: tuple[Attachment, ...] = ()
    """The files that a person sent with it."""

    @property
    def empty(self) -> bool:
        """It says nothing."""
        return not (self.text.strip() or self.files)


@dataclass(frozen=True, slots=True)
class Past:
    """A block that can be run again."""

    reply: str
    ordinal: int
    source: str
    imported: bool = False
    """It came from a file: a person is asked before it runs among others."""
    first: str = ""
    """The code as it was before a person changed it; empty where nobody has."""

    def edited(self, source: str) -> "Past":
        """The same with other code."""
        before = self.first or self.source
        if not differ(before, source):
            return replace(self, source=before)
        return replace(self, source=source, first=before)


def said(parts: Parts, text: str) -> Parts:
    """Add prose."""
    match parts:
        case (*before, Prose() as prose):
            return (*before, prose.wrote(text))
        case _:
            return (*grown(parts, block_transitions.passed), Prose(text)) if text.strip("\r\n") else parts


def thought(parts: Parts, text: str) -> Parts:
    """Add thinking."""
    match parts:
        case (*before, Thought() as thought):
            return (*before, thought.wrote(text))
        case _:
            return (*grown(parts, block_transitions.passed), Thought(text)) if text.strip() else parts


def over(parts: Parts, sentence: str) -> Parts:
    """End the reply and its blocks; `sentence`, if not empty, says why."""
    still = tuple(block_transitions.left(part) if isinstance(part, Block) else part for part in parts)
    return (*still, Notice(sentence)) if sentence else still


def coded(parts: Parts, text: str, identity: str = "") -> Parts:
    """Add lines of a fence that will run when it closes; `identity` is the id if they begin a block."""
    match parts:
        case (*before, Block(state=State.WRITING) as block) if not block.complete:
            return (*before, block.wrote(text))
        case _:
            return (*grown(parts, block_transitions.passed), Block(AppendOnlyText(text), id=identity))


def grown(parts: Parts, grow: Callable[[Block], Block]) -> Parts:
    """Change the last part, if it is a block."""
    match parts:
        case (*before, Block() as block):
            return (*before, grow(block))
        case _:
            return parts


def ticket_of(parts: Parts) -> str:
    """The ticket of the last part, if it is a block."""
    block = parts[-1] if parts else None
    return block.ticket if isinstance(block, Block) else ""


def blocks(messages: Sequence[Message]) -> list[Block]:
    """All blocks in their order, each followed by its latest rerun."""
    parts = (part for message in messages for part in message.parts if isinstance(part, Block))
    return [block for part in parts for block in (part, part.again) if block is not None]


def changed(before: Sequence[Message], after: Sequence[Message]) -> list[Message]:
    """The messages that are not the same objects as before."""
    return [message for at, message in enumerate(after) if at >= len(before) or before[at] is not message]


def unread(late: str, messages: Sequence[Message]) -> str:
    """Those late results that do not stand in the messages."""
    for message in messages:
        late = late.replace(message.late, "") if message.late else late
    return late


def gone(before: Sequence[Message], after: Sequence[Message]) -> set[str]:
    """The ids of the blocks that are gone."""
    return {block.id for block in blocks(before)} - {block.id for block in blocks(after)}


def with_block(
    messages: tuple[Message, ...], ticket: str, change: Callable[[Block], Block]
) -> tuple[Message, ...]:
    """The messages with one block changed; the same messages if none has the ticket (any more)."""
    return tuple(
        replace(message, parts=tuple(change(part) if part is block else part for part in message.parts))
        if (block := _ticketed(message, ticket)) is not None
        else message
        for message in messages
    )


def _ticketed(message: Message, ticket: str) -> Block | None:
    blocks = (part for part in message.parts if isinstance(part, Block))
    return next((block for block in blocks if block.ticket == ticket), None)


def ran_well(messages: Sequence[Message]) -> list[Past]:
    """The blocks that ran without an error, in their order, each as a person changed it last."""
    return [
        past
        for message in messages
        for block in message.parts
        if isinstance(block, Block) and (past := _ran_well(message, block)) is not None
    ]


def _ran_well(message: Message, block: Block) -> Past | None:
    past = Past(message.reply, block.ordinal or 0, block.source, imported=block.imported)
    again = block.again
    if again is not None and again.first and again.result and again.result.status is Status.OK:
        return past.edited(again.source)
    return past if block.result and block.result.status is Status.OK else None


def allowed(messages: Sequence[Message], ticket: str) -> tuple[str, Past, Refusal] | None:
    """The block that runs again once what a button of that ticket offers is allowed; None if none does.

    Gives the ticket of that block, too.
    """
    of = ticket.rpartition(".")[0]
    past = repeatable(messages, of)
    those = [block for message in messages if (block := _ticketed(message, of)) is not None]
    refusal = next((found for block in those if (found := block.allowed(ticket)) is not None), None)
    if past is None or refusal is None:
        return None
    # What was refused to the code as a person changed it runs again as they did.
    again = next((block.again for block in those if block.again is not None), None)
    return of, past.edited(again.source) if again is not None else past, refusal


def repeatable(messages: Sequence[Message], ticket: str) -> Past | None:
    """The block of that ticket, if it has ended and no rerun of it is running."""
    for message in messages:
        block = _ticketed(message, ticket) if ticket else None
        if block is None or block.state not in (State.ENDED, State.UNFINISHED) or block.ordinal is None:
            continue
        if block.result is not None and block.result.status is Status.UNFIT:
            continue
        if block.again is None or block.again.state is State.ENDED:
            return Past(message.reply, block.ordinal, block.source)
    return None
