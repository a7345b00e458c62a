"""What the product says of each probe that was refused: to the person below the block, and to the model.

Where it says nothing, the reason stands here. `$name` is what a scene has under that name; what differs is by
backend.
"""

from dataclasses import dataclass

from coderunner.sandbox.backends import Backend


@dataclass(frozen=True, slots=True)
class Silence:
    """Why nothing is told."""

    because: str


Told = str | Silence | dict[Backend, "str | Silence"]

ITS_OWN = Silence("the folder is the kernel's own there: the act succeeded, and reached nothing of others")
NOBODY = Silence("it looks as if nobody were there, and without a name nobody can be looked for")
ADMINISTRATORS = Silence("only an administrator may do it, with or without a sandbox")
NOT_PERMITTED = Silence("the file is the code's own, and the error says that this is not permitted")
NOTHING_SEEN = Silence("it finds what there is in the sandbox, and nothing failed")


def _reads(what: str) -> str:
    return f"This block may not read {what}."


def _writes(what: str) -> str:
    return f"This block may not write to {what}."


def _loses(what: str) -> dict[Backend, "str | Silence"]:
    return {
        "namespaces": f"This block may not write to {what}; what it writes there is not kept.",
        "landlock": _writes(what),
    }


def _reaches(what: str) -> str:
    return f"This block may not reach {what}."


SENTENCES: dict[str, Told] = {
    "read a file in home": _reads("~/canary.txt"),
    "list home": _reads("$home"),
    "read a key in home": _reads("~/.ssh/id_canary"),
    "read our records": _reads("~/data/records.db"),
    "read our settings": _reads("~/data/config.toml"),
    "read a file of another conversation": _reads("$other/own.txt"),
    "list another conversation's folder": _reads("$other"),
    "read the connection file of another kernel": _reads("$connection"),
    "read a file in the host's /tmp": _reads("$tmp/canary.txt"),
    "write into home": _loses("~/written"),
    "write into another conversation's folder": _writes("$other/written"),
    "write into the host's /tmp": {"namespaces": ITS_OWN, "landlock": _writes("$tmp/written")},
    "write into the environment": _writes("$environment/coderunner-probe.txt"),
    "write into /etc": _writes("/etc/coderunner-probe"),
    "write into /usr": _writes("/usr/coderunner-probe"),
    "make a program that runs as its owner": {"namespaces": NOT_PERMITTED, "landlock": NOTHING_SEEN},
    "make a file that is born such a program": NOT_PERMITTED,
    "append to a file in home": _loses("~/canary.txt"),
    "empty a file in home": _loses("~/canary.txt"),
    "remove a file in home": _writes("~/remove.txt"),
    "change the mode of a file in home": _loses("~/canary.txt"),
    "change the times of a file in home": _loses("~/canary.txt"),
    "mark a file in home": _loses("~/canary.txt"),
    "read by a symbolic link": _reads("~/.ssh/id_canary"),
    "read by a hard link": _reads("~/canary.txt"),
    "move a file out of its folder": _writes("~/moved"),
    "move a file of home into its folder": _writes("~/take.txt"),
    "read a file in home by /proc/self/root": {
        "namespaces": _reads("~/canary.txt, which /proc/self/root$home/canary.txt leads to"),
        "landlock": _reads("~/canary.txt"),
    },
    "read a file in home by /proc/PID/root": _reads("/proc/$victim/root$home/canary.txt"),
    "read a file in home by /proc/PID/cwd": _reads("/proc/$victim/cwd/canary.txt"),
    "read by a descriptor of another process": {
        "namespaces": NOTHING_SEEN,
        "landlock": _reads("/proc/$victim/fd/0"),
    },
    "read shared memory of others": _reads("/dev/shm/$shared"),
    "open shared memory of others": NOBODY,
    "watch home": _reads("$home"),
    "read the environment of its parent": _reads("/proc/$parent/environ"),
    "read the environment of another process": _reads("/proc/$victim/environ"),
    "read the memory map of another process": _reads("/proc/$victim/maps"),
    "read the memory of another process": _reads("/proc/$victim/maps"),
    "read the command lines of other processes": NOTHING_SEEN,
    "signal its parent": _reaches("process $parent"),
    "signal another process": _reaches("process $victim"),
    "signal another process by a handle": _reaches("process $victim"),
    "trace another process": _reaches("process $victim"),
    "take a descriptor of another process": _reaches("process $victim"),
    "limit another process": _reaches("process $victim"),
    "connect to a port of 127.0.0.1": _reaches("port $port of this machine"),
    "connect to a port of ::1": _reaches("port $port6 of this machine"),
    "connect to a port of the machine's own address": (
        "This block cannot reach $address directly: only HTTP and HTTPS requests get out, through the "
        "sandbox's proxy."
    ),
    "connect to a Unix socket in /tmp": _reaches("the socket $tmp/s"),
    "connect to a Unix socket in home": _reaches("the socket ~/s"),
    "connect to a Unix socket without a path": NOBODY,
    "connect to another kernel": _reaches("the socket $kernel"),
    "send a datagram": _reaches("port $datagrams of this machine"),
    "read the connections of the machine": {"namespaces": NOTHING_SEEN, "landlock": _reads("/proc/net/tcp")},
    "make a socket to the machine around a virtual one": Silence("the error says that there is no such kind"),
    "mount": ADMINISTRATORS,
    "unmount": ADMINISTRATORS,
    "make a user namespace": ADMINISTRATORS,
    "enter a namespace of another process": _reads("/proc/$victim/ns/net"),
    "change its root": ADMINISTRATORS,
    "become another user": ADMINISTRATORS,
    "set the name of the machine": ADMINISTRATORS,
    "make a device": ADMINISTRATORS,
}
