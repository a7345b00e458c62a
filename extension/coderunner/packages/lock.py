"""What was installed for a conversation, as a file that pip and uv install it from again. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coderunner.packages.requirements import canonical, name_of, requirement

REQUESTED = "# Asked for: "
HEAD = "# What CodeRunner installed for this chat. Again: pip install -r this file\n"
LARGEST = 1_000_000
"""Characters of a lock that are read."""

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.+!_-]+)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package as it is installed."""

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    """As pip has them: `sha256:…`."""
    url: str = ""
    """Where the index has it; empty where that is not known."""
    size: int | None = None
    """Bytes of its file."""
    summary: str = ""

    @property
    def key(self) -> str:
        """The one spelling of its name."""
        return canonical(self.name)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Lock:
    """What was asked for, and all that is installed for it beside what the interpreter has."""

    asked: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pins)

    @property
    def text(self) -> str:
        """A file of requirements."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield HEAD
        yield f"{REQUESTED}{' '.join(self.asked)}\n"
        for pin in self.pins:
            hashes = "".join(f" \\\n    --hash={each}" for each in pin.hashes)
            yield f"{pin.name}=={pin.version}{hashes}\n"

    def with_(self, asked: Iterable[str], pins: Iterable[Pin]) -> "Lock":
        """The lock with more that was asked for, and all that is installed now."""
        asked = tuple(asked)
        anew = {name_of(each) for each in asked}
        before = (each for each in self.asked if name_of(each) not in anew)
        return Lock((*before, *asked), tuple(sorted(pins, key=lambda pin: pin.key)))


NOTHING = Lock()


def read(text: str) -> Lock:
    """Read a lock; what is no line of one is left out."""
    asked: tuple[str, ...] = ()
    pins = []
    for line in text[:LARGEST].replace("\\\n", " ").splitlines():
        if line.startswith(REQUESTED):
            words = map(requirement, line.removeprefix(REQUESTED).split())
            asked = tuple(filter(None, words))
        elif found := _PIN.match(line):
            pins.append(Pin(found["name"], found["version"], tuple(_HASH.findall(line))))
    return Lock(asked, tuple(pins))
