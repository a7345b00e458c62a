"""Fifty conversations at once through the proxy on one Jupyter server, beside one conversation alone.

Measured is what a person waits for: from the closed fence to the result, both as the client gets them. The
bar: the 95th percentile of fifty is at most twice that of one. The stock way, a new kernel for each block,
stands in the same run with the same arrivals.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.cells import Run, new_kernel_each
from bench.proxy import CHUNK, CLOSED, KEY, TICK, WAIT, free_port, running
from tests.kernel.servers import jupyter_server

from coderunner.kernel.sessions.registry import Server
from coderunner.secret_value import Secret

RESULT = b"Result: 15"
ALONE = 40
"""Blocks of the one conversation."""
LASTS = 3.2
"""Seconds of a reply, over which the conversations begin."""


@dataclass
class Row:
    """What one way takes, in seconds."""

    name: str
    times: list[float] = field(default_factory=list)
    cpu: str = ""

    def at(self, share: float) -> float:
        """The time that this share of the blocks took at most."""
        ordered = sorted(self.times)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def pieces(port: int, conversation: str, question: str) -> AsyncIterator[tuple[float, bytes]]:
    """What comes for a question in a conversation, with the moment of its arrival."""
    body = {"model": "bench+python", "messages": [{"role": "user", "content": question}], "stream": True}
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        + f"Authorization: Bearer {KEY}\r\nX-CodeRunner-Session: {conversation}\r\n".encode()
        + f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
        + data
    )
    while piece := await reader.read(1 << 16):
        yield time.perf_counter(), piece
    writer.close()


async def reply(port: int, conversation: str, question: str = "talk") -> float:
    """Seconds from the closed fence to the result in one reply."""
    closed, text = 0.0, b""
    async for moment, piece in pieces(port, conversation, question):
        text += b"".join(CHUNK.findall(piece))
        if not closed and CLOSED in text:
            closed = moment
        if closed and RESULT in text:
            return moment - closed
    raise AssertionError(text)


async def converse(port: int, number: int, replies: int, row: Row) -> None:
    """One conversation of several replies, which begins at some moment of the first seconds."""
    await asyncio.sleep(random.Random(number).uniform(0, LASTS))
    for _ in range(replies):
        row.times.append(await reply(port, f"bench-{number}"))


async def stock(count: int, run: Run, row: Row) -> None:
    """A new kernel for each of so many blocks, which begin over the time of a reply."""

    def timed() -> float:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began

    async def one(number: int) -> None:
        await asyncio.sleep(random.Random(number).uniform(0, LASTS))
        row.times.append(await asyncio.to_thread(timed))

    await asyncio.gather(*(one(number) for number in range(count)))


def spent(process: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def measure(port: int, processes: Sequence[int], count: int, replies: int) -> list[Row]:
    """One conversation, and many at once; all kernels run already."""
    one, many = Row("one conversation"), Row(f"{count} conversations at once")
    for number in range(count):  # one after the other: starting them is not what is measured
        await reply(port, f"bench-{number}", "block")
    for row, conversations, each in ((one, 1, ALONE), (many, count, replies)):
        before, began = [spent(each) for each in processes], time.perf_counter()
        await asyncio.gather(*(converse(port, number, each, row) for number in range(conversations)))
        took = time.perf_counter() - began
        shares = [(spent(one) - was) / took for one, was in zip(processes, before, strict=True)]
        row.cpu = f"proxy {shares[0]:.0%}, server {shares[1]:.0%} of a core"
    return [one, many]


def main() -> None:
    """Print the table, and whether the bar holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--replies", type=int, default=5, help="blocks of each conversation")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jupyter = stack.enter_context(jupyter_server(folder, token="bench"))
        upstream, port = free_port(), free_port()
        serve = ("uvicorn", "bench.upstream:app", "--log-level", "critical", "--lifespan", "off")
        python = (sys.executable, "-m")
        stack.enter_context(running(*python, *serve, "--port", str(upstream), port=upstream))
        flags = ("--upstream", f"http://127.0.0.1:{upstream}/v1", "--port", str(port))
        where = ("--server", jupyter.url, "--data-dir", str(folder / "data"))
        variables = {"CODERUNNER_API_KEY": KEY, "CODERUNNER_TOKEN": jupyter.token}
        command = (*python, "coderunner", "proxy", *flags, *where)
        proxy = stack.enter_context(running(*command, port=port, **variables))
        work = measure(port, (proxy, jupyter.process.pid), chosen.conversations, chosen.replies)
        rows = asyncio.run(asyncio.wait_for(work, 10 * WAIT))
        rows.append(Row("a new kernel for each block, as many"))
        with new_kernel_each(Server(jupyter.url, Secret(jupyter.token))) as run:
            asyncio.run(stock(chosen.conversations, run, rows[-1]))
    base = rows[0]
    print(f"{'closed fence to result':40}{'blocks':>7}{'median ms':>11}{'p95 ms':>9}{'ratio of p95':>14}")
    for row in rows:
        line = f"{row.name:40}{len(row.times):>7}{row.at(0.5) * 1e3:>11.1f}{row.at(0.95) * 1e3:>9.1f}"
        print(f"{line}{row.at(0.95) / base.at(0.95):>14.2f}  {row.cpu}")
    print(f"the bar of 2.0 {'holds' if rows[1].at(0.95) <= 2 * base.at(0.95) else 'is missed'}")


if __name__ == "__main__":
    main()
