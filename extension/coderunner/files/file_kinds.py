"""What kind of file a name says that it is. Pure: nobody has looked into the file."""

from typing import Literal

FileKind = Literal["image", "table", "text", "audio", "none"]

_ENDINGS: dict[FileKind, str] = {
    "image": "png jpg jpeg gif webp",
    "table": "csv tsv parquet feather arrow xlsx xlsm",
    "text": "txt md json jsonl ndjson py log yaml yml toml ini xml html htm css js ts sql sh tex r rst ipynb",
    "audio": "wav mp3 ogg oga opus flac m4a",
}
_KINDS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}


def file_kind(name: str) -> FileKind:
    """The kind of a file by its name's ending; "none" where it says nothing that we show."""
    _, dot, ending = name.rpartition(".")
    return _KINDS.get(ending.lower(), "none") if dot else "none"
