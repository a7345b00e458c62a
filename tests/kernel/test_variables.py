"""Variables of real kernels: listed and paged without running any code of theirs, whatever they are."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from coderunner.errors import NotAnswered
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.kernel.variables.table_page import TablePage, page_of
from coderunner.kernel.variables.variable_list import Variable, VariableList, variables_of
from coderunner.outputs import Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run
from tests.kernel.lent import LentKernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LentKernel]:
    """One kernel for all tests here: what answers in it is the same wherever it runs."""
    sessions = Sessions(tmp_path_factory.mktemp("variables"))
    yield LentKernel(sessions, Local())
    io_thread().call(sessions.close_all(keep=False), BOUND)


@pytest.fixture
def session(kernel: LentKernel) -> Iterator[Session]:
    """It, without a variable."""
    with kernel.lent() as session:
        yield session


def held(session: Session, **arguments: object) -> VariableList:
    return variables_of(asyncio.run(session.ask("variables", arguments, BOUND)))


def rows(session: Session, name: str, **arguments: object) -> TablePage:
    return page_of(asyncio.run(session.ask("table", {"name": name, **arguments}, BOUND)))


def column(page: TablePage, number: int = 0) -> list[str]:
    return [row[number] for row in page.rows]


BUILTIN = r"""
x, y, z = 1, 2.5, 3 + 4j
text, data = "it's\n" * 100, bytearray(b"ab")
huge = 10 ** 5000
items = [1, "two", [3, [4, [5, [6]]]]] + [0] * 100
pairs = {"a": 1, 2: (None, True), "b": {3}}
def greet(name, *, loud=False): pass
class Point: pass
point = Point()
import json
_hidden = 1
"""


@behaviour("variables:builtin")
def test_what_a_person_defined_is_listed_and_nothing_of_ipythons(session: Session) -> None:
    run(session, BUILTIN)
    listed = held(session).variables
    assert {each.name: (each.type, each.kind, each.value, each.shape) for each in listed} == {
        "x": ("int", "data", "1", ()),
        "y": ("float", "data", "2.5", ()),
        "z": ("complex", "data", "(3+4j)", ()),
        "text": ("str", "data", '"' + ("it's\\n" * 24)[:118] + "…", (500,)),
        "data": ("bytearray", "data", "bytearray(b'ab')", (2,)),
        "huge": ("int", "data", "about 10^5000", ()),
        "items": ("list", "data", "[1, 'two', [3, [4, […]]], 0, 0, 0, 0, 0, …]", (103,)),
        "pairs": ("dict", "data", "{'a': 1, 2: (None, True), 'b': {3}}", (3,)),
        "greet": ("function", "function", "greet(name, loud)", ()),
        "Point": ("type", "class", "<Point>", ()),
        "point": ("Point", "data", "<Point>", ()),
        "json": ("module", "module", "json 2.0.9", ()),
    }


RECORDING = """
import collections
class Record:
    called, on = [], False
def recorder(name, then=lambda *arguments: NotImplemented):
    def method(*arguments):
        if Record.on:
            Record.called.append(name)
        return then(*arguments)
    return method
REFUSES = "len lt sizeof iter bool index int float contains getitem call array".split()
class Meta(type):
    __hash__ = recorder("class hash", lambda cls: 0)
    __repr__ = recorder("class repr", lambda cls: "Hostile")
    __getattribute__ = recorder("class getattribute", type.__getattribute__)
    __eq__, __len__ = recorder("class eq"), recorder("class len")
    __instancecheck__ = __subclasscheck__ = recorder("class check", lambda cls, other: False)
def hostile(*bases, metaclass=type):
    body = {f"__{name}__": recorder(name) for name in REFUSES}
    for name in ("__class__", "__dict__", "__module__", "__doc__", "shape", "dtype"):
        body[name] = property(recorder(name, lambda self: Record))
    body["__getattribute__"] = recorder("getattribute", object.__getattribute__)
    body["__hash__"], body["__eq__"] = recorder("hash", lambda self: hash("a")), recorder("eq")
    body["__repr__"] = body["__str__"] = body["__format__"] = recorder("repr", lambda *arguments: "hostile")
    return type.__new__(metaclass, "Hostile", bases, body)
