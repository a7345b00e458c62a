"""What a kernel on this machine may reach. Each backend enforces it in the way of its system."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

EVERYTHING = "all"
"""The grant of the whole network."""
PACKAGES = "packages"
"""The grant of the package indexes that this machine's pip uses."""

Backend = Literal["namespaces", "landlock", "seatbelt", "none"]
"""Who enforces a policy."""

SYSTEM = tuple(
    Path(each)
    for each in (
        *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/sys"),
        *("/var/cache/fontconfig", "/var/lib/texmf", "/var/lib/ghostscript"),
    )
)
"""The system's own folders: programs, libraries, settings, fonts."""

Access = Literal["read", "write", "network"]
"""What a grant can allow."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a person lets a kernel reach beyond its own folder."""

    read: frozenset[Path] = frozenset()
    """Folders and files."""
    write: frozenset[Path] = frozenset()
    """The same; what may be written may be read."""
    hosts: frozenset[str] = frozenset()
    """Domain names in lower case, such as `example.org` (itself alone), `*.example.org` (all below it), and
    the names `all` and `packages`."""

    def __or__(self, other: "Grants") -> "Grants":
        return Grants(self.read | other.read, self.write | other.write, self.hosts | other.hosts)

    def __bool__(self) -> bool:
        return bool(self.read or self.write or self.hosts)

    def hold(self, other: "Grants") -> bool:
        """Tell whether they allow all that others do."""
        return (
            all(_within(each, self.read | self.write) for each in other.read)
            and all(_within(each, self.write) for each in other.write)
            and all(
                each in self.hosts or (EVERYTHING in self.hosts and each != PACKAGES) for each in other.hosts
            )
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What the processes of one kernel may use together, where the backend can count together."""

    memory: int = 0
    """Bytes; 0: no limit."""
    processes: int = 1024
    """Processes and threads."""
    file: int = 20_000_000_000
    """Bytes of one file that they write."""
    disk: int = 0
    """Bytes of all files in their own folders; 0: no limit."""


NO_LIMITS = Limits(processes=0, file=0)


@dataclass(frozen=True, slots=True)
class Policy:
    """What one kernel may reach; all paths are absolute. What is not named here is refused."""

    folder: Path
    """The working folder of its conversation: read and write."""
    sockets: Path
    """The folder of the kernel's own sockets and connection file: read and write."""
    temporary: Path
    """A private folder, which it sees as the system's temporary folder."""
    home: Path
    """The person's home folder: in its place the kernel sees an empty one, which ends with it."""
    system: tuple[Path, ...] = ()
    """What programs need: interpreter, its environment, the system's libraries. Read only."""
    grants: Grants = field(default_factory=Grants)
    limits: Limits = field(default_factory=Limits)
    guarded: tuple[Path, ...] = ()
    """What is executed outside of the sandbox: read only, whatever is granted around it or in it."""
    hidden: tuple[Path, ...] = ()
    """What no grant of a folder around it shows: our own data, and secrets."""
    imports: tuple[Path, ...] = ()
    """Modules and packages that lie among a person's own files. Read only, without what is hidden in them."""
    listed: tuple[Path, ...] = ()
    """The folders that those lie in: only the names of what is there may be read."""
    adds: bool = True
    """A folder in which something is guarded or hidden takes new entries all the same."""
    listens: bool = True
    """Programs may listen on ports of their own."""
    egress: Path | None = None
    """The Unix socket of our egress proxy, within `sockets`; None: no way out at all."""

    @property
    def readable(self) -> tuple[Path, ...]:
        """All that may be read, whatever else is allowed there."""
        return (*self.system, *self.imports, *sorted(self.grants.read), *self.writable)

    @property
    def writable(self) -> tuple[Path, ...]:
        """All that may be written."""
        return (self.folder, self.sockets, self.temporary, *sorted(self.grants.write))

    def may_read(self, path: Path) -> bool:
        """Tell whether a path, absolute and without links, may be read."""
        if _within(path, self.hidden):
            return _within(path, (each for each in self.readable if _within(each, self.hidden)))
        return _within(path, self.readable)

    def may_write(self, path: Path) -> bool:
        """Tell whether a path, absolute and without links, may be written."""
        own = (self.folder, self.sockets, self.temporary)
        if _within(path, own):
            return not _within(path, (each for each in self.guarded if _within(each, own)))
        granted = _within(path, self.grants.write) and not _within(path, self.guarded)
        return granted and self.may_read(path)

    def is_closed(self, folder: Path) -> bool:
        """Tell whether a folder that may be written takes no new entries, and gives none away."""
        kept = (*self.guarded, *self.hidden)
        return not self.adds and self.may_write(folder) and any(each.is_relative_to(folder) for each in kept)

    def described(self) -> dict[str, str | int | list[str]]:
        """The policy as the launcher takes it: strings, numbers and lists of strings."""
        return {
            "folder": str(self.folder),
            "sockets": str(self.sockets),
            "temporary": str(self.temporary),
            "home": str(self.home),
            "system": [str(path) for path in self.system],
            "imports": [str(path) for path in self.imports],
            "listed": [str(path) for path in self.listed],
            "guarded": [str(path) for path in self.guarded],
            "hidden": [str(path) for path in self.hidden],
            "read": [str(path) for path in sorted(self.grants.read)],
            "write": [str(path) for path in sorted(self.grants.write)],
            "memory": self.limits.memory,
            "processes": self.limits.processes,
            "file": self.limits.file,
            "egress": str(self.egress or ""),
        }


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
