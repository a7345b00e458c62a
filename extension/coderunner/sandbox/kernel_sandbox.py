"""The sandbox of the kernels of one host: what each may reach, and how it is started."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from coderunner.errors import KernelNotStarted
from coderunner.outputs import Refusal
from coderunner.sandbox import offers, private_home, program_folders, python_folders
from coderunner.sandbox.backends import Availability, available
from coderunner.sandbox.clues.clues import Clues
from coderunner.sandbox.confinement import Confinement, Walls
from coderunner.sandbox.egress.dialling import Dialler
from coderunner.sandbox.egress.egress_proxy import EgressProxy
from coderunner.sandbox.egress.gate import Gate
from coderunner.sandbox.granted import Granted
from coderunner.sandbox.policy import SYSTEM, Grants, Limits, Policy
from coderunner.sandbox.python_folders import Folders
from coderunner.sandbox.refusals import Person, Takes, refusals, take_nothing
from coderunner.settings.code_secrets import CodeSecret
from coderunner.settings.settings import Settings
from coderunner.settings.sources import default_config

OF_HOME = (".fonts", ".local/share/fonts")
"""What of the home folder every program may read."""
FONT_LISTS = ".cache/matplotlib/fontlist-*.json"
"""Matplotlib's list of the fonts here: making it anew takes a second of each kernel's first plot."""
OF_LANGUAGE = {"julia": (".julia", ".juliaup"), "r": ("R",)}
"""Where kernels of other languages keep their packages in the home folder."""


@dataclass(frozen=True, slots=True)
class Start:
    """A kernel that is about to be started."""

    command: Sequence[str]
    """Its own."""
    environment: Mapping[str, str]
    sockets: Path
    folder: Path | None
    """The folder of its conversation; None: it waits for one."""
    conversation: str = ""
    language: str = "python"
    resources: str = ""
    """The folder of its kernel spec."""
    relay: Mapping[str, int] = field(default_factory=dict)
    """Unix sockets in the folder of sockets, and the TCP ports of the kernel that each leads to."""


@dataclass(frozen=True, slots=True)
class KernelSandbox:
    """What sandboxed kernels of one host may reach. May be used from any thread."""

    grants: Grants = field(default_factory=Grants)
    """For all of them."""
    limits: Limits = field(default_factory=Limits)
    granted: Granted = field(default_factory=Granted)
    """For single conversations."""
    hidden: tuple[Path, ...] = ()
    """What no grant of a folder around it shows: our own data."""
    links: tuple[tuple[Path, Path], ...] = ()
    """Names of granted paths that are links, and what they lead to: a kernel finds both."""
    way: Availability = field(default_factory=available)
    buttons: bool = False
    """Whoever reads a reply can allow more by a button below it; elsewhere settings do."""
    stranger: bool = False
    """The code is not of the person whose machine this is."""
    theirs: bool = False
    """Kernels work in a folder of the person's own, in which there is what was not made by code."""
    secrets: tuple[CodeSecret, ...] = ()
    """What code may use without seeing it."""
    dialler: Dialler = field(default_factory=Dialler)
    """How its requests reach the network."""
    egress: EgressProxy = field(init=False)
    """The way out for all of them."""

    def __post_init__(self) -> None:
        proxy = EgressProxy(self.hosts, self.dialler, secrets=self.secrets)
        object.__setattr__(self, "egress", proxy)

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        buttons: bool = False,
        stranger: bool = False,
        theirs: bool = False,
        data: Path | None = None,
        hidden: Iterable[Path] = (),
    ) -> "KernelSandbox | None":
        """The sandbox that the settings ask for; None where kernels run without one.

        `buttons`: the host has a page where more can be allowed; `stranger`: its code is others'; `theirs`:
        kernels work in a folder of the person's. `data`: the host's own data, where it keeps them elsewhere;
        `hidden`: more that no grant of a folder around it shows.
        """
        way = in_force(settings)
        if not way and settings.sandbox != "on":
            return None
        grants = Grants(
            frozenset(map(real, settings.sandbox_read)),
            frozenset(map(real, settings.sandbox_write)),
            frozenset(settings.sandbox_network),
        )
        limits = _limits(settings)
        home = data or settings.data_dir
        return cls(
            grants,
            limits,
            Granted(home / "grants.json"),
            tuple(dict.fromkeys(map(real, (home, settings.data_dir, default_config().parent, *hidden)))),
            tuple((each, real(each)) for each in (*settings.sandbox_read, *settings.sandbox_write)),
            way,
            buttons and not stranger,
            stranger,
            theirs,
            settings.sandbox_secrets,
        )

    def confine(self, start: Start) -> Confinement:
        """Prepare the start of a kernel; raises KernelNotStarted where there can be no sandbox.

        So does its `started`.
        """
        if not self.way:
            raise KernelNotStarted(f"sandbox is on, but there is none: {self.way.why} Set it to auto or off")
        return Confinement.of(self.way.backend, partial(self._walls, start))

    def _walls(self, start: Start) -> Walls:
        """What a kernel is walled in by, and the gate in them. Looks at the disk."""
        try:
            policy = self.policy(start)
            policy.temporary.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise KernelNotStarted(f"its sandbox cannot be made: {error}") from error
        gate = self._gate(start.conversation, policy)
        described = {
            **policy.described(),
            "cwd": str(policy.folder),
            "port": gate.port,
            "relay": dict(start.relay),
            "links": {str(name): str(target) for name, target in self._links(start) if name != target},
        }
        return Walls(described, self._environment(policy) | gate.environment, gate, policy)

    def _links(self, start: Start) -> Iterator[tuple[Path, Path]]:
        """The names of paths, and what they lead to."""
        yield Path.home(), real(Path.home())
        if start.folder is not None:
            yield start.folder.absolute(), real(start.folder)
        yield from self.links

    def _environment(self, policy: Policy) -> dict[str, str]:
        if self.way.backend == "namespaces":
            return dict.fromkeys(private_home.TEMPORARY, "/tmp")  # noqa: S108
        return private_home.make(policy.temporary, policy.home, policy.readable)

    def take_refused(self, conversation: str) -> tuple[str, ...]:
        """The hosts that a conversation was refused since the last call."""
        return self.egress.take_refused(conversation)

    def refusals(
        self, clues: Clues, conversation: str, started: Policy, folder: Path, takes: Takes = take_nothing
    ) -> tuple[Refusal, ...]:
        """What was refused to a cell of a conversation, by the policy that its kernel was `started` with.

        `takes`: what the form of a page takes. Looks at the disk.
        """
        now = replace(started, folder=real(folder), grants=self.granted_to(conversation))
        now = self._apart(now)
        links = frozenset(name for name, target in self.links if name != target)
        person = Person(
            now.home, self.hidden, self.buttons, self.stranger, self.egress.indexes.hosts, takes, links
        )
        return refusals(clues, now, person)

    def policy_of(self, conversation: str, folder: Path) -> Policy:
        """What code of a conversation may reach now; its kernel works in `folder`. Looks at the disk."""
        return self.policy(Start([sys.executable], os.environ, folder, folder, conversation))

    def _gate(self, conversation: str, policy: Policy) -> Gate:
        """The kernel's way to the network."""
        if policy.egress is not None:
            return self.egress.open_namespace(conversation, policy.egress)
        return self.egress.open_port(conversation)

    @property
    def moves(self) -> bool:
        """A kernel that runs can be given to a conversation: with its folder, or with one that becomes it."""
        return self.way.backend in ("namespaces", "landlock")

    @property
    def relays(self) -> bool:
        """A kernel that listens on TCP can be reached: only where no other program reaches it."""
        return self.way.backend == "namespaces"

    def hosts(self, conversation: str) -> frozenset[str]:
        """The hosts that a conversation may reach now."""
        return self.grants.hosts | self.granted.of(conversation).hosts

    def policy(self, start: Start) -> Policy:
        """What a kernel may reach."""
        sockets = real(start.sockets)
        home = real(Path.home())
        needed = _needed(start, home)
        system = (*(each for each in SYSTEM if os.path.exists(each)), *needed.whole)
        found = Policy(
            folder=real(start.folder) if start.folder else sockets,
            sockets=sockets,
            temporary=sockets / "tmp",
            home=home,
            system=system,
            grants=self.granted_to(start.conversation),
            limits=self.limits,
            imports=needed.imported,
            listed=needed.listed,
            guarded=_guarded((*needed.whole, *needed.imported), home),
            hidden=self.hidden,
            adds=self.way.backend != "landlock",
            listens=self.way.backend == "namespaces",
            egress=sockets / "egress" if self.way.backend == "namespaces" else None,
        )
        return self._apart(found)

    def granted_to(self, conversation: str) -> Grants:
        """What a conversation was granted, by its person or by settings. Looks at the disk.

        A path that is a link by now leads to what nobody has granted: code may have put it there.
        """
        every = self.grants | self.granted.of(conversation)
        return Grants(_themselves(every.read), _themselves(every.write), every.hosts)

    def grants_hold(self, conversation: str, grants: Grants) -> bool:
        """Tell whether a conversation was granted that, or something larger that it is a part of."""
        return (self.grants | self.granted.of(conversation)).hold(grants)

    def _apart(self, policy: Policy) -> Policy:
        """Keep apart what lies in folders and is not meant by a grant of them. Looks at the disk."""
        found = offers.apart(policy, ())
        later = (*found.run_later, *(offers.run_later_in_own(policy) if self.theirs else ()))
        secret = (*found.secret, *offers.secrets_of_code(policy))
        guarded, hidden = (*policy.guarded, *later), (*policy.hidden, *secret)
        return replace(policy, guarded=guarded, hidden=hidden)


