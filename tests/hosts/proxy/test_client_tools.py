"""Blocks call the client's own tools, which it answers in its next request, with the official client."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import pytest

from coderunner.hosts.proxy.client_api.chat_request import FAILED, ClientAnswer
from coderunner.hosts.proxy.client_api.client_functions import PREFIX, folded, functions
from coderunner.hosts.proxy.messages.native_request import native
from coderunner.hosts.proxy.model_messages import with_images_of_answers
from coderunner.tools.tool import Tool, beside
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import RUNS, Open, Proxied
from tests.hosts.proxy.test_team import until
from tests.models.conftest import Scripted, listening
from tests.tools.mcp_server import OTHER_PNG

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def tool(name: str, about: str, **properties: Any) -> Any:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "function",
        "function": {"name": name, "description": about, "parameters": parameters},
    }


TOOLS = [
    tool("search", "Finds pages. The best come first.", query=TEXT),
    tool("add", "Adds.", a=NUMBER, b=NUMBER),
]
ANSWERS = {"search": '{"pages": ["cats"]}', "add": "3"}
GREEN = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cff01f00040101"
    "ff71eb47e50000000049454e44ae426082"
)
CATS = [b64encode(cat).decode() for cat in (OTHER_PNG, GREEN)]
NUMBERS = count()


def searching() -> str:
    """A block that calls a tool, and counts how often it runs."""
    runs = f"runs_{next(NUMBERS)}"
    counted = f"{runs} = globals().get('{runs}', 0) + 1"
    return block(f"found = tools.search('cats')\n{counted}\nprint(found['pages'], {runs})")


def block(code: str) -> str:
    return f"Let me see.\n```python\n{code}\n```\n"


class Chat:
    """A program with tools of its own, which keeps its history as the API has it."""

    def __init__(self, proxied: Proxied, **more: Any) -> None:
        self.client = proxied.client()
        self.more = {"model": RUNS, "tools": TOOLS, **more}
        self.messages: list[Any] = []

    def asks(self, question: str) -> Any:
        self.messages.append({"role": "user", "content": question})
        return self.goes_on()

    def goes_on(self, **more: Any) -> Any:
        """Send the history; gives the answer, which is in it from then on."""
        answer = self.sends(**more)
        self.messages.append(answer.message.model_dump(exclude_none=True))
        return answer

    def sends(self, **more: Any) -> Any:
        reply = self.client.chat.completions.create(messages=self.messages, **{**self.more, **more})
        return reply.choices[0]

    def answers(self, calls: Any, **said: str) -> None:
        for call in calls:
            text = {**ANSWERS, **said}[call.function.name]
            self.messages.append({"role": "tool", "tool_call_id": call.id, "content": text})


@dataclass
class Model:
    """A model that says what a test has it say, and the proxy before it: one for all tests."""

    upstream: Scripted
    open: Callable[..., Proxied]

    def says(self, *answers: str, **chosen: Any) -> Proxied:
        self.upstream.answers[:] = answers
        self.upstream.asked.clear()
        return self.open(**chosen)

    def asked(self, number: int) -> Any:
        """The messages of one of its requests."""
        return json.loads(self.upstream.asked[number])["messages"]


@pytest.fixture(scope="module")
def model(opened: Open) -> Iterator[Model]:
    upstream = Scripted([""])
    with listening(upstream) as url:
        yield Model(upstream, partial(opened, url, continuations="*=next-turn", upstream_api="chat"))


@behaviour("proxy:client-tools:own-images")
@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_images_of_an_answer_to_the_models_own_call_reach_it_as_the_users(model: Model, api: str) -> None:
    proxied = model.says("I see two cats.", vision="on")
    function: Any = TOOLS[0]["function"]
    asked: dict[str, Any] = {"role": "user", "content": "Show me"}
    query = json.dumps({"query": "cats"})
    addresses = [f"data:image/png;base64,{cat}" for cat in CATS]
    if api == "chat":
        call = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": query}}
        parts: list[Any] = [
            {"type": "text", "text": "Two cats:"},
            *({"type": "image_url", "image_url": {"url": each}} for each in addresses),
        ]
        history: list[Any] = [
            asked,
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": parts},
        ]
        proxied.client().chat.completions.create(model=RUNS, messages=history, tools=TOOLS)
    elif api == "responses":
        parts = [
            {"type": "input_text", "text": "Two cats:"},
            *({"type": "input_image", "image_url": each} for each in addresses),
        ]
        history = [
            asked,
            {"type": "function_call", "call_id": "call_1", "name": "search", "arguments": query},
            {"type": "function_call_output", "call_id": "call_1", "output": parts},
        ]
        tools: Any = [{"type": "function", "strict": False, **function}]
        proxied.client().responses.create(model=RUNS, input=history, tools=tools)
    else:
        sources = [{"type": "base64", "media_type": "image/png", "data": cat} for cat in CATS]
        parts = [
            {"type": "text", "text": "Two cats:"},
            *({"type": "image", "source": each} for each in sources),
        ]
        use = {"type": "tool_use", "id": "call_1", "name": "search", "input": {"query": "cats"}}
        history = [
            asked,
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": parts}]},
        ]
        tools = [{"name": "search", "input_schema": function["parameters"]}]
        proxied.anthropic().messages.create(model=RUNS, messages=history, tools=tools, max_tokens=1000)
    *_, answered, shown = model.asked(0)
    assert answered["role"] == "tool"
    assert answered["content"].startswith("Two cats:\n")
    assert "- `image.png`" in answered["content"]  # code can open it, as what the user sends
    assert shown["role"] == "user"
    assert [each["type"] for each in shown["content"]] == ["text", "image_url", "image_url"]
    assert shown["content"][0]["text"] == "[images from the tool search]"
    assert [each["image_url"]["url"] for each in shown["content"][1:]] == addresses


@behaviour("proxy:client-tools:own-images")
def test_images_of_answers_come_before_what_the_user_says_next() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{CATS[0]}"}}
    calls = [{"id": name, "function": {"name": name}} for name in ("look", "add")]
    seen = {"role": "tool", "tool_call_id": "look", "content": [image]}
    summed = {"role": "tool", "tool_call_id": "add", "content": "3"}
    label = "[images from the tool look]"
    told = with_images_of_answers(
        [{"role": "assistant", "tool_calls": calls}, seen, summed, {"role": "user", "content": "So?"}]
    )
    assert [each["role"] for each in told] == ["assistant", "tool", "tool", "user"]
    assert [told[1]["content"], told[2]["content"]] == [label, "3"]
    assert told[3]["content"] == [{"type": "text", "text": label}, image, {"type": "text", "text": "So?"}]
    # In a history that goes on, they stand where they were answered.
    told = with_images_of_answers([{"role": "assistant", "tool_calls": calls}, seen, {"role": "assistant"}])
    assert [each["role"] for each in told] == ["assistant", "tool", "user", "assistant"]


@behaviour("proxy:client-tools:answered")
def test_a_block_calls_a_tool_of_the_client_and_goes_on_with_its_answer(model: Model) -> None:
    code = searching()
    without = block("print('search' in dir(tools))")
    chat = Chat(model.says(code, "There are cats.", without, "No more."))
    first = chat.asks("What is there?")
    assert (first.message.content, first.finish_reason) == (code, "tool_calls")
    (call,) = first.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("search", {"query": "cats"})
    chat.answers([call])
    # A program that sends its answer again hears the same again.
    for answer in (chat.sends(), chat.goes_on()):
        assert answer.message.content == "Result: ['cats'] 1\nThere are cats."
        assert answer.finish_reason == "stop"
    chat.more["tools"] = TOOLS[1:]
    assert chat.asks("Is it still there?").message.content == f"{without}Result: False\nNo more."
    assert "tools.search(query: str): Finds pages." in model.asked(0)[0]["content"]
    told = model.asked(2)
    assert [each["role"] for each in told] == ["system", "user", "assistant", "user"]
    assert told[2]["content"] == f"{code}Result: ['cats'] 1\nThere are cats."
    assert len(model.upstream.asked) == 4
    assert all(PREFIX not in body.decode() for body in model.upstream.asked)


@behaviour("proxy:client-tools:answered")
def test_threads_call_side_by_side_and_a_stream_ends_with_what_has_come(model: Model) -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(3) as pool:\n"
        "    each = list(pool.map(lambda n: tools.add(n, n), range(3)))\n"
        "print(each, tools.search(query='x'))\nhelp(tools.add)"
    )
    chat = Chat(model.says(block(code), "Done."))
    chat.messages.append({"role": "user", "content": "Add"})
    wanted = {**chat.more, "stream": True, "stream_options": {"include_usage": True}}
    chunks: Any = list(chat.client.chat.completions.create(messages=chat.messages, **wanted))
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    made = [call for choice in choices for call in choice.delta.tool_calls or ()]
    assert choices[-1].finish_reason == "tool_calls"
    assert chunks[-1].usage.completion_tokens > 0
    content = "".join(choice.delta.content or "" for choice in choices)
    told = [call.model_dump(exclude_none=True) for call in made]
    chat.messages.append({"role": "assistant", "content": content, "tool_calls": told})
    chat.answers(made)
    while (answer := chat.goes_on()).finish_reason == "tool_calls":
        assert answer.message.content == ""
        chat.answers(answer.message.tool_calls, search="no pages")
        made += answer.message.tool_calls
    assert [call.function.name for call in made] == ["add", "add", "add", "search"]
    assert len({call.id for call in made}) == 4
    last = answer.message.content
    assert "['3', '3', '3'] no pages" in last
    assert "Adds." in last
    assert last.endswith("Done.")


@behaviour("proxy:client-tools:answered")
@pytest.mark.parametrize("refers", [True, False])
def test_in_responses_a_call_is_an_item_that_the_next_request_answers(model: Model, *, refers: bool) -> None:
    code = searching()
    client = model.says(code, "There are cats.", "No more.").client()
    flat: list[Any] = [{"type": "function", "strict": False, **each["function"]} for each in TOOLS]
    asked: list[Any] = [{"role": "user", "content": "What is there?"}]
    wanted: Any = {"model": RUNS, "tools": flat}
    first = client.responses.create(input=asked, **wanted)
    assert [item.type for item in first.output] == ["message", "code_interpreter_call", "function_call"]
    call: Any = first.output[-1]
    assert (call.name, json.loads(call.arguments)) == ("search", {"query": "cats"})
    answer: Any = {"type": "function_call_output", "call_id": call.call_id, "output": ANSWERS["search"]}
    history = [] if refers else [*asked, *(item.to_dict() for item in first.output)]
    after = {"previous_response_id": first.id} if refers else {}
    second = client.responses.create(input=[*history, answer], **wanted, **after)
    assert second.output_text == "Result: ['cats'] 1\nThere are cats."
    assert second.id != first.id
    history = [] if refers else [*history, answer, *(item.to_dict() for item in second.output)]
    after = {"previous_response_id": second.id} if refers else {}
    more: list[Any] = [*history, {"role": "user", "content": "What else?"}]
    assert client.responses.create(input=more, **wanted, **after).output_text == "No more."
    said = f"{code}{second.output_text}"
    assert [each["content"] for each in model.asked(2)[1:]] == ["What is there?", said, "What else?"]


@behaviour("proxy:client-tools:answered")
def test_in_messages_a_call_is_a_use_of_a_tool_that_the_next_request_answers(model: Model) -> None:
    code = searching()
    client = model.says(code, "There are cats.", "No more.").anthropic()
    functions = [each["function"] for each in TOOLS]
    tools = [
        {"name": each["name"], "description": each["description"], "input_schema": each["parameters"]}
        for each in functions
    ]
    wanted: Any = {"model": RUNS, "max_tokens": 1000, "tools": tools}
    messages: list[Any] = [{"role": "user", "content": "What is there?"}]
    first = client.messages.create(messages=messages, **wanted)
    assert [each.type for each in first.content] == ["text", "server_tool_use", "tool_use"]
    use: Any = first.content[-1]
    assert (first.stop_reason, use.name, use.input) == ("tool_use", "search", {"query": "cats"})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": ANSWERS["search"]}
    messages += [
        {"role": "assistant", "content": [each.to_dict() for each in first.content]},
        {"role": "user", "content": [result]},
    ]
    second: Any = client.messages.create(messages=messages, **wanted)
    assert [each.text for each in second.content] == ["Result: ['cats'] 1\nThere are cats."]
    messages += [{"role": "assistant", "content": second.content[0].text}, {"role": "user", "content": "?"}]
    last: Any = client.messages.create(messages=messages, **wanted)
    assert last.content[0].text == "No more."
    said = f"{code}Result: ['cats'] 1\nThere are cats."
    assert [each["content"] for each in model.asked(2)[1:]] == ["What is there?", said, "?"]
    # An endpoint that has this API is given the same.
    told = native({"messages": messages}, {}, "").messages
    assert [each["role"] for each in told] == ["user", "assistant", "user"]
    assert [each["text"] for each in told[1]["content"]] == [said]  # type: ignore[attr-defined]


@behaviour("proxy:client-tools:images")
@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_images_of_an_answer_are_shown_by_the_block_and_reach_the_model(model: Model, api: str) -> None:
    code = block("tools.search('cats')")
    proxied = model.says(code, "I see two cats.", vision="on")
    function: Any = TOOLS[0]["function"]
    asked: list[Any] = [{"role": "user", "content": "Show me"}]
    addresses = [f"data:image/png;base64,{cat}" for cat in CATS]
    if api == "chat":
        chat = Chat(proxied)
        (call,) = chat.asks("Show me").message.tool_calls
        parts: list[Any] = [
            {"type": "text", "text": "Two cats:"},
            *({"type": "image_url", "image_url": {"url": each}} for each in addresses),
        ]
        chat.messages.append({"role": "tool", "tool_call_id": call.id, "content": parts})
        said = chat.goes_on().message.content
    elif api == "responses":
        client: Any = proxied.client()
        wanted: Any = {"model": RUNS, "tools": [{"type": "function", "strict": False, **function}]}
        first = client.responses.create(input=asked, **wanted)
        parts = [
            {"type": "input_text", "text": "Two cats:"},
            *({"type": "input_image", "image_url": each} for each in addresses),
        ]
        answer = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": parts}
        said = client.responses.create(input=[answer], previous_response_id=first.id, **wanted).output_text
    else:
        client = proxied.anthropic()
        tools = [{"name": "search", "input_schema": function["parameters"]}]
        wanted = {"model": RUNS, "max_tokens": 1000, "tools": tools}
        first = client.messages.create(messages=asked, **wanted)
        sources = [{"type": "base64", "media_type": "image/png", "data": cat} for cat in CATS]
        parts = [
            {"type": "text", "text": "Two cats:"},
            *({"type": "image", "source": each} for each in sources),
        ]
        result = {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": parts}
        asked.append({"role": "assistant", "content": [each.to_dict() for each in first.content]})
        asked.append({"role": "user", "content": [result]})
        said = client.messages.create(messages=asked, **wanted).content[0].text
    assert "Two cats:" in said
    assert said.endswith("I see two cats.")
    shown = model.asked(1)[-1]["content"]
    assert [each["type"] for each in shown] == ["text", "image_url", "image_url"]
    assert "Two cats:" in shown[0]["text"]
    assert PREFIX not in model.upstream.asked[1].decode()


@behaviour("proxy:client-tools:answered")
def test_in_messages_a_tool_that_failed_is_an_error_for_the_code(model: Model) -> None:
    code = block(
        "try:\n    tools.search(query='cats')\nexcept tools.ToolError as error:\n    print('no:', error)"
    )
    client = model.says(code, "It is closed.").anthropic()
    wanted: Any = {"model": RUNS, "max_tokens": 1000, "tools": [{"name": "search", "input_schema": {}}]}
    wanted["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
    messages: list[Any] = [{"role": "user", "content": "What is there?"}]
    first = client.messages.create(messages=messages, **wanted)
    use: Any = first.content[-1]
    result = {"type": "tool_result", "tool_use_id": use.id, "is_error": True, "content": "closed"}
    messages += [
        {"role": "assistant", "content": [each.to_dict() for each in first.content]},
        {"role": "user", "content": [result]},
    ]
    second: Any = client.messages.create(messages=messages, **wanted)
    assert [each.text for each in second.content] == ["Result: no: closed\nIt is closed."]
    asked = [json.loads(body) for body in model.upstream.asked]
    assert [each["parallel_tool_calls"] for each in asked] == [False, False]
    assert FAILED not in str(asked)


@behaviour("proxy:client-tools:unanswered")
def test_a_program_that_asks_something_else_ends_the_wait(model: Model) -> None:
    code = "try:\n    tools.search('cats')\nexcept tools.ToolError as error:\n    why = error"
    chat = Chat(model.says(block(code), block("print(why)"), "So it is."))
    assert chat.asks("What is there?").finish_reason == "tool_calls"
    said = chat.asks("Never mind. What happened?").message.content
    assert "Result: the chat program went on without an answer\nSo it is." in said
    assert "search got no answer from the chat program" in model.asked(1)[2]["content"]


@behaviour("proxy:client-tools:unanswered")
def test_the_model_is_told_of_an_answer_that_comes_too_late_and_the_reply_goes_on(model: Model) -> None:
    code = searching()
    proxied = model.says(code, "It was late.", hard_timeout=1)
    chat = Chat(proxied)
    (call,) = chat.asks("What is there?").message.tool_calls
    assert until(lambda: not proxied.proxy._replies._tasks)
    chat.answers([call])
    late = chat.goes_on().message.content
    assert "ToolError: the chat program did not answer within 1 s" in late
    assert late.endswith("It was late.")
    assert len(model.upstream.asked) == 2


@behaviour("proxy:client-tools:names")
def test_a_name_that_a_server_has_already_gets_another_word_before_it() -> None:
    mine = functions({"tools": [*TOOLS, {"type": "custom"}, 1, tool("2+2", "Sums.")]})
    assert [each.name for each in beside(mine, [Tool("search", "search", "web")])] == [
        "client_search",
        "add",
        "tool_2_2",
    ]
    assert mine[0].signature == "(query: str)"
    deep: Any = {}
    for _ in range(500):
        deep = {"anyOf": [deep]}
    many = {f"é{number}": deep for number in range(20_000)}
    (bounded,) = functions({"tools": [tool("large", "Large.", **many)]})
    assert (len(bounded.parameters), bounded.open) == (100, True)
    assert len(repr(bounded)) < 20_000
    none: list[Any] = [{"tools": TOOLS, "tool_choice": "none"}, {}, {"tools": 1}]
    assert [functions(each) for each in none] == [(), (), ()]


@behaviour("proxy:client-tools:history")
@pytest.mark.parametrize(
    ("after", "whole"),
    [
        (["Result: 1\nDone."], "```\nResult: 1\nDone."),
        (["", "Result: 1\nDone."], "```\nResult: 1\nDone."),
        ([], "```\nResult: (stopped: look got no answer from the chat program in time)\n"),
        (["Done."], "```\nResult: (stopped: look got no answer from the chat program in time)\nDone."),
    ],
)
def test_the_texts_around_a_call_are_one_reply_to_the_model(after: list[str], whole: str) -> None:
    history: list[Any] = [{"role": "user", "content": "?"}]
    for number, text in enumerate(["```", *after]):
        ours = {"id": f"{PREFIX}{number}", "type": "function", "function": {"name": "look"}}
        calls = {"tool_calls": [ours]} if number == 0 or not text else {}
        history.append({"role": "assistant", "content": text, **calls})
        if calls:
            history.append({"role": "tool", "tool_call_id": ours["id"], "content": f"answer {number}"})
    asked = folded(history)
    assert asked.messages == [history[0], {"role": "assistant", "content": whole}]
    assert asked.answers == ({} if after else {f"{PREFIX}0": ClientAnswer("answer 0")})
    theirs: list[Any] = [
        {"role": "assistant", "content": "", "tool_calls": [{"id": "call_1", "function": {}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "x"},
    ]
    assert folded(theirs).messages == theirs
