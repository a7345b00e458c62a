"""The proxy beside the endpoint without it, in one run: what a chunk, a stream and a block cost.

The bars: at most 0.3 ms more for a chunk at 100 a second, at most 60 µs of CPU for it, and with 50 streams at
once at least 0.9 of the endpoint's own pace; 1.3 times that for the other two APIs. At full speed many chunks
come at once and are taken as one; at 100 a second each of 50 streams wakes the proxy by itself, which costs
more. A proxy of another make stands in the same table where its command is installed: `litellm`, or what
LITELLM names.
"""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.upstream import AFTER

from coderunner.kernel.sessions.registry import Local, Sessions

KEY = "sk-bench-7f3a9c51e2d4b680"
PACED = 300
MANY = 20_000
"""Chunks of one stream at full speed: long enough for a clock of 10 ms."""
STREAMS = 50
EACH = 400
BLOCKS = 20
WAIT = 120.0
TICK = os.sysconf("SC_CLK_TCK")

THEIRS = {"LITELLM_MASTER_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "CRITICAL"}
MESSAGES = {"chat/completions": "messages", "responses": "input", "messages": "messages"}
BODIES: Mapping[str, Mapping[str, object]] = {
    "chat/completions": {},
    "responses": {"store": False},
    "messages": {"max_tokens": 1_000_000},
}
"""What a request has beside its model and its question."""

CLOSED = rb"+ 5)\n```\n"
MOMENT = re.compile(rb"(\d+\.\d{6}) ")
CHUNK = re.compile(rb'"content": ?"((?:[^"\\]|\\.)+)"')


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint to measure."""

    name: str
    port: int
    model: str
    process: int
    route: str = "chat/completions"

    async def pieces(self, question: str) -> AsyncIterator[tuple[float, bytes]]:
        """What comes for a question, with the moment of its arrival. As cheap as a client can be."""
        asked = [{"role": "user", "content": question}]
        body = {"model": self.model, "stream": True, **BODIES[self.route], MESSAGES[self.route]: asked}
        data = json.dumps(body).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"POST /v1/{self.route} HTTP/1.1\r\n".encode()
            + b"Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
            + f"Authorization: Bearer {KEY}\r\nX-CodeRunner-Session: bench\r\n".encode()
            + f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
            + data
        )
        while piece := await reader.read(1 << 16):
            yield time.monotonic(), piece
        writer.close()

    def cpu(self) -> float:
        """Seconds of CPU that its process has taken."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


async def latency(place: Place) -> float:
    """Seconds from the moment that a chunk bears to its arrival, the median at 100 chunks a second."""
    late = [
        moment - float(said)
        async for moment, piece in place.pieces(f"paced {PACED}")
        for said in MOMENT.findall(piece)
    ]
    return median(late[:PACED])  # what follows is said once more, by an API whose end has everything


async def cpu(place: Place) -> float:
    """Seconds of CPU for a chunk of one stream at full speed."""
    before = place.cpu()
    await drain(place, f"fast {MANY}")
    return (place.cpu() - before) / MANY


async def throughput(place: Place, how: str) -> float:
    """Chunks a second of many streams at once."""
    began = time.monotonic()
    await asyncio.gather(*(drain(place, f"{how} {EACH}") for _ in range(STREAMS)))
    return STREAMS * EACH / (time.monotonic() - began)


async def drain(place: Place, question: str) -> None:
    """Take an answer to its end."""
    text = b"".join([piece async for _, piece in place.pieces(question)])
    assert len(MOMENT.findall(text)) >= int(question.split()[1]), text[-500:]


async def fence(place: Place) -> float:
    """Seconds from the closing fence to the first word after the result."""
    closed = said = 0.0
    text = b""
    async for moment, piece in place.pieces("block"):
        text += b"".join(CHUNK.findall(piece))
        closed = closed or (moment if CLOSED in text else 0.0)
        said = said or (moment if AFTER.encode() in text else 0.0)
    return said - closed


async def first(place: Place) -> float:
    """Seconds from a question to its first word."""
    began = time.monotonic()
    return await anext(moment async for moment, piece in place.pieces("fast 1") if b"data: " in piece) - began


async def cell() -> float:
    """Seconds that the block takes by itself."""
    sessions = Sessions()
    session = sessions.get("bench", Local())
    taken = []
    for _ in range(BLOCKS):
        began = time.monotonic()
        await session.execute("print(10 + 5)")
        taken.append(time.monotonic() - began)
    await sessions.close_all()
    return median(taken[1:])


@contextmanager
def running(*command: str, port: int, **environment: str) -> Iterator[int]:
    """A server that answers at `port`; gives its process."""
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + WAIT
        while time.monotonic() < until and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            except OSError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(WAIT)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def places(servers: ExitStack) -> Iterator[Place]:
    """Everything that there is to measure, the endpoint itself first."""
    direct, ours, theirs = free_port(), free_port(), free_port()
    url = f"http://127.0.0.1:{direct}/v1"
    python = sys.executable
    serve = (python, "-m", "uvicorn", "bench.upstream:app", "--log-level", "critical", "--lifespan", "off")
    process = servers.enter_context(running(*serve, "--port", str(direct), port=direct))
    yield Place("the endpoint itself", direct, "bench", process)
    folder = servers.enter_context(tempfile.TemporaryDirectory())
    flags = ("--upstream", url, "--port", str(ours), "--data-dir", folder, "--allow-local-kernel")
    command = (python, "-m", "coderunner", "proxy", *flags)
    process = servers.enter_context(running(*command, port=ours, CODERUNNER_API_KEY=KEY))
    yield Place("coderunner proxy", ours, "bench+python", process)
    yield Place("the same, responses", ours, "bench+python", process, "responses")
    yield Place("the same, messages", ours, "bench+python", process, "messages")
    if not (litellm := shutil.which(os.environ.get("LITELLM", "litellm"))):
        print("LiteLLM is not installed here, so it is left out")
        return
    where = ("--host", "127.0.0.1", "--port", str(theirs))
    other = (litellm, "--model", "openai/bench", "--api_base", url, *where)
    process = servers.enter_context(running(*other, port=theirs, OPENAI_API_KEY=KEY, **THEIRS))
    yield Place("LiteLLM's proxy", theirs, "openai/bench", process)


async def measure(place: Place, alone: Sequence[float]) -> Sequence[float]:
    """Print a line; gives latency and throughputs, which for the endpoint itself are those of all lines."""
    async for _ in place.pieces("fast 1"):
        pass
    late, spent = await latency(place), await cpu(place)
    before = place.cpu()
    paced = await throughput(place, "paced")
    each = (place.cpu() - before) / (STREAMS * EACH)
    fast = await throughput(place, "fast")
    its = alone or (late, paced, fast)
    line = f"{place.name:20} {late * 1e3:10.2f} {(late - its[0]) * 1e3:8.2f}"
    line += f" {spent * 1e6:9.0f} {each * 1e6:9.0f}"
    print(f"{line} {paced:12,.0f} {paced / its[1]:6.2f} {fast:12,.0f} {fast / its[2]:6.2f}", flush=True)
    return its


async def blocks(direct: Place, ours: Place) -> None:
    """Print what it takes to go on after a block, and the parts that it is made of."""
    await fence(ours)
    whole = median([await fence(ours) for _ in range(BLOCKS)])
    parts = await cell(), median([await first(direct) for _ in range(BLOCKS)])
    print(f"\nclosing fence to the first word after the result: {whole * 1e3:.1f} ms; its parts: the cell")
    print(f"{parts[0] * 1e3:.1f} ms, the endpoint's first word {parts[1] * 1e3:.1f} ms")


def main() -> None:
    """Print the table and the line about blocks."""
    print(f"{'':41} CPU µs/chunk {'':6} 50 streams, chunks/s: at 100 each       at full speed")
    head = f"{'':20} {'latency ms':>10} {'added ms':>8} {'alone':>9} {'50 × 100':>9}"
    print(f"{head} {'':>12} {'ratio':>6} {'':>12} {'ratio':>6}")
    alone: Sequence[float] = ()
    with ExitStack() as servers:
        known = []
        for place in places(servers):
            known.append(place)
            alone = asyncio.run(measure(place, alone))
        asyncio.run(blocks(*known[:2]))


if __name__ == "__main__":
    main()
