"""One request's share of a reply: pieces in, deltas out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from coderunner.languages import PYTHON, Language
from coderunner.models.continuation.echo_removal import EchoGuard
from coderunner.models.continuation.tool_calls import Call, Fragments, called
from coderunner.models.endpoint.chunks import ChunkContent
from coderunner.models.endpoint.token_usage import Tokens
from coderunner.text.surrogates import SurrogateJoiner


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the streamed reply: text to show and scan, or thought, which is never scanned."""

    content: str = ""
    reasoning: str = ""
    calls: Sequence[object] = ()
    """Fragments of calls of the host's own tools, as they came: it gave them in the options."""
    events: Sequence[Mapping[str, object]] = ()
    """What an endpoint with the client's API sent, for the client as it is."""


class ReplySegment:
    """Lets through what is new, and counts. Characters that come in halves are whole behind it.

    `prefilled` is the text that the server was given to go on with and may repeat. With `own_line` the
    first text begins on a line of its own, since it follows a result of ours that does not end its line.
    With `tools` the model has one of ours: its call comes as a block of `language` when the stream has ended.
    """

    def __init__(
        self, prefilled: str = "", *, own_line: bool = False, tools: bool = False, language: Language = PYTHON
    ) -> None:
        self._guard = EchoGuard(prefilled)
        self._own_line = own_line
        self._tools, self._language = tools, language
        self._content, self._thought, self._calls = SurrogateJoiner(), SurrogateJoiner(), Fragments()
        self._fragments: list[object] = []
        self._thoughts: list[str] = []
        self._said = ""
        self.call: Call | None = None
        """The call of our tool with which it ended."""
        self.finish_reason = ""
        self.tokens: Tokens | None = None
        """The server's last count; None where it gave none (yet)."""
        self.pieces = 0
        """How many pieces of text, thought or calls came: about as many tokens."""

    @property
    def reasoning(self) -> str:
        """The thought so far."""
        return "".join(self._thoughts)

    @property
    def restarted(self) -> bool:
        """Whether the model began our reply anew; then nothing of this request is to be used any more."""
        return self._guard.restarted

    @property
    def unreadable(self) -> bool:
        """Whether the model said nothing and called our tool in a way that nobody understands."""
        return bool(self._fragments) and self.call is None and not self._said

    def receive(self, pieces: Sequence[ChunkContent]) -> Delta:
        """Take what came together; the delta may be empty."""
        for piece in pieces:
            self.tokens = piece.tokens or self.tokens
            self.finish_reason = piece.finish_reason or self.finish_reason
            self.pieces += bool(piece.content or piece.reasoning or piece.calls)
        content = self._content.receive("".join([piece.content for piece in pieces]))
        reasoning = self._thought.receive("".join([piece.reasoning for piece in pieces]))
        calls = self._calls.receive([call for piece in pieces for call in piece.calls])
        return self._delta(self._guard.receive(content), reasoning, calls)

    def close(self) -> Delta:
        """The stream ended; give the text that was still held back."""
        rest = self.break_off()
        self.call = called(self._fragments, self._language)
        if self.call is None:
            return rest
        self.finish_reason = "stop"  # the call was ours, and the client knows of none
        apart = "" if not self._said or self._said.endswith("\n") else "\n\n"
        return replace(rest, content=rest.content + self._placed(apart + self.call.block))

    def break_off(self) -> Delta:
        """The stream broke; give what was still held back of what was said. A call may be half of one."""
        content = self._guard.receive(self._content.close()) + self._guard.close()
        return self._delta(content, self._thought.close(), self._calls.close())

    def _delta(self, content: str, reasoning: str, calls: Sequence[object]) -> Delta:
        if reasoning:
            self._thoughts.append(reasoning)
        if self._tools:
            self._fragments += calls
            calls = ()
        return Delta(self._placed(content), reasoning, calls)

    def _placed(self, text: str) -> str:
        if not text:
            return text
        if self._own_line:
            self._own_line = False
            text = text if text.startswith(("\n", "\r")) else f"\n{text}"
        self._said = text
        return text
