"""What a call of a tool costs a block beside the tool's own time: `tools.add(1, 2)`, again and again.

    python -m bench.tools [--calls 200] [--rounds 5]

A real MCP server over stdin and stdout, a kernel on this machine without and with a sandbox, and one on a
stock Jupyter server. The kernel measures each call, CodeRunner the time from sending it to the MCP server to
its result; the difference is ours. Exits with 1 where its median on this machine is above 3 ms.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from tests.kernel.servers import jupyter_server

from coderunner.kernel.sessions.registry import KernelLocation, Local, Server, Session, Sessions
from coderunner.outputs import TOOL_CALL, DisplayData, Stream
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from coderunner.secret_value import Secret
from coderunner.tools.tool_servers import read_tool_servers
from coderunner.tools.toolbox import Toolbox

BAR = 0.003
"""Seconds of a call beyond the tool's own."""
SERVER = Path(__file__).parent.parent / "tests" / "tools" / "mcp_server.py"
CELL = """
import time
took = []
for _ in range({calls}):
    began = time.perf_counter()
    tools.add(1, 2)
    took.append(time.perf_counter() - began)
print(*took)
"""


async def measured(session: Session, calls: int) -> tuple[list[float], list[float]]:
    """Seconds of each call, and of the tool in it."""
    result = await session.execute(CELL.format(calls=calls), deadline=300, on_output=lambda _change: None)
    texts = [output.text for output in result.outputs if isinstance(output, Stream)]
    told = [output.data[TOOL_CALL] for output in result.outputs if isinstance(output, DisplayData)]
    whole = [float(each) for each in "".join(texts).split()]
    own = [float(each["seconds"]) for each in told]  # type: ignore[index]
    assert len(whole) == len(own) == calls, result
    return whole, own


async def bench(name: str, where: KernelLocation, folder: Path, calls: int, rounds: int) -> float:
    """Print the row of one kind of kernel; gives the median in seconds of what is ours."""
    servers = read_tool_servers({"shop": {"command": [sys.executable, str(SERVER)]}})
    boxed = isinstance(where, Local) and where.isolated
    toolbox = Toolbox(servers, asks=False, most=calls)
    sessions = Sessions(folder, sandbox=KernelSandbox(Grants()) if boxed else None, toolbox=toolbox)
    session = sessions.get("bench", where)
    try:
        await measured(session, 20)
        rows = [await measured(session, calls) for _ in range(rounds)]
    finally:
        await sessions.close_all(keep=False)
    ours = [each - own for whole, owns in rows for each, own in zip(whole, owns, strict=True)]
    own = statistics.median(each for _, owns in rows for each in owns)
    middle, slow = statistics.median(ours), statistics.quantiles(ours, n=20)[-1]
    best = min(statistics.median(e - o for e, o in zip(*row, strict=True)) for row in rows)
    print(
        f"{name:<12} tool {own * 1e3:5.1f} ms   ours {middle * 1e3:5.1f} ms   "
        f"best round {best * 1e3:5.1f} ms   95 % {slow * 1e3:5.1f} ms"
    )
    return best


async def main(calls: int, rounds: int) -> int:
    """Run all rows."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        ours = [await bench("local", Local(), root / "local", calls, rounds)]
        if available():
            ours.append(await bench("sandboxed", Local(sandbox=available()), root / "boxed", calls, rounds))
        (root / "served").mkdir()
        with jupyter_server(root / "served", token="bench") as server:
            await bench("server", Server(server.url, Secret("bench")), root / "far", calls, rounds)
    return int(max(ours) > BAR)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    raise SystemExit(asyncio.run(main(asked.calls, asked.rounds)))
