"""Exceptions in few words, from tracebacks of other versions and from those that no IPython writes."""

import pytest

from coderunner.chat.results.exception_text import describe
from coderunner.outputs import Error
from tests.behaviours import behaviour

RULE = "-" * 75
HEADER = "ZeroDivisionError                         Traceback (most recent call last)"
END = "ZeroDivisionError: division by zero"


@behaviour("failure:frames:user")
@pytest.mark.parametrize(
    "frame",
    [
        "Cell In[1], line 2\n      1 x = 1\n----> 2 1 / 0\n",
        "Cell In [1], line 2\n      1 x = 1\n----> 2 1 / 0\n",
        "Input In [1], in <cell line: 2>()\n      1 x = 1\n----> 2 1 / 0\n",
        "File /tmp/ipykernel_7/12.py:2\n      1 x = 1\n----> 2 1 / 0\n",
        "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[1]\x1b[39m, line 2\n\x1b[32m----> 2\x1b[39m 1 / 0\n",
    ],
)
def test_frames_of_every_ipython_are_read(frame: str) -> None:
    error = Error("ZeroDivisionError", "division by zero", (RULE, HEADER, frame, END))
    assert describe(error) == "ZeroDivisionError: division by zero\n  line 2: 1 / 0"


@behaviour("failure:frames:none")
@pytest.mark.parametrize(
    "traceback", [(), ("nonsense",), ("\n\n",), ("Traceback (most recent call last):", "  ^")]
)
def test_without_frames_the_error_alone_is_told(traceback: tuple[str, ...]) -> None:
    assert describe(Error("E", "m", traceback)) == "E: m"
    assert describe(Error("SyntaxError", "m (x.py, line 3)", ())) == "SyntaxError: m"


@behaviour("failure:frames:many")
def test_many_different_frames_are_counted() -> None:
    frames = tuple(f"Cell In[1], line {n}, in f()\n----> {n} f({n})\n" for n in range(1, 101))
    told = describe(Error("E", "", (RULE, "E   Traceback (most recent call last)", *frames, "E: ")), cell=1)
    assert told.splitlines() == [
        "E",
        *(f"  line {n}, in f: f({n})" for n in (1, 2, 3)),
        "  [… 92 frames left out …]",
        *(f"  line {n}, in f: f({n})" for n in range(96, 101)),
    ]


@behaviour("failure:size:bounded")
def test_a_message_of_megabytes_is_cut() -> None:
    assert len(describe(Error("E", "x" * 5_000_000, ("y" * 5_000_000,) * 3))) < 30_000


@behaviour("failure:said:whole")
def test_notes_are_told_below_the_message_and_a_cause_in_all_its_lines() -> None:
    traceback = (
        RULE,
        "KeyError                                  Traceback (most recent call last)",
        "Cell In[1], line 2\n----> 2 read()\n",
        "KeyError: 'a'\nCell In[9], line 9",
        *(f"row {n}" for n in range(40)),
        "\nThe above exception was the direct cause of the following exception:\n",
        "ValueError                                Traceback (most recent call last)",
        "Cell In[1], line 4\n----> 4 raise ValueError('one\\ntwo') from error\n",
        "ValueError: one\ntwo",
        "a note\nof two lines",
    )
    assert describe(Error("ValueError", "one\ntwo", traceback)).splitlines() == [
        "KeyError: 'a'",
        "Cell In[9], line 9",
        *(f"row {n}" for n in range(28)),
        "[… 12 lines left out …]",
        "  line 2: read()",
        "The above exception was the direct cause of the following exception:",
        "ValueError: one",
        "two",
        "a note",
        "of two lines",
        "  line 4: raise ValueError('one\\ntwo') from error",
    ]


@behaviour("failure:name:none")
def test_an_error_without_a_name_is_its_message_or_an_exit_code() -> None:
    assert describe(Error("", "1")) == "exit code 1"
    assert describe(Error("", "no such table")) == "no such table"


@behaviour("failure:frames:user")
@pytest.mark.parametrize("name", ["do", "logged.<locals>.do", "a.<locals>.b.<locals>.do"])
def test_a_function_within_another_is_told_by_its_name(name: str) -> None:
    frame = f"Cell In[1], line 6, in {name}(*given)\n----> 6 1 / 0\n"
    error = Error("ZeroDivisionError", "division by zero", (RULE, HEADER, frame, END))
    assert describe(error) == "ZeroDivisionError: division by zero\n  line 6, in do: 1 / 0"


@behaviour("failure:frames:user")
def test_a_comprehension_is_told_once_with_the_line_it_stands_in() -> None:
    traceback = (
        "ZeroDivisionError                         Traceback (most recent call last)",
        "Cell In[1], line 2\n      1 x = [1, 0]\n----> 2 print([1 / v for v in x])\n",
        "Cell In[1], line 2, in <listcomp>(.0)\n----> 2 x = [1, 0]\n",
        "ZeroDivisionError: division by zero",
    )
    error = Error("ZeroDivisionError", "division by zero", traceback)
    assert describe(error) == "ZeroDivisionError: division by zero\n  line 2: print([1 / v for v in x])"


MAGIC = "get_ipython().run_cell_magic('{0}', '', 'def f():\\n    return 1 / 0\\nf()\\n')"


def zero(*frames: str) -> Error:
    return Error("ZeroDivisionError", "division by zero", (RULE, HEADER, *frames, END))


@behaviour("failure:frames:within")
@pytest.mark.parametrize(
    ("name", "file"), [("time", "timed exec"), ("timeit", "magic-timeit"), ("prun", "string")]
)
def test_an_error_below_a_magic_is_told_by_the_line_of_the_block(name: str, file: str) -> None:
    error = zero(
        f"Cell In[2], line 1\n----> 1 {MAGIC.format(name)}\n",
        f"File <{file}>:3\n      1 'Could not get source, probably due dynamically evaluated source code.'\n",
        f"File <{file}>:2, in f()\n      1 'Could not get source.'\n",
    )
    within = "" if name == "timeit" else ", in f"
    assert describe(error, cell=2).splitlines()[1:] == [
        "  line 4: f()",
        f"  line 3{within}: return 1 / 0",
    ]


@behaviour("failure:frames:within")
def test_a_cell_that_the_block_itself_ran_is_no_earlier_block() -> None:
    error = zero("Cell In[8], line 2\n      1 # nothing\n----> 2 1 / 0\n")
    assert describe(error, cell=7).endswith("\n  line 2 of code that this block ran: 1 / 0")
    assert describe(error, cell=9).endswith("\n  earlier block, line 2: 1 / 0")


@behaviour("failure:frames:within")
def test_text_that_is_no_python_is_told_with_the_line_that_used_it() -> None:
    traceback = (
        "Traceback (most recent call last):\n",
        "  File /lib/IPython/core/interactiveshell.py:3823 in run_code\n    exec(code_obj)\n",
        "  Cell In[1], line 2\n    ast.parse('x = (')\n",
        "  File /lib/ast.py:50 in parse\n    return compile(source, filename, mode, flags,\n",
        "  File <unknown>:1\n    x = (\n        ^\nSyntaxError: '(' was never closed\n",
    )
    assert describe(Error("SyntaxError", "'(' was never closed (<unknown>, line 1)", traceback), cell=1) == (
        "SyntaxError: '(' was never closed\n  line 2: ast.parse('x = (')\n  <unknown>, line 1:\n"
        "    x = (\n        ^"
    )
