"""The Messages API with Anthropic's own client: code in a reply runs here, and is told as blocks."""

import asyncio
import base64
import re
from typing import Any

import anthropic
import httpx
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.files.file_ids import digits_of
from coderunner.hosts.proxy.messages.content_blocks import messages_of
from coderunner.hosts.proxy.messages.message_format import MessageFormat
from coderunner.hosts.proxy.messages.message_request import chat_of, conversation_of
from coderunner.models.endpoint.token_usage import Usage
from coderunner.runner import Part
from coderunner.text import json_reader
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, RUNS, WAIT, Open, Proxied
from tests.models.conftest import Serve

QUESTION = "What is 10 + 5?"
ASKED: Any = [{"role": "user", "content": QUESTION}]
MISTAKE: Any = [{"role": "user", "content": "Make a mistake and correct it"}]
SALES = b"city,sales\nOslo,12\nBergen,\nTromso,7\nOslo,12\n"
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


@pytest.fixture
def proxied(opened: Open, serve: Serve) -> Proxied:
    return opened(serve("vllm").url)


def stdout(message: Message) -> list[str]:
    results = (block.content for block in message.content if block.type == "code_execution_tool_result")
    return [result.stdout for result in results if result.type == "code_execution_result"]


def text(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@behaviour("proxy:messages:whole")
def test_code_is_a_use_of_the_servers_tool_and_its_result_follows_it(proxied: Proxied) -> None:
    message = proxied.anthropic().messages.create(model=RUNS, max_tokens=1000, messages=ASKED)
    kinds = [block.type for block in message.content]
    assert kinds[-3:] == ["server_tool_use", "code_execution_tool_result", "text"]
    assert stdout(message) == ["15\n"]
    assert "15" in text(message)
    assert "```" not in text(message)
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 0
    assert message.container is not None


@behaviour("proxy:messages:events")
def test_the_events_of_a_stream_add_up_to_the_message(proxied: Proxied) -> None:
    with proxied.anthropic().messages.create(
        model=RUNS, max_tokens=1000, messages=ASKED, stream=True
    ) as events:
        names = [EVENT.validate_python(event.to_dict()).type for event in events]
    assert (names[0], names[-2:]) == ("message_start", ["message_delta", "message_stop"])
    with proxied.anthropic().messages.stream(model=RUNS, max_tokens=1000, messages=ASKED) as stream:
        final = stream.get_final_message()
    assert stdout(final) == ["15\n"]
    (use,) = [block for block in final.content if block.type == "server_tool_use"]
    assert "10 + 5" in str(use.input["code"])
    assert final.stop_reason == "end_turn"


@behaviour("proxy:messages:events")
def test_the_asynchronous_client_reads_the_same(proxied: Proxied) -> None:
    async def ask() -> Message:
        async with anthropic.AsyncAnthropic(
            base_url=proxied.url, api_key=ALICE, timeout=WAIT, max_retries=0
        ) as client:
            return await client.messages.create(model=RUNS, max_tokens=1000, messages=ASKED)

    assert stdout(asyncio.run(ask())) == ["15\n"]


@behaviour("proxy:messages:history")
def test_a_history_that_comes_back_is_one_reply_in_the_kernel_of_its_conversation(
    opened: Open, serve: Serve
) -> None:
    served = serve("vllm")
    client = opened(served.url).anthropic()
    first = client.messages.create(model=RUNS, max_tokens=1000, messages=ASKED)
    history = [*ASKED, {"role": "assistant", "content": first.to_dict()["content"]}, *ASKED]
    second = client.messages.create(model=RUNS, max_tokens=1000, messages=history)
    sent = served.chats[-1].body["messages"]
    said = next(each["content"] for each in sent if each["role"] == "assistant")
    assert said.count("```python") == 1
    assert "Result: 15" in said
    apart = client.messages.create(model=RUNS, max_tokens=1000, messages=ASKED)
    used = [block.id for each in (first, second) for block in each.content if block.type == "server_tool_use"]
    assert len(used) == len(set(used)) == 2
    one, two, other = (message.container and message.container.id for message in (first, second, apart))
    assert one == two
    assert one != other
    assert one is not None
    back = client.messages.create(model=RUNS, max_tokens=1000, messages=ASKED, container=str(one))
    assert back.container is not None
    assert back.container.id == one


@behaviour("proxy:messages:whole")
def test_code_that_fails_has_another_return_code_than_the_one_that_mends_it(proxied: Proxied) -> None:
    message = proxied.anthropic().messages.create(model=RUNS, max_tokens=1000, messages=MISTAKE)
    results = [block.content for block in message.content if block.type == "code_execution_tool_result"]
    codes = [result.return_code for result in results if result.type == "code_execution_result"]
    assert codes == [1, 0]


@behaviour("proxy:messages:files")
def test_a_document_is_a_file_of_the_chat_and_pictures_and_files_are_links_below_the_result(
    proxied: Proxied,
) -> None:
    source = {"type": "base64", "media_type": "text/csv", "data": base64.b64encode(SALES).decode()}
    asked: Any = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Draw a chart of the table and clean it."},
                {"type": "document", "title": "sales.csv", "source": source},
            ],
        }
    ]
    message = proxied.anthropic().messages.create(model=RUNS, max_tokens=1000, messages=asked)
    (picture,) = re.findall(r"!\[[^\]]*\]\((http[^)]+)\)", text(message))
    assert httpx.get(picture, trust_env=False).content.startswith(b"\x89PNG")
    assert "http" not in "".join(stdout(message))
    links = dict(re.findall(r"\[`?([^\]`]+)`?\]\((http[^)]+)\)", text(message)))
    assert httpx.get(links["sales-clean.csv"], trust_env=False).content.startswith(b"city,sales")


