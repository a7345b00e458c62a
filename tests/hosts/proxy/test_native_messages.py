"""An endpoint that has the Messages API itself is asked in it, and what is its own survives."""

import base64
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import httpx
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from coderunner.hosts.proxy.client_api.chat_request import MODEL_SUFFIX
from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.messages.message_format import MessageFormat
from coderunner.hosts.proxy.messages.native_request import native, readable, with_words
from coderunner.models.continuation.reply_segment import ReplySegment
from coderunner.models.endpoint.token_usage import Usage
from coderunner.models.messages.message_rounds import as_begun, as_dialogue
from coderunner.models.messages.message_stream import MessageStream
from coderunner.models.native.native_reply import Round
from coderunner.models.native.upstream_api import UpstreamApi
from coderunner.runner import Part
from coderunner.text import json_reader
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, RUNS, SHARED, WAIT, Open, Proxied
from tests.hosts.proxy.messages_upstream import HOLD, SEARCHED, MessagesUpstream, Reply, code, said, thought
from tests.models.conftest import Canned, Scripted, Serve, listening

ASKED: Any = [{"role": "user", "content": "What is 10 + 5?"}]
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_theirs", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_theirs", "content": []}
WEATHER = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
TWO = [
    Reply([thought("Add."), code("print(10 + 5)")]),
    Reply([thought("Double."), code("print(15 * 2)", "And twice that:")]),
    Reply([said("It is 15, and twice that is 30.")], "end_turn"),
]


class Before:
    """Opens proxies before endpoints that a test writes."""

    def __init__(self, opened: Open, servers: ExitStack) -> None:
        self._opened, self._servers = opened, servers

    def __call__(self, upstream: Any, **chosen: Any) -> Proxied:
        url = self._servers.enter_context(listening(upstream))
        return self._opened(f"{url}/v1", **chosen)


@pytest.fixture
def before(opened: Open) -> Iterator[Before]:
    with ExitStack() as servers:
        yield Before(opened, servers)


def create(proxied: Proxied, **fields: Any) -> Message:
    asked = {"model": RUNS, "max_tokens": 1000, "messages": ASKED, "extra_headers": SHARED, **fields}
    message = proxied.anthropic().messages.create(**asked)
    assert isinstance(message, Message)
    return message


def kinds(message: Message) -> list[str]:
    return [block.type for block in message.content]


def stdout(message: Message) -> list[str]:
    results = (block.content for block in message.content if block.type == "code_execution_tool_result")
    return [result.stdout for result in results if result.type == "code_execution_result"]


def told_by(stream: str) -> list[Any]:
    """The events of a stream."""
    lines = (line for line in stream.splitlines() if line.startswith("data: "))
    return [json_reader.loads(line.removeprefix("data: ")) for line in lines]


RAN = ["text", "server_tool_use", "code_execution_tool_result"]


@behaviour("proxy:messages:native")
def test_two_blocks_run_and_the_endpoint_goes_on_with_its_own_message(before: Before) -> None:
    upstream = MessagesUpstream([*TWO])
    message = create(
        before(upstream, key="endpoint-key"),
        system="Be brief.",
        extra_body={"top_k": 3, "made_up": {"by": "the client"}},
        extra_headers={**SHARED, "anthropic-beta": "made-up-beta"},
    )
    assert kinds(message) == ["thinking", *RAN, "thinking", *RAN, "text"]
    assert stdout(message) == ["15\n", "30\n"]
    assert message.stop_reason == "end_turn"
    assert upstream.probes == 1
    assert not [path for path in upstream.others if path.endswith("completions")]
    first, second, third = upstream.bodies
    assert (first["model"], first["stream"]) == (RUNS.removesuffix(MODEL_SUFFIX), True)
    assert (first["top_k"], first["made_up"], first["messages"]) == (3, {"by": "the client"}, ASKED)
    assert first["system"].endswith("\n\nBe brief.")
    begun = second["messages"][-1]
    assert begun["role"] == "assistant"
    assert [block["type"] for block in begun["content"]] == ["thinking", "text"]
    assert begun["content"][0] == thought("Add.")
    assert begun["content"][1]["text"].endswith("```\nResult: 15")
    again = third["messages"][-1]["content"]
    assert [block["type"] for block in again] == ["thinking", "text", "thinking", "text"]
    assert again[:1] + again[2:3] == [thought("Add."), thought("Double.")]
    assert "made up" not in str(third["messages"])
    sent = upstream.headers[-1]
    assert (sent["anthropic-beta"], sent["x-api-key"]) == ("made-up-beta", "endpoint-key")
    assert sent["anthropic-version"]