"""
VALUES = """
Plain, List, Dict, Text = hostile(), hostile(list), hostile(dict), hostile(str)
Number, Deep = hostile(int), hostile(metaclass=Meta)
plain, deep = object.__new__(Plain), object.__new__(Deep)
subs = [list.__new__(List), dict.__new__(Dict), str.__new__(Text, "a"), int.__new__(Number, 1)]
inside = [*subs, plain, deep, Deep]
keys = {}
dict.__setitem__(keys, "a", plain)
table = [{"a": plain, "b": 1}, {"a": deep}, {"a": 1}, {plain: 1}]
ordered = collections.OrderedDict({"a": plain})
"""
LIBRARIES = """
import numpy, pandas
array = numpy.empty(3, object)
array[:] = None
array[2] = 1
array[0] = plain
frame = pandas.DataFrame({"a": [3, 1, 2], "o": pandas.Series(array)})
labelled = pandas.DataFrame([[2], [1], [3]], columns=pandas.Index(array[:1]), index=pandas.Index(array))
named = labelled.iloc[:, 0]
"""
CALLED = "hash(plain)\nprint(Record.called)"


@behaviour("variables:foreign")
def test_no_code_of_a_type_that_the_program_defined_is_run(session: Session) -> None:
    assert run(session, RECORDING + VALUES + LIBRARIES + "Record.on = True").status is Status.OK
    shown = {each.name: each.value for each in held(session).variables}
    assert (shown["plain"], shown["deep"], shown["Deep"]) == ("<Hostile>",) * 3
    assert shown["inside"] == f"[{', '.join(['<Hostile>'] * 7)}]"
    assert shown["keys"] == "{'a': <Hostile>}"
    assert column(rows(session, "table")) == ["<Hostile>", "<Hostile>", "1", ""]
    assert column(rows(session, "array")) == ["<Hostile>", "None", "1"]
    assert column(rows(session, "frame", sort=0), 1) == ["None", "1", "<Hostile>"]
    for name in ("labelled", "named"):
        page = rows(session, name, sort=0)
        assert (page.labels, page.columns) == (("None", "<Hostile>", "1"), (("<Hostile>", "int64"),))
    for name, number in (("table", 0), ("array", 0), ("frame", 1)):
        with pytest.raises(NotAnswered, match="no order"):
            rows(session, name, sort=number)
    assert run(session, CALLED).outputs == (Stream("stdout", "['hash']\n"),)


FRAMES = """
import numpy as np, pandas as pd
frame = pd.DataFrame({"n": [3, 1, 2], "t": ["b", None, "a"], "f": [0.5, np.nan, -1.0]})
frame["d"] = pd.to_datetime(["2020-01-02", None, "2020-01-01"])
frame["c"] = pd.Categorical(["v", "u", "v"])
series = pd.Series([1.5, 2.5], index=["first", "second"], name="price")
grid, cube = np.arange(6).reshape(2, 3), np.zeros((2, 2, 2))
records = [{"name": "Ada", "age": 36}, {"name": "Bob"}, {"name": "Cy", "age": 5}]
"""


@behaviour("variables:tables:listed")
def test_tables_are_listed_with_their_shape_bytes_and_columns(session: Session) -> None:
    run(session, FRAMES)
    listed = {each.name: each for each in held(session).variables if each.kind == "data"}
    assert {name: (each.extent, each.table) for name, each in listed.items()} == {
        "frame": ("3 × 5", True),
        "series": ("2", True),
        "grid": ("2 × 3", True),
        "cube": ("2 × 2 × 2", False),
        "records": ("3", True),
    }
    assert listed["frame"].value.startswith("n int64, t ")
    assert (listed["series"].value, listed["series"].size) == ("float64 [1.5, 2.5]", 16)
    assert (listed["grid"].value, listed["grid"].home) == ("int64 [0, 1, 2, 3, 4, 5]", "numpy")


@behaviour("variables:tables:paged")
def test_a_table_is_paged_and_sorted_in_the_kernel(session: Session) -> None:
    run(session, FRAMES)
    page = rows(session, "frame", offset=1, limit=1)
    assert ([name for name, _ in page.columns], page.labels) == (["n", "t", "f", "d", "c"], ("1",))
    assert (page.rows, page.total, page.width) == ((("1", "NaN", "NaN", "NaT", "u"),), 3, 5)
    assert column(rows(session, "frame", sort=0)) == ["1", "2", "3"]
    assert column(rows(session, "frame"), 3) == ["2020-01-02", "NaT", "2020-01-01"]
    run(session, "frame.loc[0, 'd'] += pd.Timedelta(hours=9)")
    assert column(rows(session, "frame"), 3) == ["2020-01-02 09:00:00", "NaT", "2020-01-01 00:00:00"]
    for number, (up, down) in enumerate([("120", "021"), ("201", "021"), ("201", "021"), ("201", "021")]):
        assert "".join(rows(session, "frame", sort=number).labels) == up
        assert "".join(rows(session, "frame", sort=number, descending=True).labels) == down
    assert rows(session, "frame", sort=4).labels == ("1", "0", "2")
    assert rows(session, "series").labels == ("first", "second")
    assert rows(session, "grid", sort=2, descending=True).rows == (("3", "4", "5"), ("0", "1", "2"))
    assert rows(session, "records", sort=1).rows == (("Cy", "5"), ("Ada", "36"), ("Bob", ""))


@behaviour("variables:tables:paged")
@pytest.mark.parametrize("name", ["cube", "x", "nothing"])
def test_what_is_no_table_says_so(session: Session, name: str) -> None:
    run(session, "import numpy\ncube, x = numpy.zeros((2, 2, 2)), 1")
    with pytest.raises(NotAnswered, match=r"table|dimensions"):
        rows(session, name)


@behaviour("variables:many")
def test_of_ten_thousand_variables_the_newest_are_told_and_all_are_found_by_name(session: Session) -> None:
    run(session, "for number in range(10_000): globals()[f'v{number}'] = {number: [number] * 100}")
    every = held(session)
    assert (len(every.variables), every.more) == (500, 9_501)
    assert every.variables[-1].name == "v9999"
    assert [each.name for each in held(session, match="V1234").variables] == ["v1234"]
    assert held(session, match="INT").variables == (Variable("number", "int", "builtins", value="9999"),)


@behaviour("variables:busy")
def test_variables_are_listed_while_a_cell_defines_and_deletes_them(session: Session, tmp_path: Path) -> None:
    gate = str(tmp_path / "go")
    source = f"""
