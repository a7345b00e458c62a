"""Stands between us and a PostgreSQL server on a TCP port, and cuts connections where a test wants it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.postgresql import Server


class Relay:
    """Carries bytes both ways; each connection has two threads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.cut_commit_of = b""
        """The next transaction with this is committed; the answer comes to nobody, the connection breaks."""
        self.refusing = False
        """New connections are ended at once."""
        self.refuses_after_cut = False
        self.cuts = 0
        self.opened = 0
        self.swallowing = False
        """New connections are taken, and nothing ever comes of them."""
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, **query: str) -> str:
        """The address of the server's database through this relay."""
        return self._server.url(**self._here, **query)

    def schema(self) -> str:
        """The address of a schema of its own through this relay."""
        return self._server.schema(**self._here)

    @property
    def _here(self) -> dict[str, str]:
        return {"host": "127.0.0.1", "port": str(self._listener.getsockname()[1])}

    def cut(self) -> None:
        """End all connections without a word, as a balancer does with those that were idle."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.opened += 1
                self._open.append(near)
                if self.swallowing:
                    continue
                if self.refusing:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                far.settimeout(None)
                try:
                    far.connect(str(self._server.folder / ".s.PGSQL.5432"))
                except OSError:
                    far.close()
                    near.close()
                    continue
                self._open.append(far)
                for way in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(*way, near), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, client: socket.socket) -> None:
        meant = False
        with suppress(OSError):
            while data := source.recv(65536):
                meant = meant or bool(self.cut_commit_of and self.cut_commit_of in data)
                cuts = source is client and meant and b"COMMIT" in data
                if cuts:
                    self.cut_commit_of, self.cuts = b"", self.cuts + 1
                    self.refusing = self.refuses_after_cut
                    # Whatever the server answers now finds nobody; it does what it was told all the same.
                    client.shutdown(socket.SHUT_WR)
                target.sendall(data)
                if cuts:
                    break
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def relayed(server: Server) -> Iterator[Relay]:
    """A relay before the server, until the block ends."""
    relay = Relay(server)
    try:
        yield relay
    finally:
        relay.close()
