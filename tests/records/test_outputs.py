"""What a run showed, written and read."""

import gc
import time

from hypothesis import given
from hypothesis import strategies as st

from coderunner.outputs import DisplayData, Error, ExecuteResult, Omission, Output, Result, Status, Stream
from coderunner.records.database import output_json, run_queries
from coderunner.records.database.connection import MEMORY, Database
from coderunner.records.database.output_json import LARGE, decode, encode
from coderunner.records.database.run_queries import Key
from coderunner.records.database.schema import BLOBS, RUNS
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, KEY, Open, known, sent

# All of Unicode, lone surrogates and NUL among it: a program can print what it likes.
text = st.text(st.characters())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
bundles = st.dictionaries(text, values, max_size=4)
counts = st.integers(0, 10**9)
omissions = st.builds(Omission, counts, counts, counts)
outputs: st.SearchStrategy[Output] = st.one_of(
    st.builds(
        Stream, st.sampled_from(["stdout", "stderr"]), text, st.builds(Omission, counts, counts, counts)
    ),
    st.builds(DisplayData, bundles, bundles, text),
    st.builds(ExecuteResult, bundles, bundles, st.none() | counts, text),
    st.builds(Error, text, text, st.lists(text, max_size=4).map(tuple)),
)


def hashes(records: Records) -> list[str]:
    return list(records._store.read(lambda connection: connection.scalars(BLOBS.select()).all()))


@behaviour("records:outputs:exact")
@given(outputs)
def test_every_output_is_read_as_it_was_written(output: Output) -> None:
    assert decode(encode(output)) == output


@behaviour("records:outputs:exact")
@given(st.lists(outputs, max_size=5).map(tuple), text, text)
def test_a_whole_run_is_read_as_it_was_written(shown: tuple[Output, ...], code: str, detail: str) -> None:
    records = Records(Database(MEMORY))
    result = Result(shown, execution_count=7, duration=0.125, detail=detail)
    sent(records.claim(KEY, code)).finish(result)
    assert records.settle()
    found = known(records.recall(KEY, code))
    records.close()
    assert (found.code, found.result) == (code, result)


@behaviour("records:outputs:exact")
def test_large_outputs_are_read_as_they_were_written(records: Records) -> None:
    shown = tuple(
        DisplayData({"image/png": letter * size})
        for letter in "ab"
        for size in (LARGE // 2, LARGE, 3 * LARGE)
    )
    sent(records.claim(KEY, CODE)).finish(Result(shown))
    records.settle()
    assert known(records.recall(KEY, CODE)).result == Result(shown)


@behaviour("records:outputs:live")
def test_what_a_run_shows_can_be_read_while_it_runs(records: Records) -> None:
    entry = sent(records.claim(KEY, CODE))
    first, bar, done = Stream("stdout", "begun\n"), Stream("stderr", " 50%"), Stream("stderr", "100%")
    seen = []
    for index, output in ((0, first), (1, bar), (1, done), (1, None), (0, None), (0, bar)):
        entry.show(index, output)
        records.settle()
        seen.append(records.outputs(entry.id))
    assert seen == [(first,), (first, bar), (first, done), (first,), (), (bar,)]


@behaviour("records:outputs:later")
def test_what_a_run_shows_after_its_end_is_kept_apart_from_its_result(records: Records) -> None:
    entry = sent(records.claim(KEY, CODE))
    entry.show(0, FIFTEEN.outputs[0])
    first, more = Stream("stdout", "still here\n"), DisplayData({"image/png": "a" * 2 * LARGE})
    seen = []
    for index, output in (
        (0, Stream("stdout", "before its end is written")),
        (0, first),
        (1, more),
        (0, None),
    ):
        entry.add(index, output)
        if entry.state != "ended":
            entry.finish(FIFTEEN)
        assert records.settle()
        record = known(records.recall(KEY, CODE))
        assert record.result == FIFTEEN
        seen.append(record.later)
    assert seen == [(Stream("stdout", "before its end is written"),), (first,), (first, more), ()]
    assert hashes(records) == []


@behaviour("records:outputs:later")
def test_what_a_run_shows_after_it_was_given_up_or_forgotten_harms_nobody(replica: Open) -> None:
    here, there = replica(), replica()
    given_up, forgotten = (sent(here.claim(Key("c", "m", number), CODE)) for number in range(2))
    forgotten.finish(FIFTEEN)
    assert here.settle()
    here._store.write(run_queries.forget, time.time() + 1)
    here._store.write(here._leases.leave)
    there.sweep()
    given_up.finish(FIFTEEN)
    for entry in (given_up, forgotten):
        entry.add(0, Stream("stdout", "still here\n"))
    assert here.settle()
    (lost,) = there.of("c")
    assert (lost.key.ordinal, lost.later) == (0, ())
    assert lost.result is not None
    assert lost.result.status is Status.LOST


@behaviour("records:outputs:once")
def test_one_large_picture_in_many_runs_is_kept_once_and_until_none_shows_it(records: Records) -> None:
    picture = Result((DisplayData({"image/png": "a" * 2 * LARGE}),))
    entries = [sent(records.claim(Key("c", "m", number), CODE)) for number in range(3)]
    for entry in entries:
        entry.show(0, picture.outputs[0])
    records.settle()
    assert len(hashes(records)) == 1
    entries[0].finish(FIFTEEN)
    entries[1].finish(FIFTEEN)
    records.settle()
    assert len(hashes(records)) == 1
    entries[2].finish(FIFTEEN)
    records.settle()
    assert hashes(records) == []


@behaviour("records:outputs:bounded")
def test_an_output_beyond_all_bounds_is_left_out_with_a_sentence() -> None:
    kept = decode(encode(Stream("stdout", "x" * output_json.LARGEST)))
    assert isinstance(kept, Stream)
    assert kept.text.endswith("characters was not saved]\n")


@behaviour("records:outputs:held")
def test_widgets_are_written_of_a_run_that_nobody_has_any_more(replica: Open) -> None:
    records = replica()
    entry = sent(records.claim(KEY, CODE))
    entry.finish(FIFTEEN)
    assert records.settle()
    entry.keep('{"state": {}}')
    del entry
    gc.collect()
    assert records.settle()
    assert [run.widgets for run in records.of(KEY.conversation)] == ['{"state": {}}']


@behaviour("records:outputs:modules")
def test_programs_of_widgets_are_one_text_for_all_runs_until_the_last_of_them_is_gone(replica: Open) -> None:
    records = replica()
    program = "define(() => '\x00 \ud800 ü')" * 3000
    entries = [sent(records.claim(Key("conversation", "m", ordinal), CODE)) for ordinal in range(2)]
    for entry in entries:
        entry.keep_module("bqplot", program)
        entry.keep_module("@scope/other", "short")
        entry.finish(FIFTEEN)
    records.settle()
    assert replica().modules(entries[1].id) == {"bqplot": program, "@scope/other": "short"}
    assert len(hashes(records)) == 2
    records._store.write(run_queries.remove, RUNS.c.id == entries[0].id)
    assert records.modules(entries[0].id) == {}
    assert records.modules(entries[1].id)["bqplot"] == program
    records._store.write(run_queries.remove, RUNS.c.id == entries[1].id)
    assert hashes(records) == []
