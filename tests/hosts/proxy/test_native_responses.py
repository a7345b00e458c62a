"""An endpoint that has the Responses API itself is asked in it, and what is its own survives."""

import asyncio
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response

from coderunner.hosts.proxy.client_api.chat_request import MODEL_SUFFIX
from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.responses.native_input import as_written, native, with_words
from coderunner.hosts.proxy.responses.output_items import OutputItems
from coderunner.hosts.proxy.responses.response_format import ResponseFormat
from coderunner.models.continuation.reply_segment import ReplySegment
from coderunner.models.endpoint.token_usage import Usage
from coderunner.models.native.native_reply import Round
from coderunner.models.responses.response_rounds import as_dialogue
from coderunner.models.responses.response_stream import ResponseStream
from coderunner.runner import Part
from coderunner.text import json_reader
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import RUNS, WAIT, Open, Proxied
from tests.hosts.proxy.messages_upstream import HOLD
from tests.hosts.proxy.responses_upstream import (
    EVENT,
    SEARCH,
    WEATHER,
    Reply,
    ResponsesUpstream,
    code,
    said,
    thought,
)
from tests.models.conftest import Canned, Scripted, listening

QUESTION = "What is 10 + 5?"
NOTE = {"type": "response.made_up.note", "words": "of no type that is known"}
CITED = {"type": "url_citation", "url": "https://example.org", "title": "x", "start_index": 0, "end_index": 2}
FIRST = Reply([thought("one"), NOTE, SEARCH, code("print(10 + 5)")])
RAN = ["message", "code_interpreter_call"]


@pytest.fixture(scope="module")
def upstream() -> ResponsesUpstream:
    """One endpoint for most tests; each gives it what it answers."""
    return ResponsesUpstream([])


@pytest.fixture(scope="module")
def proxied(opened: Open, upstream: ResponsesUpstream) -> Iterator[Proxied]:
    with listening(upstream) as url:
        yield opened(f"{url}/v1")


@pytest.fixture
def answers(upstream: ResponsesUpstream) -> Any:
    """Gives the endpoint its next answers."""

    def give(*replies: Any) -> ResponsesUpstream:
        upstream.answers[:] = replies
        upstream.bodies.clear()
        return upstream

    return give


def create(proxied: Proxied, **fields: Any) -> Response:
    response = proxied.client().responses.create(**{"model": RUNS, "input": QUESTION, **fields})
    assert isinstance(response, Response)
    return response


def kinds(response: Response) -> list[str]:
    return [item.type for item in response.output]


def logs(response: Response) -> list[str]:
    calls = [item for item in response.output if item.type == "code_interpreter_call"]
    return [each.logs for call in calls for each in call.outputs or [] if each.type == "logs"]


@behaviour("proxy:responses:native")
def test_two_blocks_run_and_each_result_is_the_next_message_after_what_the_endpoint_said(
    proxied: Proxied, answers: Any
) -> None:
    second = Reply([thought("two"), code("print(15 * 2)", "And twice that:")])
    upstream = answers(FIRST, second, Reply([said("15, and twice that is 30.", phase="final_answer")]))
    response = create(
        proxied, instructions="Be brief.", extra_body={"top_k": 3, "made_up": {"by": "the client"}}
    )
    assert kinds(response) == ["reasoning", "web_search_call", *RAN, "reasoning", *RAN, "message"]
    assert logs(response) == ["15\n", "30\n"]
    assert response.output_text.endswith("twice that is 30.")
    assert response.output[-1].to_dict()["phase"] == "final_answer"
    first, _, third = upstream.bodies
    assert (first["model"], first["stream"], first["store"]) == (RUNS.removesuffix(MODEL_SUFFIX), True, False)
    assert (first["top_k"], first["made_up"]) == (3, {"by": "the client"})
    assert first["include"] == ["reasoning.encrypted_content"]
    assert "Be brief." in first["instructions"]
    assert first["instructions"] == third["instructions"]
    roles = [item.get("role") or item["type"] for item in third["input"]]
    spoken = ["reasoning", "assistant", "user"]
    assert roles == ["user", "reasoning", "web_search_call", "assistant", "user", *spoken]
    assert third["input"][1] == thought("one")
    assert third["input"][3]["content"].endswith("```python\nprint(10 + 5)\n```")
    assert third["input"][4]["content"] == "Result: 15"
    assert "made up" not in str(third["input"])
    told = response.to_dict()
    assert (told["made_by"], told["service_tier"]) == ("them", "flex")
    assert told["instructions"] == "Be brief."
    assert response.usage is not None
    assert response.usage.to_dict()["made_up"] == 7
    assert response.usage.output_tokens_details.reasoning_tokens == 30
    assert response.usage.output_tokens > 40


