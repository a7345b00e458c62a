"""Which conversation a request belongs to."""

from typing import Any

import pytest

from coderunner.hosts.proxy.conversations import REMEMBERED, Conversations, label
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, BOB, RUNS, Open
from tests.models.conftest import Serve

HELLO: Any = {"role": "user", "content": "Hello"}
NEXT: Any = {"role": "user", "content": "And now?"}


def answered(text: str) -> Any:
    return {"role": "assistant", "content": text}


@behaviour("proxy:conversation:named")
@pytest.mark.parametrize(
    "headers",
    [
        {"x-coderunner-session": "chat-1"},
        {"x-openwebui-chat-id": "chat-1"},
        {"x-conversation-id": "chat-1"},
        {"x-session-id": " chat-1 ", "x-conversation-id": "new"},
        {"x-conversation-id": "{{LIBRECHAT_BODY_CONVERSATIONID}}", "x-session-id": "chat-1"},
    ],
)
def test_a_header_names_it(headers: dict[str, str]) -> None:
    assert Conversations().find("alice", headers, None, [HELLO]) == "chat-1"


@behaviour("proxy:conversation:named")
def test_metadata_name_it_where_no_header_does() -> None:
    found = Conversations()
    assert found.find("alice", {}, {"chat_id": "chat-2", "other": 1}, [HELLO]) == "chat-2"
    assert found.find("alice", {"x-session-id": "chat-1"}, {"chat_id": "chat-2"}, [HELLO]) == "chat-1"


ODD = ("two\r\nSet-Cookie: its=1", "разговор 1", "\ud800", "50% off", "\x00")


@behaviour("proxy:conversation:safe")
@pytest.mark.parametrize("odd", ODD)
def test_a_name_is_fit_for_a_header_and_leads_back(odd: str) -> None:
    found = Conversations()
    name = found.find("alice", {}, {"chat_id": odd}, [HELLO])
    assert name.isascii()
    assert name.isprintable()
    assert " " not in name
    assert found.find("alice", {"x-coderunner-session": name}, None, [HELLO]) == name
    assert found.find("alice", {}, {"chat_id": odd}, [HELLO]) == name


@behaviour("proxy:conversation:prefix")
def test_the_longest_history_that_we_answered_is_found() -> None:
    found = Conversations()
    found.remember("alice", "first", [HELLO], "Hi.\n\nResult: 15\n")
    found.remember("alice", "second", [HELLO, answered("Hi.\n\nResult: 15\n"), NEXT], "Well.")
    once: Any = [{"role": "system", "content": "It is Monday."}, HELLO, answered("Hi. Result: 15"), NEXT]
    assert found.find("alice", {}, None, once) == "first"
    assert found.find("alice", {}, None, [*once, answered("Well."), HELLO]) == "second"


