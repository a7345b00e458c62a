"""Notebook files as anybody may have written them: any encoding, version 3 or 4, any language. Pure."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from coderunner import languages
from coderunner.errors import NotANotebook, UnreadableJSON
from coderunner.languages import PYTHON, Language
from coderunner.text.json_reader import loads
from coderunner.text.surrogates import starts_within, whole

LARGEST = 100 * 1024 * 1024
"""Bytes of a file: a notebook with a hundred photographs; to read it takes ten times as many of memory."""
GZIP = b"\x1f\x8b"

SEVERAL = frozenset({"sos", ""})
"""What the metadata of cells say where a kernel speaks several languages."""
OURS = frozenset({"python", "python3", "python2", "py", "ipython", "ipython3"}) | SEVERAL
"""Names of Python, and of a kernel that speaks several and this one first."""
LONGEST = 40
"""Characters of the name of a language."""
UNTOLD = frozenset({"", "plaintext", "text"})
"""What programs write for a language that they do not know."""
EDITORS = (("vscode", "languageId"), ("polyglot_notebook", "kernelName"), ("dotnet_interactive", "language"))
"""Where editors write the language of a cell."""
KERNELS = {"ir": "R", "julia": "Julia"}
"""Languages by the names of kernels, for notebooks that say no more."""

Json = Mapping[str, object]


def content_of(file: bytes | str) -> Json:
    """The content of a notebook as that of one of version 4. Raises NotANotebook."""
    if len(file) > LARGEST:
        raise NotANotebook(
            f"the notebook is larger than {LARGEST // 2**20} MB; clear some of its outputs in Jupyter"
        )
    if isinstance(file, bytes) and file.startswith(GZIP):
        raise NotANotebook("this is a compressed file, not a notebook; unpack it with gunzip")
    try:
        content = _joined(loads(file, halves=True))
    except UnreadableJSON as failure:
        raise NotANotebook(f"this is not a notebook: {failure}") from None
    content = _upgraded(object_of(content))
    if not isinstance(content.get("cells"), list):
        raise NotANotebook("this is not a notebook: it has no cells")
    return content


def language_of(content: Json) -> str:
    """The language of a notebook, wherever it says so; empty where it does not."""
    metadata = object_of(content.get("metadata"))
    spec, info = object_of(metadata.get("kernelspec")), object_of(metadata.get("language_info"))
    name = string_of(spec.get("name"))
    guess = next((KERNELS[each] for each in KERNELS if re.fullmatch(rf"{each}[\d.-]*", name)), "")
    told = map(string_of, (spec.get("language"), info.get("name"), metadata.get("language")))
    return next((each for each in told if each.lower() not in UNTOLD), guess)


def spoken_in(content: Json) -> Language:
    """The language of a notebook's kernel; Python where it does not say."""
    name = "".join(filter(str.isprintable, language_of(content)))[:LONGEST]
    return PYTHON if name.lower() in OURS else languages.language_of(name)


def foreign_language(cell: Json, own: Language) -> str:
    """The language of a cell that is not the notebook's `own`: editors and kernels of several mark such."""
    metadata = object_of(cell.get("metadata"))
    told = [object_of(metadata.get(whose)).get(name) for whose, name in EDITORS]
    told += [metadata.get("language"), metadata.get("kernel"), cell.get("language")]
    names = (string_of(each).strip() for each in told)
    ours = OURS if own == PYTHON else SEVERAL
    return next((each for each in names if each.lower() not in ours and not own.runs(each)), "")


def object_of(value: object) -> Json:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[object]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def string_of(value: object) -> str:
    """Text, or the lines of one, as nbformat allows."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _joined(value: object) -> object:
    """The value with whole characters, of which some programs write the halves into two lines of a text."""
    match value:
        case str():
            return whole(value)
        case dict():
            return {whole(name): _joined(each) for name, each in value.items()}
        case list():
            lines = list(value)
            for at, (line, after) in enumerate(pairwise(value)):
                if isinstance(line, str) and isinstance(after, str) and starts_within(line, after):
                    lines[at], lines[at + 1] = f"{lines[at]}{after[0]}", after[1:]
            return [_joined(each) for each in lines]
    return value


# --- version 3 ----------------------------------------------------------------------------------------------

_MIME = {
    "text": "text/plain",
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "latex": "text/latex",
    "json": "application/json",
    "javascript": "application/javascript",
}
"""What version 3 calls MIME types (nbformat.v4.convert)."""


def _upgraded(content: Json) -> Json:
    """The content with the cells of its worksheets, as version 4 has them."""
    sheets = content.get("worksheets")
    if isinstance(content.get("cells"), list):
        return {**content, "cells": [_titled(object_of(cell)) for cell in list_of(content["cells"])]}
    if not isinstance(sheets, list):
        return content
    cells = [object_of(cell) for sheet in map(object_of, sheets) for cell in list_of(sheet.get("cells"))]
    return {**content, "cells": [_cell(_ended(cell)) for cell in cells]}


def _ended(cell: Json) -> Json:
    """The cell with line ends, which the lines of version 2 are without."""
    ended: dict[str, object] = {}
    for name, value in cell.items():
        lines = [line for line in list_of(value) if isinstance(line, str)]
        if name == "outputs":
            ended[name] = [_ended(object_of(each)) for each in list_of(value)]
        elif len(lines) > 1 and lines == value and not any(line.endswith("\n") for line in lines):
            ended[name] = "\n".join(lines)
        else:
            ended[name] = value
    return ended


def _titled(cell: Json) -> Json:
    """A heading, and HTML, as the Markdown that they became in version 4."""
    kind = cell.get("cell_type")
    if kind == "heading":
        level = cell.get("level")
        marks = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)
        return {**cell, "cell_type": "markdown", "source": f"{marks} {string_of(cell.get('source'))}"}
    return {**cell, "cell_type": "markdown"} if kind == "html" else cell


def _cell(cell: Json) -> Json:
    kind = cell.get("cell_type")
    if kind == "code":
        outputs = [_output(object_of(each)) for each in list_of(cell.get("outputs"))]
        count = cell.get("prompt_number")
        return {**cell, "source": cell.get("input"), "execution_count": count, "outputs": outputs}
    return _titled(cell)


def _output(output: Json) -> Json:
    kind = output.get("output_type")
    if kind == "stream":
        return {**output, "name": output.get("stream")}
    if kind == "pyerr":
        return {**output, "output_type": "error"}
    told = dict(_bundle(output))
    if kind == "pyout":
        told |= {"output_type": "execute_result", "execution_count": output.get("prompt_number")}
        return told
    return told | {"output_type": kind}


def _bundle(output: Json) -> Iterator[tuple[str, object]]:
    data = {_MIME[name]: value for name, value in output.items() if name in _MIME}
    if "application/json" in data:
        try:
            data["application/json"] = loads(string_of(data["application/json"]))
        except UnreadableJSON:
            del data["application/json"]
    yield "data", data
    yield "metadata", output.get("metadata")