@behaviour("proxy:responses:native")
def test_a_stream_has_the_events_of_the_endpoint_and_ours_with_their_numbers_in_order(
    proxied: Proxied, answers: Any
) -> None:
    last = said("So: 15.")
    last["content"][0]["annotations"] = [CITED]
    answers(FIRST, Reply([last]))

    async def ask() -> list[Any]:
        async with proxied.asynchronous() as client:
            stream = await client.responses.create(model=RUNS, input=QUESTION, stream=True)
            return [event.to_dict() async for event in stream]

    events = asyncio.run(ask())
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["words"] for event in events if event["type"] == NOTE["type"]] == [NOTE["words"]]
    whole = events[-1]["response"]
    for event in events:
        if event["type"] != NOTE["type"]:
            EVENT.validate_python(event)
    items = whole["output"]
    assert [item["type"] for item in items] == ["reasoning", "web_search_call", *RAN, "message"]
    for what in ("added", "done"):
        told = [event for event in events if event["type"] == f"response.output_item.{what}"]
        assert [event["output_index"] for event in told] == list(range(5))
        assert what == "added" or [event["item"] for event in told] == items
    searches = [event for event in events if event["type"].startswith("response.web_search_call")]
    assert {(event["output_index"], event["item_id"]) for event in searches} == {(1, "ws_theirs")}
    assert items[0] == thought("one")
    assert items[-1]["content"][0]["annotations"] == [CITED]
    assert events[0]["response"]["id"] == whole["id"] != "resp_theirs"


