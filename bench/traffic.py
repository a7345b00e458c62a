"""How many bytes come to a page while a reply is written, for each byte of its text.

Run with `python -m bench.traffic`. A real browser counts what its page gets, before any compression: Gradio's
events and answers, and our own socket. The model says 100 pieces of 7 characters a second.
"""

import asyncio
import json
from base64 import b64decode
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, expect
from tests.hosts.app.browsing import Visitor, chromium, served, visitor
from tests.hosts.app.parrot import Receive, Send, _body, _event, _whole

from coderunner.hosts.app.server import App
from coderunner.settings.settings import load

PIECE = 7
PAUSE = 0.01

CODE = "".join(
    f"total_{n} = sum(value * {n} for value in range({n}))  # line {n}\n"
    if n % 5
    else f'def f_{n}(x: int) -> str:\n    return f"{{x:>{n}}}" if x > {n} else ""\n'
    if n % 10
    else "\n"
    for n in range(1, 200)
)
PROSE = "Some *words* of an answer, one after the other, that a person is to read at their pace. " * 140
PRINTED, WIDTH = 170, 70


@dataclass
class Steady:
    """An endpoint that says what it is told to in the message: code, prose or thoughts."""

    pace: float = 1.0
    """How much faster it writes, and what it writes prints."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not scope["path"].endswith("/chat/completions"):
            await _whole(send, 200, {"data": [{"id": "steady", "owned_by": "vllm"}]})
            return
        said = json.loads(await _body(receive))["messages"][-1]
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            }
        )
        began = asyncio.get_running_loop().time()
        what = str(said["content"]) if said["role"] == "user" else ""
        for number, delta in enumerate(_deltas(what, self.pace)):
            await send(_event({"choices": [{"index": 0, "delta": delta}]}))
            await asyncio.sleep(began + number * PAUSE / self.pace - asyncio.get_running_loop().time())
        await send(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


TEXTS = {
    "a block of code": f"```python\n{CODE}```\n",
    "prose": PROSE,
    "a thought": PROSE,
    "what a program prints": (
        f"```python\nimport time\nfor n in range({PRINTED}):\n"
        f"    print('x' * {WIDTH})\n    time.sleep(.1 / {{pace:g}})\n```\n"
    ),
}


def _deltas(what: str, pace: float) -> Iterator[dict[str, str]]:
    text = TEXTS.get(what, "Seen.\n").replace("{pace:g}", f"{pace:g}")
    kind = "reasoning_content" if what == "a thought" else "content"
    for at in range(0, len(text), PIECE):
        yield {kind: text[at : at + PIECE]}
    if what == "a thought":
        yield {"content": "Done.\n"}


@dataclass
class Traffic:
    """Bytes that a page has got."""

    gradio: int = 0
    socket: int = 0
    events: int = 0
    frames: int = 0

    @property
    def whole(self) -> int:
        """All of them."""
        return self.gradio + self.socket


@contextmanager
def counted(somebody: Visitor) -> Iterator[Traffic]:
    """Count what comes to a page."""
    traffic = Traffic()
    session = somebody.context.new_cdp_session(somebody.page)
    session.send("Network.enable")

    of_the_page: set[str] = set()

    def response(event: dict[str, Any]) -> None:
        if event["type"] in ("Fetch", "XHR", "EventSource"):
            of_the_page.add(event["requestId"])

    def data(event: dict[str, Any]) -> None:
        if event["requestId"] not in of_the_page:
            return  # a program of the page, which it loads once
        traffic.gradio += event["dataLength"]
        traffic.events += 1

    def frame(event: dict[str, Any]) -> None:
        payload = event["response"]["payloadData"]
        # Bytes are told as base64.
        binary = event["response"]["opcode"] == 2
        traffic.socket += len(b64decode(payload) if binary else payload.encode())
        traffic.frames += 1

    session.on("Network.responseReceived", response)
    session.on("Network.dataReceived", data)
    session.on("Network.webSocketFrameReceived", frame)
    yield traffic
    session.detach()


def traffic_of(browser: Browser, address: str, what: str) -> Traffic:
    """What comes to a page that is open while the reply to a message is written."""
    with visitor(browser, "about:blank") as somebody, counted(somebody) as traffic:
        somebody.come_in(address)
        somebody.open()
        # After a first reply nothing of loading the page is still to come.
        somebody.ask("Are you there?")
        traffic.gradio = traffic.socket = traffic.events = traffic.frames = 0
        somebody.say(what)
        expect(somebody.feet).to_have_count(2)
        somebody.page.wait_for_timeout(500)  # what is still on its way
        return traffic


@contextmanager
def steady(pace: float = 1.0) -> Iterator[str]:
    """The app with that model and no other conversation; gives its address."""
    model = Steady(pace)
    with served(lambda: model) as endpoint, TemporaryDirectory() as home:
        flags = {"model_url": f"{endpoint}/v1", "model": "steady", "approve": "auto", "data_dir": home}
        with served(App(load(flags)).asgi) as address:
            yield address


def size(what: str) -> int:
    """Bytes of what is told."""
    return PRINTED * (WIDTH + 1) if what == "what a program prints" else len(TEXTS[what].encode())


def main() -> None:
    with chromium() as browser, steady() as address:
        for what in TEXTS:
            its, text = traffic_of(browser, address, what), size(what)
            print(
                f"{what:24} {text / 1000:6.1f} kB of it {its.whole / 1000:8.1f} kB {its.whole / text:6.1f} ×"
            )


if __name__ == "__main__":
    main()
