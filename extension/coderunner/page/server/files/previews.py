"""What a person sees of a file without opening it: a bounded head, as values that only our script draws."""

import codecs
import csv
import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from itertools import islice

from coderunner.files.chat_folder import ChatFolder, OpenedFile
from coderunner.files.file_kinds import file_kind
from coderunner.files.looking import HEADS
from coderunner.images import image_type
from coderunner.images.image_type import SVG, Image
from coderunner.page.html.image_html import LARGEST, SHOWN
from coderunner.text.json_reader import loads
from coderunner.text.terminal_text import visible

HEAD = 64 * 1024
"""Bytes of a text or a table that are read."""
ROWS, COLUMNS, CELL = 50, 40, 200
"""Of a table, and characters of a cell."""
SEPARATORS = {"tsv": "\t", "csv": ",;\t|"}
"""By the name's ending; of several, that which the first line has most of."""
OBJECTS = frozenset({"jsonl", "ndjson"})
"""Endings of files each line of which is a JSON object."""
LIBRARIES = frozenset({"pyarrow", "openpyxl"})
"""What the kernel may lack."""
NONE = "There is no preview of this kind of file."
TOO_LARGE = f"The image is larger than {LARGEST // 1_000_000} MB."
EMPTY = "The file is empty."
NO_KERNEL = "A preview of this file needs this chat's Python kernel, which is not running; run a block first."
LACKS = (
    "A preview of this file needs {library}, which the kernel does not have: ask the model to install it, "
    "or download the file."
)
UNREADABLE = "The file cannot be read as a table, or is too large for a preview."
SHEET = "Sheet “{sheet}”, the first of {sheets}."

_STRANGE = re.compile(rb"[\x01-\x07\x0e-\x1a\x1c-\x1f]")
"""Bytes that stand in hardly any text."""

Preview = Mapping[str, object]
"""JSON for the page."""


HeadOf = Callable[[str], Awaitable[Mapping[str, object] | None]]
"""What the kernel says of the first rows of a table, unchecked; None where it cannot be asked."""


async def no_kernel(_path: str) -> None:
    """Where there is none to be asked."""


