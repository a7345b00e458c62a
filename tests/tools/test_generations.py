"""Both generations of the MCP SDK: ours, and the first, which text-generation-webui pins."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.behaviours import behaviour
from tests.tools.conftest import BOUND, COMMAND, SECRET
from tests.tools.test_calls import free_port, serving

SCRIPT = Path(__file__).with_name("asking_tools.py")
EXTENSION = Path(__file__).parents[2] / "extension"
FIRST = ("mcp==1.27.0", "httpx-sse==0.4.3")
"""What the webui pins, and what that needs beyond what is here."""


class Doorkeeper(BaseHTTPRequestHandler):
    """Lets nobody in."""

    def do_POST(self) -> None:
        """Whatever is asked."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_told: object) -> None:
        """Nothing of it."""


@contextmanager
def closed_door() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Doorkeeper)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/mcp"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def install(folder: Path) -> str:
    """Put the first generation there, by uv where there is one; gives why that cannot be."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    ways = ([[uv, "pip"]] if uv else []) + [pip]
    for way in ways:
        command = [*way, "install", "--quiet", "--no-deps", "--target", str(folder), *FIRST]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * BOUND, check=False)
        if done.returncode == 0:
            return ""
    return done.stderr.strip()[-200:]


def asked(servers: dict[str, object], *before: Path) -> Any:
    """What the program says of its calls; `before`: folders of packages that come first."""
    path = os.pathsep.join(map(str, (*before, EXTENSION)))
    done = subprocess.run(
        [sys.executable, SCRIPT, json.dumps(servers)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=2 * BOUND,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@behaviour("tools:generations")
@pytest.mark.network
def test_tools_are_the_same_by_both_generations_of_the_sdk(tmp_path: Path) -> None:
    first = tmp_path / "first"
    if why_not := install(first):
        pytest.skip(f"the first generation of the SDK cannot be installed here: {why_not}")
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with serving() as url, closed_door() as door:
        servers: dict[str, object] = {
            "shop": COMMAND,
            "web": {"url": url, "file": str(secret)},
            "door": {"url": door, "file": str(secret)},
            "gone": {"command": "no-such-program-of-the-test"},
            "away": {"url": f"http://127.0.0.1:{free_port()}/mcp"},
            "mute": {"command": [sys.executable, "-c", "pass"]},
        }
        old, new = asked(servers, first), asked(servers)
    assert old.pop("sdk").startswith("1.")
    assert new.pop("sdk").startswith("2.")
    assert old == new
    assert [new["calls"][name][0] for name in ("shop_add", "web_add")] == [3, 5]
    assert new["calls"]["web_authorization"][0] == f"Bearer {len(SECRET)}"
    assert new["calls"]["shop_leave"][0] is None
    told = "\n".join(new["failures"])
    for words in ("does not accept the secret", "there is no program", "cannot be reached", "ended at once"):
        assert words in told
    assert SECRET not in told
