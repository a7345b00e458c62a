"""The Responses API with OpenAI's own client: code in a reply runs here, and is told in the API's events."""

import asyncio
import base64
import re
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from coderunner.hosts.proxy.client_api.chat_request import UnusableRequest
from coderunner.hosts.proxy.responses.input_items import messages_of
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import BOB, RUNS, Open, Proxied
from tests.models.conftest import Serve

SALES = b"city,sales\nOslo,12\nBergen,\nTromso,7\nOslo,12\n"
QUESTION = "What is 10 + 5?"
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


@pytest.fixture
def proxied(opened: Open, serve: Serve) -> Proxied:
    return opened(serve("vllm").url)


def kinds(response: Response) -> list[str]:
    return [item.type for item in response.output]


def logs(response: Response) -> list[str]:
    return [
        output.logs
        for item in response.output
        if item.type == "code_interpreter_call"
        for output in item.outputs or []
        if output.type == "logs"
    ]


@behaviour("proxy:responses:whole")
def test_code_and_result_are_a_call_of_the_code_interpreter_between_messages(proxied: Proxied) -> None:
    response = proxied.client().responses.create(model=RUNS, input=QUESTION)
    assert (response.status, kinds(response)[-2:]) == ("completed", ["code_interpreter_call", "message"])
    assert logs(response) == ["15\n"]
    assert "15" in response.output_text
    assert "```" not in response.output_text
    assert "Result" not in response.output_text
    assert response.usage is not None
    assert response.usage.total_tokens > 0


@behaviour("proxy:responses:events")
def test_every_event_of_a_stream_is_one_of_the_api_and_together_they_are_the_response(
    proxied: Proxied,
) -> None:
    with proxied.client().responses.create(model=RUNS, input=QUESTION, stream=True) as stream:
        events = [EVENT.validate_python(event.to_dict()) for event in stream]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    names = [event.type.removeprefix("response.") for event in events]
    assert names[:2] == ["created", "in_progress"]
    assert names[-1] == "completed"
    told = [name for name in dict.fromkeys(names) if name.startswith("code_interpreter")]
    assert told == [
        "code_interpreter_call.in_progress",
        "code_interpreter_call_code.delta",
        "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting",
        "code_interpreter_call.completed",
    ]
    whole: Response = events[-1].response
    assert [event.item for event in events if event.type == "response.output_item.done"] == whole.output
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == whole.output_text
    code = "".join(
        event.delta for event in events if event.type == "response.code_interpreter_call_code.delta"
    )
    assert code == "".join(item.code or "" for item in whole.output if item.type == "code_interpreter_call")
    assert "10 + 5" in code
    assert "```" not in code


@behaviour("proxy:responses:events")
def test_the_clients_own_reader_of_streams_puts_the_response_together(proxied: Proxied) -> None:
    with proxied.client().responses.stream(model=RUNS, input=QUESTION) as stream:
        stream.until_done()
        final = stream.get_final_response()
    assert "15" in final.output_text
    assert final.model == RUNS


@behaviour("proxy:responses:events")
def test_the_asynchronous_client_reads_the_same(proxied: Proxied) -> None:
    async def ask() -> Response:
        async with proxied.asynchronous() as client:
            return await client.responses.create(model=RUNS, input=QUESTION)

    assert logs(asyncio.run(ask())) == ["15\n"]


@behaviour("proxy:responses:files")
@pytest.mark.parametrize("streams", [False, True])
def test_a_table_is_sent_drawn_and_cleaned_and_picture_and_file_can_be_fetched(
    opened: Open, serve: Serve, streams: bool
) -> None:
    client = opened(serve("vllm").url).client()
    data = f"data:text/csv;base64,{base64.b64encode(SALES).decode()}"
    asked: Any = [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Draw a chart of the table and clean it."},
                {"type": "input_file", "filename": "sales.csv", "file_data": data},
            ],
        }
    ]
    chat = {"x-coderunner-session": f"responses-{streams}"}
    if streams:
        with client.responses.stream(model=RUNS, input=asked, extra_headers=chat) as stream:
            stream.until_done()
            response: Response = stream.get_final_response()
    else:
        response = client.responses.create(model=RUNS, input=asked, extra_headers=chat)
    (picture,) = [
        output.url
        for item in response.output
        if item.type == "code_interpreter_call"
        for output in item.outputs or []
        if output.type == "image"
    ]
    assert httpx.get(picture, trust_env=False).content.startswith(b"\x89PNG")
    assert picture not in "".join(logs(response))
    assert picture not in response.output_text
    links = dict(re.findall(r"\[`?([^\]`]+)`?\]\((http[^)]+)\)", response.output_text))
    assert set(links) == {"sales.png", "sales-clean.csv"}
    assert httpx.get(links["sales-clean.csv"], trust_env=False).content.startswith(b"city,sales")


