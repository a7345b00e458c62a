"""What a value is, in a few words, without running code of its type.

Nothing here calls a method of a class that a program has defined, not even `__repr__`, `__len__`, `__eq__` or
`__hash__`: types are told apart by identity, and only those are looked into that Python or a library in
`LIBRARIES` has made. A subclass is another type. A library is not loaded for that: if nobody has, there is
no value of it.
"""

import itertools
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

ROOM = 120
"""Characters of a value."""
ITEMS = 8
"""Items of a container that are shown."""
DEPTH = 3
DIGITS = 512
"""Bits of a whole number that is shown: to write out a large one takes a time that grows with its square."""
LEFT = "…"

_name: Callable[[Any], Any] = type.__dict__["__qualname__"].__get__
_module: Callable[[Any], Any] = type.__dict__["__module__"].__get__
_mro: Callable[[Any], Any] = type.__dict__["__mro__"].__get__
_plain = str.__str__


def type_name(cls: Any) -> str:
    """The name of a class, as it was defined."""
    return _plain(_name(cls)).rpartition(".")[2][:ROOM]


def home(cls: Any) -> str:
    """The package that a class comes from; empty where it does not say."""
    module = _module(cls)
    return module.partition(".")[0][:ROOM] if type(module) is str else ""


def is_class(value: Any) -> bool:
    """Whether a value is a class, whatever its metaclass says."""
    return any(each is type for each in _mro(type(value)))


def library(name: str) -> "dict[str, Any]":
    """What a module has that is loaded; nothing where it is not, or something else has its name."""
    module = sys.modules.get(name)
    return module.__dict__ if type(module) is types.ModuleType else {}


# --- a value as text ------------------------------------------------------------------------------


def short(value: Any, room: int = ROOM, depth: int = DEPTH) -> str:
    """A value as text of at most about `room` characters; of what is a stranger's the type alone."""
    write = _WRITERS.get(id(type(value)))
    if write is not None:
        return cut(write(value, room, depth), room)
    known = known_of(value)
    if known is not None and known.write is not None:
        return cut(known.write(value, room), room)
    return f"<{type_name(value if is_class(value) else type(value))}>"


def cut(text: str, room: int = ROOM) -> str:
    """A text of at most `room` characters."""
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}{LEFT}"


def _number(value: int, _room: int, _depth: int) -> str:
    if value.bit_length() <= DIGITS:
        return repr(value)
    return f"{'-' if value < 0 else ''}about 10^{int(value.bit_length() * 0.30103)}"


def _text(value: Any, room: int, _depth: int) -> str:
    return repr(value[:room]) if len(value) <= room else f"{value[:room]!r}{LEFT}"


def _sequence(before: str, after: str) -> "Callable[[Any, int, int], str]":
    def write(value: Any, room: int, depth: int) -> str:
        return f"{before}{_items(value, room, depth)}{after}"

    return write


def _items(value: Iterable[Any], room: int, depth: int) -> str:
    # In one step of C: what another thread adds meanwhile does not disturb it.
    return _joined(
        (short(each, room, depth - 1) for each in list(itertools.islice(value, ITEMS + 1))), room, depth
    )


def _mapping(value: "dict[Any, Any]", room: int, depth: int) -> str:
    # `dict.items`, also of its subclasses: an OrderedDict's own asks its keys for their hashes.
    pairs = list(itertools.islice(dict.items(value), ITEMS + 1))
    written = (f"{short(key, room, depth - 1)}: {short(each, room, depth - 1)}" for key, each in pairs)
    return f"{{{_joined(written, room, depth)}}}"


def _joined(written: Iterable[str], room: int, depth: int) -> str:
    if depth <= 0:
        return LEFT
    kept: list[str] = []
    for each in written:
        if len(kept) == ITEMS or room <= 0:
            kept.append(LEFT)
            break
        kept.append(each)
        room -= len(each) + 2
    return ", ".join(kept)


def _exactly(value: Any, _room: int, _depth: int) -> str:
    return repr(value)


