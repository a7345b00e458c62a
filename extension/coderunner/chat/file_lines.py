"""What a model is told of the files that a person sends it: a line for each. Pure.

Names, columns and whatever else comes out of a file are hostile: they are cut, plain, and on one line.
"""

from collections.abc import Iterable

from coderunner.chat.results.special_tokens import harmless
from coderunner.text import terminal_text
from coderunner.text.file_sizes import in_words
from coderunner.text.surrogates import whole

HEADING = "Files of this message, in the working folder:"
NAMES = 20
"""Columns that are named."""
LONGEST_NAME = 60
LONGEST_PATH = 300
KINDS = {
    "csv": "CSV",
    "tsv": "TSV",
    "json": "JSON",
    "jsonl": "JSON lines",
    "ndjson": "JSON lines",
    "parquet": "Parquet",
    "feather": "Feather",
    "xlsx": "Excel workbook",
    "xls": "Excel workbook",
    "txt": "text",
    "md": "Markdown",
    "pdf": "PDF",
    "zip": "ZIP archive",
    "py": "Python",
    "ipynb": "notebook",
}
"""By the ending of a name, where there is a better word than the ending itself."""
_PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "avif", "svg"})


def file_lines(files: Iterable[tuple[str, int, str]]) -> str:
    """The heading and a line for each file, of its path, its bytes and what a look into it has found."""
    lines = [
        f"- `{_plain(path, LONGEST_PATH)}`: {', '.join(filter(None, (_kind(path), in_words(size))))}"
        f"{f'; {facts}' if facts else ''}"
        for path, size, facts in files
    ]
    return "\n".join([HEADING, *lines]) if lines else ""


def table_facts(look: object) -> str:
    """What a look has found, in words; "" if that is nothing, or nothing of the kind."""
    if not isinstance(look, dict):
        return ""
    said = [_sheets(look), _columns(look), _rows(look), _keys(look)]
    return "; ".join(filter(None, said))


def _kind(path: str) -> str:
    name = path.rpartition("/")[2]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending in _PICTURES:
        return f"{ending.upper()} picture"
    return KINDS.get(ending, "")


def _columns(look: dict[object, object]) -> str:
    names, width = _names(look.get("columns")), _number(look.get("width"))
    if not names or width is None or width < len(names):
        return ""
    many = "1 column" if width == 1 else f"{width:,} columns"
    return f"{many}{', the first are' if width > len(names) else ''}: {', '.join(names)}"


def _rows(look: dict[object, object]) -> str:
    rows = _number(look.get("rows"))
    if rows is None:
        return ""
    many = f"{rows:,} {'row' if rows == 1 else 'rows'}"
    return many if look.get("exact") is True else f"more than {many}"


def _keys(look: dict[object, object]) -> str:
    names, width = _names(look.get("keys")), _number(look.get("width"))
    if not names or width is None or width < len(names):
        return ""
    many = "1 key" if width == 1 else f"{width:,} keys"
    return f"an object with {many}{', the first are' if width > len(names) else ''}: {', '.join(names)}"


def _sheets(look: dict[object, object]) -> str:
    names, count = _names(look.get("sheets")), _number(look.get("count"))
    if len(names) < 2 or count is None:
        return ""
    return f"{count:,} sheets: {', '.join(names)}; of the first one"


def _names(found: object) -> list[str]:
    if not isinstance(found, list):
        return []
    return [f"`{_plain(each, LONGEST_NAME)}`" for each in found[:NAMES] if isinstance(each, str)]


def _number(found: object) -> int | None:
    known = isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 10**15
    return found if known and isinstance(found, int) else None


def _plain(text: str, longest: int) -> str:
    """One line of a name, in which nothing acts."""
    line = " ".join(terminal_text.visible(whole(text[:longest])).split())
    return harmless(line).replace("`", "'")