def _limits(settings: Settings) -> Limits:
    found = Limits(int(settings.max_memory * 1e9), disk=int(settings.max_disk * 1e9))
    return replace(found, file=min(found.file, found.disk)) if found.disk else found


def in_force(settings: Settings) -> Availability:
    """How kernels on this machine are sandboxed under these settings, or why they are not."""
    return Availability("none", "The setting sandbox is off.") if settings.sandbox == "off" else available()


def _needed(start: Start, home: Path) -> Folders:
    """What the kernel's program needs to be able to read, beside the system."""
    found = [home / each for each in (*OF_HOME, *OF_LANGUAGE.get(start.language, ()))]
    found += home.glob(FONT_LISTS)
    found += [Path(start.resources)] if start.resources else []
    needed = Folders(tuple(found))
    needed |= python_folders.importable(start.environment.get("PYTHONPATH", "").split(os.pathsep))
    if start.command[0] == sys.executable:
        needed |= python_folders.of_this_interpreter()
    else:
        needed |= program_folders.of_program(start.command[0], start.environment.get("PATH"), home)
    return Folders(*(_there(each, home) for each in (needed.whole, needed.imported, needed.listed)))


def _there(paths: Iterable[Path], home: Path) -> tuple[Path, ...]:
    """Those that exist, under their names and, where they are links, by what they lead to, too."""
    named = (each for path in paths for each in (path, real(path)))
    return tuple(
        each
        for each in dict.fromkeys(named)
        if os.path.exists(each) and not home.is_relative_to(each) and each not in SYSTEM
    )


def _guarded(needed: Iterable[Path], home: Path) -> tuple[Path, ...]:
    """What is executed outside of a sandbox, and what a kernel executes itself: nobody writes it by a grant.

    Not the wide folders of the system: what else lies in them, a setting may allow.
    """
    programs = (each for name in offers.PROGRAMS if os.path.exists(each := home / name))
    found = (*python_folders.executed_here(), *programs, *needed)
    return tuple(each for each in dict.fromkeys(map(real, found)) if not home.is_relative_to(each))


def _themselves(paths: Iterable[Path]) -> frozenset[Path]:
    return frozenset(each for each in paths if real(each) == each)


def real(path: Path) -> Path:
    """Return a path without links."""
    return Path(os.path.realpath(path))
