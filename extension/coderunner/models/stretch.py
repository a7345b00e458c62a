"""One request's share of a reply: pieces in, deltas out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from coderunner.models.calls import Call, called
from coderunner.models.echo import EchoGuard
from coderunner.models.pieces import Piece
from coderunner.models.usage import Tokens


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the streamed reply: text to show and scan, or thought, which is never scanned."""

    content: str = ""
    reasoning: str = ""
    calls: Sequence[object] = ()
    """Fragments of calls of the host's own tools, as they came: it gave them in the options."""


class Stretch:
    """Lets through what is new, and counts.

    `prefilled` is the text that the server was given to go on with and may repeat. With `own_line` the
    first text begins on a line of its own, since it follows a result of ours that does not end its line.
    With `tools` the model has one of ours: its call comes as a block, once the stream has ended.
    """

    def __init__(self, prefilled: str = "", *, own_line: bool = False, tools: bool = False) -> None:
        self._guard = EchoGuard(prefilled)
        self._own_line = own_line
        self._tools = tools
        self._fragments: list[object] = []
        self._said = ""
        self.call: Call | None = None
        """The call of our tool with which it ended."""
        self.reasoning = ""
        self.finish_reason = ""
        self.tokens: Tokens | None = None
        """The server's last count; None where it gave none (yet)."""
        self.pieces = 0
        """How many pieces of text, thought or calls came: about as many tokens."""

    @property
    def restarted(self) -> bool:
        """Whether the model began our reply anew; then nothing of this request is to be used any more."""
        return self._guard.restarted

    @property
    def unreadable(self) -> bool:
        """Whether the model said nothing and called our tool in a way that nobody understands."""
        return bool(self._fragments) and self.call is None and not self._said

    def receive(self, pieces: Sequence[Piece]) -> Delta:
        """Take what came together; the delta may be empty."""
        for piece in pieces:
            self.tokens = piece.tokens or self.tokens
            self.finish_reason = piece.finish_reason or self.finish_reason
            self.pieces += bool(piece.content or piece.reasoning or piece.calls)
        content = "".join([piece.content for piece in pieces])
        reasoning = "".join([piece.reasoning for piece in pieces])
        self.reasoning += reasoning
        calls = tuple(call for piece in pieces for call in piece.calls)
        if self._tools:
            self._fragments += calls
            calls = ()
        return Delta(self._placed(self._guard.receive(content)), reasoning, calls)

    def close(self) -> Delta:
        """The stream ended; give the text that was still held back."""
        text = self._placed(self._guard.close())
        self.call = called(self._fragments)
        if self.call is None:
            return Delta(text)
        self.finish_reason = "stop"  # the call was ours, and the client knows of none
        apart = "" if not self._said or self._said.endswith("\n") else "\n\n"
        return Delta(text + self._placed(apart + self.call.block))

    def _placed(self, text: str) -> str:
        if not text:
            return text
        if self._own_line:
            self._own_line = False
            text = text if text.startswith(("\n", "\r")) else f"\n{text}"
        self._said = text
        return text
