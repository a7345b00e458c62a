"""Acts of a program that a sandbox is there to refuse: harmless ones, on canaries that tests have put out.

Each is the body of a function, which returns something where the act succeeded, and raises or returns nothing
where it did not. `$name` stands for what a scene has under that name; every canary holds the `$token`.
Whether a change reached anything is seen outside: in a home folder of its own a kernel may do as it likes.
"""

from dataclasses import dataclass
from string import Template
from textwrap import dedent, indent

PROLOGUE = """
import ctypes, glob, os, signal, socket, struct, subprocess, sys
from pathlib import Path
libc = ctypes.CDLL(None, use_errno=True)
def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def in_child(act):
    pid = os.fork()
    if not pid:
        try:
            act()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
"""
EPILOGUE = """
try:
    answer = probe()
    print("reached" if answer else "refused: nothing is there")
except BaseException as error:
    print(f"refused: {type(error).__name__}: {error}")
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """One act."""

    name: str
    body: str
    outside: bool = True
    """An ordinary user can do it where there is no sandbox, so that the probe can fail."""
    changes: bool = False
    """It reached something where something that is not the kernel's own was changed."""
    own_home: bool = False
    """Where the home folder is the kernel's own, it may be done there."""

    def source(self, scene: dict[str, str]) -> str:
        """The program of it."""
        body = Template(dedent(self.body).strip("\n")).substitute(scene)
        return f"{PROLOGUE}\ndef probe():\n{indent(body, '    ')}\n{EPILOGUE}"


def _reads(name: str, path: str) -> Probe:
    return Probe(f"read {name}", f"return b'$token' in Path({path!r}).read_bytes()")


def _lists(name: str, path: str) -> Probe:
    return Probe(f"list {name}", f"return any('$token' in each for each in os.listdir({path!r}))")


def _changes(name: str, act: str, *, outside: bool = True) -> Probe:
    return Probe(name, f"{act}\nreturn True", outside, changes=True)


def _writes(name: str, path: str, *, outside: bool = True) -> Probe:
    return _changes(f"write {name}", f"Path({path!r}).write_text('x')", outside=outside)


def _connects(name: str, address: str, family: str = "AF_INET") -> Probe:
    body = f"""
        with socket.socket(socket.{family}) as one:
            one.settimeout(2)
            one.connect({address})
        return True
    """
    return Probe(f"connect to {name}", body)


FILES = (
    _reads("a file in home", "$home/canary.txt"),
    _lists("home", "$home"),
    _reads("a key in home", "$home/.ssh/id_canary"),
    _reads("our records", "$data/records.db"),
    _reads("our settings", "$data/config.toml"),
    _reads("a file of another conversation", "$other/own.txt"),
    _lists("another conversation's folder", "$other"),
    Probe("read the connection file of another kernel", "return b'key' in Path('$connection').read_bytes()"),
    _reads("a file in the host's /tmp", "$tmp/canary.txt"),
    _writes("into home", "$home/written"),
    _writes("into another conversation's folder", "$other/written"),
    _writes("into the host's /tmp", "$tmp/written"),
    _writes("into the environment", "$environment/coderunner-probe.txt"),
    _writes("into /etc", "/etc/coderunner-probe", outside=False),
    _writes("into /usr", "/usr/coderunner-probe", outside=False),
    Probe(
        "make a program that runs as its owner",
        """
        Path('own-program').write_text('x')
        os.chmod('own-program', 0o4755)
        return os.stat('own-program').st_mode & 0o6000
        """,
    ),
    Probe(
        "make a file that is born such a program",
        """
        os.close(os.open('own-born', os.O_CREAT | os.O_WRONLY, 0o6755))
        return os.stat('own-born').st_mode & 0o6000
        """,
    ),
    _changes("append to a file in home", "open('$home/canary.txt', 'a').write('more')"),
    _changes("empty a file in home", "os.truncate('$home/canary.txt', 0)"),
    _changes("remove a file in home", "os.remove('$home/remove.txt')"),
    _changes("change the mode of a file in home", "os.chmod('$home/canary.txt', 0o644)"),
    _changes("change the times of a file in home", "os.utime('$home/canary.txt', (5, 5))"),
    _changes("mark a file in home", "os.setxattr('$home/canary.txt', 'user.probe', b'1')"),
    Probe(
        "read by a symbolic link",
        # Not of what other acts leave in a home of the kernel's own.
        "os.symlink('$home/.ssh/id_canary', 'ln-$free')\nreturn b'$token' in Path('ln-$free').read_bytes()",
    ),
    Probe(
        "read by a hard link",
        "os.link('$home/canary.txt', 'hard-$free')\nreturn b'$token' in Path('hard-$free').read_bytes()",
    ),
    _changes("move a file out of its folder", "Path('own').write_text('x')\nos.rename('own', '$home/moved')"),
    _changes("move a file of home into its folder", "os.rename('$home/take.txt', 'taken-$free')"),
    *(
        _reads(
            f"a file in home by /proc/{each.replace('$victim', 'PID').removesuffix('$home')}",
            f"/proc/{each}/canary.txt",
        )
        for each in ("self/root$home", "$victim/root$home", "$victim/cwd")
    ),
    Probe(
        "read by a descriptor of another process",
        """
        found = glob.glob('/proc/$victim/fd/*')
        return any(b'$token' in Path(each).read_bytes() for each in found if 'canary' in os.readlink(each))
        """,
    ),
    _reads("shared memory of others", "/dev/shm/$shared"),
    Probe(
        "open shared memory of others",
        "from multiprocessing import shared_memory\nreturn shared_memory.SharedMemory('$shared').size > 0",
    ),
    Probe(
        "watch home",
        """
        handle = called(libc.inotify_init())
        return called(libc.inotify_add_watch(handle, b'$home', 0x100)) > 0
        """,
        own_home=True,
    ),
)

