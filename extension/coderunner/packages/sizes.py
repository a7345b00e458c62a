"""How large the files are that an index has, and what they say of themselves: asked of where they lie."""

from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, url2pathname, urlopen

from coderunner.packages.lock import Pin

PATIENCE = 4.0
"""Seconds for the answer of a server; without one the size is not known."""
LARGEST = 64_000
"""Bytes of metadata that are read."""
MOST = 40
"""Files that are asked for."""


def described(pins: Sequence[Pin], named: Container[str]) -> list[Pin]:
    """The packages with the sizes of their files, where those are known; those `named` say what they are."""
    with ThreadPoolExecutor(8, "coderunner-sizes") as pool:
        told = list(pool.map(lambda pin: _described(pin, summary=pin.key in named), pins[:MOST]))
    return [*told, *pins[MOST:]]


def _described(pin: Pin, *, summary: bool) -> Pin:
    size = _size(pin.url) if pin.size is None else pin.size
    return replace(pin, size=size, summary=pin.summary or (_summary(pin.url) if summary else ""))


def _size(url: str) -> int | None:
    with suppress(OSError, ValueError):
        if url.startswith("file:"):
            return Path(url2pathname(urlsplit(url).path)).stat().st_size
        if _answers(url):
            with urlopen(Request(url, method="HEAD"), timeout=PATIENCE) as answer:  # noqa: S310
                return int(answer.headers["Content-Length"] or "")
    return None


def _summary(url: str) -> str:
    """What a file's metadata says; they lie beside it (PEP 658)."""
    with suppress(OSError, ValueError):
        if _answers(url):
            with urlopen(f"{url}.metadata", timeout=PATIENCE) as answer:  # noqa: S310
                head = answer.read(LARGEST).decode("utf-8", "replace").partition("\n\n")[0]
            found = [line for line in head.splitlines() if line.startswith("Summary: ")]
            return found[0].removeprefix("Summary: ") if found else ""
    return ""


def _answers(url: str) -> bool:
    """Whether it can be asked: a login is masked in what tools report, and without it nobody answers."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and "@" not in parts.netloc
