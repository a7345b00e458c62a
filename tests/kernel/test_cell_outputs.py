"""How the messages of one request become outputs, whatever a program sends."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.kernel.protocol.cell_outputs import COUNT, WHOLE, CellOutputs, Change
from coderunner.kernel.protocol.messages import CHANNELS, Message
from coderunner.kernel.protocol.output_limits import HEAD, MIME_TEXT, TAIL, TRACEBACK, bundle_of
from coderunner.outputs import DisplayData, Error, ExecuteResult, MadeFile, Omission, Output, Stream
from tests.behaviours import behaviour

PNG = "iVBORw0KGgo="


def iopub(kind: str, parent: str = "me", **content: Any) -> Message:
    return Message("iopub", kind, "m", parent, content)


def text(words: str, name: str = "stdout") -> Message:
    return iopub("stream", name=name, text=words)


def shown(words: str, display_id: str = "") -> Message:
    return iopub("display_data", data={"text/plain": words}, transient={"display_id": display_id})


def reply(status: str = "ok", **content: Any) -> Message:
    return Message("shell", "execute_reply", "m", "me", {"status": status, **content})


BUSY = iopub("status", execution_state="busy")
IDLE = iopub("status", execution_state="idle")


def fold(*messages: Message) -> CellOutputs:
    execution = CellOutputs("me")
    for message in messages:
        execution.receive(message)
    return execution


def outputs(*messages: Message) -> tuple[Output, ...]:
    return fold(*messages).outputs


@behaviour("execution:complete:both")
@pytest.mark.parametrize("ends", [(IDLE, reply()), (reply(), IDLE)])
def test_it_is_complete_when_both_reply_and_idle_came_in_either_order(ends: tuple[Message, ...]) -> None:
    first, second = ends
    assert not fold(BUSY, first).complete
    assert fold(BUSY, first, second).complete


@behaviour("execution:files")
def test_the_files_that_a_kernel_tells_of_are_taken_where_they_are_files() -> None:
    told = [
        ["out.csv", 3, 4, True],
        ["d/e.csv", 0, -1, False],
        ["/etc/passwd", 1, 1, True],
        ["../x", 1, 1, True],
        ["\ud800", 1, 1, True],
        ["x" * 5_000, 1, 1, True],
        ["x", -1, 1, True],
        ["x", 1, 2**80, True],
        ["x", "1", 1, True],
        ["x"],
        {},
    ]
    made = fold(BUSY, iopub("coderunner_files", files=told, more=31)).made
    assert made == ((MadeFile("out.csv", 3, 4), MadeFile("d/e.csv", 0, -1, new=False)), 31)
    assert len(fold(iopub("coderunner_files", files=told[:1] * 50, more=-1)).made[0]) == 20
    for content in ({}, {"files": "x", "more": "y"}, {"files": {"a": 1}}):
        assert fold(iopub("coderunner_files", **content)).made == ((), 0)


@behaviour("execution:complete:own")
def test_what_belongs_to_another_request_changes_nothing() -> None:
    others = [
        iopub("status", "other", execution_state="idle"),
        iopub("stream", "other", name="stdout", text="not mine"),
        iopub("status", "", execution_state="idle"),
        Message("shell", "execute_reply", "m", "other", {"status": "ok"}),
    ]
    execution = fold(*others)
    assert (execution.complete, execution.outputs, execution.changed) == (False, (), False)


@behaviour("execution:complete:first-counts")
def test_the_first_reply_counts_and_a_second_one_changes_nothing() -> None:
    execution = fold(reply(execution_count=3), reply("error", ename="E", evalue="late"), IDLE, IDLE)
    assert (execution.reply, execution.execution_count, execution.outputs) == ("ok", 3, ())


@behaviour("execution:stream:merged")
def test_consecutive_text_of_one_stream_is_one_output() -> None:
    assert outputs(text("a"), text("b\n"), text("!", "stderr"), text("c")) == (
        Stream("stdout", "ab\n"),
        Stream("stderr", "!"),
        Stream("stdout", "c"),
    )


@behaviour("execution:display:update")
def test_an_update_takes_the_place_of_the_displays_with_its_id() -> None:
    update = iopub("update_display_data", data={"text/plain": "2"}, transient={"display_id": "d"})
    assert outputs(shown("1", "d"), text("x"), shown("1", "e"), update) == (
        DisplayData({"text/plain": "2"}, {}, "d"),
        Stream("stdout", "x"),
        DisplayData({"text/plain": "1"}, {}, "e"),
    )


@behaviour("execution:clear:at-once")
def test_clear_output_clears() -> None:
    assert outputs(text("a"), shown("b"), iopub("clear_output", wait=False), text("c")) == (
        Stream("stdout", "c"),
    )


@behaviour("execution:clear:wait")
def test_clear_output_with_wait_clears_when_the_next_output_comes() -> None:
    clear = iopub("clear_output", wait=True)
    assert outputs(text("a"), clear) == (Stream("stdout", "a"),)
    assert outputs(text("a"), clear, text("b")) == (Stream("stdout", "b"),)


@behaviour("execution:error:in-reply")
def test_an_error_that_stands_only_in_the_reply_is_an_output() -> None:
    error: dict[str, Any] = {"ename": "ExceptionGroup", "evalue": "two", "traceback": ["a", "b"]}
    assert outputs(text("before"), reply("error", **error), IDLE) == (
        Stream("stdout", "before"),
        Error("ExceptionGroup", "two", ("a", "b")),
    )
    assert outputs(iopub("error", **error), reply("error", **error), IDLE) == (
        Error("ExceptionGroup", "two", ("a", "b")),
    )


@behaviour("execution:error:interrupted-twice")
def test_an_interrupt_that_came_twice_is_told_once() -> None:
    error: dict[str, Any] = {"ename": "KeyboardInterrupt", "evalue": "stopped", "traceback": ["a"]}
    again = text("\nKeyboardInterrupt\n", "stderr")
    assert outputs(text("Name?\n"), again, reply("error", **error), IDLE) == (
        Stream("stdout", "Name?\n"),
        Error("KeyboardInterrupt", "stopped", ("a",)),
    )


PNG_FAILED: dict[str, Any] = {"ename": "ModuleNotFoundError", "evalue": "No module named 'cairosvg'"}
OF_A_FORMAT = reply("error", ename="NoneType", evalue="None")
"""What ipykernel 7 replies where one format of an object could not be made; earlier ones reply ok."""


@behaviour("execution:error:format")
@pytest.mark.parametrize("said", [OF_A_FORMAT, reply()])
@pytest.mark.parametrize("first", [True, False])
def test_an_error_of_one_format_is_a_line_of_text_where_another_is_shown(
    said: Message, *, first: bool
) -> None:
    svg = {"image/svg+xml": "<svg/>", "text/plain": "a chart"}
    came = [iopub("error", **PNG_FAILED), iopub("execute_result", data=svg, execution_count=1)]
    result = fold(*([said, *came] if first else [*came, said]), IDLE)
    line = "One format of this output could not be made: ModuleNotFoundError: No module named 'cairosvg'\n"
    assert result.outputs == (Stream("stderr", line), ExecuteResult(svg, execution_count=1))
    assert (result.reply, result.failed) == ("ok", False)


@behaviour("execution:error:format")
@pytest.mark.parametrize("said", [OF_A_FORMAT, reply()])
def test_an_error_of_the_only_format_stays_an_error(said: Message) -> None:
    plain = {"text/plain": "<a chart at 0x1>"}
    result = fold(iopub("error", **PNG_FAILED), iopub("execute_result", data=plain), said, IDLE)
    assert result.outputs == (Error(**PNG_FAILED), ExecuteResult(plain))


@behaviour("execution:error:format")
def test_an_error_that_the_program_raised_stays_one_whatever_is_shown() -> None:
    html = {"text/html": "<b>1</b>"}
    raised = reply("error", ename="E", evalue="e")
    result = fold(iopub("display_data", data=html), iopub("error", ename="E", evalue="e"), raised, IDLE)
    assert result.outputs == (DisplayData(html), Error("E", "e"))
    late = fold(iopub("error", ename="E", evalue="e"), iopub("display_data", data=html), raised, IDLE)
    assert late.outputs == (Error("E", "e"), DisplayData(html))


@behaviour("execution:error:in-reply")
def test_a_reply_that_overtakes_the_error_does_not_tell_it_twice_or_too_early() -> None:
    error: dict[str, Any] = {"ename": "SyntaxError", "evalue": "no", "traceback": ["a"]}
    assert outputs(reply("error", **error), text("before"), iopub("error", **error), IDLE) == (
        Stream("stdout", "before"),
        Error("SyntaxError", "no", ("a",)),
    )
    assert outputs(reply("error", **error), text("before")) == (
        Stream("stdout", "before"),
        Error("SyntaxError", "no", ("a",)),
    )


@behaviour("execution:reply:payload")
def test_a_page_in_the_reply_is_an_output_and_other_payloads_are_not() -> None:
    page = {"source": "page", "data": {"text/plain": "the manual"}, "start": 0}
    other = {"source": "set_next_input", "text": "evil()"}
    assert outputs(reply(payload=[page, other, 7])) == (DisplayData({"text/plain": "the manual"}),)


@behaviour("execution:reply:exit")
def test_a_program_that_ends_its_kernel_is_noticed() -> None:
    assert fold(reply(payload=[{"source": "ask_exit"}]), IDLE).ending


@behaviour("execution:result:count")
def test_the_value_of_the_cell_carries_its_execution_count() -> None:
    value = iopub("execute_result", data={"text/plain": "3"}, metadata={"a": 1}, execution_count=7)
    execution = fold(iopub("execute_input", execution_count=7), value, reply(execution_count=7), IDLE)
    assert execution.outputs == (ExecuteResult({"text/plain": "3"}, {"a": 1}, 7),)
    assert execution.execution_count == 7


@behaviour("execution:display:twice")
def test_a_figure_that_is_also_the_last_value_is_shown_once() -> None:
    picture = {"image/png": PNG, "text/plain": "<Figure>"}
    value = iopub("execute_result", data=picture, execution_count=1)
    display = iopub("display_data", data={"image/png": PNG, "text/plain": "<Figure size 640x480>"})
    assert outputs(value, display) == (ExecuteResult(picture, {}, 1),)
    assert len(outputs(display, display)) == 2, "a program that shows a picture twice means it"


@behaviour("execution:untrusted:types")
@pytest.mark.parametrize(
    "message",
    [
        iopub("stream", name="stdout", text=5),
        iopub("stream", name=[], text=None),
        iopub("display_data", data=["text/plain"]),
        iopub("display_data", data={"text/plain": 5, "no mime": "x", "image/png": {"a": 1}}),
        iopub("display_data", data={"x" * 100_000 + "/y": "z"}),
        iopub("update_display_data", data={"text/plain": "x"}),
        iopub("status", execution_state=["idle"]),
        iopub("comm_open", comm_id="x"),
        iopub("error_but_not_quite", ename="E"),
        Message("shell", "execute_reply", "m", "me", {"status": "fine"}),
        Message("shell", "stream", "m", "me", {"name": "stdout", "text": "x"}),
    ],
)
def test_what_has_the_wrong_type_is_left_out(message: Message) -> None:
    execution = fold(message)
    assert (execution.outputs, execution.complete) == ((), False)


@behaviour("execution:untrusted:types")
def test_an_error_without_its_parts_is_still_an_error() -> None:
    assert outputs(iopub("error", ename=3, traceback={"a": 1})) == (Error("", ""),)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    [
        "name",
        "text",
        "data",
        "metadata",
        "transient",
        "wait",
        "status",
        "payload",
        "ename",
        "evalue",
        "traceback",
        "execution_count",
    ]
)
kinds = "status stream display_data execute_result error clear_output update_display_data execute_reply"
hostile = st.builds(
    Message,
    st.sampled_from(CHANNELS),
    st.sampled_from(kinds.split()),
    st.just("m"),
    st.just("me"),
    st.dictionaries(keys, json_values, max_size=5),
)


@behaviour("execution:untrusted:never-raises")
@given(st.lists(hostile, max_size=8))
def test_no_message_makes_it_raise_and_the_changes_give_the_outputs(messages: list[Message]) -> None:
    execution = CellOutputs("me")
    page: list[Output] = []
    for message in messages:
        execution.receive(message)
        apply(execution.take_changes(), page)
    assert tuple(page) == execution.outputs


def apply(changes: list[Change], page: list[Output]) -> None:
    for change in changes:
        if change.output is None:
            del page[change.index :]
        else:
            page[change.index : change.index + 1] = [change.output]


@behaviour("execution:changes:coalesced")
def test_many_small_changes_to_one_output_are_told_as_one() -> None:
    execution = fold(*[text("x")] * 1000, shown("1", "d"))
    assert execution.take_changes() == [
        Change(0, Stream("stdout", "x" * 1000)),
        Change(1, DisplayData({"text/plain": "1"}, {}, "d")),
    ]
    assert not execution.changed


@behaviour("execution:changes:cleared")
def test_a_clearing_is_told_before_what_comes_after_it() -> None:
    execution = fold(text("a"))
    execution.take_changes()
    execution.receive(iopub("clear_output", wait=False))
    execution.receive(text("b"))
    assert execution.take_changes() == [Change(0, None), Change(0, Stream("stdout", "b"))]


@behaviour("execution:bounds:text")
def test_of_a_very_long_text_head_and_tail_are_kept() -> None:
    execution = fold(*[text(f"{number:09}\n") for number in range(200_000)])
    (stream,) = execution.outputs
    assert isinstance(stream, Stream)
    assert stream.text.startswith("000000000\n000000001\n")
    assert stream.text.endswith("000199999\n")
    assert len(stream.text) == HEAD + TAIL
    assert stream.omitted == Omission(HEAD, 200_000 - stream.text.count("\n"), 2_000_000 - len(stream.text))


@behaviour("execution:bounds:text")
@given(st.lists(st.integers(1, 3 * HEAD), max_size=6))
def test_a_long_text_is_the_same_however_it_was_cut_into_messages(cuts: list[int]) -> None:
    whole = "".join(f"{number:08}\n" for number in range(100_000))
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in pairwise(places)]
    assert outputs(*map(text, pieces)) == outputs(text(whole))


@behaviour("execution:bounds:displays")
def test_a_program_that_displays_in_a_loop_is_cut_off_with_a_count() -> None:
    error = iopub("error", ename="E", evalue="at last", traceback=[])
    many = [shown(str(number)) for number in range(COUNT + 25)]
    result = outputs(*many[:COUNT], error, *many[COUNT:])
    assert len(result) == COUNT + 2
    assert result[-2] == Error("E", "at last")
    assert result[-1] == Stream("stderr", "… 25 more outputs left out: this cell produces too much output.\n")


@behaviour("execution:bounds:mime")
def test_what_is_too_large_is_shortened_or_left_out() -> None:
    huge = "x" * (MIME_TEXT + 1)
    bundle = bundle_of({"text/plain": huge, "text/html": huge, "application/json": {"a": huge}})
    assert list(bundle) == ["text/plain"]
    assert str(bundle["text/plain"]).endswith(
        "characters left out …\n\n[text/html with 8,388,609 characters is too large to show]\n"
        "[application/json is too large to show]"
    )


@behaviour("execution:bounds:mime")
def test_what_was_too_large_is_told_in_place_of_an_address() -> None:
    huge = ["<p>" * 5_000_000]
    bundle = bundle_of({"text/html": huge, "text/plain": "<IPython.core.display.HTML object>", "text/css": 1})
    assert bundle == {"text/plain": "[text/html with 15,000,000 characters is too large to show]"}


@behaviour("execution:bounds:whole")
def test_all_displays_of_a_cell_together_are_bounded_and_say_so() -> None:
    picture = "A" * (WHOLE // 4)
    many = [iopub("display_data", data={"image/png": picture}) for _ in range(6)]
    result = outputs(*many)
    assert sum(len(str(output.data)) for output in result if isinstance(output, DisplayData)) < 1.1 * WHOLE
    assert result[-1] == DisplayData(
        {"text/plain": "[image/png left out: this cell produces too much output]"}
    )


@behaviour("execution:bounds:whole")
def test_a_program_that_floods_both_streams_in_turn_is_bounded() -> None:
    flood = "x" * (HEAD + TAIL)
    result = outputs(*[text(flood, ("stdout", "stderr")[number % 2]) for number in range(300)])
    assert sum(len(output.text) for output in result if isinstance(output, Stream)) < 1.1 * WHOLE


@behaviour("execution:bounds:traceback")
def test_of_a_very_long_traceback_first_and_last_frames_are_kept() -> None:
    frames = ["Traceback", "\n".join(f"File {number}" for number in range(50_000)), "RecursionError: deep"]
    (error,) = outputs(iopub("error", ename="RecursionError", evalue="deep", traceback=frames))
    assert isinstance(error, Error)
    assert error.traceback[0] == "Traceback"
    assert error.traceback[-1] == "RecursionError: deep"
    assert any("lines left out" in frame for frame in error.traceback)
    assert sum(map(len, error.traceback)) < 1.1 * TRACEBACK


@behaviour("execution:untrusted:surrogates")
def test_text_that_cannot_be_written_is_made_writable() -> None:
    (stream,) = outputs(text("a\ud800b ä \ud83d\udea2"))
    assert stream == Stream("stdout", "a\ufffdb ä \U0001f6a2")