@behaviour("proxy:messages:native")
def test_a_stream_has_the_events_of_the_endpoint_and_ours_with_their_numbers_in_order(before: Before) -> None:
    note = {"type": "note", "words": "of no type that is known"}
    first = Reply([thought("Add."), note, SEARCH, FOUND, code("print(10 + 5)")])
    proxied = before(MessagesUpstream([first, Reply([said("15.")], "end_turn")]))
    sent = {"model": RUNS, "max_tokens": 1000, "messages": ASKED, "stream": True}
    headers = {"x-api-key": ALICE, **SHARED}
    answer = httpx.post(
        f"{proxied.url}/v1/messages", json=sent, headers=headers, timeout=WAIT, trust_env=False
    )
    events = told_by(answer.text)
    assert note in events
    for event in events:
        assert event == note or EVENT.validate_python(event)
    starts = [event for event in events if event["type"] == "content_block_start"]
    stops = [event["index"] for event in events if event["type"] == "content_block_stop"]
    assert [event["index"] for event in starts] == stops == list(range(7))
    types = [event["content_block"]["type"] for event in starts]
    assert types == ["thinking", "server_tool_use", "web_search_tool_result", *RAN, "text"]
    signatures = [
        event["delta"] for event in events if event.get("delta", {}).get("type") == "signature_delta"
    ]
    assert signatures == [{"type": "signature_delta", "signature": "sig"}]
    assert events[0]["message"]["made_by"] == "them"
    (ended,) = [event for event in events if event["type"] == "message_delta"]
    assert ended["delta"]["stop_reason"] == "end_turn"
    assert ended["usage"]["server_tool_use"] == SEARCHED
    assert (ended["usage"]["input_tokens"], ended["usage"]["cache_read_input_tokens"]) == (20, 5)
    assert ended["usage"]["output_tokens"] > 40


@behaviour("proxy:messages:native")
def test_a_call_of_the_clients_own_tool_is_for_the_client_and_its_answer_for_the_endpoint(
    before: Before,
) -> None:
    upstream = MessagesUpstream([Reply([said("I ask."), WEATHER]), Reply([said("Rain.")], "end_turn")])
    proxied = before(upstream)
    tools: Any = [
        {"name": "weather", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "code_execution_20250825", "name": "code_execution"},
    ]
    message = create(proxied, tools=tools)
    assert (kinds(message), message.stop_reason) == (["text", "tool_use"], "tool_use")
    assert message.content[1].to_dict() == WEATHER
    assert upstream.bodies[0]["tools"] == tools[:2]
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}
    history: Any = [
        *ASKED,
        {"role": "assistant", "content": message.to_dict()["content"]},
        {"role": "user", "content": [answer]},
    ]
    assert kinds(create(proxied, messages=history, tools=tools)) == ["text"]
    assert upstream.bodies[1]["messages"] == history


@behaviour("proxy:messages:native")
def test_a_reply_that_comes_back_is_as_the_model_wrote_it_with_the_endpoints_own_blocks(
    before: Before,
) -> None:
    upstream = MessagesUpstream([Reply([thought("Add."), SEARCH, FOUND, code("print(10 + 5)")]), TWO[2]])
    proxied = before(upstream)
    message = create(proxied, extra_headers={})
    history: Any = [*ASKED, {"role": "assistant", "content": message.to_dict()["content"]}, *ASKED]
    again = create(proxied, messages=history, extra_headers={})
    assert message.container is not None
    assert again.container is not None
    assert message.container.id == again.container.id
    replied = upstream.bodies[-1]["messages"][1]["content"]
    assert [block["type"] for block in replied] == [
        "thinking",
        "server_tool_use",
        "web_search_tool_result",
        "text",
    ]
    assert replied[0] == thought("Add.")
    assert replied[-1]["text"].startswith("Let me see.\n\n```python\nprint(10 + 5)\n```\nResult: 15\n")