@behaviour("proxy:responses:native-state")
def test_a_response_that_follows_another_gives_the_endpoint_all_items_as_the_model_made_them(
    proxied: Proxied, answers: Any
) -> None:
    upstream = answers(FIRST, Reply([said("15.")]), Reply([WEATHER]), Reply([said("Rain.")]))
    tools: Any = [
        {"type": "function", "name": "weather", "parameters": {}},
        {"type": "web_search"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ]
    with proxied.client().responses.stream(model=RUNS, input=QUESTION, tools=tools) as stream:
        first: Response = stream.get_final_response()
    asks = create(proxied, input="And the weather?", previous_response_id=first.id, tools=tools)
    assert kinds(asks) == ["function_call"]
    assert asks.output[0].to_dict() == WEATHER
    answer: Any = [{"type": "function_call_output", "call_id": "call_1", "output": "rain"}]
    last = create(proxied, input=answer, previous_response_id=asks.id, tools=tools)
    assert last.output_text == "Rain."
    sent = upstream.bodies[-1]
    assert sent["tools"] == tools[:2]
    assert "previous_response_id" not in sent
    told = [item.get("role") or item["type"] for item in sent["input"]]
    assert told[:4] == ["user", "reasoning", "web_search_call", "assistant"]
    assert told[4:] == ["user", "function_call", "function_call_output"]
    said_first = "Let me see.\n\n```python\nprint(10 + 5)\n```\nResult: 15\n15."
    assert sent["input"][3]["content"] == said_first
    assert sent["input"][5] == WEATHER


@behaviour("proxy:responses:native-once")
def test_an_error_within_the_stream_is_told_and_a_retry_runs_no_block_again(
    proxied: Proxied, answers: Any, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    block = code(f"with open({str(ran)!r}, 'a') as file:\n    print(file.write('x'))")
    gone = {"type": "error", "code": "overloaded", "message": "too many", "param": None}
    answers(Reply([block]), Reply([said("It "), gone]), Reply([said("is 1.")]))
    client: Any = proxied.client()
    asked: Any = {"model": RUNS, "input": "Once.", "stream": True}
    failed = [event for event in client.responses.create(**asked) if event.type == "response.failed"]
    assert "too many" in failed[0].response.error.message
    again = {**asked, "extra_headers": {"x-stainless-retry-count": "1"}}
    (whole,) = [e.response for e in client.responses.create(**again) if e.type == "response.completed"]
    assert ran.read_text() == "x"
    assert logs(whole) == ["1\n"]
    assert whole.output_text.endswith("is 1.")


@behaviour("proxy:responses:native")
def test_who_leaves_stops_the_endpoint(proxied: Proxied, answers: Any) -> None:
    upstream = answers(Reply([thought("for ever"), HOLD]))
    with proxied.client().responses.create(model=RUNS, input="For ever.", stream=True) as stream:
        for event in stream:
            if event.type == "response.output_item.done":
                break
    assert upstream.left.wait(WAIT)


@behaviour("proxy:responses:native")
def test_how_the_endpoint_ends_and_fails_is_how_the_response_does(proxied: Proxied, answers: Any) -> None:
    why = {"incomplete_details": {"reason": "max_output_tokens"}}
    answers(Reply([said("It is")], "incomplete", why))
    cut = create(proxied, input="Cut.")
    assert (cut.status, cut.incomplete_details and cut.incomplete_details.reason) == (
        "incomplete",
        "max_output_tokens",
    )
    broken = {"error": {"code": "server_error", "message": "out of luck"}}
    answers(Reply([], "failed", broken))
    with pytest.raises(openai.APIStatusError, match="out of luck"):
        create(proxied, input="Fail.")


@behaviour("proxy:responses:native")
def test_an_endpoint_that_seals_no_thoughts_is_asked_without_once_it_has_refused(
    proxied: Proxied, answers: Any
) -> None:
    refusal = {"error": {"message": "Encrypted content is not supported with this model."}}
    upstream = answers((400, refusal), Reply([said("Yes.")]))
    model = f"plain{MODEL_SUFFIX}"
    for _ in range(2):
        assert create(proxied, model=model, input="Yes?").output_text == "Yes."
    assert ["include" in body for body in upstream.bodies] == [True, False, False]


@behaviour("proxy:responses:native")
def test_the_limit_of_a_response_is_one_for_all_its_requests(proxied: Proxied, answers: Any) -> None:
    upstream = answers(FIRST, Reply([said("15.")]))
    create(proxied, max_output_tokens=500)
    first, second = (body["max_output_tokens"] for body in upstream.bodies)
    assert (first, second < first) == (500, True)


@dataclass(slots=True)
class Without:
    """An endpoint of chat completions, and how it answers routes that it does not have."""

    status: int
    body: bytes
    asked: int = 0
    chat: Scripted = field(default_factory=lambda: Scripted(["It is 15."]))

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        app: Any = self.chat
        if scope["type"] == "http" and scope["path"].endswith("/responses"):
            self.asked += 1
            app = Canned(self.body, status=self.status, kind="application/json")
        await app(scope, receive, send)


@behaviour("proxy:responses:native-absent")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{"type": "error", "error": {"type": "not_found_error", "message": "Not found"}}'),
        (405, b"Method Not Allowed"),
        (403, b'{"message": "Missing Authentication Token"}'),
        (200, b'{"error": "Unexpected endpoint or method. (POST /v1/responses)"}'),
        (200, b"{}"),
    ],
)
def test_however_an_endpoint_says_that_it_has_no_such_route_the_reply_comes_in_chat_completions(
    opened: Open, status: int, body: bytes
) -> None:
    upstream = Without(status, body)
    with ExitStack() as servers:
        proxied = opened(f"{servers.enter_context(listening(upstream))}/v1")
        assert [create(proxied).output_text for _ in range(2)] == ["It is 15."] * 2
        assert (upstream.asked, len(upstream.chat.asked)) == (1, 2)
        with pytest.raises(openai.BadRequestError, match="no tool 'web_search'"):
            create(proxied, tools=[{"type": "web_search"}])


@behaviour("proxy:responses:native-absent")
def test_chat_asks_for_nothing_else(opened: Open) -> None:
    upstream = ResponsesUpstream([FIRST])
    with listening(upstream) as url, pytest.raises(openai.NotFoundError, match="chat/completions"):
        create(opened(f"{url}/v1", upstream_api="chat"))
    assert not upstream.bodies


@behaviour("proxy:responses:native")
def test_files_of_the_request_are_files_of_the_chat_and_pictures_are_seen(
    proxied: Proxied, answers: Any
) -> None:
    upstream = answers(Reply([said("Read.")]))
    there = {"type": "input_file", "file_url": "https://example.org/a.pdf"}
    content = [
        {"type": "input_text", "text": "Look."},
        {"type": "input_file", "filename": "sales.csv", "file_data": "data:text/csv;base64,YSxiCg=="},
        there,
    ]
    create(proxied, input=[{"role": "user", "content": content}])
    (message,) = upstream.bodies[0]["input"]
    assert [part["type"] for part in message["content"]] == ["input_text", "input_text", "input_file"]
    assert "sales.csv" in message["content"][1]["text"]
    assert message["content"][2] == there