def _function(value: Any, _room: int, _depth: int) -> str:
    code = value.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return f"{_plain(value.__name__)}({', '.join(names)})"


def _builtin(value: Any, _room: int, _depth: int) -> str:
    return f"{_plain(value.__name__)}()"


def _loaded(value: Any, room: int, _depth: int) -> str:
    said = (value.__dict__.get(name) for name in ("__name__", "__version__"))
    return " ".join(cut(each, room) for each in said if type(each) is str)


_WRITERS: "dict[int, Callable[[Any, int, int], str]]" = {
    id(type(None)): _exactly,
    id(type(Ellipsis)): _exactly,
    id(type(NotImplemented)): _exactly,
    id(bool): _exactly,
    id(int): _number,
    id(float): _exactly,
    id(complex): _exactly,
    id(range): _exactly,
    id(str): _text,
    id(bytes): _text,
    id(bytearray): _text,
    id(list): _sequence("[", "]"),
    id(tuple): _sequence("(", ")"),
    id(set): _sequence("{", "}"),
    id(frozenset): _sequence("frozenset({", "})"),
    id(deque): _sequence("deque([", "])"),
    id(dict): _mapping,
    id(OrderedDict): _mapping,
    id(defaultdict): _mapping,
    id(Counter): _mapping,
    id(types.FunctionType): _function,
    id(types.BuiltinFunctionType): _builtin,
    id(types.ModuleType): _loaded,
}
"""By the id of the type: to look for the type itself would ask its metaclass for a hash."""

SIZED = {id(each) for each in (str, bytes, bytearray, list, tuple, set, frozenset, deque, dict, OrderedDict)}
SIZED |= {id(defaultdict), id(Counter)}
"""Types whose length and size Python itself knows."""


# --- what libraries have made ---------------------------------------------------------------------


class Known:
    """What is to be said of a type of a library."""

    def __init__(
        self,
        write: "Callable[[Any, int], str] | None" = None,
        shape: "Callable[[Any], list[int]] | None" = None,
        size: "Callable[[Any], int | None] | None" = None,
        table: "Callable[[Any], bool] | None" = None,
    ) -> None:
        self.write = write
        self.shape = shape
        self.size = size
        self.table = table


def own_dtype(dtype: Any) -> bool:
    """Whether a column's type is numpy's or pandas' own: others may run any code."""
    return home(type(dtype)) in ("numpy", "pandas")


def _dtype(dtype: Any) -> str:
    return str(dtype)[:60] if own_dtype(dtype) else type_name(type(dtype))


def _preview(dtype: str, first: "list[Any]", room: int) -> str:
    written = (f"{each:.6g}" if type(each) is float else short(each, room, 1) for each in first)
    return f"{dtype} [{_joined(written, room, 1)}]"


def _array(value: Any, room: int) -> str:
    if not own_dtype(value.dtype):
        return _dtype(value.dtype)
    return _preview(_dtype(value.dtype), value.flat[: ITEMS + 1].tolist(), room)


def _frame(value: Any, room: int) -> str:
    if home(type(value.columns)) != "pandas":
        return ""
    labels = itertools.islice(zip(value.columns[:20].tolist(), value.dtypes.tolist()[:20]), 20)  # noqa: B905 - Python 3.9
    return cut(", ".join(f"{label(name)} {_dtype(dtype)}" for name, dtype in labels), room)


def label(name: Any) -> str:
    """A column's or row's name as text; texts without quotes."""
    return cut(name, ROOM) if type(name) is str else short(name)


def _series(value: Any, room: int) -> str:
    if not own_dtype(value.dtype):
        return _dtype(value.dtype)
    return _preview(_dtype(value.dtype), value.iloc[: ITEMS + 1].tolist(), room)


def _frame_bytes(value: Any) -> "int | None":
    arrays = [block.values for block in value._mgr.blocks]
    known = all(home(type(each)) in ("numpy", "pandas") for each in arrays)
    return sum(int(each.nbytes) for each in arrays) if known else None


