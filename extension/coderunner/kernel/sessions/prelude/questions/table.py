"""The rows of a table that a person looks at: paged and sorted where it is, as plain text."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.control import Refused, question
    from coderunner.kernel.sessions.prelude.values import (
        cut,
        home,
        known_of,
        label,
        library,
        look_for_libraries,
        own_dtype,
        short,
        type_name,
    )

ROWS, COLUMNS = 200, 100
"""Of one answer."""
CELL = 200
"""Characters of a cell."""
MIDNIGHT = " 00:00:00"
"""How the texts of moments at midnight end, and those of spans of whole days."""
SORTED, SORTED_OBJECTS = 2_000_000, 100_000
"""Rows that are sorted: of numbers, and of what is compared one by one."""
MIXED = "the values of this column are of several types, which have no order"
PLAIN = {id(each) for each in (int, float, bool, str, bytes, type(None))}


@question("table")
def table(
    name: str,
    offset: int = 0,
    limit: int = 50,
    sort: "int | None" = None,
    descending: bool = False,  # noqa: FBT001, FBT002 - it comes by its name
    first: int = 0,
) -> "dict[str, Any]":
    """Rows of a variable from `offset` on, in the order of a column, and its columns from `first` on."""
    look_for_libraries()
    shell: Any = get_ipython()
    # Not looked up: a name that is no text could have its hash.
    value = next(
        (each for key, each in list(shell.user_ns.items()) if type(key) is str and key == name), None
    )
    reader = reader_of(value)
    if reader is None:
        raise Refused(f"there is no table {cut(name, 50)!r} now")
    try:
        return page(reader(value), max(offset, 0), min(max(limit, 1), ROWS), sort, descending, max(first, 0))
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise Refused(f"{cut(name, 50)!r} cannot be read: {cut(str(error), 200)}") from None


class Table:
    """A table as its library has it."""

    def __init__(
        self,
        rows: int,
        columns: "Sequence[Any]",
        kind: "Callable[[int], str]",
        column: "Callable[[int, Sequence[int]], list[Any]]",
        labels: "Callable[[Sequence[int]], list[Any]]",
        order: "Callable[[int, bool], Sequence[int]]",
    ) -> None:
        """`columns` are their names, `kind` gives the type of one.

        `column` gives values of one at some places, `order` all places in its order.
        """
        self.rows = rows
        self.columns = columns
        self.kind = kind
        self.column = column
        self.labels = labels
        self.order = order


def page(
    of: Table,
    offset: int,
    limit: int,
    sort: "int | None",
    descending: bool,  # noqa: FBT001
    first: int,
) -> "dict[str, Any]":
    """A page of a table."""
    if sort is not None and 0 <= sort < len(of.columns):
        places = [int(each) for each in of.order(sort, descending)[offset : offset + limit]]
    else:
        places = list(range(offset, min(offset + limit, of.rows)))
    shown = range(first, min(first + COLUMNS, len(of.columns)))
    taken = [of.column(number, places) for number in shown]
    cells = [without_midnight(values, [cell(each) for each in values]) for values in taken]
    labels = of.labels(places)
    return {
        "columns": [[label(of.columns[number]), of.kind(number)] for number in shown],
        "labels": without_midnight(labels, [label(each) for each in labels]),
        "rows": [list(row) for row in zip(*cells)] if cells else [[] for _ in places],  # noqa: B905
        "total": of.rows,
        "width": len(of.columns),
    }


def cell(value: Any) -> str:
    """A cell as plain text; a text without quotes, and what is no number as pandas prints it."""
    if type(value) is float and value != value:
        return "NaN"
    return cut(value, CELL) if type(value) is str else short(value, CELL)


def without_midnight(values: "Sequence[Any]", texts: "list[str]") -> "list[str]":
    """The texts of moments; as pandas prints them, their days alone where none has another time."""
    if any(type(each) is str for each in values):
        return texts
    if not all(text == "NaT" or text.endswith(MIDNIGHT) for text in texts):
        return texts
    return [text[: -len(MIDNIGHT)] if text.endswith(MIDNIGHT) else text for text in texts]


# --- the order of values that Python compares -----------------------------------------------------


def order_of(values: "list[Any]", descending: bool) -> "Sequence[int]":  # noqa: FBT001
    """The places of values in their order, with None and what is no number last; or Refused."""
    if len(values) > SORTED_OBJECTS:
        raise Refused(f"{len(values):,} rows are too many to sort here; sort them in a block")
    if not all(id(type(each)) in PLAIN for each in values):
        raise Refused(MIXED)
    there = [place for place, each in enumerate(values) if each is not None and each == each]
    try:
        there.sort(key=values.__getitem__, reverse=descending)
    except TypeError:
        raise Refused(MIXED) from None
    kept = set(there)
    return [*there, *(place for place in range(len(values)) if place not in kept)]


def numbers_order(numpy: "dict[str, Any]", values: Any, descending: bool) -> "Sequence[int]":  # noqa: FBT001
    """The same of an array of numbers, moments or spans of time."""
    if len(values) > SORTED:
        raise Refused(f"{len(values):,} rows are too many to sort here; sort them in a block")
    order = numpy["argsort"](values, kind="stable")
    if not descending:
        return order  # type: ignore[no-any-return]  # numpy puts what is no number last
    missing = (
        numpy["isnan"](values[order]) if values.dtype.kind in "fcmM" else numpy["zeros"](len(order), bool)
    )
    ordered: Sequence[int] = numpy["concatenate"]([order[~missing][::-1], order[missing]])
    return ordered


# --- tables as libraries have them ----------------------------------------------------------------


def of_frame(frame: Any) -> Table:
    """A DataFrame of pandas."""
    if home(type(frame.columns)) != "pandas":
        raise Refused("its columns are named by a type that is not pandas' own")
    return of_columns(frame.columns.tolist(), lambda number: frame.iloc[:, number], frame.index)


def of_series(series: Any) -> Table:
    """A Series of pandas: a table of one column. Not by `to_frame`, which asks a name for its class."""
    return of_columns([series.name], lambda _number: series, series.index)


def of_columns(names: "list[Any]", column: "Callable[[int], Any]", index: Any) -> Table:
    """Columns of pandas', each a Series."""
    if home(type(index)) != "pandas":
        raise Refused("its rows are named by a type that is not pandas' own")

    def values(number: int, places: "Sequence[int]") -> "list[Any]":
        whole = column(number)
        if not own_dtype(whole.dtype):
            return [f"<{type_name(type(whole.dtype))}>"] * len(places)
        taken: list[Any] = whole.iloc[list(places)].tolist()
        return taken

    return Table(
        len(index),
        names,
        lambda number: type_text(column(number).dtype),
        values,
        lambda places: index[list(places)].tolist(),
        lambda number, descending: column_order(column(number), descending),
    )


