"""The real text-generation-webui, where one is at hand, with a scripted model behind its own loader.

`TEXTGEN_WEBUI` names a checkout of it, and `TEXTGEN_PYTHON` the python it runs with, which has what the webui
needs, our `requirements.txt`, ipywidgets and matplotlib. Its data are elsewhere: the checkout stays as it is.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.hosts.textgen.webui import REPOSITORY

START = 180.0
"""Seconds until the program serves its page; it takes twelve."""

_LOADER = f"""#!/bin/sh
export PYTHONPATH='{REPOSITORY}/extension:{REPOSITORY}'
exec '{sys.executable}' -m tests.hosts.textgen.llama_server "$@"
"""


def at_hand() -> tuple[Path, str] | None:
    """The checkout and its python; None where they are not named."""
    named = os.environ.get("TEXTGEN_WEBUI"), os.environ.get("TEXTGEN_PYTHON")
    return (Path(named[0]), named[1]) if named[0] and named[1] else None


needed = pytest.mark.skipif(
    at_hand() is None,
    reason="name a text-generation-webui with TEXTGEN_WEBUI, its python with TEXTGEN_PYTHON",
)


@dataclass(frozen=True, slots=True)
class Started:
    """A started program."""

    address: str
    home: Path
    """Its user data."""

    @property
    def records(self) -> Path:
        """The database with all that ran."""
        return self.home / "coderunner" / "records" / "records.sqlite"


@contextlib.contextmanager
def started(folder: Path, *flags: str, **settings: str) -> Iterator[Started]:
    """The program in `folder`, with these flags of its own; `settings` are ours, as in the environment.

    Started again in the same folder it has its chats still.
    """
    found = at_hand()
    assert found is not None
    checkout, python = found
    home = _prepared(folder, checkout)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [python, "server.py", "--user-data-dir", str(home), "--extensions", "CodeRunner"]
    model = ("--model", "demo.gguf", "--ctx-size", "8192", "--gpu-layers", "0")
    environment = os.environ | {"PYTHONPATH": str(folder / "loader"), "GRADIO_ANALYTICS_ENABLED": "False"}
    environment |= {f"CODERUNNER_{name.upper()}": value for name, value in settings.items()}
    with (folder / "log.txt").open("a") as log:
        process = subprocess.Popen(
            [*command, *model, "--listen-port", str(port), *flags],
            cwd=checkout,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _await(address, process, folder / "log.txt")
            yield Started(address, home)
        finally:
            process.terminate()
            process.wait(START)


def _prepared(folder: Path, checkout: Path) -> Path:
    """The user data of a fresh program, with our extension, a model and a loader for it."""
    home, loader = folder / "user_data", folder / "loader"
    if home.exists():
        return home
    from tests.models import tiny_gguf  # needs numpy

    shutil.copytree(checkout / "user_data", home)
    tiny_gguf.build(home / "models" / "demo.gguf")
    (home / "extensions" / "CodeRunner").symlink_to(REPOSITORY)
    loader.mkdir()
    program = loader / "llama-server"
    program.write_text(_LOADER)
    program.chmod(0o755)
    # The package that has the program, to the webui's loader.
    (loader / "llama_cpp_binaries.py").write_text(f"def get_binary_path():\n    return {str(program)!r}\n")
    return home


def _await(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(address, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the webui did not start: {log.read_text()[-3000:]}")


class Person:
    """Somebody at the program's page."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self) -> "Person":
        """Go to the page, or reload it, and wait until it can be used."""
        self.page.goto(self.address)
        expect(self.box).to_be_editable()
        # Until its chats are listed a page has none, and a message would go into a chat without a name.
        expect(self.page.locator("#past-chats input:checked")).to_have_count(1)
        expect(self.page.locator('meta[name="coderunner-token"]')).to_have_count(1)
        return self

    @property
    def box(self) -> Locator:
        """The place to type in."""
        return self.page.locator("#chat-input textarea")

    @property
    def blocks(self) -> Locator:
        """All blocks of the chat."""
        return self.page.locator("#chat code-runner-output")

    @property
    def form(self) -> Locator:
        """Ours, at the foot of the page."""
        return self.page.locator("#coderunner-form")

    def say(self, text: str) -> None:
        """Type a message and send it."""
        self.box.fill(text)
        self.box.press("Enter")

    def ask(self, text: str) -> None:
        """Send a message to which the reply has a block, and wait for its end."""
        before = self.blocks.count()
        self.say(text)
        expect(self.blocks).to_have_count(before + 1)
        expect(self.blocks.last.locator(".cr-state")).to_contain_text("Done")
        expect(self.page.locator(".chat-parent._generating")).to_have_count(0)

    def run(self, code: str) -> Locator:
        """Have a block written and run to its end; gives it."""
        self.ask(f"```python\n{code}\n```")
        return self.blocks.last