@behaviour("proxy:messages:native-once")
def test_an_error_within_the_stream_is_told_and_a_retry_runs_no_block_again(
    before: Before, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    block = code(f"with open({str(ran)!r}, 'a') as file:\n    print(file.write('x'))")
    gone = {"type": "error", "error": {"type": "overloaded_error", "message": "too many"}}
    upstream = MessagesUpstream(
        [Reply([block]), Reply([said("It "), gone]), Reply([said("is 1.")], "end_turn")]
    )
    proxied = before(upstream)
    with (
        pytest.raises(anthropic.APIStatusError, match="too many"),
        proxied.anthropic().messages.stream(
            model=RUNS, max_tokens=1000, messages=ASKED, extra_headers=SHARED
        ) as stream,
    ):
        stream.until_done()
    retried = {**SHARED, "x-stainless-retry-count": "1"}
    with proxied.anthropic().messages.stream(
        model=RUNS, max_tokens=1000, messages=ASKED, extra_headers=retried
    ) as stream:
        message = stream.get_final_message()
    assert ran.read_text() == "x"
    assert stdout(message) == ["1\n"]
    assert "".join(each.text for each in message.content if each.type == "text").endswith("It is 1.")


@behaviour("proxy:messages:native")
def test_who_leaves_stops_the_endpoint(before: Before) -> None:
    upstream = MessagesUpstream([Reply([thought("For ever"), HOLD])])
    with (
        before(upstream)
        .anthropic()
        .messages.create(
            model=RUNS, max_tokens=1000, messages=ASKED, stream=True, extra_headers=SHARED
        ) as stream
    ):
        for event in stream:
            if event.type == "content_block_stop":
                break
    assert upstream.left.wait(WAIT)


@behaviour("proxy:messages:native-next")
@pytest.mark.parametrize("refuses", [True, False])
def test_a_model_that_does_not_go_on_reads_the_result_as_the_next_message(
    before: Before, refuses: bool
) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no prefill"}}
    refusal: list[Any] = [(400, error)] if refuses else []
    upstream = MessagesUpstream(
        [Reply([thought("Add."), code("print(10 + 5)")]), *refusal, Reply([said("15.")], "end_turn")],
        goes_on=refuses,
    )
    message = create(before(upstream))
    assert kinds(message) == ["thinking", *RAN, "text"]
    *_, replied, result = upstream.bodies[-1]["messages"]
    assert [block["type"] for block in replied["content"]] == ["thinking", "text"]
    assert (result["role"], result["content"]) == ("user", [said("Result: 15")])
    assert "is the output of your code" in str(upstream.bodies[-1]["system"])


DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@behaviour("proxy:messages:native-next")
def test_a_model_that_sees_is_shown_the_pictures_of_a_result_in_the_next_message(before: Before) -> None:
    shows = f"import base64\nfrom IPython.display import Image\nImage(base64.b64decode({DOT!r}))"
    upstream = MessagesUpstream([Reply([code(shows)]), Reply([said("A dot.")], "end_turn")])
    create(before(upstream, vision="on"))
    result, picture = upstream.bodies[-1]["messages"][-1]["content"]
    assert result["text"].startswith("Result:")
    assert picture["type"] == "image"
    assert picture["source"]["media_type"].startswith("image/")
    assert base64.b64decode(picture["source"]["data"])


@behaviour("proxy:messages:native")
def test_the_limit_of_a_message_is_one_for_all_its_requests_and_a_thought_fits_in_it(before: Before) -> None:
    upstream = MessagesUpstream([*TWO])
    thinking = {"type": "enabled", "budget_tokens": 2000}
    create(before(upstream), max_tokens=2003, thinking=thinking)
    limits = [body["max_tokens"] for body in upstream.bodies]
    assert limits == sorted(set(limits), reverse=True)
    assert [body["thinking"]["budget_tokens"] for body in upstream.bodies] == [
        2000,
        *(limit - 1 for limit in limits[1:]),
    ]


@behaviour("proxy:messages:native-absent")
def test_an_endpoint_without_the_api_is_asked_once_for_it_and_then_in_chat_completions(
    opened: Open, serve: Serve
) -> None:
    served = serve("vllm")
    proxied = opened(served.url, max_blocks=7)
    for _ in range(2):
        assert stdout(create(proxied)) == ["15\n"]
    assert len([each for each in served.asked if each.path.endswith("/messages")]) <= 1
    assert not proxied.proxy.upstreams.messages.usable


@dataclass(slots=True)
class Without:
    """An endpoint of chat completions, and how it answers routes that it does not have."""

    status: int
    body: bytes
    asked: int = 0
    chat: Scripted = field(default_factory=lambda: Scripted(["It is 15."]))

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        app: Any = self.chat
        if scope["type"] == "http" and scope["path"].endswith("/messages"):
            self.asked += 1
            app = Canned(self.body, status=self.status, kind="application/json")
        await app(scope, receive, send)


@behaviour("proxy:messages:native-absent")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b'{"detail": "Not Found"}'),
        (405, b"Method Not Allowed"),
        (501, b'{"error": {"code": 501, "message": "not supported", "type": "not_supported_error"}}'),
        (403, b'{"message": "Missing Authentication Token"}'),
        (200, b'{"error": "Unexpected endpoint or method. (POST /v1/messages)"}'),
        (200, b"{}"),
        (200, b"<!doctype html><p>Hello"),
    ],
)
def test_however_an_endpoint_says_that_it_has_no_such_route_the_reply_comes_in_chat_completions(
    before: Before, status: int, body: bytes
) -> None:
    upstream = Without(status, body)
    proxied = before(upstream)
    for _ in range(2):
        assert [block.to_dict()["text"] for block in create(proxied).content] == ["It is 15."]
    assert (upstream.asked, len(upstream.chat.asked)) == (1, 2)