@behaviour("proxy:messages:refused")
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"messages": []}, "has no `messages`"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "no tool 'web_search_20250305'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]},
            "a block 'container_upload'",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence_before_anything_is_asked(
    opened: Open, serve: Serve, fields: dict[str, Any], says: str
) -> None:
    served = serve("vllm")
    client = opened(served.url).anthropic()
    with pytest.raises(anthropic.BadRequestError, match=says) as refused:
        client.messages.create(**{"model": RUNS, "max_tokens": 100, "messages": ASKED, **fields})
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["type"] == "error"
    assert not served.chats


@behaviour("proxy:messages:refused")
def test_a_wrong_key_is_refused_in_whichever_header_it_is(proxied: Proxied) -> None:
    with pytest.raises(anthropic.AuthenticationError, match="This key is not one of the proxy's"):
        proxied.anthropic("another-key-of-nobody").messages.create(model=RUNS, max_tokens=10, messages=ASKED)
    sent = {"x-api-key": ALICE, "authorization": "Bearer another-key-of-nobody"}
    answer = httpx.post(f"{proxied.url}/v1/messages", json={}, headers=sent, trust_env=False)
    assert answer.status_code == 401


@behaviour("proxy:messages:refused")
@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("POST", "/v1/messages", {}, 401, "authentication_error"),
        ("GET", "/v1/models", {"anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ("POST", "/v1/messages/..%2Fx", {"x-api-key": ALICE}, 404, "not_found_error"),
        ("OPTIONS", "/v1/messages", {"x-api-key": ALICE}, 405, "invalid_request_error"),
    ],
)
def test_an_error_is_one_of_anthropics_also_before_a_route_is_found(
    proxied: Proxied, method: str, path: str, headers: dict[str, str], status: int, kind: str
) -> None:
    url = httpx.URL(proxied.url).copy_with(raw_path=path.encode())
    answer = httpx.request(method, url, headers=headers, timeout=WAIT, trust_env=False)
    said = answer.json()
    assert (answer.status_code, said["type"], said["error"]["type"]) == (status, "error", kind)
    assert said["error"].keys() == {"type", "message"}


@behaviour("proxy:messages:tools")
def test_the_clients_own_tools_are_called_and_answered_as_blocks() -> None:
    use = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}}
    messages = messages_of(
        [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}, use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "rain"}]},
        ]
    )
    call = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    assert messages == [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t1", "content": "rain"},
    ]
    made = MessageFormat("msg_a", "m", "b", {})
    made.calls([{"index": 0, "id": "t1", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}])
    outcome = Outcome("tool_calls", Usage())
    made.end(outcome)
    assert made.whole(outcome)["content"] == [use]


@behaviour("proxy:messages:whole")
def test_a_reply_that_is_begun_by_the_client_is_continued() -> None:
    begun: Any = {"model": RUNS, "messages": [*ASKED, {"role": "assistant", "content": "It is"}]}
    assert chat_of(begun).prior == "It is"
    assert conversation_of(begun) == ""
    assert conversation_of({"container": {"id": f"container_{digits_of('new one')}"}}) == "new one"


@behaviour("proxy:messages:events")
@given(
    st.lists(
        st.sampled_from(
            [
                ("Text. ", Part.TEXT),
                ("\n", Part.TEXT),
                ("```python\n", Part.CODE),
                ('print("\\ud83d")\n', Part.CODE),
                ("```\n", Part.CODE),
                ("Result: 1\n", Part.RESULT),
                ("<think>Hm", Part.THOUGHT),
                ("", Part.TEXT),
            ]
        ),
        max_size=12,
    )
)
def test_whatever_a_reply_is_made_of_each_use_has_its_result_and_the_events_add_up(
    said: list[tuple[str, Part]],
) -> None:
    made = MessageFormat("msg_a", "m", "b", {"id": "container_b", "expires_at": "2030-01-01T00:00:00Z"})
    stream = b"".join(made.content(each, part) for each, part in said)
    outcome = Outcome("stop", Usage())
    stream = made.begin() + stream + made.end(outcome)
    events = [
        EVENT.validate_python(json_reader.loads(line.removeprefix("data: ")))
        for line in stream.decode().splitlines()
        if line.startswith("data: ")
    ]
    whole = Message.model_validate(made.whole(outcome))
    started = [event.content_block.type for event in events if event.type == "content_block_start"]
    assert started == [block.type for block in whole.content]
    uses = [block.id for block in whole.content if block.type == "server_tool_use"]
    results = [block.tool_use_id for block in whole.content if block.type == "code_execution_tool_result"]
    assert uses == results
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    assert "".join(delta.text for delta in deltas if delta.type == "text_delta") == text(whole)