import os, itertools
print("on", flush=True)
for number in itertools.count():
    globals()[f"v{{number % 5000}}"] = set(range(number % 100))
    globals().pop(f"v{{(number + 2500) % 5000}}", None)
    if number % 1000 == 0 and os.path.exists({gate!r}): break
"""
    screen = Screen()
    running = session.begin(source, on_output=screen)
    assert screen.wait_for("on")
    assert all(held(session).variables for _ in range(20))
    assert not running.future.done()
    (tmp_path / "go").touch()
    assert running.future.result(BOUND).status is Status.OK


@behaviour("variables:hostile")
@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"variables": {}, "more": -1},
        {"variables": [None, 7, {"name": 1}, {"name": ""}], "more": 2.5},
        {"variables": [[{"name": "x"}]], "more": 1 << 70},
    ],
)
def test_what_is_no_list_of_variables_is_an_empty_one(answer: Mapping[str, object]) -> None:
    assert variables_of(answer) == VariableList()


@behaviour("variables:hostile")
def test_each_value_of_an_answer_is_checked_and_bounded() -> None:
    said = {
        "name": "x" * 999 + "\n",
        "type": "a\nb\u202e",
        "kind": "evil",
        "value": 5,
        "shape": [1, "2", -3, 4.0],
        "bytes": True,
        "table": 1,
    }
    (read,) = variables_of({"variables": [said]}).variables
    assert read == Variable("x" * 200, "a\ufffdb\ufffd", shape=(1,))
    assert len(variables_of({"variables": [{"name": "x"}] * 5000}).variables) == 1000


@behaviour("variables:hostile")
def test_each_row_of_a_page_is_as_long_as_its_columns() -> None:
    page = page_of({"columns": [["a", "int"], "b"], "labels": ["0", 1], "rows": [["1"], ["2", "3", "4"], 5]})
    assert page == TablePage((("a", "int"), ("", "")), ("0", "", ""), (("1", ""), ("2", "3"), ("", "")), 0, 0)
