"""Why a tool did not install something, in one sentence with the way out. Pure."""

import re
from dataclasses import dataclass

from coderunner.packages.requirements import name_of

LONGEST = 300
"""Characters of what a tool said last that are shown."""


@dataclass(frozen=True, slots=True)
class _Row:
    """Words of a tool, and what is said of them; `{what}`, `{index}` and `{detail}` may stand in it."""

    words: re.Pattern[str]
    said: str


def _row(words: str, said: str) -> _Row:
    return _Row(re.compile(words, re.IGNORECASE), said)


# The first that fits counts: what has no network has no package either.
_TABLE = (
    _row(
        r"no space left on device|disk quota exceeded|\[Errno 28\]|os error (?:28|122)\b",
        "the disk is full; free some space and try again",
    ),
    _row(
        r"NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|name resolution"
        r"|max retries exceeded|connection (?:refused|reset|broken|aborted)|error sending request|dns error"
        r"|timed out|network is unreachable|tcp connect error",
        "the package index {index} cannot be reached; check the network and try again",
    ),
    _row(r"\b40[13] (?:client error|unauthorized|forbidden)", "the package index {index} refuses the login"),
    _row(
        r"do not match the hashes|hash mismatch",
        "the package index {index} has another file under that version than before; nothing was installed",
    ),
    _row(
        r"requires-python|requires a different python|python_requires",
        "{what} has no version for this version of Python",
    ),
    _row(
        r"ResolutionImpossible|conflicting dependencies|no solution found.*\bdepends on\b",
        "{what} does not go together with other packages that are needed: {detail}",
    ),
    _row(r"permission denied|read-only file system", "the folder for packages cannot be written"),
)

_LOGIN = re.compile(r"://[^/\s@]*@")
_LAST = re.compile(r"^\s*(?:ERROR|error|cause):\s*(.*)$", re.MULTILINE)


def network(said: str) -> bool:
    """Whether the tool did not reach its index."""
    return bool(_TABLE[1].words.search(said))


def why(said: str, what: str, index: str) -> str:
    """Why `what` was not installed, by what the tool said."""
    detail = last_words(said)
    for row in _TABLE:
        if row.words.search(said):
            return row.said.format(what=what, index=index, detail=detail)
    return f"{what} cannot be installed: {detail}" if detail else f"{what} cannot be installed"


def last_words(said: str) -> str:
    """What a tool said last, without a login, in one line."""
    told = _LAST.findall(said) or said.strip().splitlines()[-1:]
    line = " ".join(told[-1].split()) if told else ""
    return _LOGIN.sub("://", line)[:LONGEST].rstrip(".")


def no_version(what: str, index: str, *, exists: bool) -> str:
    """Nothing fits: there is no such package, or none of that version that needs no building."""
    if not exists:
        return f"there is no package {what} on {index}; check its name"
    name = name_of(what)
    return (
        f"{index} has no ready-made file (a wheel) of {what} for this Python and system; another version may "
        f"have one, and `%pip install --no-binary {name} {name}` builds it in this chat's kernel, by its code"
    )