@behaviour("proxy:conversation:prefix")
def test_thoughts_and_parts_of_a_message_do_not_hide_it() -> None:
    found = Conversations()
    found.remember("alice", "chat", [HELLO], "Hi.")
    parts: Any = [{"type": "text", "text": "Hello"}]
    told = [{"role": "user", "content": parts}, answered("<think>\nHm.\n</think>\n\nHi."), NEXT]
    assert found.find("alice", {}, None, told) == "chat"
    seen: Any = [*parts, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    assert found.find("alice", {}, None, [{"role": "user", "content": seen}, answered("Hi.")]) != "chat"


@behaviour("proxy:conversation:edited")
def test_an_edited_history_is_the_conversation_before_the_edit() -> None:
    found = Conversations()
    found.remember("alice", "chat", [HELLO], "Hi.")
    found.remember("alice", "chat", [HELLO, answered("Hi."), NEXT], "Well.")
    edited: Any = [HELLO, answered("Hi."), {"role": "user", "content": "Something else"}]
    assert found.find("alice", {}, None, edited) == "chat"
    assert found.find("alice", {}, None, [NEXT]) != "chat"


def chat_of(found: Conversations, name: str, *exchanges: tuple[str, str]) -> list[Any]:
    """A conversation's history, each reply of which went through here."""
    history: list[Any] = []
    for question, reply in exchanges:
        history.append({"role": "user", "content": question})
        found.remember("alice", name, history, reply)
        history.append(answered(reply))
    return history


@behaviour("proxy:conversation:cut")
def test_a_history_that_lost_its_beginning_is_still_found() -> None:
    found = Conversations()
    told = chat_of(found, "chat", ("Hello", "Hi."), ("Count", "Result: 3"), ("Again", "Result: 4"))
    for cut in range(5):
        assert found.find("alice", {}, None, [*told[cut:], NEXT]) == "chat"
    assert found.find("bob", {}, None, [*told[2:], NEXT]) != "chat"


@behaviour("proxy:conversation:cut")
def test_what_two_conversations_have_in_common_tells_neither_without_its_beginning() -> None:
    found = Conversations()
    thanks = ("Thanks", "You are welcome.")
    told = chat_of(found, "first", ("Hello", "Hi."), ("Count", "Result: 3"), thanks)
    chat_of(found, "second", ("Good day", "Hello."), thanks)
    assert found.find("alice", {}, None, [*told, NEXT]) == "first"
    assert found.find("alice", {}, None, [*told[2:], NEXT]) == "first"
    assert found.find("alice", {}, None, [*told[4:], NEXT]) not in ("first", "second")


@behaviour("proxy:conversation:bounded")
def test_the_oldest_replies_are_forgotten_and_nobody_elses() -> None:
    found = Conversations()
    found.remember("bob", "his", [HELLO], "Hi.")
    for number in range(REMEMBERED + 1):
        found.remember("alice", str(number), [HELLO], f"Answer {number}")
    assert found.find("alice", {}, None, [HELLO, answered("Answer 1"), NEXT]) == "1"
    assert found.find("alice", {}, None, [HELLO, answered("Answer 0"), NEXT]) != "0"
    assert found.find("bob", {}, None, [HELLO, answered("Hi."), NEXT]) == "his"


@behaviour("proxy:owners:apart")
def test_the_same_history_of_somebody_else_is_another_conversation() -> None:
    found = Conversations()
    found.remember("alice", "chat", [HELLO], "Hi.")
    assert found.find("bob", {}, None, [HELLO, answered("Hi."), NEXT]) != "chat"
    assert label("alice", "chat") != label("bob", "chat")


def asked(client: Any, question: str, history: Any = (), **headers: str) -> tuple[str, str]:
    """What the model says, and the conversation's name."""
    raw = client.with_options(default_headers={}).chat.completions.with_raw_response
    answer = raw.create(
        model=RUNS,
        messages=[*history, {"role": "user", "content": question}],
        extra_headers={"x-coderunner-session": "", **headers},
    )
    return str(answer.parse().choices[0].message.content), answer.headers["x-coderunner-session"]


@behaviour("proxy:conversation:new")
def test_what_is_found_nowhere_is_new_each_time(opened: Open, serve: Serve) -> None:
    assert Conversations().find("alice", {}, None, [HELLO]) == ""
    client = opened(serve("vllm").url).client()
    names = [asked(client, "hello")[1] for _ in range(2)]
    assert len({"", *names}) == 3


@behaviour("proxy:conversation:safe")
@pytest.mark.parametrize("streams", [True, False])
def test_an_odd_name_goes_back_and_puts_nothing_beside_it(opened: Open, serve: Serve, streams: bool) -> None:
    client = opened(serve("vllm").url).client().with_options(default_headers={})
    for odd in ODD:
        answer: Any = client.chat.completions.with_raw_response.create(
            model=RUNS,
            messages=[HELLO],
            stream=streams,
            extra_headers={"x-coderunner-session": ""},
            extra_body={"metadata": {"chat_id": odd.encode("utf-8", "replace").decode()}},
        )
        assert answer.headers["x-coderunner-session"]
        assert "set-cookie" not in answer.headers
        list(answer.parse())


@behaviour("proxy:conversation:state")
def test_variables_stay_for_the_next_question_of_a_client_that_names_nothing(
    opened: Open, serve: Serve
) -> None:
    client = opened(serve("vllm").url).client()
    said, name = asked(client, "remember x = 21")
    assert "`x` is 21" in said
    history = [{"role": "user", "content": "remember x = 21"}, answered(said)]
    again, same = asked(client, "double it", history)
    assert ("Now `x` is 42" in again, same) == (True, name)
    elsewhere, other = asked(client, "double it", history, **{"x-coderunner-session": "elsewhere"})
    assert "NameError" in elsewhere
    assert other == "elsewhere"


@behaviour("proxy:owners:apart")
def test_no_way_to_name_a_conversation_leads_to_somebody_elses_kernel(opened: Open, serve: Serve) -> None:
    proxied = opened(serve("vllm").url)
    said, name = asked(proxied.client(ALICE), "remember x = 21")
    history = [{"role": "user", "content": "remember x = 21"}, answered(said)]
    bob = proxied.client(BOB)
    for headers in (
        {"x-coderunner-session": name},
        {"x-openwebui-chat-id": name},
        {"x-session-id": name},
        {},
    ):
        theirs, _ = asked(bob, "double it", history, **headers)
        assert "NameError" in theirs
    body: Any = {"metadata": {"chat_id": name}}
    reply = bob.with_options(default_headers={}).chat.completions.create(
        model=RUNS,
        messages=[*history, {"role": "user", "content": "double it"}],
        extra_headers={"x-coderunner-session": ""},
        extra_body=body,
    )
    assert "NameError" in str(reply.choices[0].message.content)
    mine, _ = asked(proxied.client(ALICE), "double it", history)
    assert "Now `x` is 42" in mine
