"""The paths that a cell's errors and code name, as text. Pure, and linear in what it reads.

Errors are texts of many programs, and code can print anything: what is found here is only asked about.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coderunner.outputs import Error, Result, Stream
from coderunner.sandbox.clues.joined_paths import joined
from coderunner.sandbox.clues.own_words import is_own
from coderunner.sandbox.clues.statements import statements
from coderunner.text.terminal_text import plain

LONGEST = 20_000
"""Characters of an error or a stream that are read, the last ones: errors come last."""
LATEST = 40
"""Outputs that are read: what ended the cell is among the last."""
MOST = 40
"""Paths that are looked at."""

_FAILED = re.compile(
    r"No such file or directory|Permission denied|Operation not permitted|Read-only file system"
    r"|cross-device link|os error (?:1|2|13|18|30)\b|errno\W{0,3}(?:1|2|13|18|30)\b"
    r"|(?:can(?:no|')?t|could not|unable to|failed to) (?:\w+ ){0,3}"
    r"(?:open|read|access|find|load|create|write|save|move|touch|change)"
    r"|does not exist|doesn't exist|not found|no files? found|FileNotFound|NoSuchFile|non-existent",
    re.IGNORECASE,
)
"""What programs say when a file cannot be reached."""

_DENIED = re.compile(
    r"Permission denied|Operation not permitted|os error (?:1|13)\b|errno\W{0,3}(?:1|13)\b", re.IGNORECASE
)
"""The same where the file is there."""

_READ_ONLY = re.compile(r"Read-only file system|os error 30\b|errno\W{0,3}30\b", re.IGNORECASE)
_NOT_WRITTEN = re.compile(
    r"can(?:no|')?t (?:create|move|touch|write|save|remove)|changing permissions|for writing"
    r"|non-existent directory|\btee: ",
    re.IGNORECASE,
)

_WRITES = re.compile(
    r"\.to_(?:csv|excel|parquet|json|pickle|feather|hdf|file|netcdf|html|markdown|stata|zarr)\("
    r"|\bwrite_(?:text|bytes|csv|parquet|json|image|html)\(|\bsave(?:fig|z|z_compressed|txt|mat)?\(|\.save\w*\("
    r"|\bimwrite\(|\bmkdir\(|\bmakedirs\(|\.touch\(|\bdump\(|\bExcelWriter\(|\bwrite\.\w+\("
    r"|\bos\.(?:remove|unlink|rename|renames|replace|truncate|chmod|chown|utime|rmdir|setxattr|mkfifo)\("
    r"|\bshutil\.(?:move|rmtree)\(|\.(?:unlink|rmdir|chmod)\("
    r"""|['"](?:[wax][bt]?\+?|[wax]\+[bt])['"]"""
)
"""What a line of a program looks like that writes or changes a file."""

