"""What the kernel's process uses: for who cannot look at it from outside, as on a server."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.control import question


@question("usage")
def usage() -> dict[str, float]:
    """Bytes of memory, and seconds of CPU time up to a moment: two answers tell how busy it is."""
    import psutil  # type: ignore[import-untyped]  # not loaded before it is needed: it takes 15 ms

    process = psutil.Process()
    with process.oneshot():
        times = process.cpu_times()
        memory = process.memory_info().rss
    return {"memory": memory, "cpu": times.user + times.system, "at": time.monotonic()}
