"""How replies end that are not simply complete, as the official client gets it."""

import json
from typing import Any

import httpx
import openai
import pytest

from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, RUNS, SHARED, WAIT, Open, Proxied
from tests.hosts.proxy.test_reply import ASKED, BLOCK, said, stream
from tests.models.conftest import Canned, Scripted, listening

DONE = b"data: [DONE]\n\n"


def chunk(content: str | None = None, reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": content} if content else more, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def whole(proxied: Proxied) -> tuple[str | None, str]:
    reply = proxied.client().chat.completions.create(model=RUNS, messages=ASKED)
    return reply.choices[0].message.content, reply.choices[0].finish_reason


def broken(proxied: Proxied, why: str) -> tuple[str, set[str | None]]:
    """What a stream says before it fails, and all reasons to end that it gives."""
    pieces: list[Any] = []
    with pytest.raises(openai.APIError, match=why):
        pieces.extend(each.choices[0] for each in stream(proxied, ASKED))
    return "".join(each.delta.content or "" for each in pieces), {each.finish_reason for each in pieces}


@behaviour("proxy:ends:reason")
@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("model_length", "length"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("tool_calls", "stop"),
        ("something new", "something new"),
    ],
)
def test_why_the_model_ended_is_told_in_the_words_of_clients(opened: Open, reason: str, told: str) -> None:
    with listening(Canned(chunk("Hi") + chunk(reason=reason))) as url:
        proxied = opened(url)
        text, _, ends = said(stream(proxied, ASKED))
        assert (text, ends) == ("Hi", [told])
        assert whole(proxied) == ("Hi", told)


@behaviour("proxy:ends:empty")
@pytest.mark.parametrize(
    ("sent", "text", "told"),
    [
        (chunk(reason="stop"), "(The model wrote no answer.)\n", "stop"),
        (DONE, "(The model wrote no answer.)\n", "stop"),
        (chunk(" \n") + DONE, " \n(The model wrote no answer.)\n", "stop"),
        (chunk("\u200b") + DONE, "\u200b\n(The model wrote no answer.)\n", "stop"),
        (
            chunk("<think></think>") + DONE,
            "<think></think>\n(The model wrote no answer.)\n",
            "stop",
        ),
        (
            chunk("<think>\nHm.") + chunk(reason="length"),
            "<think>\nHm.</think>\n(The model reached its token limit, so the reply is cut off.)\n",
            "length",
        ),
        (
            chunk(reasoning="hm") + chunk(reason="length"),
            "(The model reached its token limit, so the reply is cut off.)\n",
            "length",
        ),
        (
            chunk(reason="content_filter"),
            "(The endpoint's content filter ended the reply.)\n",
            "content_filter",
        ),
    ],
)
def test_a_reply_without_a_word_says_why(opened: Open, sent: bytes, text: str, told: str) -> None:
    with listening(Canned(sent)) as url:
        proxied = opened(url)
        streamed, _, ends = said(stream(proxied, ASKED))
        assert (streamed, ends) == (text, [told])
        assert whole(proxied) == (text, told)


@behaviour("proxy:ends:broken")
@pytest.mark.parametrize(
    ("rest", "why"),
    [
        (b"", "ended the reply before it was complete"),
        (b'data: {"object": "error", "message": "no room"}\n\n', "ended the reply with an error: no room"),
        (b"event: error\ndata: no room\n\n", "ended the reply with an error: no room"),
        (chunk(reason="error") + DONE, "ended the reply with the reason 'error'"),
    ],
)
def test_a_reply_that_breaks_is_an_error_after_what_was_said(opened: Open, rest: bytes, why: str) -> None:
    with listening(Canned(chunk("Let me see. ``") + rest)) as url:
        proxied = opened(url)
        assert broken(proxied, why) == ("Let me see. ``", {None})
        with pytest.raises(openai.APIStatusError, match=why) as failure:
            whole(proxied)
        assert failure.value.status_code == 502


@behaviour("proxy:ends:broken")
def test_a_block_that_closed_before_the_stream_broke_runs_and_another_does_not(opened: Open) -> None:
    closed, unclosed = chunk(BLOCK), chunk(f"So:\n{BLOCK}".removesuffix("\n"))
    failure = b'data: {"error": "no room"}\n\n'
    with listening(Scripted([closed + failure, unclosed + failure])) as url:
        text, _ = broken(opened(url, continuations="*=next-turn"), "no room")
    assert text == f"{BLOCK}Result: 15\nSo:\n{BLOCK}".removesuffix("\n")


@behaviour("proxy:ends:characters")
@pytest.mark.parametrize("streams", [True, False])
def test_a_character_in_halves_is_one_in_every_answer(opened: Open, streams: bool) -> None:
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": '"\ud83d'}}
    rest = {"index": 0, "function": {"arguments": '\udea2"'}}
    code = '```python\nprint(len("\ud83d'
    sent = chunk(code) + chunk('\udea2"))\n```\n')
    then = chunk(reasoning="\ud83d") + chunk("\ud83d") + chunk(reasoning="\udea2") + chunk("\udea2 \ud83d")
    calls = chunk(tool_calls=[call]) + chunk(tool_calls=[rest])
    with listening(Scripted([sent, then + calls + DONE])) as url:
        body = {
            "model": f"{RUNS}",
            "messages": [{"role": "user", "content": "\ud83d\udea2 and \ud83d"}],
            "stream": streams,
            "user": "\ud83d",
        }
        answer = httpx.post(
            f"{opened(url, continuations='*=next-turn').url}/v1/chat/completions",
            content=json.dumps(body),
            headers={"authorization": f"Bearer {ALICE}", **SHARED},
            timeout=WAIT,
        )
    assert answer.status_code == 200
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    parts = [json.loads(each)["choices"][0] for each in events] if streams else [answer.json()["choices"][0]]
    said = [part.get("delta") or part.get("message") or {} for part in parts]
    text = "".join(each.get("content") or "" for each in said)
    assert text == '```python\nprint(len("🚢"))\n```\nResult: 1\n🚢 \ufffd'
    assert "".join(each.get("reasoning_content") or "" for each in said) == "🚢"
    fragments = [call for each in said for call in each.get("tool_calls") or ()]
    assert "".join(each["function"]["arguments"] for each in fragments) == '"🚢"'