def _series_bytes(value: Any) -> "int | None":
    return int(value.nbytes) if own_dtype(value.dtype) else None


def _polars_frame(value: Any, room: int) -> str:
    columns = zip(value.columns[:20], value.dtypes[:20])  # noqa: B905 - Python 3.9
    return cut(", ".join(f"{cut(name, 40)} {dtype}" for name, dtype in columns), room)


def _polars_series(value: Any, room: int) -> str:
    return _preview(cut(str(value.dtype), 60), value.head(ITEMS + 1).to_list(), room)


def _tensor(value: Any, _room: int) -> str:
    return f"{value.dtype} on {value.device}"


def _shape(value: Any) -> "list[int]":
    return [int(each) for each in value.shape]


def _nbytes(value: Any) -> int:
    return int(value.nbytes)


def _text_of(value: Any, _room: int) -> str:
    return str(value)


def _moment(value: Any, _room: int) -> str:
    zone = value.tzinfo
    own = zone is None or home(type(zone)) in ("datetime", "zoneinfo")
    return str(value) if own else f"<{type_name(type(value))}>"


def _path(value: Any, _room: int) -> str:
    parts = getattr(value, "_raw_paths", ())
    return str(value) if all(type(each) is str for each in parts) else f"<{type_name(type(value))}>"


def _flat(value: Any) -> bool:
    return value.ndim in (1, 2)


def _always(_value: Any) -> bool:
    return True


_ARRAY = Known(_array, _shape, _nbytes, _flat)
_FRAME = Known(_frame, _shape, _frame_bytes, _always)
_SERIES = Known(_series, _shape, _series_bytes, _always)
_ASTEXT = Known(_text_of)
_MOMENT = Known(_moment)
LIBRARIES: "tuple[tuple[str, str, Known], ...]" = (
    ("numpy", "ndarray", _ARRAY),
    *(
        ("numpy", name, _ASTEXT)
        for name in (
            *("bool_", "float16", "float32", "float64", "longdouble", "complex64", "complex128"),
            *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "str_", "datetime64"),
            "timedelta64",
        )
    ),
    ("pandas", "DataFrame", _FRAME),
    ("pandas", "Series", _SERIES),
    ("pandas", "Timestamp", _MOMENT),
    ("pandas", "Timedelta", _ASTEXT),
    ("pandas", "Interval", _ASTEXT),
    ("pandas", "Period", _ASTEXT),
    ("pandas._libs.tslibs.nattype", "NaTType", _ASTEXT),
    ("pandas._libs.missing", "NAType", _ASTEXT),
    ("polars", "DataFrame", Known(_polars_frame, _shape, lambda value: int(value.estimated_size()), _always)),
    ("polars", "Series", Known(_polars_series, _shape, lambda value: int(value.estimated_size()), _always)),
    ("torch", "Tensor", Known(_tensor, _shape, lambda value: value.element_size() * value.nelement())),
    ("datetime", "datetime", _MOMENT),
    ("datetime", "date", _ASTEXT),
    ("datetime", "time", _MOMENT),
    ("datetime", "timedelta", _ASTEXT),
    ("decimal", "Decimal", _ASTEXT),
    ("uuid", "UUID", _ASTEXT),
    ("pathlib", "PosixPath", Known(_path)),
    ("pathlib", "WindowsPath", Known(_path)),
)
_found: "dict[int, tuple[Any, Known]]" = {}
"""By the id of the type, with the type: another could have the id of one that is no more."""


def look_for_libraries() -> None:
    """See which libraries are loaded by now; for the beginning of a question."""
    _found.clear()
    for module, name, known in LIBRARIES:
        cls = library(module).get(name)
        if cls is not None:
            _found[id(cls)] = (cls, known)


def known_of(value: Any) -> "Known | None":
    """What is known of a value's type, if a library has made it."""
    return _found.get(id(type(value)), (None, None))[1]
