"""What real kernels of other makers send, as it was recorded, and what a model reads of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.protocol.cell_outputs import CellOutputs
from coderunner.kernel.protocol.kernel_info import KernelInfo, kernel_info_of
from coderunner.kernel.protocol.messages import Message
from coderunner.outputs import Error, Output, Result, Status, Stream
from tests.behaviours import behaviour

CORPUS = Path(__file__).parent.parent / "corpora" / "kernels"
RECORDED = {
    f"{file.stem}: {cell['source']}": cell
    for file in sorted(CORPUS.glob("*.json"))
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]
}


def read(messages: list[tuple[str, str, dict[str, Any]]]) -> CellOutputs:
    execution = CellOutputs("me")
    for channel, kind, content in messages:
        execution.receive(Message(channel, kind, "m", "me", content))  # type: ignore[arg-type]
    return execution


def status(execution: CellOutputs) -> Status:
    if execution.reply == "aborted" and execution.interrupted:
        return Status.INTERRUPTED
    return Status(execution.reply)


@behaviour("execution:kernels:read")
@pytest.mark.parametrize("name", RECORDED)
def test_a_model_reads_what_another_kernel_said(name: str) -> None:
    cell = RECORDED[name]
    execution = read(cell["messages"])
    result = Result(execution.outputs, status(execution), execution_count=execution.execution_count)
    assert (result.status.value, for_model(result, code=cell["source"])) == (cell["status"], cell["read"])


@behaviour("execution:kernels:order")
@pytest.mark.parametrize("name", RECORDED)
def test_when_the_reply_comes_makes_no_difference(name: str) -> None:
    messages = RECORDED[name]["messages"]
    reply = next(message for message in messages if message[0] == "shell")
    others = [message for message in messages if message is not reply]
    expected = read(messages)
    for place in range(len(others) + 1):
        found = read([*others[:place], reply, *others[place:]])
        assert (found.outputs, status(found)) == (expected.outputs, status(expected))
        assert found.complete


def reported(*said: Output, **error: object) -> tuple[Output, ...]:
    messages: list[tuple[str, str, dict[str, Any]]] = [
        ("iopub", "stream", {"name": each.name, "text": each.text})
        for each in said
        if isinstance(each, Stream)
    ]
    messages.append(("shell", "execute_reply", {"status": "error", **error}))
    return read([*messages, ("iopub", "status", IDLE)]).outputs


IDLE = {"execution_state": "idle"}


@behaviour("execution:error:once")
def test_an_error_that_is_text_as_well_is_shown_once_and_what_was_before_it_stays() -> None:
    error = {"ename": "E", "evalue": "oh", "traceback": ["Traceback\n", "E: oh\n"]}
    shown = Error("E", "oh", ("Traceback\n", "E: oh\n"))
    assert reported(Stream("stderr", "\x1b[31mTraceback\nE: oh\n\x1b[0m"), **error) == (shown,)
    assert reported(Stream("stderr", "careful\nTraceback\nE: oh\n"), **error) == (
        Stream("stderr", "careful\n"),
        shown,
    )
    for other in (Stream("stderr", "E: oh, and more\n"), Stream("stdout", "Traceback\nE: oh\n")):
        assert reported(other, **error) == (other, shown)


@behaviour("execution:error:once")
def test_a_reply_that_says_nothing_of_its_error_adds_none() -> None:
    said = Stream("stderr", "Cannot find name 'nope'.\n")
    assert reported(said) == reported(said, ename="", evalue="", traceback=[]) == (said,)


@behaviour("execution:error:once")
def test_the_same_error_twice_is_one() -> None:
    error = ("iopub", "error", {"ename": "RuntimeError", "evalue": "no", "traceback": ["a"]})
    other = ("iopub", "error", {**error[2], "evalue": "other"})
    assert read([error, error]).outputs == (Error("RuntimeError", "no", ("a",)),)
    assert len(read([error, other]).outputs) == 2


@behaviour("execution:error:class-name")
@pytest.mark.parametrize("name", ["<class 'KeyError'>", "<class 'json.decoder.KeyError'>", "KeyError"])
def test_the_name_of_an_error_is_that_of_its_class(name: str) -> None:
    assert read([("iopub", "error", {"ename": name, "evalue": "'a'"})]).outputs == (Error("KeyError", "'a'"),)


@behaviour("execution:kernels:info")
def test_a_kernel_says_what_it_is() -> None:
    told = {
        file.stem: kernel_info_of(json.loads(file.read_text(encoding="utf-8"))["info"])
        for file in CORPUS.glob("*.json")
    }
    assert told["deno"] == KernelInfo("Deno kernel", "typescript", "6.0.3", ".ts", "typescript")
    assert [name for name, info in told.items() if info.is_ipykernel] == ["python3"]


@behaviour("execution:kernels:info")
@pytest.mark.parametrize("said", [None, 3, [], {"name": 3}, {"name": "x" * 200}, {"name": "a\nb"}])
def test_what_a_kernel_says_wrongly_counts_as_nothing(said: object) -> None:
    assert kernel_info_of({"implementation": said, "language_info": said}) == KernelInfo()
