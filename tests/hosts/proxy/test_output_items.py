"""A reply as the items of a response, and the events that tell of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.client_api.reply_parts import CodeText
from coderunner.hosts.proxy.responses.input_items import messages_of
from coderunner.hosts.proxy.responses.output_items import OutputItems
from coderunner.hosts.proxy.responses.response_format import ResponseFormat
from coderunner.models.endpoint.token_usage import Usage
from coderunner.runner import Part
from coderunner.text import json_reader
from tests.behaviours import behaviour

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
LINES = ("a = 1", "", "  b", "``", "```", "~~~", "`c`", "\x0c", "d " * 600)
BLOCK = "```python\nprint(1)\n```\n"


def items() -> OutputItems:
    return OutputItems("a", "cntr_b", "chat")


def written(*said: tuple[str, Part]) -> list[dict[str, Any]]:
    made = items()
    for text, part in said:
        made.say(text, part)
        if part is Part.CODE:
            made.run("print(1)")
    made.close()
    return made.items


@behaviour("proxy:responses:whole")
def test_what_stands_around_a_block_is_a_message_each_and_white_space_is_none() -> None:
    said = written(
        ("Look:\n", Part.TEXT), (BLOCK, Part.CODE), ("Result: 1\n", Part.RESULT), ("\n", Part.TEXT)
    )
    assert [item["type"] for item in said] == ["message", "code_interpreter_call"]
    assert said[1]["outputs"] == [{"type": "logs", "logs": "1\n"}]


@behaviour("proxy:responses:whole")
@pytest.mark.parametrize(
    ("result", "logs"),
    [
        ("Result: 1\n", "1\n"),
        ("Result:\n```output\n1\n2\n```\n", "1\n2\n"),
        ("Result:\n```output\n1\n2\n```\n(stopped)\n", "1\n2\n(stopped)\n"),
        ("Result: (no output)\n", "(no output)\n"),
    ],
)
def test_the_logs_are_what_the_model_reads_without_what_marks_it(result: str, logs: str) -> None:
    said = written((BLOCK, Part.CODE), (result, Part.RESULT))
    assert said[0]["outputs"] == [{"type": "logs", "logs": logs}]
    assert said[0]["status"] == "completed"


@behaviour("proxy:responses:whole")
def test_an_address_that_a_program_prints_is_no_picture_and_ours_is_no_text() -> None:
    made = items()
    made.say(BLOCK, Part.CODE)
    made.run("print(1)")
    made.end(["![image](http://ours/1.png)\n", "http://ours/a.csv"])
    said = (
        "Result: ![image](http://elsewhere/x.png)\n(Files: [`a.csv`](http://ours/a.csv) (3 bytes, new))\n\n"
        "![image](http://ours/1.png)\n"
    )
    made.say(said, Part.RESULT)
    made.close()
    call, message = made.items
    assert call["outputs"] == [
        {"type": "logs", "logs": "![image](http://elsewhere/x.png)\n"},
        {"type": "image", "url": "http://ours/1.png"},
    ]
    assert message["content"][0]["text"] == "Files: [`a.csv`](http://ours/a.csv) (3 bytes, new)"


@behaviour("proxy:responses:whole")
def test_a_block_that_is_not_closed_or_has_no_result_is_incomplete() -> None:
    made = items()
    made.say("```python\nprint(1)\n", Part.CODE)
    made.close()
    assert (made.items[0]["status"], made.items[0]["code"]) == ("incomplete", "print(1)\n")


@behaviour("proxy:responses:whole")
@given(
    st.lists(st.sampled_from(["a = 1", "", "  b", "``", "```", "~~~", "`c`", "\x0c", "d " * 600])).map(
        "\n".join
    ),
    st.integers(1, 7),
    st.sampled_from(["", "  "]),
)
def test_the_code_is_what_stands_between_the_fences_however_it_is_cut(
    code: str, size: int, indent: str
) -> None:
    lines = "".join(f"{indent}{line}\n" for line in code.split("\n"))
    whole = f"{indent}````python\n{lines}{indent}````\n"
    read = CodeText()
    said = "".join(read.receive(whole[at : at + size]) for at in range(0, len(whole), size))
    assert said + read.close() == read.text == f"{code}\n"


@behaviour("proxy:responses:whole")
def test_a_block_that_never_ran_says_so_in_its_logs() -> None:
    made = items()
    made.say(BLOCK, Part.CODE)
    made.say("Result: (not run: too many)\n", Part.RESULT)
    made.close()
    assert made.items[0]["outputs"] == [{"type": "logs", "logs": "(not run: too many)\n"}]


@behaviour("proxy:responses:whole")
def test_two_blocks_one_after_the_other_are_two_calls() -> None:
    block = [(BLOCK, Part.CODE), ("Result: 1\n", Part.RESULT)]
    assert [item["type"] for item in written(*block, *block)] == ["code_interpreter_call"] * 2


@behaviour("proxy:responses:whole")
def test_a_thought_between_tags_is_an_item_of_its_own() -> None:
    said = written(("<think>Hm.</think>", Part.THOUGHT), ("\n\nSo.", Part.TEXT))
    assert [item["type"] for item in said] == ["reasoning", "message"]
    assert [item["content"][0]["text"] for item in said] == ["Hm.", "So."]


@behaviour("proxy:responses:tools")
def test_a_call_of_the_clients_function_is_an_item_with_all_of_its_arguments() -> None:
    made = items()
    made.call([{"index": 0, "id": "c1", "function": {"name": "weather", "arguments": '{"ci'}}])
    made.call([{"index": 0, "function": {"arguments": 'ty": "Oslo"}'}}])
    events = made.close()
    (call,) = made.items
    assert (call["type"], call["call_id"], call["arguments"]) == ("function_call", "c1", '{"city": "Oslo"}')
    assert [event["type"].removeprefix("response.") for event in events] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]


@behaviour("proxy:responses:events")
@given(
    st.lists(
        st.sampled_from(
            [
                ("Text. ", Part.TEXT),
                ("\n", Part.TEXT),
                ("```python\n", Part.CODE),
                ("print(1)\n", Part.CODE),
                ("  ```\n", Part.CODE),
                ("Result: 1\n", Part.RESULT),
                ("thought", Part.THOUGHT),
                ("", Part.TEXT),
            ]
        ),
        max_size=12,
    )
)
def test_whatever_a_reply_is_made_of_its_events_are_valid_and_add_up_to_the_response(
    said: list[tuple[str, Part]],
) -> None:
    made = ResponseFormat(
        "resp_a", 1, "m", {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}, items()
    )
    stream = b""
    for text, part in said:
        stream += made.content(text, part)
    last = made.end(Outcome("stop", Usage()))
    stream = made.begin() + stream + last
    events = [
        EVENT.validate_python(json_reader.loads(line.removeprefix("data: ")))
        for line in stream.decode().splitlines()
        if line.startswith("data: ")
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    whole: Response = events[-1].response
    opened = [event.item.id for event in events if event.type == "response.output_item.added"]
    closed = [event.item.id for event in events if event.type == "response.output_item.done"]
    assert opened == closed == [item.id for item in whole.output]
    texts = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert texts == whole.output_text
    assert isinstance(messages_of([item.to_dict() for item in whole.output]), list)


@behaviour("proxy:responses:events")
@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [("length", "incomplete", "max_output_tokens"), ("content_filter", "incomplete", "content_filter")],
)
def test_a_response_that_is_cut_off_says_why(reason: str, status: str, why: str) -> None:
    whole = ResponseFormat("resp_a", 1, "m", {}, items()).whole(Outcome(reason, Usage()))
    assert (whole["status"], whole["incomplete_details"]) == (status, {"reason": why})