def column_order(series: Any, descending: bool) -> "Sequence[int]":  # noqa: FBT001
    """The order of a column of pandas'."""
    dtype = series.dtype
    if home(type(dtype)) == "numpy":
        values = series.to_numpy()
        if dtype.kind in "biufcmM":
            return numbers_order(library("numpy"), values, descending)
        return order_of(values.tolist(), descending)
    if home(type(dtype)) != "pandas":
        raise Refused("this column is of a type that is not pandas' own")
    if len(series) > SORTED_OBJECTS:
        raise Refused(f"{len(series):,} rows are too many to sort here; sort them in a block")
    if dtype.name in ("string", "str"):
        return order_of([each if type(each) is str else None for each in series.tolist()], descending)
    numbered = series.reset_index(drop=True)
    order: list[int] = numbered.sort_values(ascending=not descending, kind="stable").index.tolist()
    return order


def type_text(dtype: Any) -> str:
    """A column's type, where it is one that may be asked for its name."""
    return cut(str(dtype), 60) if own_dtype(dtype) else ""


def of_array(array: Any) -> Table:
    """An array of numpy's with one or two dimensions."""
    if array.ndim not in (1, 2) or not own_dtype(array.dtype):
        raise Refused("it is not of one or two dimensions")
    grid = array if array.ndim == 2 else array.reshape(-1, 1)

    def order(number: int, descending: bool) -> "Sequence[int]":  # noqa: FBT001
        values = grid[:, number]
        if values.dtype.kind in "biufcmM":
            return numbers_order(library("numpy"), values, descending)
        return order_of(values.tolist(), descending)

    return Table(
        len(grid),
        range(grid.shape[1]),
        lambda _number: type_text(array.dtype),
        lambda number, places: grid[list(places), number].tolist(),
        list,
        order,
    )


def of_polars(frame: Any) -> Table:
    """A DataFrame of polars."""
    dtypes = frame.dtypes

    def order(number: int, descending: bool) -> "Sequence[int]":  # noqa: FBT001
        if frame.height > SORTED:
            raise Refused(f"{frame.height:,} rows are too many to sort here; sort them in a block")
        numbered = frame.to_series(number).to_frame("value").with_row_index("place")
        places: Sequence[int] = (
            numbered.sort("value", descending=descending, nulls_last=True, maintain_order=True)
            .get_column("place")
            .to_list()
        )
        return places

    return Table(
        frame.height,
        frame.columns,
        lambda number: cut(str(dtypes[number]), 60),
        lambda number, places: frame.to_series(number).gather(list(places)).to_list(),
        list,
        order,
    )


def of_records(rows: "list[Any]") -> Table:
    """A list of dicts: its columns are the keys of the first ones, as far as they are texts."""
    names: list[str] = []
    for row in rows[:ROWS]:
        if type(row) is dict:
            names += [key for key in list(row) if type(key) is str and key not in names][:COLUMNS]

    def column(number: int, places: "Sequence[int]") -> "list[Any]":
        return [under(rows[place], names[number], "") for place in places]

    return Table(
        len(rows),
        names,
        lambda _number: "",
        column,
        list,
        lambda number, descending: order_of([under(row, names[number], None) for row in rows], descending),
    )


def under(row: Any, name: str, missing: Any) -> Any:
    """What a dict has under a name; not looked up, since a key that is no text could have its hash."""
    if type(row) is not dict:
        return missing
    return next((each for key, each in list(row.items()) if type(key) is str and key == name), missing)


READERS: "tuple[tuple[str, str, Callable[[Any], Table]], ...]" = (
    ("pandas", "DataFrame", of_frame),
    ("pandas", "Series", of_series),
    ("numpy", "ndarray", of_array),
    ("polars", "DataFrame", of_polars),
    ("polars", "Series", lambda series: of_polars(series.to_frame())),
)


def reader_of(value: Any) -> "Callable[[Any], Table] | None":
    """What reads a value as a table; None where it is none."""
    if type(value) is list:
        return of_records if any(type(each) is dict for each in value[:20]) else None
    if known_of(value) is None:
        return None
    readers = (read for module, name, read in READERS if library(module).get(name) is type(value))
    return next(readers, None)