PROCESSES = (
    Probe("read the environment of its parent", "return Path('/proc/$parent/environ').read_bytes()"),
    Probe(
        "read the environment of another process",
        "return '$token' in Path('/proc/$victim/environ').read_text()",
    ),
    Probe("read the memory map of another process", "return Path('/proc/$victim/maps').read_text()"),
    Probe(
        "read the memory of another process",
        """
        start = int(Path('/proc/$victim/maps').read_text().split('-')[0], 16)
        with open('/proc/$victim/mem', 'rb') as memory:
            memory.seek(start)
            return memory.read(8)
        """,
    ),
    Probe(
        "read the command lines of other processes",
        """
        found = []
        for path in glob.glob('/proc/[0-9]*/cmdline'):
            try:
                found += ['$token' in Path(path).read_text(errors='replace')]
            except OSError:
                pass
        return any(found)
        """,
    ),
    Probe("signal its parent", "os.kill($parent, 0)\nreturn True"),
    Probe("signal another process", "os.kill($victim, 0)\nreturn True"),
    Probe(
        "signal another process by a handle",
        "signal.pidfd_send_signal(os.pidfd_open($victim), 0)\nreturn True",
    ),
    Probe(
        "trace another process",
        """
        called(libc.ptrace(0x4206, $victim, 0, 0))
        called(libc.ptrace(0x4207, $victim, 0, 0))
        os.waitpid($victim, 0x40000000)
        return called(libc.ptrace(17, $victim, 0, 0)) == 0
        """,
    ),
    Probe(
        "take a descriptor of another process",
        "handle = os.pidfd_open($victim)\nreturn called(libc.syscall(438, handle, 0, 0)) > 0",
    ),
    Probe(
        "limit another process",
        "import resource\nresource.prlimit($victim, resource.RLIMIT_CORE, (0, 0))\nreturn True",
    ),
)

NETWORK = (
    _connects("a port of 127.0.0.1", "('127.0.0.1', $port)"),
    _connects("a port of ::1", "('::1', $port6)", "AF_INET6"),
    _connects("a port of the machine's own address", "('$address', $port)"),
    _connects("a Unix socket in /tmp", "'$tmp/s'", "AF_UNIX"),
    _connects("a Unix socket in home", "'$home/s'", "AF_UNIX"),
    _connects("a Unix socket without a path", "'\\x00$token'", "AF_UNIX"),
    _connects("another kernel", "'$kernel'", "AF_UNIX"),
    Probe(
        "send a datagram",
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.connect(('127.0.0.1', $datagrams))
            one.send(b'probe')
            one.settimeout(2)
            return one.recv(9)
        """,
    ),
    Probe(
        "read the connections of the machine", "return '%04X' % $port in Path('/proc/net/tcp').read_text()"
    ),
)

SYSTEM = (
    Probe(
        "make a socket to the machine around a virtual one",
        "with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as one:\n    return one.fileno() > 0",
        outside=False,
    ),
    Probe(
        "mount",
        """
        os.makedirs('m', exist_ok=True)
        return in_child(lambda: called(libc.mount(b'x', b'm', b'tmpfs', 0, None)))
        """,
        outside=False,
    ),
    Probe("unmount", "return in_child(lambda: called(libc.umount2(b'/proc', 2)))", outside=False),
    Probe(
        "make a user namespace", "return in_child(lambda: called(libc.unshare(0x10000000)))", outside=False
    ),
    Probe(
        "enter a namespace of another process",
        """
        handle = os.open('/proc/$victim/ns/net', os.O_RDONLY)
        return in_child(lambda: called(libc.setns(handle, 0)))
        """,
        outside=False,
    ),
    Probe("change its root", "return in_child(lambda: os.chroot('.'))", outside=False),
    Probe("become another user", "return in_child(lambda: os.setuid(65534))", outside=False),
    Probe(
        "set the name of the machine", "return in_child(lambda: socket.sethostname('probe'))", outside=False
    ),
    Probe(
        "make a device",
        "return in_child(lambda: os.mknod('device', 0o60600, os.makedev(8, 0)))",
        outside=False,
    ),
)

PROBES = (*FILES, *PROCESSES, *NETWORK, *SYSTEM)
