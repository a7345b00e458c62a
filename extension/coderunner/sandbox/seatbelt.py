"""The sandbox of macOS: a profile for `sandbox-exec`, which confines a process and all that it starts.

Written from Apple's profiles in /System/Library/Sandbox/Profiles and tested as text: it was not run on a Mac.
Where a Mac does not take it, no kernel is sandboxed there, and it is said so.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

PROGRAM = "/usr/bin/sandbox-exec"
SYSTEM = (
    *("/System", "/Library", "/usr", "/bin", "/sbin", "/opt", "/etc", "/private/etc", "/dev/fd"),
    *("/private/var/db/dyld", "/private/var/db/timezone", "/private/var/select", "/Applications/Xcode.app"),
)
"""What programs read beyond a policy's own list, which knows Linux."""
DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/dtracehelper",
)
SERVICES = (
    "com.apple.system.opendirectoryd.libinfo",
    "com.apple.system.logger",
    "com.apple.system.notification_center",
    "com.apple.fonts",
    "com.apple.FontObjectsServer",
)
"""Names of users, logging, fonts; not the pasteboard, the keychain or launch services."""
TRIAL = """
import sys, ipykernel.kernelapp, zmq
one, other = (zmq.Context.instance().socket(zmq.PAIR) for _ in range(2))
one.bind(f"ipc://{sys.argv[1]}/trial"); other.connect(f"ipc://{sys.argv[1]}/trial")
other.send(b"."); sys.exit(not one.poll(5000))
"""
"""A program that does what a kernel does first, in a folder of its own: so that a profile which a Mac takes,
but no kernel can live with, counts as none."""
SHARED = r"^/(psm_|mp-|torch_|loky-|sem)"
"""How libraries begin the names of shared memory and semaphores."""

HEAD = """(version 1)
(deny default)
(allow process-fork)
(allow process-info* (target same-sandbox))
(allow signal (target same-sandbox))
(allow sysctl-read)
(allow pseudo-tty)
(allow file-read* file-write* file-ioctl
    (require-all (regex #"^/dev/ttys[0-9]+$") (extension "com.apple.sandbox.pty")))"""


def command(policy: Mapping[str, Any]) -> list[str]:
    """Return what comes before a kernel's own command, for a policy as it is described to a launcher."""
    return [PROGRAM, "-p", profile(policy)]


def profile(policy: Mapping[str, Any]) -> str:
    """Return the profile for a policy. What it does not name is refused; the last rule that fits counts."""
    own = (policy["folder"], policy["sockets"], policy["temporary"])
    writable = (*own, *policy["write"])
    readable = (*SYSTEM, *policy["system"], *policy.get("imports", ()), *policy["read"], *writable)
    listed = policy.get("listed", ())
    lines = [
        HEAD,
        _allow("mach-lookup", (f"(global-name {_string(name)})" for name in SERVICES)),
        _allow("ipc-posix-shm* ipc-posix-sem*", [f"(ipc-posix-name-regex #{_string(SHARED)})"]),
        _allow(
            "file-read* file-write* file-ioctl", (f"(literal {_string(f'/dev/{name}')})" for name in DEVICES)
        ),
        _allow("file-read-metadata", (f"(literal {_string(path)})" for path in _above((*readable, *listed)))),
        _allow("file-read* process-exec* file-map-executable", map(_below, dict.fromkeys(readable))),
        _allow("file-write*", map(_below, dict.fromkeys(writable))),
        _allow("network-bind network-inbound", (f"(local unix-socket {_below(path)})" for path in own)),
        _allow("network-outbound", (f"(remote unix-socket {_below(path)})" for path in own)),
    ]
    if listed:
        # Without a filter, all would be allowed.
        lines.append(_allow("file-read*", (f"(literal {_string(path)})" for path in listed)))
    if policy.get("port"):
        lines.append(_allow("network-outbound", [f'(remote tcp "localhost:{int(policy["port"])}")']))
    sealed = _inside(policy["write"], (*policy.get("guarded", ()), *policy["system"]))
    if sealed:
        lines.append(f"(deny file-write*{_each(map(_below, sealed))})")
        # Nor is what they lie in renamed, and others put in their place.
        above = _inside(policy["write"], _above(sealed))
        lines.append(f"(deny file-write-unlink{_each(f'(literal {_string(path)})' for path in above)})")
    if policy.get("hidden"):
        lines.append(f"(deny file-read* file-write*{_each(map(_below, policy['hidden']))})")
    if sealed or policy.get("hidden"):
        lines.append(_allow("file-read* file-write*", map(_below, own)))
    folder = PurePosixPath(policy["folder"])
    kept = [each for each in policy.get("guarded", ()) if folder in PurePosixPath(each).parents]
    if kept:
        lines.append(f"(deny file-write*{_each(map(_below, kept))})")
    return "\n".join(lines) + "\n"


def _allow(what: str, where: Iterable[str]) -> str:
    return f"(allow {what}{_each(where)})"


def _each(filters: Iterable[str]) -> str:
    return "".join(f"\n    {each}" for each in filters)


def _below(path: str) -> str:
    return f"(subpath {_string(path)})"


def _above(paths: Iterable[str]) -> list[str]:
    """The folders on the way to paths: without a look at them no path can be followed."""
    return list(dict.fromkeys(str(parent) for path in paths for parent in PurePosixPath(path).parents))


def _inside(folders: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Those of the paths that lie in one of the folders, are one or have one in them."""
    pairs = [(path, [PurePosixPath(each) for each in folders]) for path in dict.fromkeys(paths)]
    return [
        path
        for path, around in pairs
        if any(each.is_relative_to(path) or PurePosixPath(path).is_relative_to(each) for each in around)
    ]


def _string(text: str) -> str:
    """A string of a profile, which is Scheme: what ends or escapes one is escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