@behaviour("proxy:messages:native")
def test_a_message_that_came_whole_is_read_like_its_stream() -> None:
    usage = {"input_tokens": 3, "output_tokens": 4}
    blocks = [thought("Hm."), said("15"), WEATHER]
    stream, made = MessageStream(ReplySegment()), MessageFormat("msg_a", "m", "b", {})
    for delta in stream.receive(
        [{"type": "message", "content": blocks, "stop_reason": "tool_use", "usage": usage}]
    ):
        made.content(delta.content, Part.TEXT) if delta.content else None
        for event in delta.events:
            made.passed(event)
    outcome = Outcome(stream.finish_reason, Usage(completion=4))
    made.end(outcome)
    whole = made.whole(outcome)
    assert (whole["content"], whole["stop_reason"], whole["usage"]) == (blocks, "tool_use", usage)


@behaviour("proxy:messages:native-absent")
def test_chat_asks_for_nothing_else_and_native_tells_what_is_not_there(
    opened: Open, serve: Serve, before: Before
) -> None:
    upstream = MessagesUpstream([*TWO])
    with pytest.raises(anthropic.NotFoundError, match="chat/completions"):
        create(before(upstream, upstream_api="chat"))
    assert not upstream.bodies
    with pytest.raises(anthropic.NotFoundError, match="has no messages"):
        create(opened(serve("vllm").url, upstream_api="native"))


@behaviour("proxy:messages:native-absent")
def test_an_error_in_the_apis_own_form_is_an_answer_of_the_api(before: Before) -> None:
    error = {"type": "error", "error": {"type": "not_found_error", "message": "model: m"}}
    upstream = MessagesUpstream([(404, error)])
    proxied = before(upstream)
    for _ in range(2):
        with pytest.raises(anthropic.NotFoundError, match="model: m"):
            create(proxied)
    assert not [path for path in upstream.others if path.endswith("completions")]


@behaviour("proxy:messages:native")
def test_documents_are_files_of_the_chat_and_pictures_are_seen(before: Before) -> None:
    upstream = MessagesUpstream([Reply([said("Read.")], "end_turn")])
    data = base64.b64encode(b"city,sales\nOslo,12\n").decode()
    csv = {"type": "base64", "media_type": "text/csv", "data": data}
    there = {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}}
    content = [said("Look."), {"type": "document", "title": "sales.csv", "source": csv}, there]
    create(before(upstream), messages=[{"role": "user", "content": content}])
    (message,) = upstream.bodies[0]["messages"]
    assert [block["type"] for block in message["content"]] == ["text", "text", "document"]
    assert "sales.csv" in message["content"][1]["text"]
    assert message["content"][2] == there


@behaviour("proxy:messages:native")
def test_words_of_ours_stand_after_answers_of_tools() -> None:
    answer = {"type": "tool_result", "tool_use_id": "t", "content": "rain"}
    body = {"messages": [{"role": "user", "content": [answer, said("So?")]}]}
    (message,) = with_words(native(body, {}, ""), "Late.").messages
    assert message["content"] == [answer, said("Late."), said("So?")]
    assert readable({"messages": [{"role": "user", "content": [{"type": "new"}]}]})["messages"] == [
        {"role": "user", "content": ""}
    ]