async def preview(folder: ChatFolder, path: str, head_of: HeadOf = no_kernel) -> Preview:
    """The head of a file, with its size, when it was changed, and where else a person finds it.

    `head_of` is asked about tables that only a library reads. Raises FileError.
    """
    file = await folder.open(path)
    try:
        shown = await _shown(file)
        shown = _head(await head_of(path)) if shown is None else shown
        facts = {"size": file.size, "changed": file.changed // 1_000_000, "at": folder.address(path)}
        return {**shown, **facts}
    finally:
        await file.close()


async def _shown(file: OpenedFile) -> Preview | None:
    """What is seen without the kernel; None where it has to be asked."""
    kind = file_kind(file.name)
    if kind == "audio":
        return {"kind": "audio"}
    head = await _read(file, HEAD)
    if not head:
        return _none(EMPTY)
    if _is_image(head):
        return _image(await _read(file, file.size)) if file.size <= LARGEST else _none(TOO_LARGE)
    cut, ending = file.size > len(head), file.name.rpartition(".")[2].lower()
    if ending in HEADS:
        return None
    text = _text(head, cut=cut)
    if text is None:
        return _none(NONE)
    return _table_of(text, ending, cut=cut) or {"kind": "text", "text": visible(text), "cut": cut}


def _table_of(text: str, ending: str, *, cut: bool) -> Preview | None:
    if ending in OBJECTS:
        return _objects(text, cut=cut)
    return _table(text, SEPARATORS[ending], cut=cut) if ending in SEPARATORS else None


async def _read(file: OpenedFile, most: int) -> bytes:
    async with aclosing(file.pieces(0, min(most, file.size))) as pieces:
        return b"".join([piece async for piece in pieces])


def _none(why: str) -> Preview:
    return {"kind": "none", "why": why}


def _is_image(head: bytes) -> bool:
    """Whether it may be one that browsers show, whatever it is called."""
    return image_type.kind_of(head) in SHOWN or b"<svg" in head[:1000]


def _image(content: bytes) -> Preview:
    found = image_type.read("image/png", b64encode(content).decode())
    if not isinstance(found, Image) or image_type.why_unseen(found, SHOWN, LARGEST):
        return _none(f"The image cannot be shown: it {found.why}." if not isinstance(found, Image) else NONE)
    data = b64encode(found.content).decode() if found.mime == SVG else found.data
    return {"kind": "image", "source": f"data:{found.mime};base64,{data}"}


def _text(head: bytes, *, cut: bool) -> str | None:
    """The head as text; None where it is none."""
    for mark, coding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if head.startswith(mark):
            return head.decode(coding, "replace")
    if b"\0" in head:
        return None
    try:
        # The cut may go through a character.
        return codecs.getincrementaldecoder("utf-8")().decode(head, final=not cut)
    except UnicodeDecodeError:
        strange = len(_STRANGE.findall(head))
        return head.decode("cp1252", "replace") if strange <= len(head) // 100 else None


def _table(text: str, separators: str, *, cut: bool) -> Preview | None:
    """The first rows of a table; None where it is none."""
    lines = text.splitlines(keepends=True)
    if cut and len(lines) > 1:
        lines.pop()  # it may not be whole
    separator = max(separators, key=lines[0].count) if lines else ","
    try:
        rows = list(islice(csv.reader(lines, delimiter=separator), ROWS + 1))
    except csv.Error:
        return None
    if len(rows) < 2 and (not rows or len(rows[0]) < 2):
        return None
    return _as_table(rows[0], rows[1:], max(map(len, rows)), cut=cut or len(rows) > ROWS)


def _objects(text: str, *, cut: bool) -> Preview | None:
    """The first lines, if each is a JSON object; their keys are the columns."""
    lines = [line for line in text.splitlines() if line.strip()]
    if cut:
        lines = lines[:-1]  # it may not be whole
    found = []
    for line in lines[:ROWS]:
        try:
            value = loads(line)
        except ValueError:
            return None
        if not isinstance(value, dict):
            return None
        found.append(value)
    names = list(dict.fromkeys(name for each in found for name in each))
    if not names:
        return None
    rows = [[_json(each[name]) if name in each else "" for name in names[:COLUMNS]] for each in found]
    return _as_table(names, rows, len(names), cut=cut or len(lines) > ROWS)


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _head(found: Mapping[str, object] | None) -> Preview:
    """The first rows as the kernel tells them, which is not trusted."""
    if found is None:
        return _none(NO_KERNEL)
    if found.get("lacks") in LIBRARIES:
        return _none(LACKS.format(library=found["lacks"]))
    columns, rows, width = found.get("columns"), found.get("rows"), found.get("width")
    if not (isinstance(columns, list) and isinstance(rows, list) and type(width) is int):
        return _none(UNREADABLE)
    if not columns:
        return _none(EMPTY)
    told = [row for row in rows[:ROWS] if isinstance(row, list)]
    table = _as_table(columns, told, width, cut=found.get("more") is True or len(rows) > ROWS)
    sheet, sheets = found.get("sheet"), found.get("sheets")
    if isinstance(sheet, str) and type(sheets) is int and sheets > 1:
        return {**table, "note": SHEET.format(sheet=visible(sheet[:CELL]), sheets=sheets)}
    return table


def _as_table(
    columns: Iterable[object], rows: Iterable[Iterable[object]], wide: int, *, cut: bool
) -> Preview:
    return {
        "kind": "table",
        "columns": _cells(map(str, columns)),
        "rows": [_cells(map(str, row)) for row in rows],
        "columns_left": max(wide - COLUMNS, 0),
        "cut": cut,
    }


def _cells(row: Iterable[str]) -> list[str]:
    return [visible(cell[:CELL]) + ("…" if len(cell) > CELL else "") for cell in islice(row, COLUMNS)]
