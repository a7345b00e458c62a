"""The way into namespaces of one's own, and into what a kernel sees there.

Three processes: a *supervisor*, which jupyter_client started and which ends as the kernel did; *init*, the
first process of the new process namespace, with which all others end; and the kernel.
"""

from __future__ import annotations

import os

from coderunner.sandbox.launcher import libc
from coderunner.sandbox.launcher.namespaces.file_tree import OLD, VIEW, FileTree
from coderunner.sandbox.launcher.way_out import open_way_out

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    import signal
    from typing import Any, NoReturn

    Policy = dict[str, Any]
else:
    import _signal as signal


def enter(channel: int) -> None:
    """Become the supervisor of new namespaces: returns in their init alone; raises OSError.

    `channel` is init's: when its other end is closed, all ends.
    """
    user, group = os.geteuid(), os.getegid()
    libc.call("unshare", NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS | NEWCGROUP)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    # Ctrl-C reaches the whole group, and is meant for the program.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    init = os.fork()
    if init:
        os.close(channel)
        _supervise(init)
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    # Nobody inside looks into this process, whatever it may do.
    libc.prctl(libc.PR_SET_DUMPABLE, 0)


def _supervise(init: int) -> NoReturn:
    _, status = os.waitpid(init, 0)
    os._exit(os.waitstatus_to_exitcode(status) % 256)


def build(policy: Policy) -> FileTree:
    """Build what the kernel sees; raises OSError."""
    libc.loopback_up()
    if policy["egress"]:
        open_way_out(policy["egress"])
    tree = FileTree(policy["memory"], policy["hidden"], policy.get("guarded", []))
    home = policy["home"]
    kept = [(path, "read") for path in policy["read"]] + [(path, "write") for path in policy["write"]]
    kept += [(path, "write") for path in (policy["folder"], policy["sockets"]) if path]
    imports = policy.get("imports", [])
    steps = [(path, "system") for path in (*policy["system"], *imports)] + kept
    steps += [("/tmp", "temporary"), ("/var/tmp", "temporary")]  # noqa: S108 - those of the view
    if home != "/" and (home, "read") not in kept and (home, "write") not in kept:
        steps.append((home, "memory"))
    # A folder comes before what is in it, and is covered by that.
    for path, what in sorted(steps, key=lambda step: (step[0].count("/"), step[1] in ("read", "write"))):
        _show(tree, path, what, policy)
    for path in policy["hidden"]:
        if any(path.startswith(f"{each}/") for each in imports) and os.path.exists(OLD + path):
            tree.hide(path, folder=os.path.isdir(OLD + path))
    for link, target in policy.get("links", {}).items():
        tree.link(link, target)
    tree.devices()
    for path, folder in policy["secrets"]:
        tree.hide_if_there(path, folder=folder)
    _write("/proc/sys/user/max_user_namespaces", "0")
    tree.finish()
    return tree


def _show(tree: FileTree, path: str, what: str, policy: Policy) -> None:
    if what == "system":
        tree.system(path)
    elif what == "memory":
        tree.memory(path)
    elif what == "temporary":
        tree.bind_at(policy["temporary"], path)
    elif path in (policy["folder"], policy["sockets"]):
        tree.show(path, writable=True, own=True)
    else:
        try:
            tree.show(path, writable=what == "write")
        except OSError:
            pass  # it is there no more, or a link by now: granted was what it was


def confine_child() -> None:
    """Leave all rights behind, in a child of init; raises OSError."""
    os.chroot(VIEW)
    os.chdir("/")
    libc.forget_keys()
    libc.drop_capabilities()
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)


def _write(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
