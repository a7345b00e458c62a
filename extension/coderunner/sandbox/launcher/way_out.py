"""The one way out of a network namespace: a listening socket that is made inside and served outside.

A socket belongs to the namespace that it was made in, whoever holds it. So nothing has to carry bytes across:
`coderunner.sandbox.egress` accepts, in our own process, what connects inside.
"""

import _socket  # `socket` would cost the start of each kernel two milliseconds
import sys

PORT = 61_128
"""Where the proxy listens inside: above the ports that the system hands out, and nobody's well-known one."""
BACKLOG = 128
"""Connections that wait until our process has time."""


def open_way_out(path: str, port: int = PORT) -> None:
    """Listen on the loopback interface, and give the socket to the one who waits at `path`.

    To be called in the new network namespace, its loopback interface up, before anything else runs there;
    returns at once, without an answer. Raises OSError.
    """
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
        channel.connect(path)
        handle = listener.fileno().to_bytes(4, sys.byteorder)
        channel.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, handle)])
    finally:
        listener.close()
        channel.close()
