"""The smallest host there can be: reads a reply, runs its blocks by a table, appends the results."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from coderunner.models.continuation.continued_reply import ContinuedReply

OPENING, CLOSING, RESULT = "```python\n", "```\n", "\nResult:"

Run = Callable[[str], str]
"""Code to result, as the whole line that is appended."""


@dataclass
class Host:
    """One visible reply, with all blocks that were handed to the kernel."""

    run: Run = lambda _: "Result: 15\n"
    ran: list[str] = field(default_factory=list)
    text: str = ""
    thought: str = ""

    async def converse(self, reply: ContinuedReply, prior: str = "", *, most: int = 8) -> str:
        """Drive a reply to its end and give its text."""
        self.text, result = prior, ""
        for _ in range(most):
            code = await self._listen(reply, result)
            if code is None:
                break
            self.ran.append(code)
            result = self.run(code)
            self.text += result
        return self.text

    async def _listen(self, reply: ContinuedReply, result: str) -> str | None:
        """Take deltas until a block closes; then hang up, cut after it and give its code."""
        start = self.text.rfind(RESULT) + 1
        async with aclosing(reply.generate(self.text, result)) as deltas:
            async for delta in deltas:
                self.thought += delta.reasoning
                self.text += delta.content
                opening = self.text.find(OPENING, start)
                closing = self.text.find(f"\n{CLOSING}", opening) if opening >= 0 else -1
                if closing >= 0:
                    self.text = self.text[: closing + 1 + len(CLOSING)]
                    return self.text[opening + len(OPENING) : closing]
        return None
