"""The root that a sandboxed kernel sees: nothing but what its policy names.

It is built at `VIEW`, from what was the root before. That stays mounted at `OLD`, for us alone: so more can
be bound while the kernel runs. An empty file system covers it, and the kernel's own root is `VIEW`.
"""

import errno
import os
import stat

from coderunner.sandbox.launcher import libc
from coderunner.sandbox.launcher.libc import (
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
)
from coderunner.sandbox.launcher.namespaces.kept import HIDDEN, READ, Kept

VIEW, OLD, STAGE, NOBODYS = "/view", "/old", "/stage", "/nobodys"
NOTHING = "mode=555,size=4k"
"""What an empty folder in the place of another is."""
BASE = "/tmp"  # noqa: S108 - a folder that every system has; covered for a moment, in our namespace alone
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
GRAPHICS = ("nvidia", "dri", "kfd", "dxg")
"""How the names begin of what CUDA, ROCm and their kin need in /dev."""
LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
CONTROLS = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi")
"""What of /proc controls the machine: root is its owner, with or without capabilities."""
KEYS = ("keys", "key-users")
"""What of /proc lists the keyrings of Linux, which no namespace holds."""
MOST_LINKS = 40
"""Links in one path, as Linux itself counts."""
FOLDER, FOUND = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, os.O_PATH | os.O_NOFOLLOW


