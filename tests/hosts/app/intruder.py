"""A program of somebody else on this machine: the standard library, the app's address, and no cookie.

Reads JSON from stdin, `{"port": …, "routes": [[method, path], …], "headers": {…}}`, asks each route by HTTP,
and by WebSocket where the method is that, and prints what came: `[[method, path, status, body], …]`.
"""

import http.client
import json
import sys

BODY = b'{"ticket": "guess", "act": "always", "data": [], "fn_index": 0, "session_hash": "s"}'
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def ask(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """The status and the beginning of the body of an answer."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    if method == "WEBSOCKET":
        line.request("GET", path, headers={**headers, **UPGRADE})
    else:
        writes = method in ("POST", "PUT", "PATCH", "DELETE")
        json_body = {"Content-Type": "application/json"} if writes else {}
        line.request(method, path, BODY if writes else None, {**json_body, **headers})
    answer = line.getresponse()
    status = answer.status
    # An open WebSocket has no end.
    text = "" if status == 101 else answer.read(100_000).decode("utf-8", "replace")
    line.close()
    return status, text


def main() -> None:
    """Ask all."""
    given = json.load(sys.stdin)
    got = [
        (method, path, *ask(given["port"], method, path, given["headers"]))
        for method, path in given["routes"]
    ]
    json.dump(got, sys.stdout)


if __name__ == "__main__":
    main()
