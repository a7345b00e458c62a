"""A real Firefox, Debian's own, spoken to as it speaks itself: WebDriver BiDi over a WebSocket."""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

WAIT = 60.0
"""Seconds for what takes two."""

NAME = "firefox-esr"


def path() -> str | None:
    """Where it is, if it is."""
    return shutil.which(NAME)


# It asks its maker for news as soon as it starts. Here it reaches this machine and nothing else.
PREFERENCES = """\
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.no_proxies_on", "127.0.0.1, localhost");
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.normandy.enabled", false);
"""


class Firefox:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._ask("session.new", capabilities={})
        self.tab: str = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def reload(self) -> None:
        self._ask("browsingContext.reload", context=self.tab, wait="complete")

    def says(self, expression: str, place: str = "") -> object:
        """What an expression comes to, in the page or in a frame of it; strings, numbers and truth only."""
        target = {"context": place or self.tab}
        told = self._ask("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert told["type"] == "success", told
        return told["result"].get("value")

    def tabs(self) -> int:
        """How many there are: one, unless something opened another."""
        return len(self._ask("browsingContext.getTree")["contexts"])

    def frames(self) -> list[str]:
        """All frames of the page, those in frames too."""
        (tab,) = self._ask("browsingContext.getTree", root=self.tab)["contexts"]
        return list(_below(tab))

    def until(self, expression: str, *, framed: bool = False) -> None:
        """Wait, bounded, until an expression is true in the page, or in one of its frames."""
        end = time.monotonic() + WAIT
        while not any(self._holds(expression, place) for place in (self.frames() if framed else [self.tab])):
            assert time.monotonic() < end, f"it did not come to pass: {expression}"
            time.sleep(0.05)

    def picture(self) -> bytes:
        """The page as it looks, a PNG."""
        shown = self._ask("browsingContext.captureScreenshot", context=self.tab)
        return base64.b64decode(shown["data"])

    def _holds(self, expression: str, place: str) -> bool:
        target = {"context": place}
        told = self._ask("script.evaluate", expression=expression, target=target, awaitPromise=True, gone={})
        return told.get("type") == "success" and told["result"].get("value") is True

    def _ask(self, method: str, *, gone: Any = None, **params: object) -> Any:
        """Ask; `gone` is what comes of a frame that has just been taken away."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(WAIT))
            if told.get("id") == number:
                break
        if told["type"] == "error" and gone is not None:
            return gone
        assert told["type"] == "success", told
        return told["result"]


def _below(tree: Any) -> Iterator[str]:
    for child in tree["children"] or ():
        yield child["context"]
        yield from _below(child)


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Start it with nothing remembered, and end it."""
    with tempfile.TemporaryDirectory(prefix="cr-fox-") as profile:
        Path(profile, "user.js").write_text(PREFERENCES, encoding="ascii")
        process = subprocess.Popen(
            [str(path()), "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
            env={"HOME": profile, "PATH": "/usr/bin:/bin", "MOZ_HEADLESS_WIDTH": "1100"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            heard = next(
                filter(None, (re.search(r"BiDi listening on (ws:\S+)", each) for each in process.stderr))
            )
            with connect(f"{heard[1]}/session", proxy=None, max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.kill()
            process.communicate()
