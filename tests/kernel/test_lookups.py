"""What a kernel knows of code that is being written."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from coderunner.kernel.protocol.lookups import HINT, MOST, Completion, Completions, completions_in, hint_in
from coderunner.kernel.sessions.registry import Session
from coderunner.kernel.variables.code_lookup import look_up
from coderunner.outputs import Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import Screen


@behaviour("lookups:real")
async def test_names_are_completed_and_told_at_the_place_that_the_page_means(session: Session) -> None:
    await session.execute("much_ado = 'about nothing'")
    code = "'\N{ROLLING ON THE FLOOR LAUGHING}'; much_"
    found = dict[str, Any](await look_up(session, "complete", code, len(code) + 1))
    (match,) = found.pop("matches")
    assert (found, match["text"]) == ({"from": 6, "to": 11}, "much_ado")
    hint = await look_up(session, "inspect", f"{code}ado", len(code) + 4)
    assert "about nothing" in str(hint["text"])
    assert await look_up(session, "complete", "no_such_name_at_all", 19) == {}
    assert await look_up(session, "inspect", "no_such_name_at_all", 19) == {}


@behaviour("lookups:quick")
async def test_no_cell_waits_until_the_sources_of_a_library_are_read(session: Session) -> None:
    """Jedi takes seconds of CPU for the first name after `import pandas`, in each kernel anew."""
    loaded = await session.execute("print(get_ipython().Completer.use_jedi)")
    assert [output.text for output in loaded.outputs if isinstance(output, Stream)] == ["False\n"]


@behaviour("lookups:kinds")
async def test_what_a_name_is_is_seen_without_running_code_of_it(session: Session) -> None:
    code = "import json as ab_module\nab_value = 1\ndef ab_function(): pass\n"
    code += "class ab_class:\n    @property\n    def __class__(self): print('ran')\nab_own = ab_class()"
    await session.execute(code)
    found = await look_up(session, "complete", "ab_", 3)
    assert {each["text"]: each["kind"] for each in found["matches"]} == {  # type: ignore[attr-defined]
        "ab_module": "module",
        "ab_value": "instance",
        "ab_function": "function",
        "ab_class": "class",
        "ab_own": "instance",
    }
    assert (await session.execute("pass")).outputs == ()
    for begun, whole, kind in (("prin", "print", "function"), ("lamb", "lambda", "keyword")):
        found = await look_up(session, "complete", begun, len(begun))
        assert {"text": whole, "kind": kind} in found["matches"]  # type: ignore[operator]


@behaviour("lookups:idle")
async def test_a_busy_kernel_and_one_that_is_not_there_are_not_asked(
    session: Session, new_session: Session, tmp_path: Path
) -> None:
    assert await look_up(new_session, "complete", "pri", 3) == {}
    assert not new_session.live
    screen, gate = Screen(), tmp_path / "go"
    begins = "import os, time\nprint('on', flush=True)"
    running = session.begin(
        f"{begins}\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.001)", on_output=screen
    )
    await screen.shows("on")
    assert await look_up(session, "complete", "pri", 3) == {}
    gate.touch()
    await asyncio.wrap_future(running.future)
    assert await look_up(session, "complete", "prin", 4) != {}


@behaviour("lookups:hostile")
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"matches": ["print"], "cursor_start": -1, "cursor_end": 3},
        {"matches": ["print"], "cursor_start": 2, "cursor_end": 1},
        {"matches": ["print"], "cursor_start": 0, "cursor_end": 10**9},
        {"matches": "print", "cursor_start": 0, "cursor_end": 3},
        {
            "matches": [None, 7, {"a": 1}, "a\u202eb", "c\nd", "\x1b[31m", "x" * 10_000, ""],
            "cursor_start": 0,
            "cursor_end": 3,
        },
    ],
)
def test_an_answer_that_is_none_completes_nothing(content: dict[str, object]) -> None:
    assert completions_in(content, "pri").matches == ()


@behaviour("lookups:hostile")
def test_completions_and_hints_are_bounded_plain_text() -> None:
    named = [{"text": "p0", "type": "<img src=x>"}, 7, {"text": "p1", "type": "function"}]
    content = {
        "matches": [f"p{number}" for number in range(10_000)],
        "cursor_start": 0,
        "cursor_end": 1,
        "metadata": {"_jupyter_types_experimental": named},
    }
    found = completions_in(content, "p")
    assert len(found.matches) == MOST
    assert found.matches[:2] == (Completion("p0"), Completion("p1", "function"))
    assert completions_in({"metadata": 7}, "p") == Completions(0, 0)
    told = {"found": True, "data": {"text/plain": "\x1b[31mred\x1b[0m" + "x" * 100_000, "text/html": "<b>"}}
    assert hint_in(told).startswith("redxxx")
    assert len(hint_in(told)) == HINT + 1
    for nothing in ({}, {"found": False, "data": {"text/plain": "x"}}, {"found": True, "data": []}):
        assert hint_in(nothing) == ""
