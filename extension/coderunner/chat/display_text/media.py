"""Sounds, films, pictures and frames within HTML, in words: what they are, and how large or long."""

import binascii
import re
from collections.abc import Callable, Mapping

from coderunner.text.file_sizes import in_words

SHORT = 200
"""Characters of a file's base64 that are kept where it stands in HTML: its first bytes say what it is."""
ADDRESS = 200
"""Characters of an address that are told."""
WORDS = 600
"""Characters of the words of a page within that are told: a report begins with its summary."""

_FILE = re.compile(r"data:([\w.+-]{1,60}/[\w.+-]{1,60})?((?:;[\w.=+-]{1,60}){0,5}),([A-Za-z0-9+/=\s%]{200,})")
_SHORTENED = re.compile(r"data:([\w.+/-]{0,120})[^,]{0,310},([^~]*)~(\d{1,12})$|data:([\w.+/-]{0,120})")
_LEAFLET = re.compile(r"center:\s*\[\s*(-?[\d.]{1,20}),\s*(-?[\d.]{1,20})\s*\]")
_ZOOM = re.compile(r"[\"']?zoom[\"']?\s*:\s*(\d{1,2})\b")
_MARKER = re.compile(r"\bL\.(?:marker|circleMarker|circle)\(")
_TITLE = re.compile(r"<title>([^<]{1,200})</title>", re.IGNORECASE)

_WORDS = {"audio": "sound", "video": "film", "iframe": "page in a frame", "embed": "file", "img": "image"}


def shortened(source: str) -> str:
    """The HTML with no more of the files in it than says what they are."""
    return _FILE.sub(_short, source)


def _short(found: re.Match[str]) -> str:
    return f"data:{found[1] or ''}{found[2]},{found[3][:SHORT]}~{len(found[3])}"


def told(tag: str, given: Mapping[str, str], words: Callable[[str], str] = lambda _: "") -> str:
    """What an element shows that is no text, in brackets; empty where it is another element, or nothing.

    `words` gives those of a page within.
    """
    if tag not in _WORDS:
        return ""
    if tag == "iframe" and given.get("srcdoc"):
        return _framed(given["srcdoc"], words)
    source = given.get("src", "").strip()
    named = " ".join((given.get("alt") or given.get("title") or "").split())[:ADDRESS]
    what = _file(source, _WORDS[tag]) if source else _WORDS[tag]
    return f"[{what}: {named}]" if named else f"[{what}]"


def _file(source: str, word: str) -> str:
    found = _SHORTENED.match(source)
    if not found:
        address = source[:ADDRESS]
        return f"{word} {address}"
    if found[3] is None:
        kind, start, size = found[4], source.partition(",")[2], len(source.partition(",")[2]) * 3 // 4
    else:
        kind, start, size = found[1], found[2], int(found[3]) * 3 // 4
    seconds = _seconds(start)
    facts = [kind or word, in_words(size), *([f"{seconds:.3g} s"] if seconds else [])]
    return ", ".join(facts)


def _seconds(start: str) -> float:
    """How long a WAV file is: its header tells bytes of sound, and how many there are a second."""
    text = "".join(start.split())
    try:
        head = binascii.a2b_base64(text[: len(text) // 4 * 4])
    except ValueError:
        return 0.0
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return 0.0
    rate, size = int.from_bytes(head[28:32], "little"), int.from_bytes(head[40:44], "little")
    return size / rate if rate and head[36:40] == b"data" else 0.0


def _framed(page: str, words: Callable[[str], str]) -> str:
    """A page within: its title and its first words, or the map that it is."""
    if centre := _LEAFLET.search(page):
        zoom, marks = _ZOOM.search(page), len(_MARKER.findall(page))
        facts = [f"centre {centre[1]}, {centre[2]}", *([f"zoom {zoom[1]}"] if zoom else [])]
        facts += [f"{marks} marker{'s' if marks > 1 else ''}"] if marks else []
        return f"[map, {', '.join(facts)}]"
    title = _TITLE.search(page)
    said = words(page)
    said = f"{said[:WORDS].rsplit(' ', 1)[0]} …" if len(said) > WORDS else said
    named = " ".join(title[1].split()) if title else ""
    return f"[{': '.join(filter(None, ('page in a frame', named, said)))}]"


def file(kind: str, data: str) -> str:
    """A file of a MIME bundle, as base64: its type and its size, and how long a sound is."""
    return f"[{_file(f'data:{kind};base64,{data[:SHORT]}~{len(data)}', kind)}]"
