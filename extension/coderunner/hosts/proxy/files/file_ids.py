"""The ids by which clients name containers and files. Pure.

A container is a conversation, and a file a path in its folder, so both stand in the ids themselves: they are
the same after a restart and in every replica, and whoever sends another's finds only what is in their own
conversation of that name.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import unquote

from coderunner.hosts.proxy.files.album_routes import FILES

CONTAINER = "cntr_"
"""The beginning of a container's id; the name of its conversation follows."""
MESSAGE_CONTAINER = "container_"
"""The same in Anthropic's API; each byte of the name follows as two digits."""
MADE, UPLOADED, MESSAGE_FILE = "cfile_", "file-", "file_"
"""The beginnings of ids: of a file in a container, of one that was uploaded by itself, and Anthropic's."""
LONGEST = 8_000
"""Characters of an id: a path of sixteen folders has some 3,400 bytes at most."""
LONGEST_LINK = 4_000
"""Characters before the address of a link, in which its own words are looked for."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_CONTAINER = re.compile(rf"{CONTAINER}(?:\.(?P<digits>[0-9a-f]+)|(?P<name>[A-Za-z0-9_-]+))")
_FILE = re.compile(rf"(?:{MADE}|{UPLOADED}|{MESSAGE_FILE})cr([A-Za-z0-9_-]+)")
_FOREIGN = re.compile(rf"{CONTAINER}[0-9a-f]{{40,}}")
"""The ids of OpenAI's own containers."""
_LINK = re.compile(rf"{FILES}[0-9a-f]{{32}}/([^\s()<>]+)")


@dataclass(frozen=True, slots=True)
class FileId:
    """Which file an id names."""

    conversation: str
    """The name of its conversation; empty: it was uploaded by itself."""
    path: str

    def shown(self, beginning: str) -> str:
        """The id, as one of a kind."""
        data = f"{self.conversation}\0{self.path}".encode("utf-8", "replace")
        return f"{beginning}cr{urlsafe_b64encode(data).decode().rstrip('=')}"

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Cited:
    """A link of ours to a file in a text."""

    path: str
    start: int
    end: int
    """Where the link begins, and where what follows it does."""


def container_id(conversation: str) -> str:
    """The id of a conversation's container."""
    plain = _PLAIN.fullmatch(conversation) is not None
    return f"{CONTAINER}{conversation if plain else '.' + digits_of(conversation)}"


def conversation_of(container: str) -> str:
    """The name of a container's conversation, in either API; empty where it is none's id."""
    if len(container) > LONGEST:
        return ""
    if container.startswith(MESSAGE_CONTAINER):
        return from_digits(container.removeprefix(MESSAGE_CONTAINER))
    found = _CONTAINER.fullmatch(container)
    return (found["name"] or from_digits(found["digits"])) if found else ""


def foreign(container: str) -> bool:
    """Whether an id may be one of the endpoint's own."""
    return _FOREIGN.fullmatch(container) is not None


def digits_of(name: str) -> str:
    """A name in letters that every API takes in an id."""
    return name.encode("utf-8", "replace").hex()


def from_digits(digits: str) -> str:
    """The name again; empty where it is none."""
    try:
        return bytes.fromhex(digits).decode("utf-8")
    except ValueError:
        return ""


def file_of(identity: object) -> FileId | None:
    """The file of an id; None where it is none of ours."""
    found = _FILE.fullmatch(identity) if isinstance(identity, str) and len(identity) <= LONGEST else None
    if found is None:
        return None
    try:
        data = urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
        conversation, path = data.decode("utf-8").split("\0")
    except ValueError:
        return None
    return FileId(conversation, path) if path else None


def linked(address: str) -> str:
    """The path of the file that an address of ours leads to; empty where it leads to none."""
    found = _LINK.search(address)
    return unquote(found[1]) if found and found.end() == len(address) else ""


def cited(text: str) -> list[Cited]:
    """The links to files in a text of a reply, in their order."""
    found = []
    last = 0
    for each in _LINK.finditer(text):
        start = text.rfind("[", max(last, each.start() - LONGEST_LINK), each.start())
        end = text.find(")", each.end(), each.end() + LONGEST_LINK) + 1
        if start >= 0 and text.find("](", start, each.start()) > 0 and end:
            found.append(Cited(unquote(each[1]), start, end))
            last = end
    return found
