"""How a person gets to the app: a link in the terminal, another one at each Enter, and an opened browser."""

import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from html import escape
from urllib.parse import urlsplit

from coderunner.access.login_links import LoginLinks
from coderunner.private_folders import make_private
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

EVERYBODY = (
    "Without a token, every user and every program of this machine can open this page, read its "
    "conversations and run code as you."
)
ENTER = "The link works once. Press Enter for another one."
NO_ENTER = "The link works once; the browser that opens it stays logged in. A restart prints another one."
BACKGROUND = 1.0
"""Seconds between two looks at whether a job in the background has come to the front."""


class PrintedLinks:
    """Prints links to the app, and opens one in a browser."""

    def __init__(self, address: str, links: LoginLinks | None, settings: Settings) -> None:
        """`address` has no slash at its end; `links`: None if everybody gets in."""
        self._address = address
        self._links = links
        self._settings = settings
        self._ended = threading.Event()
        self._page = settings.data_dir / f"open-app-{urlsplit(address).port}.html"

    def begin(self) -> None:
        """Print a link, then another one whenever somebody presses Enter in our terminal."""
        terminal = sys.stdin is not None and sys.stdin.isatty()
        words = EVERYBODY if self._links is None else ENTER if terminal else NO_ENTER
        _print(f"CodeRunner is at {self._link().reveal()} (press Ctrl-C to stop)\n{words}")
        if terminal and self._links is not None:
            reading = (sys.stdin.fileno(), lambda: _print(self._link().reveal()), self._ended)
            threading.Thread(target=_at_each_line, args=reading, daemon=True).start()

    def open_browser(self) -> None:
        """Open the app in a browser if that is wanted; returns when the browser has been told."""
        if not wants_browser(self._settings):
            return
        if self._links is None:
            webbrowser.open(self._address)
            return
        # Other users can see what a program is started with: the browser gets the link in a file of ours.
        with suppress(OSError):
            make_private(self._page.parent)
            self._page.unlink(missing_ok=True)
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
            with os.fdopen(os.open(self._page, flags, 0o600), "w") as file:
                link = escape(self._link().reveal())
                file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={link}">\n')
            webbrowser.open(self._page.as_uri())

    def end(self) -> None:
        """Listen no longer to the terminal, and remove what a browser was opened with."""
        self._ended.set()
        with suppress(OSError):
            self._page.unlink(missing_ok=True)

    def _link(self) -> Secret:
        return Secret(self._address) if self._links is None else self._links.new(self._address)


def wants_browser(settings: Settings) -> bool:
    """Whether the page is to be opened in a browser."""
    if settings.open_browser != "auto":
        return settings.open_browser == "yes"
    if os.environ.get("SSH_CONNECTION") or os.environ.get("CI"):
        return False
    seen = (
        sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return bool(seen)


def _at_each_line(terminal: int, do: Callable[[], object], ended: threading.Event) -> None:
    """Call `do` for each line that is typed, until the terminal is closed."""
    if hasattr(signal, "pthread_sigmask"):
        # A job in the background that reads from its terminal is stopped by this signal, unless the thread
        # has blocked it; then reading fails, until the job is in the foreground.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN})
    while not ended.is_set():
        try:
            # Not from `sys.stdin`, whose lock would be held at Python's end.
            if not os.read(terminal, 1024):
                return
        except OSError:
            ended.wait(BACKGROUND)
        else:
            do()


def _print(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody reads what we print any more
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
