"""What the sandbox refused to a cell, told truly from what it showed and from what is there.

A sandboxed kernel sees of a path that was not granted an error like any other, or nothing at all. Whether it
was the sandbox is known outside: the path is there, its person could reach it, and the policy does not allow
it. Nothing that code shows is believed beyond that.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from coderunner.outputs import Refusal, Remedy
from coderunner.sandbox import offers, private_home
from coderunner.sandbox.clues.clues import Clues
from coderunner.sandbox.clues.error_paths import Named
from coderunner.sandbox.clues.error_programs import Sought
from coderunner.sandbox.grant_words import short
from coderunner.sandbox.machine import other_programs
from coderunner.sandbox.offers import Place
from coderunner.sandbox.policy import PACKAGES, Access, Grants, Policy
from coderunner.settings.domains import in_script

MOST = 4
"""Refusals that are told of one cell: nobody reads more. Of the others only the number is told."""

_UNUSUAL = re.compile(r"[^\w .,+@~/#%=:()-]")
"""What is not shown of a path: markup, what nobody sees, what could close a sentence."""


Takes = Callable[[Access, str, Policy], bool]
"""Whether a person may allow an access to what is typed, beyond a policy."""


def take_nothing(_access: Access, _text: str, _policy: Policy) -> bool:
    """Take nothing: there is no form."""
    return False


@dataclass(frozen=True, slots=True)
class Person:
    """Whose machine it is, and what a host can offer to whoever reads the reply."""

    home: Path
    ours: tuple[Path, ...] = ()
    """Our own data and settings."""
    buttons: bool = False
    """The host has a page with buttons; elsewhere a setting is named."""
    stranger: bool = False
    """The code is somebody else's, who shall not learn which files there are."""
    indexes: frozenset[str] = frozenset()
    """The hosts of package indexes, which are one grant."""
    takes: Takes = take_nothing
    """Tells whether the form of the host's page takes that by hand."""
    links: frozenset[Path] = frozenset()
    """Links that a kernel finds."""


def refusals(clues: Clues, policy: Policy, person: Person) -> tuple[Refusal, ...]:
    """What was refused to a cell, in the order in which it shows it. Looks at some paths on the disk."""
    files = [each for name in clues.paths if (each := _file(name, policy, person)) is not None]
    direct = (_Network(each, direct=True) for each in (*clues.unfound, *clues.programs.addresses))
    programs = map(_Program, _programs(clues.programs, policy, person))
    told: list[_Told] = [*_specific(files), *programs, *map(_Network, clues.refused), *direct]
    shown = [_told(each, policy, person) for each in _of_each_kind(told)]
    return (*shown[:-1], *(replace(each, more=len(told) - len(shown)) for each in shown[-1:]))


def _of_each_kind(refused: Sequence["_Told"]) -> list["_Told"]:
    """As many as are told, in their order: the first ones, but one at least of each kind."""
    firsts = {_kind(each): at for at, each in reversed(list(enumerate(refused)))}
    chosen = list(dict.fromkeys((*sorted(firsts.values()), *range(len(refused)))))[:MOST]
    return [refused[at] for at in sorted(chosen)]


def grants_of(refusal: Refusal) -> Grants:
    """What the button of a refusal grants."""
    match refusal.access, refusal.grant:
        case _, "":
            return Grants()
        case "network", host:
            return Grants(hosts=frozenset({host}))
        case "write", path:
            return Grants(write=frozenset({Path(path)}))
        case _, path:
            return Grants(read=frozenset({Path(path)}))


@dataclass(frozen=True, slots=True)
class _File:
    access: Access
    path: Path
    failed: bool
    closed: bool = False
    """Its folder takes no new files."""
    by: Path | None = None
    """The path by which the code went, where that leads through a link."""
    apart: bool = False
    """It is allowed, and that link is not there."""
    lost: bool = False
    """It was written, to what stands in place of the home."""


@dataclass(frozen=True, slots=True)
class _Network:
    host: str
    direct: bool = False
    """The proxy was not asked."""


@dataclass(frozen=True, slots=True)
class _Program:
    what: str
    """Where another program of this machine is; empty: it is the cell's own, which wanted to listen."""


_Told = _File | _Network | _Program


def _kind(refused: _Told) -> str:
    if isinstance(refused, _File):
        return refused.access
    if isinstance(refused, _Program):
        return "program"
    return "direct" if refused.direct else "network"


