"""How a reply can end, each way with a real endpoint: what is said below it, and when it is read again."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from coderunner.hosts.app.choices.choices import Choices, ModelChoice
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.message_parts import Notice
from coderunner.hosts.app.conversation.reply_writer import NO_MODEL, ReplyWriter
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Endpoint
from coderunner.page.block_state import Block
from coderunner.page.html.block_html import Setting, look
from coderunner.runner import Local, Sessions, open_records
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Receive, Send, _body, _event, _whole

BOUND = 30.0
OPEN = "```python\nimport time\n"
BLOCK = "```python\nprint(15)\n```\n"
EMPTY = "The model wrote no answer."
CUT_OFF = "The model reached its token limit, so the reply is cut off."
NOT_CLOSED = "Not run · the block was not closed"


@dataclass(frozen=True)
class Reply:
    """What the endpoint says, and why it ends; `stays`: it says no more and does not end."""

    deltas: tuple[str, ...] = ()
    reason: str | None = "stop"
    thought: str = ""
    stays: bool = False
    breaks: bool = False


REPLIES = {
    "whole": Reply(("Fine.",)),
    "nothing": Reply(),
    "blank": Reply(("\u200b \n", "\ufeff")),
    "thought": Reply(thought="Hm."),
    "tags": Reply(("<think></think>",)),
    "thought in it": Reply(("<think>\nHm.\n```python\n1\n```\n", "</think>\n\u3164")),
    "open thought": Reply(("<think>Hm.",)),
    "thought without a beginning": Reply(("Hm.\n</think>\n",)),
    "thought, then an answer": Reply(("<think>Hm.</think>\n", "Fine.")),
    "length": Reply(("So",), "length"),
    "length at once": Reply((), "length"),
    "length in a block": Reply((OPEN,), "length"),
    "filter": Reply(("So",), "content_filter"),
    "filter at once": Reply((), "content_filter"),
    "tool": Reply(("So",), "tool_calls"),
    "odd": Reply(("So",), "<b>odd</b>"),
    "silent": Reply(stays=True),
    "begins": Reply(("So",), stays=True),
    "begins a block": Reply((OPEN,), stays=True),
    "breaks": Reply(("So",), breaks=True),
    "breaks in a block": Reply((OPEN,), breaks=True),
    "empty block": Reply(("```python\n", "```\n", "Fine.")),
    "block": Reply((BLOCK,)),
}


@dataclass
class Script:
    """Says what its script has for the last thing that a person said; `Seen.` after a result."""

    asked: list[Mapping[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/chat/completions"):
            await _whole(send, 200, {"data": [{"id": "script", "owned_by": "vllm"}]})
            return
        body = json.loads(await _body(receive))
        self.asked.append(body)
        last = body["messages"][-1]
        if last["content"] == "refused":
            await _whole(send, 400, {"error": {"message": "no such luck"}})
            return
        reply = REPLIES[last["content"]] if last["role"] == "user" else Reply(("Seen.",))
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for delta in ({"reasoning_content": reply.thought}, *({"content": each} for each in reply.deltas)):
            if any(delta.values()):
                await send(_event({"choices": [{"index": 0, "delta": delta}]}))
        if reply.breaks:
            message = "on purpose: the server closes the connection"
            raise ConnectionError(message)
        if reply.stays:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await send(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": reply.reason}]}))
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


@pytest.fixture(scope="module")
def endpoint() -> Iterator[tuple[Script, str]]:
    script = Script()
    with served(lambda: script) as address:
        yield script, f"{address}/v1"


@dataclass
class App:
    """The app without its page."""

    writer: ReplyWriter
    conversations: Conversations
    archive: Archive

    async def read_again(self, conversation: Conversation) -> Conversation:
        """The conversation as another process would find it."""
        messages = await self.archive.find(conversation.id)
        assert messages is not None
        return Conversation(self.writer.write, lambda: "auto", known=(conversation.id, messages))


@pytest.fixture
async def app(endpoint: tuple[Script, str], tmp_path: Path) -> AsyncIterator[App]:
    choices = Choices(Local(), choice=ModelChoice("script", Endpoint(endpoint[1], model="script")))
    sessions, records = Sessions(tmp_path), open_records("", tmp_path)
    writer = ReplyWriter(choices, sessions, StrategyCache(), records)
    archive = Archive(writer)
    conversations = Conversations(
        writer.write, lambda: "auto", archive=archive, patience=1000.0, save_interval=0.0
    )
    yield App(writer, conversations, archive)
    await conversations.close()
    await sessions.close_all()
    records.close()


async def until(conversation: Conversation, what: str) -> None:
    """Wait until the reply shows that."""
    async with asyncio.timeout(BOUND):
        async for _ in conversation.follow():
            if what in repr(conversation.messages[-1].parts):
                return


async def ended(conversation: Conversation) -> None:
    async with asyncio.timeout(BOUND):
        async for _ in conversation.follow():
            pass


def words(conversation: Conversation) -> str:
    """What is said below the last reply."""
    return " | ".join(part.text for part in conversation.messages[-1].parts if isinstance(part, Notice))


def bars(conversation: Conversation) -> str:
    """What the blocks of the last reply say of themselves."""
    bars = (look(block, Setting()).bar for block in message_parts.blocks(conversation.messages[-1:]))
    return " ".join(bars).replace("<b>", "").replace("</b>", "")


@behaviour("app:ending:says")
@pytest.mark.parametrize(
    ("said", "below", "block"),
    [
        ("whole", "", ""),
        ("nothing", EMPTY, ""),
        ("blank", EMPTY, ""),
        ("thought", EMPTY, ""),
        ("tags", EMPTY, ""),
        ("thought in it", EMPTY, ""),
        ("open thought", EMPTY, ""),
        ("thought without a beginning", EMPTY, ""),
        ("thought, then an answer", "", ""),
        ("length", CUT_OFF, ""),
        ("length at once", CUT_OFF, ""),
        ("length in a block", CUT_OFF, NOT_CLOSED),
        ("filter", "The endpoint's content filter ended the reply.", ""),
        ("filter at once", "The endpoint's content filter ended the reply.", ""),
        ("tool", "The model called a tool that does not exist; nothing was run.", ""),
        ("odd", "The endpoint ended the reply: <b>odd</b>.", ""),
        ("refused", "no such luck", ""),
        ("breaks", "127.0.0.1", ""),
        ("breaks in a block", "127.0.0.1", NOT_CLOSED),
        ("empty block", "", "Not run · it has no code"),
        ("block", "", "Done"),
    ],
)
async def test_a_reply_says_why_it_ended_now_and_when_it_is_read_again_and_the_model_does_not_read_it(
    app: App, endpoint: tuple[Script, str], said: str, below: str, block: str
) -> None:
    conversation = app.conversations.new()
    conversation.say(said)
    await ended(conversation)
    for each in (conversation, await app.read_again(conversation)):
        assert below in words(each)
        assert bool(below) is bool(words(each))
        assert block in bars(each)
        assert "Writing" not in bars(each)
    conversation.say("whole")
    await ended(conversation)
    assert words(conversation) == ""
    assert not below or below not in repr(endpoint[0].asked[-1]["messages"])


@behaviour("app:ending:says")
@pytest.mark.parametrize(
    ("said", "shown", "why", "below", "block"),
    [
        ("silent", "", "stopped", "Stopped before the first word.", ""),
        ("begins", "So", "stopped", "Stopped.", ""),
        ("begins a block", "time", "stopped", "Stopped.", NOT_CLOSED),
        ("begins", "So", "left", "Stopped because no page was open.", ""),
        ("silent", "", "ended", "CodeRunner stopped while this reply was being written.", ""),
        (
            "begins a block",
            "time",
            "ended",
            "CodeRunner stopped while this reply was being written.",
            NOT_CLOSED,
        ),
    ],
)
async def test_a_reply_that_is_stopped_says_so(
    app: App, said: str, shown: str, why: str, below: str, block: str
) -> None:
    conversation = app.conversations.new()
    conversation.say(said)
    await until(conversation, shown)
    await conversation.close() if why == "ended" else conversation.stop(why)
    conversation.stop("ended")  # the first reason counts
    await ended(conversation)
    for each in (conversation, await app.read_again(conversation)):
        assert (words(each), block in bars(each)) == (below, True)


@behaviour("app:ending:says")
@pytest.mark.parametrize(("said", "shown"), [("begins", "So"), ("begins a block", "time")])
async def test_a_reply_that_was_cut_by_a_crash_says_so_when_it_is_read_again(
    app: App, said: str, shown: str
) -> None:
    conversation = app.conversations.new()
    conversation.say(said)
    await until(conversation, shown)
    after = await app.read_again(conversation)
    assert words(after) == "CodeRunner stopped while this reply was being written."
    assert (NOT_CLOSED in bars(after), "Writing" in bars(after)) == (said == "begins a block", False)


@behaviour("app:ending:says")
async def test_a_reply_that_cannot_begin_says_why(app: App) -> None:
    app.writer.choices.choice = None
    conversation = app.conversations.new()
    conversation.say("whole")
    await ended(conversation)
    assert words(conversation) == NO_MODEL
    assert words(await app.read_again(conversation)) == NO_MODEL


@behaviour("app:ending:says")
async def test_a_block_whose_kernel_cannot_start_says_so_and_the_reply_goes_on(app: App) -> None:
    app.writer.choices.where = Local("no-such-kernel")
    conversation = app.conversations.new()
    conversation.say("block")
    await ended(conversation)
    for each in (conversation, await app.read_again(conversation)):
        assert "Not run" in bars(each)
        assert "no-such-kernel" in bars(each)
        assert words(each) == ""
    assert "Seen." in conversation.messages[-1].text


@behaviour("app:ending:says")
@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_blocks": 0}, "Not run · this reply has already run 0 blocks"),
        # Before the block or at it: which comes first is the machine's affair.
        ({"max_seconds": 0.001}, "this reply has reached its time limit of 0.001 s"),
    ],
)
async def test_a_reply_that_comes_to_a_limit_says_it_once(
    app: App, limits: dict[str, Any], said: str
) -> None:
    for name, value in limits.items():
        setattr(app.writer.choices, name, value)
    conversation = app.conversations.new()
    conversation.say("block")
    await ended(conversation)
    for each in (conversation, await app.read_again(conversation)):
        shown = " ".join(
            [bars(each), *(repr(part) for part in each.messages[-1].parts if not isinstance(part, Block))]
        )
        assert shown.count(said) == 1
        assert words(each) == ""


@behaviour("app:ending:says")
async def test_a_reply_that_is_written_anew_says_nothing_of_the_one_before(app: App) -> None:
    conversation = app.conversations.new()
    conversation.say("begins")
    await until(conversation, "So")
    conversation.stop()
    await ended(conversation)
    assert words(conversation) == "Stopped."
    assert conversation.edit(0, "whole")
    await ended(conversation)
    assert words(conversation) == ""
    assert conversation.retry()
    await ended(conversation)
    assert words(await app.read_again(conversation)) == ""