@behaviour("proxy:responses:previous")
def test_a_response_follows_another_in_the_kernel_of_its_conversation(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    client = opened(served.url).client().with_options(default_headers={"x-coderunner-session": ""})
    first = client.responses.create(model=RUNS, input=QUESTION)
    second = client.responses.create(model=RUNS, input=QUESTION, previous_response_id=first.id)
    roles = [message["role"] for message in served.chats[-1].body["messages"]]
    assert roles[:4] == ["system", "user", "assistant", "user"]
    apart = client.responses.create(model=RUNS, input="What is 10 + 5? Apart.")
    one, two, other = (
        {item.container_id for item in response.output if item.type == "code_interpreter_call"}
        for response in (first, second, apart)
    )
    assert one == two
    assert len(one) == 1
    assert one != other
    assert second.previous_response_id == first.id
    (container,) = one
    tool: Any = {"type": "code_interpreter", "container": container}
    back = client.responses.with_raw_response.create(model=RUNS, input=QUESTION, tools=[tool])
    assert f"cntr_{back.headers['x-coderunner-session']}" == container


@behaviour("proxy:responses:items")
def test_a_client_that_keeps_the_items_itself_sends_them_back_and_they_are_one_reply(
    opened: Open, serve: Serve
) -> None:
    served = serve("vllm")
    client = opened(served.url).client()
    first = client.responses.create(model=RUNS, input=QUESTION, store=False)
    history = [
        {"role": "user", "content": QUESTION},
        *(item.to_dict() for item in first.output),
        {"role": "user", "content": QUESTION},
    ]
    second = client.responses.create(model=RUNS, input=history, store=False)  # type: ignore[arg-type]
    assert "15" in second.output_text
    sent = served.chats[-1].body["messages"]
    said = next(each["content"] for each in sent if each["role"] == "assistant")
    assert said.count("```python") == 1
    assert "Result: 15" in said


@behaviour("proxy:responses:kept")
def test_a_response_is_read_listed_and_deleted_by_its_owner_alone(proxied: Proxied) -> None:
    client, other = proxied.client(), proxied.client(BOB)
    made = client.responses.create(model=RUNS, input=QUESTION)
    assert client.responses.retrieve(made.id).output_text == made.output_text
    (item,) = client.responses.input_items.list(made.id).data
    assert item.to_dict()["content"] == [{"type": "input_text", "text": QUESTION}]
    for refused in (other.responses.retrieve, other.responses.delete):
        with pytest.raises(openai.NotFoundError, match="is not known here"):
            refused(made.id)
    with pytest.raises(openai.BadRequestError, match="belongs to another key"):
        other.responses.create(model=RUNS, input=QUESTION, previous_response_id=made.id)
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


@behaviour("proxy:responses:kept")
def test_a_response_that_is_not_to_be_stored_is_not(proxied: Proxied) -> None:
    client = proxied.client()
    made = client.responses.create(model=RUNS, input=QUESTION, store=False)
    with pytest.raises(openai.NotFoundError, match="was not to be stored"):
        client.responses.retrieve(made.id)


@behaviour("proxy:responses:refused")
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"background": True}, "leave out `background`"),
        ({"conversation": "conv_1"}, "use `previous_response_id`"),
        ({"prompt": {"id": "pmpt_1"}}, "send the text as `instructions`"),
        ({"tools": [{"type": "web_search"}]}, "no tool 'web_search'"),
        ({"input": ["text"]}, "Item 0 of the input is not an object"),
        ({"input": [{"type": "computer_call", "id": "a"}]}, "a computer_call, which"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "refers to 'msg_1'"),
        ({"previous_response_id": "resp_1"}, "Response 'resp_1' is not known here"),
        ({"input": ""}, "The request has no `input`"),
        ({"input": 7}, "which is a text or a list of items"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence_before_anything_is_asked(
    opened: Open, serve: Serve, fields: dict[str, Any], says: str
) -> None:
    served = serve("vllm")
    client = opened(served.url).client()
    with pytest.raises(openai.BadRequestError, match=says):
        client.responses.create(**{"model": RUNS, "input": QUESTION, **fields})
    assert not served.chats


@behaviour("proxy:responses:tools")
def test_functions_of_the_client_are_called_and_answered_as_items() -> None:
    messages = messages_of(
        [
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "rain"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Rain."}]},
        ]
    )
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
    assert messages == [
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "assistant", "content": "Rain."},
    ]
    with pytest.raises(UnusableRequest):
        messages_of([{"type": "mcp_call"}])


@behaviour("proxy:responses:passed")
def test_without_the_suffix_a_request_is_passed_on_and_the_suffix_never_is(
    opened: Open, serve: Serve
) -> None:
    served = serve("vllm")
    client = opened(served.url).client()
    with pytest.raises(openai.NotFoundError):  # the demo model has no such route, and says so itself
        client.responses.create(model=RUNS.removesuffix("+python"), input=QUESTION)
    completed = client.completions.create(model=RUNS, prompt="Once")
    assert completed.model == RUNS.removesuffix("+python")