class FileTree:
    """What the kernel sees: while it is built, and afterwards."""

    def __init__(self, memory: int, hidden: list[str], guarded: list[str]) -> None:
        """Make an empty root; `memory`: bytes that each file system in memory may take, 0: half of all.

        `hidden`: folders that nothing around them shows. `guarded`: what nothing around it makes writable,
        nor a grant of itself or of what is in it.
        """
        self._kept = Kept(hidden, guarded)
        self._size = f",size={memory}" if memory else ""
        libc.mount("none", "/", flags=MS_REC | MS_PRIVATE)
        libc.mount("coderunner", BASE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m")
        for name in (VIEW, OLD, STAGE):
            os.mkdir(BASE + name, 0o755)
        os.close(os.open(BASE + NOBODYS, os.O_CREAT | os.O_WRONLY, 0))
        os.mkdir(f"{BASE}/proc", 0o755)
        libc.pivot_root(BASE, BASE + OLD)
        os.chdir("/")
        libc.mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        self._root = os.open("/", FOLDER)
        libc.mount(NOBODYS, NOBODYS, flags=MS_BIND)
        self._seal(NOBODYS)  # as every mount of it will be
        self._nobodys = os.open(NOBODYS, FOUND)
        """A file that nobody may read, for the place of one that is hidden."""
        self._old = os.open(OLD, FOLDER)
        self._scaffold = os.open(VIEW, FOLDER)
        """The folder of the view without what is mounted there, which stays writable for us."""
        libc.mount(VIEW, VIEW, flags=MS_BIND)
        self._view = os.open(VIEW, FOLDER)

    # --- while it is built ------------------------------------------------------------------------

    def system(self, path: str) -> None:
        """Show a part of the system, read only; links on the way to it are the same in the view."""
        links = 0
        waiting, real = [part for part in path.split("/") if part][::-1], ""
        while waiting:
            part = waiting.pop()
            if part == "..":
                real = real.rpartition("/")[0]
                continue
            here = f"{OLD}{real}/{part}"
            if not os.path.islink(here):
                real = f"{real}/{part}"
                continue
            links += 1
            if links > MOST_LINKS:
                return
            target = os.readlink(here)
            self.link(f"{real}/{part}", target)
            if target.startswith("/"):
                real = ""
            waiting += [each for each in target.split("/") if each not in ("", ".")][::-1]
        if real and os.path.exists(OLD + real):
            if self._same(real) and not self._kept.is_writable(real):
                self._kept.shown.setdefault(real, False)
            else:
                self.bind(real, writable=False)

    def _same(self, path: str) -> bool:
        """Whether a path of before is in the view already."""
        try:
            return os.path.samestat(os.stat(OLD + path), os.stat(VIEW + path, follow_symlinks=False))
        except OSError:
            return False

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link where nothing is."""
        parent, _, name = path.rpartition("/")
        try:
            handle = self._folder(parent)
            try:
                os.symlink(target, name, dir_fd=handle)
            finally:
                os.close(handle)
        except OSError:
            pass  # it is there, or a part of what is bound

    def memory(self, path: str, mode: str = "700") -> None:
        """Put an empty folder in memory at a path."""
        self._mount("coderunner", path, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode}{self._size}")

    def bind_at(self, source: str, path: str) -> None:
        """Show a folder of before, writable, under another path."""
        found = self._walk(self._old, source)
        try:
            self._attach(found, path)
        finally:
            os.close(found)

    def devices(self) -> None:
        """A /dev with what programs need, and the devices for computing that this machine has."""
        self._mount("coderunner", "/dev", "tmpfs", MS_NOSUID, "mode=755,size=1m")
        for name in sorted(os.listdir(f"{OLD}/dev")):
            if name in DEVICES or name.startswith(GRAPHICS):
                self.bind(f"/dev/{name}", writable=True)
        for name, target in LINKS.items():
            self.link(f"/dev/{name}", target)
        self._mount(
            "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"
        )
        self.memory("/dev/shm", "1777")  # noqa: S108 - of the view
        self._mount("/proc", "/proc", flags=MS_BIND)
        for name in CONTROLS:
            if os.path.exists(f"/proc/{name}"):
                path = f"{VIEW}/proc/{name}"
                libc.mount(path, path, flags=MS_BIND)
                flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
                libc.mount("none", path, flags=flags)
        for name in KEYS:
            if os.path.exists(f"/proc/{name}"):
                libc.mount(NOBODYS, f"{VIEW}/proc/{name}", flags=MS_BIND)

    def hide(self, path: str, *, folder: bool) -> None:
        """Put an empty folder in the place of a folder, and a file that nobody may read in that of a file."""
        if folder:
            self._mount("coderunner", path, "tmpfs", MS_NOSUID | MS_NODEV, NOTHING)
        else:
            self._attach(self._nobodys, path)

    def hide_if_there(self, path: str, *, folder: bool) -> None:
        """Hide what was at a path a moment ago."""
        try:
            self.hide(path, folder=folder)
        except OSError:
            if os.path.lexists(OLD + path):
                raise

    def finish(self) -> None:
        """Close it: nothing can be made in its root, and nobody but us reaches what was before."""
        flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV
        libc.mount("none", VIEW, flags=flags)
        libc.mount("coderunner", OLD, "tmpfs", MS_NOSUID | MS_NODEV, "mode=000,size=4k")

    # --- at any time ------------------------------------------------------------------------------

    def keep(self, guarded: list[str], hidden: list[str]) -> None:
        """Guard and hide more in what is shown from now on."""
        self._kept.add(guarded, hidden)

    def show(self, path: str, *, writable: bool, own: bool = False) -> None:
        """Show a file or folder of before at its own path, and leave what is hidden or shown in it as it was.

        What is guarded is shown read only, except a folder that is the kernel's `own`. Raises OSError, also
        for a path with links. All is ready when it appears: a program finds no moment in between.
        """
        writable = writable and (own or not self._kept.is_guarded(path))
        found = self._walk(self._old, path)
        if not stat.S_ISDIR(os.fstat(found).st_mode):
            os.close(found)
            self.bind(path, writable=writable)
            return
        try:
            libc.mount(_by(found), STAGE, flags=MS_BIND | MS_REC)
        finally:
            os.close(found)
        try:
            if not writable:
                self._seal(STAGE)
            for each, how in self._kept.inside(path, writable=writable):
                self._furnish(each, STAGE + each[len(path.rstrip("/")) :], how)
            target = self._folder(path)
            try:
                libc.mount(STAGE, _by(target), flags=MS_MOVE)
            finally:
                os.close(target)
        except BaseException:
            libc.call("umount2", STAGE.encode(), 2)
            raise
        self._kept.shown[path] = writable

    def _furnish(self, path: str, place: str, how: str) -> None:
        """Put what is kept inside a folder in its place on the stage."""
        try:
            found = self._walk(self._old, path)
        except OSError:
            return  # it is there no more
        try:
            folder = stat.S_ISDIR(os.fstat(found).st_mode)
            if how != HIDDEN:
                self._attach(found, place, self._root)
            elif folder:
                self._mount("coderunner", place, "tmpfs", MS_NOSUID | MS_NODEV, NOTHING, self._root)
            else:
                self._attach(self._nobodys, place, self._root)
            if how == READ:
                self._seal(place)
        finally:
            os.close(found)

    def bind(self, path: str, *, writable: bool) -> None:
        """Show a file or folder of before at its own path; raises OSError, also for a path with links."""
        found = self._walk(self._old, path)
        try:
            self._attach(found, path)
        finally:
            os.close(found)
        self._kept.shown[path] = writable
        if not writable:
            self._seal(VIEW + path)

    def _seal(self, path: str) -> None:
        top = self._walk(self._root, path)
        try:
            libc.seal(top)
        except OSError as error:
            if error.errno != errno.ENOSYS:
                raise
            for each in _mounts_below(path):
                kept = os.statvfs(each).f_flag & 0xF | (os.statvfs(each).f_flag & 0xC00)
                libc.mount("none", each, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | kept)
        finally:
            os.close(top)

    def _mount(
        self, source: str, path: str, kind: str = "", flags: int = 0, data: str = "", root: int = -1
    ) -> None:
        target = self._folder(path, root)
        try:
            libc.mount(source, _by(target), kind, flags, data)
        finally:
            os.close(target)

    def _attach(self, found: int, path: str, root: int = -1) -> None:
        folder = stat.S_ISDIR(os.fstat(found).st_mode)
        target = self._folder(path, root) if folder else self._file(path, root)
        try:
            libc.mount(_by(found), _by(target), flags=MS_BIND | MS_REC)
        finally:
            os.close(target)

    def _walk(self, root: int, path: str) -> int:
        """Open a path below a root, and no link on the way."""
        handle = os.dup(root)
        for part in filter(None, path.split("/")):
            handle = _next(handle, part, FOUND)
        return handle

    def _folder(self, path: str, root: int = -1) -> int:
        """Open a folder of the view, or of a `root`; what is missing of it is made."""
        handle, done = os.dup(self._view if root < 0 else root), ""
        for part in filter(None, path.split("/")):
            try:
                self._make(handle, done, part)
            except BaseException:
                os.close(handle)
                raise
            handle = _next(handle, part, FOLDER)
            done = f"{done}/{part}"
        return handle

    def _file(self, path: str, root: int = -1) -> int:
        """Open a file of the view, or of a `root`; where it is missing an empty one is made."""
        parent, _, name = path.rpartition("/")
        folder = self._folder(parent, root)
        try:
            os.close(
                os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o644, dir_fd=folder)
            )
        except FileExistsError:
            pass
        except OSError as error:
            if error.errno != errno.EROFS:
                os.close(folder)
                raise
            place = self._walk(self._scaffold, parent)
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o644, dir_fd=place))
            os.close(place)
        return _next(folder, name, FOUND)

    def _make(self, handle: int, done: str, part: str) -> None:
        """Make a folder in one that is open, unless it is there."""
        try:
            os.stat(part, dir_fd=handle, follow_symlinks=False)
        except FileNotFoundError:
            pass
        else:
            return
        try:
            os.mkdir(part, 0o755, dir_fd=handle)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            place = self._walk(self._scaffold, done)  # the root itself is read only by now
            os.mkdir(part, 0o755, dir_fd=place)
            os.close(place)


def _next(handle: int, part: str, flags: int) -> int:
    """Open an entry of a folder, whose handle is closed; raises OSError, also where it is a link."""
    try:
        found = os.open(part, flags, dir_fd=handle)
    finally:
        os.close(handle)
    if stat.S_ISLNK(os.fstat(found).st_mode):
        os.close(found)
        raise OSError(errno.ELOOP, "a link in the path")
    return found


def _by(handle: int) -> str:
    return f"/proc/self/fd/{handle}"


def _mounts_below(path: str) -> list[str]:
    with open("/proc/self/mountinfo", "rb") as table:
        places = [os.fsdecode(line.split()[4]).replace("\\040", " ") for line in table]
    return [each for each in places if each == path or each.startswith(f"{path}/")]