_QUOTED = re.compile(
    r"""(?:(?<!\w)|(?<=\b[rbfuRBFU])|(?<=\b[rbRB][rbfRBF]))['"`‘’“”«»]([^'"`‘’“”«»\n]{1,1000})['"`‘’“”«»]"""
)
_BARE = re.compile(r"""(?<![\w.:/~'"])((?:~|\.\.)?/[^\s'"`:;,()<>|\[\]{}=*?]{1,1000})""")
_PROGRAM = re.compile(r"^\s*/[^\s:]{1,1000}: (?=[^:]{1,1000}: )")
"""The program that says an error, where it was called by its path: what follows are a place and a reason."""
_CALL = re.compile(r"([\w.]{1,100})\([ \t]*\w{0,2}['\"]\Z")
"""How a text ends before a path that is the first thing a call is given."""
_MODE = re.compile(r"['\"][ \t]*,[ \t]*(?:mode[ \t]*=[ \t]*)?['\"]([rwaxbt+]{1,4})['\"]")
"""How a file is opened, behind its path."""
_READS = re.compile(r"(?:^|[._])(?:i?m?read\w*|load\w*|scan_\w+|listdir|i?glob|stat|exists)\Z")
"""Names of calls that only read."""
_READ_TOO = re.compile(r"\.(?:i?m?read\w*|load\w*|scan_\w+|listdir|i?glob|stat|exists)\(")
_NEAR = 120
"""Characters beside a path that are looked at."""
_CALLED = re.compile(r"([A-Za-z_][\w.]{0,100})[ \t]*\(")
_NO_FILES = re.compile(
    r"print|display|len|str|repr|type|int|float|format|sum|raise|except|\w*(?:Error|Exception|Warning)"
    r"|(?:pathlib\.)?Path(?:\.home)?|joinpath|(?:os\.path\.)?(?:join|expanduser|basename|dirname)|os\.getenv"
    r"|os\.environ\.get"
)
"""Calls that go to no file: where a program has these alone, to name a path in it means nothing. A language
without such calls, as a shell's, is read line by line."""
_LINKED = re.compile(
    r"""\bsymlink\([ \t]{0,9}\w{0,2}['"]([^'"\n]{1,1000})['"][ \t]{0,9},"""
    r"""|\.symlink_to\([ \t]{0,9}(?:[\w.]{1,100}\([ \t]{0,9})?\w{0,2}['"]([^'"\n]{1,1000})['"]"""
    r"""|\bln[ \t]+-[a-zA-Z]{0,9}s[a-zA-Z]{0,9}[ \t]+['"]?([^\s'"]{1,1000})"""
)
"""What a link is made to lead to: that is neither read nor written, and need not be there."""
_MADE = re.compile(r"""['"][^'"\n]{1,1000}['"] -> (?=['"])""")
"""How an error names that before the link itself."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SHELL = re.compile(r"^[ \t]*(?:[\w, \t]+=[ \t]*)?[!%].*$", re.MULTILINE)
_ARROW = re.compile(r"^-+> ?\d+ (.*)$", re.MULTILINE)
"""The line of a frame that was run, as IPython marks it."""
_PLACES = re.compile(r"~(?:/|$)|/|file:/|\.\.(?:/|$)")
"""How a text begins that is a path whatever else it could be."""


@dataclass(frozen=True, slots=True)
class Named:
    """A path that was named."""

    text: str
    denied: bool = False
    """An error says that it may not be reached, rather than that it is not there."""
    writes: bool = False
    """It may have been meant to be written."""
    read_only: bool = False
    """An error says that it cannot be written."""
    failed: bool = True
    """An error names it, not only the code."""


def named(result: Result, source: str) -> list[Named]:
    """The paths that the errors of a cell and its own code name, each once, those of errors first."""
    source = source[:LONGEST]
    found: dict[str, Named] = {}
    beyond = False
    for text, lines in _errors(result, source):
        # Where it was no link that could not be made, one may have been followed.
        beyond = beyond or not _MADE.search(text)
        for each in _in_error(text, lines, source):
            found.setdefault(each.text, each)
    for each in _in_code(source, followed=beyond):
        before = found.get(each.text)
        if before is None or (each.writes and not before.failed):
            found[each.text] = each
    return list(found.values())[:MOST]


def _errors(result: Result, source: str) -> Iterator[tuple[str, str]]:
    """The text of each error, and the lines that were run then where they are known."""
    for output in result.outputs[-LATEST:]:
        match output:
            case Error(ename, evalue, traceback):
                lines = _COLOUR.sub("", "\n".join(traceback)[-LONGEST:])
                ran = "\n".join(_ARROW.findall(lines)) or lines
                if not is_own(evalue[-LONGEST:], source):
                    yield f"{ename}: {evalue[-LONGEST:]}", ran
                # What caused it may say more: the last exception is often a library's own.
                yield from _telling(lines, source)
            case Stream(text=text) if _FAILED.search(text, max(0, len(text) - LONGEST)):
                yield from _telling(plain(text[-LONGEST:]), source)


def _telling(text: str, source: str) -> Iterator[tuple[str, str]]:
    """The lines that tell of an error, and not in words of the code itself."""
    lines = (line for line in text.split("\n") if _FAILED.search(line))
    return ((line, "") for line in lines if not is_own(line, source))


def _in_error(text: str, lines: str, source: str) -> Iterator[Named]:
    if not _FAILED.search(text):
        return
    text = _PROGRAM.sub("", text)
    if "symlink" in (lines or source):
        text = _MADE.sub("", text)
    denied, read_only = bool(_DENIED.search(text)), bool(_READ_ONLY.search(text))
    not_written, in_lines = bool(_NOT_WRITTEN.search(text)), bool(_WRITES.search(lines))
    # Some say what failed, but not which file it was: then the lines that were run may.
    paths = [*_quoted(text), *_bare(text)] or [each for each in _quoted(lines) if _PLACES.match(each)]
    for path in paths[:MOST]:
        shell = f"> {path}" in source or f">{path}" in source
        # Of an error that a program has printed itself, the line that was run is not known.
        meant = not lines and any(_WRITES.search(line) for line in source.split("\n") if path in line)
        writes = not_written or shell or meant or in_lines
        yield Named(path, denied, writes and not _only_read(path, lines or source), read_only)


def _in_code(source: str, *, followed: bool) -> Iterator[Named]:
    """Paths that stand in the code as they are, as far as they can be nothing else.

    `followed`: what a link was made to lead to counts, too.
    """
    calls = _CALLED.findall(source)
    if calls and all(map(_NO_FILES.fullmatch, calls)) and not _SHELL.search(source):
        return
    for line in statements(source):
        writes = bool(_WRITES.search(line))
        paths = [path for path in _quoted(line) if _PLACES.match(path)]
        linked = set() if followed else {"".join(each) for each in _LINKED.findall(line)}
        for path in (each for each in (*paths, *_bare(line)) if each not in linked):
            yield Named(path, writes=writes and not _only_read(path, line), failed=False)
    for line in _SHELL.findall(source):
        yield from (Named(path, failed=False) for path in re.findall(r"(?<=\s)~(?=\s|$)", line))
    for each in joined(source):
        yield Named(each.path, writes=each.copied or _puts(each.line), failed=False)
    if "Path.home()" in source:
        yield Named("~", failed=False)


def _puts(line: str) -> bool:
    """Whether a line writes or changes a file, and reads none."""
    return _WRITES.search(line) is not None and _READ_TOO.search(line) is None


def _only_read(path: str, lines: str) -> bool:
    """Whether all calls that are given this path as it is only read it, also beside others that write."""
    uses = list(_read_by_calls(path, lines))
    return bool(uses) and all(uses)


def _read_by_calls(path: str, lines: str) -> Iterator[bool]:
    at = lines.find(path)
    while at >= 0:
        end = at + len(path)
        if (call := _CALL.search(lines[max(0, at - _NEAR) : at])) is not None:
            mode = _MODE.match(lines[end : end + _NEAR])
            opens = call[1].endswith("open") and not (mode and set("wax+") & set(mode[1]))
            yield opens or _READS.search(call[1]) is not None
        at = lines.find(path, end)


def _quoted(text: str) -> Iterator[str]:
    return (found[1] for found in _QUOTED.finditer(text))


def _bare(text: str) -> Iterator[str]:
    return (found[1].rstrip(".") for found in _BARE.finditer(text))
