"""A Hub that answers as JupyterHub 6.1.1 does; the servers that it starts only say that they are there."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.servers.place import HubPlace

TOKENS = {"ann-token": "ann", "bob-token": "bob", "small-token": "ann"}
SMALL = "small-token"
SCOPES = {
    True: ["access:servers!user={user}", "read:servers!user={user}", "start:servers!user={user}"],
    False: ["access:servers!user={user}", "read:users!user={user}"],
}
NOT_AUTHORISED = "Action is not authorized with current scopes; requires any of [{scope}:servers]"
WAIT = 60.0
"""Seconds for which a server that is held may start."""

Answer = tuple[int, str, object]
"""Status, location and JSON; a list: events."""


class Hub:
    """What the Hub knows of the servers of Ann and Bob."""

    def __init__(self) -> None:
        names = {"ann": ("", "old", "late", "held", "lost", "broken", "work", "soon"), "bob": ("",)}
        self.states = {user: dict.fromkeys(names, "stopped") for user, names in names.items()}
        self.states["ann"] |= {"work": "ready", "soon": "spawn"}
        self.held = {name: threading.Event() for name in ("soon", "held", "lost")}

    def answer(self, method: str, path: str, token: str) -> Answer:
        """What is answered to whoever has a token."""
        user, small, parts = TOKENS.get(token, ""), token == SMALL, path.strip("/").split("/")
        if parts[0] == "user":
            return self._for_server(path, parts[1], parts[2] if len(parts) > 3 else "", token)
        if parts == ["hub", "api"]:
            return 200, "", {"version": "6.1.1"}
        if parts == ["hub", "api", "user"]:
            scopes = [scope.format(user=user) for scope in SCOPES[not small]]
            known: dict[str, object] = {"name": user, "scopes": scopes} | ({} if small else {"servers": {}})
            return (200, "", known) if user else (403, "", {"status": 403, "message": None})
        if parts[:3] == ["hub", "api", "users"]:
            if parts[3] != user:
                return 404, "", {"status": 404, "message": "No access to resources or resources not found"}
            return self._of_user(method, user, parts[4:], small=small)
        if parts[:2] != ["hub", "user"]:
            return (302, f"/hub{path}", None) if parts[0] != "hub" else (404, "", None)
        if not user:
            return 302, "/hub/login?next=" + path.replace("/", "%2F"), None
        return self._in_place(path, parts[2], parts[3], user)

    def _for_server(self, path: str, user: str, name: str, token: str) -> Answer:
        states = self.states.get(user, {})
        if states.get(name) == "ready":
            if path.endswith("/api"):
                return 200, "", {"version": "2.21.1"}
            if TOKENS.get(token) != user:
                return 403, "", {"message": "Forbidden", "reason": None}
        elif states.get("") == "ready":
            return 404, "", {"message": "Not Found", "reason": None}  # so says the default one
        return 302, f"/hub{path}", None

    def _in_place(self, path: str, owner: str, name: str, user: str) -> Answer:
        if owner != user:
            return 404, "", None
        below, spawn = path.removeprefix("/hub"), f"/hub/spawn/{user}"
        spawn += f"/{name}" if name in self.states[user] else ""
        said = f"JupyterHub server no longer running at {below}. Restart the server at {{url}}{spawn}"
        return 424, "", {"message": said}

    def _of_user(self, method: str, user: str, parts: list[str], *, small: bool) -> Answer:
        states = self.states[user]
        if not parts:
            seen = {name: _model(name, state) for name, state in states.items() if name or state != "stopped"}
            return 200, "", {"name": user} | ({} if small else {"servers": seen})
        if small:
            scope = "start" if method == "POST" else "read"
            return 403, "", {"status": 403, "message": NOT_AUTHORISED.format(scope=scope)}
        name = parts[1] if parts[0] == "servers" else ""
        if parts[-1] == "progress":
            return self._progress(user, name)
        if states[name] == "ready":
            return 400, "", {"status": 400, "message": f"{user}:{name} is already running"}
        if name == "broken":
            states[name] = "failed"
            return 500, "", {"status": 500, "message": "Internal Server Error"}
        states[name] = "spawn"
        return 202, "", None

    def _progress(self, user: str, name: str) -> Answer:
        state = self.states[user][name]
        if state == "stopped":
            return 400, "", {"status": 400, "message": f"{user}:{name} is not starting..."}
        if state == "failed":
            said = "Spawn failed: there is no room left"
            return 200, "", [{"progress": 100, "failed": True, "message": said}]
        before = [] if state == "ready" else [
            {"progress": 0, "message": "Server requested"},
            {"progress": 30, "message": "Looking for a place"},
        ]  # fmt: skip
        return 200, "", [*before, {"progress": 100, "ready": True, "message": "Server ready"}]

    def start(self, path: str) -> None:
        """Let a server start whose progress is looked at; waits as long as that takes."""
        parts = path.strip("/").split("/")
        user, name = parts[3], parts[5] if parts[4] == "servers" else ""
        if self.states[user][name] == "spawn":
            if name in self.held:
                self.held[name].wait(WAIT)
            self.states[user][name] = "ready"


def _model(name: str, state: str) -> dict[str, object]:
    pending = state if state == "spawn" else None
    stopped = state in ("stopped", "failed")
    return {"name": name, "pending": pending, "ready": state == "ready", "stopped": stopped}


@contextlib.contextmanager
def hub_double() -> Iterator[HubPlace]:
    """Run one until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            token = self.headers.get("Authorization", "").removeprefix("token ")
            path = urlsplit(self.path).path
            status, location, content = hub.answer(self.command, path, token)
            self.send_response(status)
            for name, value in {"X-JupyterHub-Version": "6.1.1", "Location": location}.items():
                if value:
                    self.send_header(name, value)
            if isinstance(content, list):
                self._events(path, content)
                return
            body = b"" if content is None else json.dumps(content).replace("{url}", url).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - what the base class calls

        def _events(self, path: str, events: list[object]) -> None:
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            with contextlib.suppress(OSError):
                for number, event in enumerate(events):
                    self.wfile.write(b"\n\n")
                    if number == len(events) - 1:
                        hub.start(path)
                    self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield HubPlace(url, "ann-token", "bob-token", SMALL, lambda name: hub.held[name].set())
        for held in hub.held.values():
            held.set()
        server.shutdown()
