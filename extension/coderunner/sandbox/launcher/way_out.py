"""The one way out of a network namespace: a listening socket that is made inside and served outside.

A socket belongs to the namespace that it was made in, whoever holds it. So nothing has to carry bytes across:
`coderunner.sandbox.egress` accepts, in our own process, what connects inside.
"""

import array
import socket
import struct

PORT = 61_128
"""Where the proxy listens inside: above the ports that the system hands out, and nobody's well-known one."""
BACKLOG = 128
"""Connections that wait until our process has time."""

_GET_FLAGS, _SET_FLAGS = 0x8913, 0x8914  # SIOCGIFFLAGS, SIOCSIFFLAGS of <linux/sockios.h>
_UP = 1


def open_way_out(path: str, port: int = PORT) -> None:
    """Bring the loopback interface up, listen on it, and give the socket to the one who waits at `path`.

    To be called in the new network namespace, with the capabilities in it, before anything else runs there;
    returns at once, without an answer. Raises OSError.
    """
    raise_loopback()
    with (
        socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        channel.connect(path)
        rights = array.array("i", [listener.fileno()])
        channel.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def raise_loopback() -> None:
    """Bring the loopback interface of this network namespace up; a new one has it down. Raises OSError."""
    import fcntl  # our process imports this module, too, on systems without it

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, _GET_FLAGS, struct.pack("16sh22x", b"lo", 0))
        flags = struct.unpack("16sh22x", asked)[1]
        if not flags & _UP:
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", flags | _UP))
