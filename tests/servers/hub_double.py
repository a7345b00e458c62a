"""A Hub that answers as JupyterHub 6.1.1 does in place of the servers of its users; it starts none."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.servers.place import HubPlace

TOKENS = {"ann-token": "ann", "bob-token": "bob"}
SERVERS = {
    "ann": {
        "work": {"name": "work", "pending": None, "ready": True, "stopped": False},
        "soon": {"name": "soon", "pending": "spawn", "ready": False, "stopped": False},
        "old": {"name": "old", "pending": None, "ready": False, "stopped": True},
    },
    "bob": {},
}


def answer(url: str, path: str, user: str) -> tuple[int, str, object]:
    """Status, location and JSON of what is answered to a user, or nobody."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["user", "ann"] and parts[2:3] == ["work"]:
        return 403, "", {"message": "Forbidden", "reason": None}  # it runs, and knows nobody of the tests
    if parts == ["hub", "api"]:
        return 200, "", {"version": "6.1.1"}
    if parts == ["hub", "api", "user"]:
        return (
            (200, "", {"name": user, "servers": {}}) if user else (403, "", {"status": 403, "message": None})
        )
    if parts[:3] == ["hub", "api", "users"]:
        if parts[3] != user:
            return 404, "", {"status": 404, "message": "No access to resources or resources not found"}
        return 200, "", {"name": user, "servers": SERVERS[user]}
    if parts[:2] != ["hub", "user"]:
        return (302, f"/hub{path}", None) if parts[0] != "hub" else (404, "", None)
    if not user:
        return 302, "/hub/login?next=" + path.replace("/", "%2F"), None
    if parts[2] != user:
        return 404, "", None
    below, spawn = path.removeprefix("/hub"), f"{url}/hub/spawn/{user}"
    if parts[3] in SERVERS[user]:
        spawn += f"/{parts[3]}"
    said = f"JupyterHub server no longer running at {below}. Restart the server at {spawn}"
    return 424, "", {"message": said}


@contextlib.contextmanager
def hub_double() -> Iterator[HubPlace]:
    """Run one until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            user = TOKENS.get(self.headers.get("Authorization", "").removeprefix("token "), "")
            url = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
            status, location, content = answer(url, urlsplit(self.path).path, user)
            body = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"X-JupyterHub-Version": "6.1.1", "Location": location}.items():
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield HubPlace(f"http://127.0.0.1:{server.server_port}", "ann-token", "bob-token")
        server.shutdown()
