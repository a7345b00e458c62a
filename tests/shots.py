"""The README's picture of the chat app, taken anew: `make shots`. Starts the app with the demo model."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import chromium

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
QUESTIONS = ("What is 10 + 5?", "Plot a damped oscillation.")
PATIENCE = 60_000
"""Milliseconds for one reply: the first one waits for a kernel to start."""


@contextmanager
def app() -> Iterator[str]:
    """The chat app on a free port, with nobody's settings; gives its address."""
    bare = {
        name: value for name, value in os.environ.items() if not name.startswith(("CODERUNNER_", "OPENAI_"))
    }
    with tempfile.TemporaryDirectory(prefix="cr-") as home:
        command = [sys.executable, "-m", "coderunner", "app", "--demo", "--port", "0", "--open-browser", "no"]
        command += ["--approve", "auto", "--data-dir", home]
        with subprocess.Popen(
            command, env=bare | {"XDG_CONFIG_HOME": home}, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield address(process)
            finally:
                process.terminate()


def address(process: subprocess.Popen[str]) -> str:
    """Wait for the line in which the app tells its address."""
    for line in process.stdout or ():
        if found := re.search(r"http://\S+", line):
            return found[0]
    message = "the app ended without telling an address"
    raise RuntimeError(message)


def ask(page: Page, question: str) -> None:
    """Send a question and wait for the end of the reply."""
    box = page.locator("#cr-box textarea")
    box.fill(question)
    box.press("Enter")
    expect(page.locator("#cr-box .stop-button")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#cr-box .stop-button")).to_be_hidden(timeout=PATIENCE)


def main() -> None:
    """Ask the questions and take the picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with app() as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1180}, device_scale_factor=1.5)
        page.goto(url)
        expect(page.locator("#cr-box textarea")).to_be_visible(timeout=PATIENCE)
        for question in QUESTIONS:
            ask(page, question)
        page.screenshot(path=PICTURES / "app.png", animations="disabled")
    print(f"{PICTURES / 'app.png'} is new")


if __name__ == "__main__":
    main()