def _file(name: Named, policy: Policy, person: Person) -> _File | _Program | None:
    """What was refused of a path; None where the sandbox has not refused it."""
    try:
        path = _real(name.text, policy, person)
        if not person.stranger and other_programs.is_socket(path):
            return None if policy.may_write(path) else _Program(f"the socket {short(path, person.home)}")
        if name.failed and _is_closed(path, name, policy, person):
            return _File("write", path, failed=True, closed=True)
        by = None if person.stranger else _by_link(path, name.text, policy, person)
        if by is not None and _is_granted(path, policy) and os.path.exists(path):
            return _File("read", path, name.failed, by=by, apart=True)
        access = _refused(path, name, policy, person)
    except (OSError, ValueError):
        return None
    # Where the home is another one alone under its name `~`, a path to it is refused with an error.
    elsewhere = policy.egress is not None or name.text.startswith("~")
    lost = access == "write" and not name.failed and elsewhere
    return _File(access, path, name.failed, by=by, lost=lost) if access else None


def _by_link(path: Path, text: str, policy: Policy, person: Person) -> Path | None:
    """The path as the code has it, where a link in it is not in the sandbox, which has files of its own."""
    if policy.egress is None:
        return None
    home = str(Path.home())
    text = f"{person.home}{text.removeprefix(home)}" if text == home or text.startswith(f"{home}/") else text
    whole = Path(os.path.normpath(policy.folder / _complete(text, policy, person)))
    there = policy.may_read(whole) or any(whole.is_relative_to(each) for each in person.links)
    return None if whole == path or there else whole


def _is_granted(path: Path, policy: Policy) -> bool:
    granted = any(path.is_relative_to(each) for each in (*policy.grants.read, *policy.grants.write))
    return granted and policy.may_read(path)


def _is_closed(path: Path, name: Named, policy: Policy, person: Person) -> bool:
    """Whether a change failed because of the folder that it was in: of what is there, or of something new."""
    if person.stranger or not policy.may_write(path) or not policy.is_closed(path.parent):
        return False
    return offers.writable(path.parent) and (name.denied or name.writes)


def _real(text: str, policy: Policy, person: Person) -> Path:
    """The path without links; raises OSError or ValueError for what is none."""
    text = _complete(text, policy, person)
    if _OF_PROCESS.match(text):
        # Where its links lead is no business of code's, and ours lead elsewhere than its own.
        return Path(os.path.normpath(text))
    path = policy.folder / text
    return Path(os.path.normpath(path) if person.stranger else os.path.realpath(path))


def _complete(text: str, policy: Policy, person: Person) -> str:
    """The path with the person's home in it."""
    if text.startswith("file:/"):
        text = unquote(text.removeprefix("file:").removeprefix("//").partition("?")[0])
    if text == "~" or text.startswith("~/"):
        text = f"{person.home}{text[1:]}"
    own = private_home.below(policy.temporary)
    if Path(text).is_relative_to(own):
        return str(person.home / Path(text).relative_to(own))
    return text


_OF_PROCESS = re.compile(r"/proc/(?:\d+|net)(?:/|$)")


def _refused(path: Path, name: Named, policy: Policy, person: Person) -> Access | None:
    if not name.failed:
        return None if person.stranger else _unsaid(path, name, policy, person.home)
    readable, writable = policy.may_read(path), policy.may_write(path)
    if readable and name.denied and not person.stranger:
        readable = not _of_root_alone(path)
    # What programs need may be read, and is denied for many reasons.
    granted = readable and not any(path.is_relative_to(each) for each in (*policy.system, *policy.imports))
    # What is not there is denied to who wants to make it; who wants to read it is told that it is not there.
    new = name.denied and not person.stranger and not os.path.exists(path)
    writes = name.read_only or name.writes or (name.denied and granted) or new
    if writable if writes else readable:
        return None
    if person.stranger:
        return "write" if writes else "read"
    if writes:
        there = os.path.exists(path) or os.path.isdir(path.parent)
        return "write" if there and offers.writable(path) else None
    return "read" if os.path.exists(path) and offers.readable(path) else None


_SETTINGS = ("/etc", "/sys/kernel")


def _of_root_alone(path: Path) -> bool:
    """Whether a place of the system is root's alone: the sandbox keeps it from a kernel of root's, too."""
    within = [each for each in (path, *path.parents) if any(each.is_relative_to(root) for root in _SETTINGS)]
    return os.geteuid() == 0 and any(map(_closed_to_others, within))


def _closed_to_others(path: Path) -> bool:
    try:
        return not path.stat().st_mode & stat.S_IROTH
    except OSError:  # it is not there, for example
        return False


def _unsaid(path: Path, name: Named, policy: Policy, home: Path) -> Access | None:
    """What was refused of a path that the code names though no error did.

    In place of the home it sees an empty folder: it finds nothing there, and what it writes there is lost.
    """
    if policy.may_read(path) or _everywhere(path, home):
        return None
    if name.writes and path.is_relative_to(home) and path != home:
        return "write" if os.access(home, os.W_OK) else None
    return "read" if os.path.exists(path) and offers.readable(path) else None


def _everywhere(path: Path, home: Path) -> bool:
    """Whether every program has such a place, and the sandbox its own: to name it in code means nothing."""
    own = path == Path("/") or any(path.is_relative_to(each) for each in _OWN)
    return own and not path.is_relative_to(home)


