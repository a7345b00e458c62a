"""How often a kernel on this machine is looked at: seldom while it rests and nothing of it changes."""

import asyncio
from contextlib import suppress
from weakref import WeakSet

MOST = 8
"""How many times longer a look waits at most. Many kernels rest beside one that works, and looks at all of
them would take from it what they cost: with 200 that rest, half of a core."""


class WatchPace:
    """Follows whether a kernel works. Lives in one loop."""

    def __init__(self) -> None:
        self._works = asyncio.Event()

    @property
    def together(self) -> int:
        """How many kernels of this process work now."""
        return len(_working)

    def hear(self, state: object) -> None:
        """Note an execution state that the kernel has told, or `busy` for what it was just sent."""
        if state == "idle":
            self._works.clear()
            _working.discard(self)
        elif state == "busy":
            self._works.set()
            _working.add(self)

    async def wait(self, pause: float, same: int, *, most: int = MOST) -> None:
        """Wait for `pause` seconds before the next look; up to `most` times that where many found the `same`.

        Where the kernel begins to work meanwhile, the next look comes within `pause` seconds of that.
        """
        longer = pause * min(2**same, most) - pause
        if longer:
            with suppress(TimeoutError):
                async with asyncio.timeout(longer):
                    await self._works.wait()
        await asyncio.sleep(pause)


_working: WeakSet[WatchPace] = WeakSet()
"""Those of all kernels of this process that work now."""
