"""From the closing fence to the injected result, in whole replies, over the cell's own time.

The bar: at most 5 ms more than the cell takes. The second table is the first block of a new conversation: its
kernel starts at the opening fence, while the model still writes.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from statistics import median

from coderunner.chat.steps import Generate, Part, Say
from coderunner.chat.turn_state_machine import Turn
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.runner import Ended, Event, converse, converse_sync

BLOCKS = 40
NEW = 5
TOKEN = 0.02
"""Seconds a token of the slow model takes: 50 tokens a second, a good local model."""

CODE = "print(10 + 5)"
REPLY = f"Let me compute that.\n\n```python\n{CODE}\n```\n"
LONG_CODE = "\n".join(f"value_{number} = {number} * {number}" for number in range(12)) + "\nprint(value_11)"
LONG_REPLY = f"Let me compute that step by step.\n\n```python\n{LONG_CODE}\n```\n"


class Clock:
    """Notes when the model closed its last fence, and what came of it."""

    def __init__(self, text: str, token: float = 0.0) -> None:
        self.text = text
        self.token = token
        self.closed = 0.0
        self.cell = 0.0
        self.injected = 0.0

    def generate(self, step: Generate) -> Generator[str]:
        """Say the text at the first call, a sentence at the next."""
        if step.result:
            yield "There it is."
            return
        for start in range(0, len(self.text), 4):
            if self.token:
                time.sleep(self.token)
            self.closed = time.perf_counter()
            yield self.text[start : start + 4]

    async def stream(self, step: Generate) -> AsyncGenerator[str]:
        """The same for the other driver."""
        for delta in self.generate(step):
            yield delta

    def note(self, event: Event) -> None:
        """Take the times that matter."""
        match event:
            case Ended(result=result):
                self.cell = result.duration
            case Say(part=Part.RESULT) if not self.injected:
                self.injected = time.perf_counter()

    @property
    def whole(self) -> float:
        """Seconds from the closing fence to the injected result."""
        return self.injected - self.closed


def drive_sync(kernel: Session, clock: Clock) -> None:
    for event in converse_sync(Turn(), clock.generate, kernel):
        clock.note(event)


def drive_async(kernel: Session, clock: Clock) -> None:
    async def run() -> None:
        async for event in converse(Turn(), clock.stream, kernel):
            clock.note(event)

    asyncio.run(run())


def main() -> None:
    """Print both tables."""
    sessions = Sessions()
    warm = sessions.get("bench-warm", Local())
    drivers = {"synchronous driver": drive_sync, "asynchronous driver": drive_async}
    for drive in drivers.values():
        drive(warm, Clock(REPLY))
    print(f"{'warm kernel, ' + CODE:34} {'cell ms':>9} {'fence → result ms':>18} {'over the cell ms':>17}")
    for name, drive in drivers.items():
        clocks = [Clock(REPLY) for _ in range(BLOCKS)]
        for clock in clocks:
            drive(warm, clock)
        cell, whole = median(clock.cell for clock in clocks), median(clock.whole for clock in clocks)
        over = median(clock.whole - clock.cell for clock in clocks)
        print(f"{name:34} {cell * 1e3:9.2f} {whole * 1e3:18.2f} {over * 1e3:17.2f}")
    print(f"\n{'a model of 50 tokens a second':34} {'fence → result ms':>28}")
    first = []
    for number in range(NEW):
        clock = Clock(LONG_REPLY, TOKEN)
        drive_sync(sessions.get(f"bench-new-{number}", Local()), clock)
        first.append(clock.whole)
    again = []
    for _ in range(NEW):
        clock = Clock(LONG_REPLY, TOKEN)
        drive_sync(warm, clock)
        again.append(clock.whole)
    print(f"{'warm kernel':34} {median(again) * 1e3:28.2f}")
    print(f"{'first block of a conversation':34} {median(first) * 1e3:28.2f}")
    asyncio.run(sessions.close_all())


if __name__ == "__main__":
    main()