_OWN = tuple(map(Path, ("/tmp", "/var/tmp", "/dev", "/proc", "/sys", "/run")))  # noqa: S108


def _specific(files: Iterable[_File | _Program]) -> Iterator[_File | _Program]:
    """Each once; what the code names not beside what failed in it, or around it, nor around what it names."""
    every = list(dict.fromkeys(files))
    failed = [each.path for each in every if isinstance(each, _File) and each.failed]
    around = {parent for each in every if isinstance(each, _File) for parent in each.path.parents}
    for each in every:
        if (
            isinstance(each, _Program)
            or each.failed
            or not (each.path in around or any(_one_in_other(path, each.path) for path in failed))
        ):
            yield each


def _one_in_other(path: Path, other: Path) -> bool:
    return path.is_relative_to(other) or other.is_relative_to(path)


def _programs(sought: Sought, policy: Policy, person: Person) -> Iterator[str]:
    """Where other programs of this machine are that a cell could not reach.

    A stranger does not learn which there are: told is what the cell looked for.
    """
    for port in sought.ports:
        if person.stranger or other_programs.listens(port):
            yield f"port {port} of this machine"
    for process in sought.processes:
        if person.stranger or other_programs.runs(process):
            yield f"process {process}"
    if sought.parent:
        yield "the process that started it"
    if sought.listens and not policy.listens:
        yield ""


def _told(refused: _Told, policy: Policy, person: Person) -> Refusal:
    match refused:
        case _Program(""):
            return Refusal("listen", "a TCP port", Remedy.SOCKETS)
        case _Program(what):
            return Refusal("program", _shown(what), Remedy.APART)
        case _Network(host, direct=True):
            return Refusal("network", _shown(in_script(host)), Remedy.PROXY)
        case _Network(host):
            refusal = Refusal("network", _shown(in_script(host)), _by_hand(host, policy, person))
            return _offered(refusal, *_reach(host, person), person)
        case _:
            return _told_of_file(refused, policy, person)


def _told_of_file(refused: _File, policy: Policy, person: Person) -> Refusal:
    what = _shown(short(refused.path, person.home))
    by = _shown(short(refused.by, person.home)) if refused.by else ""
    if refused.apart:
        return Refusal("read", what, Remedy.LINK, by=by)
    if refused.closed:
        return Refusal("write", what, Remedy.INSIDE)
    write = refused.access == "write"
    ours = (*person.ours, policy.sockets, policy.temporary)
    place = Place(person.home, ours, (*policy.system, *policy.guarded), unseen=person.stranger)
    granted = offers.grantable(refused.path, place, write=write)
    plain = granted is not None and _UNUSUAL.search(str(granted)) is None
    refusal = Refusal(refused.access, what, by=by, lost=refused.lost)
    if granted is None or not plain:
        return replace(refusal, remedy=_by_hand_too(refused, policy, person))
    named = short(granted, person.home)
    named = named if granted == refused.path and not os.path.isdir(granted) else f"the folder {named}"
    return _offered(refusal, str(granted), named, person)


def _by_hand(host: str, policy: Policy, person: Person) -> Remedy:
    """What is left for a host that no button offers, and may be meant: one of one's own network, say."""
    return Remedy.FORM if person.buttons and person.takes("network", host, policy) else Remedy.SETTING


def _by_hand_too(refused: _File, policy: Policy, person: Person) -> Remedy:
    """The same for a file: the form takes what is hidden, and no secrets."""
    path = refused.path if os.path.exists(refused.path) else refused.path.parent
    taken = person.buttons and person.takes(refused.access, str(path), policy)
    return Remedy.FORM if taken else Remedy.NOTHING


def _offered(refusal: Refusal, grant: str, named: str, person: Person) -> Refusal:
    if not grant:
        return refusal
    if not person.buttons:
        return replace(refusal, remedy=Remedy.SETTING)
    return replace(refusal, remedy=Remedy.BUTTON, grant=grant, named=named)


def _shown(what: str) -> str:
    """What was refused, harmless wherever it is shown."""
    what = _UNUSUAL.sub("?", what)
    return what if len(what) <= offers.LONGEST else f"{what[:80]}…{what[-40:]}"


_PUBLIC = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,61}[a-z0-9](?::[0-9]{1,5})?", re.ASCII)
_LOCAL = (".local", ".localhost", ".internal", ".lan", ".home", ".corp", ".arpa", ".test", ".invalid")
"""Endings of names that mean something of one's own network."""


def _reach(host: str, person: Person) -> tuple[str, str]:
    """What a button grants for a host, and its name; empty for an address or a host of one's own network."""
    if host in person.indexes:
        return PACKAGES, "the package indexes of pip"
    public = _PUBLIC.fullmatch(host) is not None and not host.partition(":")[0].endswith(_LOCAL)
    return (host, in_script(host)) if public and len(host) <= offers.LONGEST else ("", "")
