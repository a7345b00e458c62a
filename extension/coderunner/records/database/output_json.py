"""Outputs as text and back, exactly. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coderunner.outputs import (
    DisplayData,
    Error,
    ExecuteResult,
    MadeFile,
    Omission,
    Output,
    Refusal,
    Remedy,
    Stream,
)
from coderunner.text.json_reader import clipped, loads

LARGE = 64 * 1024
"""Characters beyond which a text is kept by its hash: equal pictures of many runs are then kept once."""
LARGEST = 48 * 1024 * 1024
"""Characters of one output. The kernel's limits are lower; this bounds what comes another way."""


def encode(output: Output) -> str:
    """`output` as JSON in ASCII, so that every database keeps it as it is, lone surrogates included."""
    text = json.dumps(_FIELDS[type(output)](output))
    if len(text) <= LARGEST:
        return text
    return encode(Stream("stderr", f"[an output of {len(text):,} characters was not saved]\n"))


def decode(text: str) -> Output:
    """The output that `encode` gave *text* for."""
    fields: dict[str, Any]
    try:
        fields = json.loads(text)
    except RecursionError:  # an earlier version kept what is nested so deep that nobody can write it again
        fields = dict(loads(text, lenient=True))  # type: ignore[call-overload]
    return _VALUES[fields.pop("type")](fields)


def encode_refusals(refusals: Sequence[Refusal]) -> str | None:
    """What was refused as JSON in ASCII; None where nothing was."""
    fields = [
        [each.access, each.what, each.remedy, each.grant, each.named, each.lost, each.more, each.by]
        for each in refusals
    ]
    return json.dumps(fields) if fields else None


def decode_refusals(text: str | None) -> tuple[Refusal, ...]:
    """What `encode_refusals` was given.

    Raises LookupError, TypeError or ValueError where somebody else has written there.
    """
    return tuple(_refusal(*fields) for fields in json.loads(text)) if text else ()


def _refusal(
    access: str, what: str, remedy: str, grant: str, named: str, lost: int = 0, more: int = 0, by: str = ""
) -> Refusal:
    if access not in ("read", "write", "network", "program", "listen", "package"):
        raise ValueError(access)
    told = bool(lost), int(more)
    return Refusal(access, what, Remedy(remedy), grant, named, by, *told)  # type: ignore[arg-type]


def encode_files(files: Sequence[MadeFile], more: int) -> str | None:
    """Files that were made or changed, and how many more, as JSON in ASCII; None where none were."""
    fields = [[each.path, each.size, each.changed, each.new] for each in files]
    return json.dumps([more, *fields]) if fields else None


def decode_files(text: str | None) -> tuple[tuple[MadeFile, ...], int]:
    """What `encode_files` was given.

    Raises LookupError, TypeError or ValueError where somebody else has written there.
    """
    more, *fields = json.loads(text) if text else (0,)
    return tuple(_file(*each) for each in fields), int(more)


def _file(path: str, size: int, changed: int, new: bool) -> MadeFile:  # noqa: FBT001 - as they stand there
    if not isinstance(path, str):
        raise TypeError(path)
    return MadeFile(path, int(size), int(changed), bool(new))


def digest(text: str) -> str:
    """What *text* is kept under; different texts have different ones."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _stream(output: Stream) -> dict[str, object]:
    missing = output.omitted
    gap = [missing.at, missing.lines, missing.characters]
    return {"type": "stream", "name": output.name, "text": output.text, "omitted": gap}


def _display(output: DisplayData) -> dict[str, object]:
    return {"type": "display_data", **_shown(output)}


def _result(output: ExecuteResult) -> dict[str, object]:
    return {"type": "execute_result", **_shown(output), "execution_count": output.execution_count}


def _shown(output: DisplayData | ExecuteResult) -> dict[str, object]:
    data, metadata = _shallow(output.data), _shallow(output.metadata)
    # Most are no widgets: what is written of those is as it always was.
    widget = {} if output.widget is None else {"widget": output.widget}
    return {"data": data, "metadata": metadata, "display_id": output.display_id, **widget}


def _error(output: Error) -> dict[str, object]:
    return {"type": "error", "ename": output.ename, "evalue": output.evalue, "traceback": output.traceback}


_FIELDS: Mapping[type, Callable[[Any], dict[str, object]]] = {
    Stream: _stream,
    DisplayData: _display,
    ExecuteResult: _result,
    Error: _error,
}


def _bundles(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _shallow(fields[name]) for name in ("data", "metadata")}


def _shallow(bundle: Mapping[str, object]) -> dict[str, object]:
    return {kind: clipped(value) for kind, value in bundle.items()}


_VALUES: Mapping[str, Callable[[dict[str, Any]], Output]] = {
    "stream": lambda fields: Stream(**fields | {"omitted": Omission(*fields["omitted"])}),
    "display_data": lambda fields: DisplayData(**fields | _bundles(fields)),
    "execute_result": lambda fields: ExecuteResult(**fields | _bundles(fields)),
    "error": lambda fields: Error(**fields | {"traceback": tuple(fields["traceback"])}),
}
"""By nbformat's names."""
