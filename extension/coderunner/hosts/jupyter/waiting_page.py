"""What a browser is shown while the app starts, and why it does not start if it does not.

The app's packages take seconds to import. Until it answers itself, a thread answers at its socket.
"""

import contextlib
import hmac
import selectors
import socket
import threading
from html import escape

from coderunner.hosts.jupyter.names import HEADER
from coderunner.secret_value import Secret

LARGEST = 64 * 1024
"""Bytes of a request's head that are read."""
PATIENCE = 5.0
"""Seconds that a request may take to arrive."""

STARTING = "Starting CodeRunner …"
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.25rem}"
    "h1{font-size:1.35rem;margin:0 0 .5rem}p{margin:0 0 1rem;opacity:.85;overflow-wrap:anywhere}"
)


class WaitingPage:
    """Answers each request at a listening socket until it is told to leave."""

    def __init__(self, listener: socket.socket, way_in: Secret) -> None:
        self._listener = listener
        self._way_in = way_in
        self._failure = ""
        self._shown = False
        self._left, self._again = threading.Event(), threading.Event()
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Answer nothing more; another program accepts from now on."""
        if not self._left.is_set():
            self._left.set()
            self._waker.send(b".")
            self._thread.join(2 * PATIENCE)
            for each in (self._waker, self._woken):
                each.close()

    def fail(self, sentence: str) -> bool:
        """Say why the app does not start; returns when the person has been told and asks again.

        False, at once, where another program answers already.
        """
        if self._left.is_set():
            return False
        self._failure = sentence
        self._again.wait()
        self.leave()
        return True

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (self._listener, self._woken):
                selector.register(each, selectors.EVENT_READ)
            while not self._left.is_set():
                ready = [key.fileobj for key, _ in selector.select()]
                if self._listener in ready:
                    # Another program may have taken the connection already.
                    with contextlib.suppress(OSError):
                        self._answer(self._listener.accept()[0])

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(PATIENCE)
            head = b""
            while b"\r\n\r\n" not in head and len(head) < LARGEST:
                received = connection.recv(LARGEST)
                if not received:
                    return
                head += received
            if not self._wants_the_page(head):
                connection.sendall(_response(""))
                return
            again = self._shown
            connection.sendall(_response(_page("" if again else self._failure)))
            self._shown = self._failure != ""
            if again:
                self._again.set()

    def _wants_the_page(self, head: bytes) -> bool:
        """Whether that is the request of a browser whose person the Jupyter server has let in."""
        first, *lines = head.split(b"\r\n")
        method, _, target = first.partition(b" ")
        path = target.rpartition(b" ")[0].partition(b"?")[0]
        fields = [
            (name.strip().lower(), value.strip()) for name, _, value in (e.partition(b":") for e in lines)
        ]
        given = [value for name, value in fields if name == HEADER.lower().encode()]
        known = len(given) == 1 and hmac.compare_digest(given[0], self._way_in.reveal().encode())
        html = any(name == b"accept" and b"text/html" in value for name, value in fields)
        return known and html and method == b"GET" and path.endswith(b"/")


def _response(page: str) -> bytes:
    body = page.encode()
    # A page is no error for the log of the Jupyter server; what scripts ask for is not there yet.
    head = (
        f"HTTP/1.1 {'200 OK' if page else '503 Service Unavailable'}\r\n"
        "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _page(failure: str = "") -> str:
    """A page that looks again every second; with a failure, one that says it."""
    if failure:
        again = '<p><a href="">Try again</a></p>'
        body, refresh = f"<h1>CodeRunner cannot start</h1><p>{escape(failure)}</p>{again}", ""
    else:
        body = f"<h1>{STARTING}</h1><p>This takes a few seconds.</p>"
        refresh = '<meta http-equiv="refresh" content="1">'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>CodeRunner</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{refresh}'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