@behaviour("proxy:responses:native-state")
def test_our_items_are_text_again_and_those_of_the_endpoint_stay() -> None:
    ours = "a" * 32
    ran = {
        "type": "code_interpreter_call",
        "id": f"ci_{ours}_1",
        "container_id": "cntr_b",
        "code": "print(1)",
        "outputs": [{"type": "logs", "logs": "1\n"}],
    }
    call = {**WEATHER, "id": f"fc_{ours}_9"}
    items = [
        {"type": "reasoning", "id": f"rs_{ours}_0", "summary": []},
        said("One.", id=f"msg_{ours}_0", phase="commentary"),
        ran,
        said("So one.", id=f"msg_{ours}_2"),
        SEARCH,
        said("Theirs.", id="msg_theirs"),
        call,
        {"type": "item_reference", "id": "ws_theirs"},
    ]
    told = as_written(items)
    written = "One.\n\n```python\nprint(1)\n```\nResult: 1\nSo one."
    assert told[0] == {"type": "message", "role": "assistant", "content": written}
    assert told[1:3] == [SEARCH, items[5]]
    assert told[3:] == [{name: value for name, value in WEATHER.items() if name != "id"}]


@behaviour("proxy:responses:native")
def test_words_of_ours_stand_after_answers_of_tools_and_a_round_keeps_its_items_in_place() -> None:
    answer = {"type": "function_call_output", "call_id": "c", "output": "rain"}
    asked = native({"tool_choice": {"type": "code_interpreter"}, "tools": []}, [answer])
    assert asked.body == {}
    assert with_words(asked, "Late.").items == [
        answer,
        {"type": "message", "role": "user", "content": "Late."},
    ]
    passed = [(0, thought("one")), (0, said("", phase="commentary")), (4, SEARCH), (9, WEATHER)]
    told: Any = as_dialogue(
        [], [Round("Hm. So:\n", "Result: 1\n", passed, ["data:image/png;base64,AA=="])], "Then"
    )
    assert told[:4] == [
        thought("one"),
        {"type": "message", "role": "assistant", "content": "Hm.", "phase": "commentary"},
        SEARCH,
        {"type": "message", "role": "assistant", "content": "So:"},
    ]
    assert [part["type"] for part in told[4]["content"]] == ["input_text", "input_image"]
    assert [item["role"] for item in told[4:]] == ["user", "assistant", "user"]


ITEMS = [thought("a"), said("Text. "), said("```\nno code"), SEARCH, WEATHER, {"type": "new", "a": [1]}]


@behaviour("proxy:responses:native")
@given(st.lists(st.sampled_from(ITEMS), max_size=8), st.lists(st.integers(1, 9), min_size=1), st.booleans())
def test_whatever_items_an_endpoint_sends_come_whole_and_in_order_however_they_are_cut(
    items: list[Any], sizes: list[int], whole_at_once: bool
) -> None:
    given_items = [{"id": f"id_{at}", **item} for at, item in enumerate(items)]
    events: list[Any] = []
    for at, item in enumerate(given_items):
        types = [f"response.output_item.{what}" for what in ("added", "done")]
        events += [{"type": each, "output_index": at, "item": item} for each in types]
    ended = {"object": "response", "status": "completed", "output": given_items}
    events = [ended] if whole_at_once else [*events, {"type": "response.completed", "response": ended}]
    stream = ResponseStream(ReplySegment())
    made = ResponseFormat("resp_a", 1, "m", {}, OutputItems("a" * 32, "cntr_b", "b"))
    written, at = b"", 0
    while events:
        size = sizes[at % len(sizes)]
        together, events, at = events[:size], events[size:], at + 1
        for delta in stream.receive(together):
            if delta.content:
                written += made.content(delta.content, Part.TEXT)
            written += b"".join(made.passed(event) for event in delta.events)
    written += made.end(Outcome("stop", Usage(completion=40)))
    told: Any = [
        json_reader.loads(line.removeprefix("data: "))
        for line in written.decode().splitlines()
        if line.startswith("data: ")
    ]
    output = told[-1]["response"]["output"]
    theirs = [item for item in output if item["type"] != "message"]
    assert theirs == [item for item in given_items if item["type"] != "message"]
    texts = [part["text"] for item in output if item["type"] == "message" for part in item["content"]]
    assert [text.strip() for text in texts] == [
        item["content"][0]["text"].strip() for item in given_items if item["type"] == "message"
    ]
    dones = [event for event in told if event["type"] == "response.output_item.done"]
    assert [(event["output_index"], event["item"]) for event in dones] == list(enumerate(output))
    assert [event["sequence_number"] for event in told] == list(range(2, 2 + len(told)))