@behaviour("proxy:messages:native")
def test_a_reply_that_the_client_has_begun_keeps_its_blocks() -> None:
    begun = [thought("Hm."), said("It is")]
    asked = native({"messages": [*ASKED, {"role": "assistant", "content": begun}]}, {}, "It is")
    rounds = [Round(" this:\n", "Result: 1\n")]
    (last,) = as_begun(asked.messages, asked.begun, rounds, "So ")[1:]
    assert last["content"] == [thought("Hm."), said("It is this:\nResult: 1\nSo")]
    told = as_dialogue(asked.messages, asked.begun, rounds, "")[1:]
    assert [each["role"] for each in told] == ["assistant", "user"]
    assert told[0]["content"] == [thought("Hm."), said("It is this:")]


@behaviour("proxy:messages:native")
def test_a_citation_belongs_to_its_text() -> None:
    made = MessageFormat("msg_a", "m", "b", {})
    made.content("As they say.", Part.TEXT)
    cited = {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "so"}}
    assert (
        cited["citation"]
        in told_by(made.passed({"type": "content_block_delta", "index": 4, "delta": cited}).decode())[0][
            "delta"
        ].values()
    )
    outcome = Outcome("stop", Usage())
    made.end(outcome)
    (block,) = made.whole(outcome)["content"]
    assert block == {**said("As they say."), "citations": [cited["citation"]]}


@behaviour("proxy:messages:native-absent")
@pytest.mark.parametrize(("setting", "usable"), [("auto", True), ("chat", False), ("native", True)])
def test_what_is_set_is_not_found_out(setting: str, usable: bool) -> None:
    upstream = UpstreamApi(setting)
    upstream.note(there=False)
    assert upstream.usable is (usable and setting != "auto")


@behaviour("proxy:messages:native")
@pytest.mark.parametrize("odd", [{}, {"type": None}, {"type": ["a"], "a": 1}, {"type": "a\n\ndata: b"}])
def test_an_event_whose_type_is_no_name_is_dropped_and_a_block_needs_none(odd: Any) -> None:
    stream, made = MessageStream(ReplySegment()), MessageFormat("msg_a", "m", "b", {})
    begun = {"type": "content_block_start", "content_block": odd}
    events = [odd, begun, {"type": "content_block_delta", "delta": odd}, {"type": "content_block_stop"}]
    passed = [event for delta in stream.receive(events) for event in delta.events]
    written = b"".join(made.passed(event) for event in passed).decode()
    assert [event["type"] for event in told_by(written)] == [event["type"] for event in events[1:]]
    made.end(Outcome("stop", Usage()))
    assert len(made.whole(Outcome("stop", Usage()))["content"]) == 1
    assert not made.ran


BLOCKS = [
    thought("Hm."),
    said("Text. "),
    said("```\nno code"),
    SEARCH,
    FOUND,
    WEATHER,
    {"type": "new", "a": [1]},
]


@behaviour("proxy:messages:native")
@given(st.lists(st.sampled_from(BLOCKS), max_size=8), st.lists(st.integers(1, 9), min_size=1))
def test_whatever_blocks_an_endpoint_sends_come_whole_and_in_order_however_they_are_cut(
    blocks: list[Any], sizes: list[int]
) -> None:
    events: list[Any] = Reply(blocks, "end_turn").events()
    stream, made = MessageStream(ReplySegment()), MessageFormat("msg_a", "m", "b", {"id": "container_b"})
    written, at = b"", 0
    while events:
        size = sizes[at % len(sizes)]
        together, events, at = events[:size], events[size:], at + 1
        for delta in stream.receive(together):
            if delta.content:
                written += made.content(delta.content, Part.TEXT)
            written += b"".join(made.passed(event) for event in delta.events)
    outcome = Outcome("stop", Usage(completion=40))
    written += made.end(outcome)
    whole = made.whole(outcome)
    theirs = [block for block in whole["content"] if block["type"] != "text"]
    assert theirs == [block for block in blocks if block["type"] != "text"]
    assert [block for _, block in stream.passed] == theirs
    texts = "".join(block["text"] for block in whole["content"] if block["type"] == "text")
    assert texts.split() == "".join(block["text"] for block in blocks if block["type"] == "text").split()
    lines = [
        line.removeprefix("data: ") for line in written.decode().splitlines() if line.startswith("data: ")
    ]
    told: list[Any] = [json_reader.loads(line) for line in lines]
    stops = [event["index"] for event in told if event["type"] == "content_block_stop"]
    assert stops == list(range(len(whole["content"])))
    assert whole["usage"]["output_tokens"] == 40
