"""A conversation by itself: who writes, who looks, who may press what."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from coderunner.errors import EndpointUnreachable
from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.choices.choices import Choices
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.message_parts import Message, Notice, Prose
from coderunner.hosts.app.conversation.reply_request import Answer, ReplyRequest
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.outputs import Cell, Result, Stream
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, State
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import (
    Beat,
    Change,
    Ended,
    Event,
    Finish,
    Local,
    Part,
    Preparing,
    Run,
    Say,
    Sessions,
    Shown,
    Started,
    Waiting,
    open_records,
    to_notebook,
)
from coderunner.runner.events import NO_KERNEL_FREE
from tests.behaviours import behaviour

BOUND = 30.0
"""Seconds for what comes at once."""

CELL = Cell("print(15)\n")


async def answered(request: ReplyRequest) -> AsyncGenerator[Event]:
    """Say the user's words again."""
    text = request.history[-1].text
    request.reply, request.answered = lambda: text, lambda: True
    yield Say(text)
    yield Finish("end")


async def endless(request: ReplyRequest) -> AsyncGenerator[Event]:
    """Say something until told to stop."""
    said: list[str] = []
    request.reply = lambda: "".join(said)
    while not request.stop.is_set():
        said.append("tick ")
        yield Say("tick ")
        await asyncio.sleep(0.002)
    yield Finish("stop")


async def asking(request: ReplyRequest) -> AsyncGenerator[Event]:
    """Write one block that runs with consent."""
    consent = request.consent(Run(CELL, 0))
    yield Say("```python\nprint(15)\n```\n", Part.CODE)
    if not consent.done():
        yield Waiting(CELL, 0)
    if not await asyncio.wait_for(asyncio.wrap_future(consent), BOUND):
        yield Say("Skipped.")
        return
    yield Started(CELL, 0)
    yield Beat(0.2)
    yield Shown(Change(0, Stream("stdout", "15\n")))
    yield Ended(Result((Stream("stdout", "15\n"),)), 0)
    yield Say("Result: 15\n", Part.RESULT)
    request.answered = lambda: True


async def waiting(request: ReplyRequest) -> AsyncGenerator[Event]:
    """Write one block that waits for a kernel until Stop."""
    yield Say("```python\nprint(15)\n```\n", Part.CODE)
    yield Started(CELL, 0)
    yield Preparing(NO_KERNEL_FREE)
    await request.stop.wait()
    yield Preparing("")
    yield Ended(Result(), 0)


async def failing(request: ReplyRequest) -> AsyncGenerator[Event]:
    """Begin, and fail as an endpoint does."""
    request.reply = lambda: "So"
    yield Say("So")
    raise EndpointUnreachable("nothing responds at 127.0.0.1:9")


async def until_finished(conversation: Conversation) -> None:
    async with asyncio.timeout(BOUND):
        async for _ in conversation.follow():
            pass


async def until_asked(conversation: Conversation) -> Block:
    async with asyncio.timeout(BOUND):
        async for _ in conversation.follow():
            match conversation.messages[-1].parts:
                case (*_, Block(state=State.WAITING) as block):
                    return block
    raise AssertionError


@behaviour("app:conversation:reply")
async def test_a_message_is_answered_and_the_answer_kept() -> None:
    conversation = Conversation(answered, lambda: "auto")
    assert conversation.say("hello")
    await until_finished(conversation)
    assert [(each.role, each.text, each.finished) for each in conversation.messages] == [
        ("user", "hello", True),
        ("assistant", "hello", True),
    ]
    assert conversation.messages[1].parts == (Prose("hello"),)


@behaviour("app:conversation:reply")
async def test_a_message_has_whole_characters() -> None:
    conversation = Conversation(answered, lambda: "auto")
    assert conversation.say("\ud83d\udea2 \ud83d")
    await until_finished(conversation)
    assert conversation.edit(0, "\udea2")
    await until_finished(conversation)
    assert [each.text for each in conversation.messages] == ["\ufffd", "\ufffd"]


@behaviour("app:conversation:reply")
async def test_nothing_is_no_message() -> None:
    conversation = Conversation(answered, lambda: "auto")
    assert not conversation.say(" \n")
    assert conversation.messages == ()


SENT = (Attachment("in/a.csv", 12), Attachment("b.png", 3, "seen"))


@behaviour("app:attached:message")
async def test_the_files_of_a_message_stay_with_it_and_it_may_be_only_files() -> None:
    conversation = Conversation(answered, lambda: "auto")
    assert conversation.say("", SENT)
    await until_finished(conversation)
    assert conversation.edit(0, " ")
    await until_finished(conversation)
    assert conversation.retry()
    await until_finished(conversation)
    assert conversation.edit(conversation.messages[0].number or 0, "look")
    await until_finished(conversation)
    assert [(each.text, each.files) for each in conversation.messages] == [("look", SENT), ("look", ())]


@behaviour("app:conversation:one-at-a-time")
async def test_while_a_reply_is_written_no_other_begins() -> None:
    conversation = Conversation(endless, lambda: "auto")
    assert conversation.say("go")
    begun = [conversation.say("more"), conversation.retry(), conversation.edit(0, "less")]
    assert begun == [False, False, False]
    conversation.stop()
    await until_finished(conversation)
    assert conversation.edit(0, "less")
    await conversation.close()


@behaviour("app:conversation:edit")
async def test_only_messages_of_the_user_can_be_edited() -> None:
    conversation = Conversation(answered, lambda: "auto")
    conversation.say("first")
    await until_finished(conversation)
    assert [conversation.edit(index, "x") for index in (1, 2, -1)] == [False, False, False]
    assert conversation.edit(0, "other")
    await until_finished(conversation)
    assert [each.text for each in conversation.messages] == ["other", "other"]


async def remembering(request: ReplyRequest) -> AsyncGenerator[Event]:
    """Say the user's words again, after something came late."""
    request.remember("late. ")
    yield Say(request.history[-1].text)


@behaviour("app:late:edited")
async def test_what_came_late_stays_before_the_message_that_takes_its_place() -> None:
    conversation = Conversation(remembering, lambda: "auto")
    for text in ("first", "second"):
        conversation.say(text)
        await until_finished(conversation)
    assert [each.late for each in conversation.messages] == ["late. ", "", "late. ", ""]
    assert conversation.edit(0, "other")
    await until_finished(conversation)
    assert [(each.text, each.late) for each in conversation.messages][:1] == [("other", "late. " * 3)]


def shown(conversation: Conversation) -> list[str]:
    return [message.text for message in conversation.messages]


async def talk(conversation: Conversation, *texts: str) -> None:
    for text in texts:
        assert conversation.say(text)
        await until_finished(conversation)


@behaviour("app:versions:path")
async def test_each_version_has_what_was_said_after_it() -> None:
    histories: list[list[str]] = []

    async def numbered(request: ReplyRequest) -> AsyncGenerator[Event]:
        histories.append([message.text for message in request.history])
        text = f"reply {len(histories)}"
        request.reply, request.answered = lambda: text, lambda: True
        yield Say(text)
        yield Finish("end")

    conversation = Conversation(numbered, lambda: "auto")
    await talk(conversation, "a", "b")
    assert conversation.edit(2, "c")
    await until_finished(conversation)
    assert conversation.retry()
    await until_finished(conversation)
    assert shown(conversation) == ["a", "reply 1", "c", "reply 4"]
    assert conversation.versions[2] == conversation.versions[4] == [2, 4]
    assert conversation.versions[5] == [5, 6]
    assert conversation.switch(2)
    await talk(conversation, "d")
    assert shown(conversation) == ["a", "reply 1", "b", "reply 2", "d", "reply 5"]
    assert conversation.switch(4)
    assert shown(conversation) == ["a", "reply 1", "c", "reply 4"]
    assert conversation.switch(5)
    await talk(conversation, "e")
    assert histories[-2:] == [["a", "reply 1", "b", "reply 2", "d"], ["a", "reply 1", "c", "reply 3", "e"]]
    assert [conversation.switch(number) for number in (-1, 99, 5)] == [False, False, False]
    assert not conversation.edit(2, "of a hidden version")
    assert conversation.edit(0, "anew")
    await until_finished(conversation)
    assert shown(conversation) == ["anew", "reply 7"]


@behaviour("app:versions:refused")
async def test_nothing_is_switched_while_a_reply_is_being_written() -> None:
    conversation = Conversation(endless, lambda: "auto")
    conversation.say("more")
    conversation.stop()
    await until_finished(conversation)
    assert conversation.retry()
    assert not conversation.switch(1)
    conversation.stop()
    await until_finished(conversation)
    assert conversation.switch(1)
    await conversation.close()


@behaviour("app:versions:late")
async def test_what_came_late_in_one_version_is_read_in_the_other_once() -> None:
    conversation = Conversation(answered, lambda: "auto")
    await talk(conversation, "a")
    assert conversation.edit(0, "b")
    await until_finished(conversation)
    conversation.tell_the_model("Result: late.")
    await talk(conversation, "c")
    for _ in range(2):
        assert [conversation.switch(number) for number in (0, 2)] == [True, True]
    assert conversation.switch(0)
    await talk(conversation, "d", "e")
    assert [message.late for message in conversation.messages] == ["", "", "Result: late.\n", "", "", ""]
    assert conversation.switch(2)
    await talk(conversation, "f")
    assert [message.late for message in conversation.messages][-2:] == ["", ""]


@behaviour("app:versions:hidden")
async def test_a_hidden_block_is_not_run_again_and_shows_later_what_it_showed_meanwhile() -> None:
    subscriptions = Subscriptions()
    conversation = Conversation(asking, lambda: "auto", subscriptions=subscriptions)
    await talk(conversation, "go")
    (block,) = message_parts.blocks(conversation.messages)
    assert conversation.retry()
    await until_finished(conversation)
    assert not conversation.act(block.ticket, "again")
    assert [past.reply for past in conversation.blocks()] == [conversation.messages[1].reply]
    conversation._transcript.change_block(
        block.ticket, lambda b: block_transitions.showed_later(b, 0, Stream("stdout", "16\n"))
    )
    assert subscriptions.look(block.id, "") is None
    assert conversation.switch(1)
    (again,) = message_parts.blocks(conversation.messages)
    assert (again.id, again.later) == (block.id, (Stream("stdout", "16\n"),))
    assert subscriptions.look(block.id, "") is not None


@behaviour("app:conversation:nobody-looks")
async def test_a_reply_that_nobody_looks_at_any_more_ends() -> None:
    conversation = Conversation(endless, lambda: "auto", patience=0.01)
    conversation.say("go")
    pictures = conversation.follow()
    await anext(pictures)
    await pictures.aclose()
    # Without following: that would be looking.
    task = conversation.writing
    assert task is not None
    await asyncio.wait_for(task, BOUND)
    assert conversation.messages[-1].finished


@behaviour("app:conversation:nobody-looks")
async def test_a_page_that_comes_back_in_time_finds_the_reply_going_on() -> None:
    conversation = Conversation(endless, lambda: "auto", patience=0.01)
    conversation.say("go")
    first, second = conversation.follow(), conversation.follow()
    await anext(first)
    await anext(second)
    await first.aclose()
    for _ in range(3):
        await anext(second)
    assert conversation.busy
    await second.aclose()
    await conversation.close()


@behaviour("app:kept:seldom")
@pytest.mark.parametrize(("answer", "often"), [(answered, 2), (asking, 4)])
async def test_a_reply_is_kept_at_its_beginning_and_end_and_at_those_of_its_blocks(
    answer: Answer, often: int
) -> None:
    kept: list[Sequence[Message]] = []
    conversation = Conversation(answer, lambda: "auto", save=lambda _id, messages: kept.append(messages))
    conversation.say("hello")
    await until_finished(conversation)
    assert len(kept) == often
    assert [each[-1].finished for each in kept] == [False] * (often - 1) + [True]
    assert tuple(kept[-1]) == conversation.messages


@behaviour("app:conversation:waits")
async def test_a_block_that_waits_for_a_kernel_says_so_until_it_runs() -> None:
    conversation = Conversation(waiting, lambda: "auto")
    conversation.say("go")
    async with asyncio.timeout(BOUND):
        async for _ in conversation.follow():
            blocks = message_parts.blocks(conversation.messages)
            if [block.preparing for block in blocks] == [NO_KERNEL_FREE]:
                break
    conversation.stop()
    await until_finished(conversation)
    (block,) = message_parts.blocks(conversation.messages)
    assert (block.state, block.preparing) == (State.ENDED, "")


@behaviour("app:conversation:close")
async def test_closing_ends_the_reply() -> None:
    conversation = Conversation(endless, lambda: "auto")
    conversation.say("go")
    await asyncio.wait_for(conversation.close(), BOUND)
    assert not conversation.busy


@behaviour("app:conversation:failure")
async def test_a_failure_is_a_sentence_after_what_was_said() -> None:
    conversation = Conversation(failing, lambda: "auto")
    conversation.say("hello")
    await until_finished(conversation)
    assert conversation.messages[-1].parts == (Prose("So"), Notice("nothing responds at 127.0.0.1:9"))
    assert conversation.messages[-1].text == "So"


@behaviour("app:conversation:ticket")
async def test_only_the_ticket_of_the_block_that_waits_lets_it_run() -> None:
    conversations = Conversations(asking, lambda: "ask")
    conversations.new()  # nothing is said in it yet
    conversation, other = conversations.new(), conversations.new()
    conversation.say("go")
    other.say("go")
    block, foreign = await until_asked(conversation), await until_asked(other)
    assert block.ticket != foreign.ticket
    assert not conversations.act("", "run")
    assert not conversations.act("guess", "run")
    for verb in ("explode", "stop", "again", "allow", "cancel"):
        assert not conversations.act("guess", verb)
    assert not conversations.act(block.ticket, "explode")
    assert conversations.act(block.ticket, "run")
    assert not conversations.act(block.ticket, "run")
    await until_finished(conversation)
    assert other.busy
    match conversation.messages[-1].parts:
        case (Block(state=State.ENDED, read="Result: 15\n"),):
            pass
        case parts:
            raise AssertionError(parts)
    await conversations.close()


@behaviour("app:conversation:always")
async def test_always_here_holds_for_this_conversation_only() -> None:
    conversations = Conversations(asking, lambda: "ask")
    conversation, other = conversations.new(), conversations.new()
    conversation.say("go")
    assert conversations.act((await until_asked(conversation)).ticket, "always")
    await until_finished(conversation)
    conversation.say("again")
    await until_finished(conversation)
    other.say("go")
    await until_asked(other)
    await conversations.close()


@behaviour("app:conversation:unguessable")
async def test_an_id_that_nobody_gave_out_opens_a_new_conversation() -> None:
    conversations = Conversations(answered, lambda: "auto")
    known = conversations.new()
    assert await conversations.get(known.id) is known
    opened = [await conversations.get(identity) for identity in ("", "guess", None, 15, ["x"])]
    assert len({id(each) for each in opened} | {id(known)}) == 6
    assert all(len(each.id) >= 22 for each in opened)


@behaviour("app:conversation:forgets")
async def test_a_reply_that_is_written_anew_takes_its_blocks_with_it() -> None:
    subscriptions = Subscriptions()
    conversation = Conversation(asking, lambda: "auto", subscriptions=subscriptions)
    shown = []
    for begin in (lambda: conversation.say("go"), conversation.retry):
        assert begin()
        assert conversation.writing is not None
        await asyncio.wait_for(conversation.writing, BOUND)
        shown += [part.id for part in conversation.messages[-1].parts if isinstance(part, Block)]
    assert [subscriptions.look(block, "") is not None for block in shown] == [False, True]


@behaviour("app:conversation:let-go")
async def test_of_many_conversations_those_at_rest_are_read_again_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.hosts.app.conversation.conversations.MOST_IN_MEMORY", 2)
    subscriptions, records = Subscriptions(), open_records("", tmp_path)
    archive = Archive(ReplyWriter(Choices(Local()), Sessions(tmp_path), StrategyCache(), records))
    conversations = Conversations(asking, lambda: "auto", subscriptions=subscriptions, archive=archive)
    try:
        shown = []
        for conversation in (seen := conversations.new(), unseen := conversations.new()):
            conversation.say("go")
            await until_finished(conversation)
            shown.append(message_parts.blocks(conversation.messages)[0].id)
        subscriptions.watch(shown[0], lambda _id: None)
        going_on = conversations.new()
        going_on.tell_the_model("what it has not read yet")
        for _ in range(2):
            conversations.new()
        assert [await conversations.find(each.id) is each for each in (seen, unseen, going_on)] == [
            True,
            False,
            True,
        ]
        again = await conversations.find(unseen.id)
        assert again is not None
        assert [message.text for message in again.messages] == [message.text for message in unseen.messages]
        assert subscriptions.look(shown[0], "") is not None
        assert subscriptions.look(shown[1], "") is None
    finally:
        await conversations.close()
        records.close()


@behaviour("app:versions:kept")
async def test_all_versions_are_there_after_a_restart_as_they_were_left(tmp_path: Path) -> None:
    records = open_records("", tmp_path)
    archive = Archive(ReplyWriter(Choices(Local()), Sessions(tmp_path), StrategyCache(), records))
    conversations = Conversations(answered, lambda: "auto", archive=archive)
    try:
        conversation = conversations.new()
        await talk(conversation, "a", "b")
        assert conversation.edit(2, "c")
        await until_finished(conversation)
        assert conversation.switch(2)
        again = await Conversations(answered, lambda: "auto", archive=archive).find(conversation.id)
        assert again is not None
        assert (shown(again), again.versions) == (["a", "a", "b", "b"], conversation.versions)
        assert again.switch(4)
        assert shown(again) == ["a", "a", "c", "c"]
        chat = await archive.written(conversation.id)
        assert chat is not None
        assert [said.text for said in chat.sayings] == ["a", "a", "c", "c"]
    finally:
        await conversations.close()
        records.close()


@behaviour("records:chats:attached")
async def test_the_files_of_messages_are_kept_and_named_in_title_and_notebook(tmp_path: Path) -> None:
    records = open_records("", tmp_path)
    archive = Archive(ReplyWriter(Choices(Local()), Sessions(tmp_path), StrategyCache(), records))
    conversations = Conversations(answered, lambda: "auto", archive=archive)
    try:
        conversation = conversations.new()
        assert conversation.say("", SENT)
        await until_finished(conversation)
        assert conversation.say("more", SENT[:1])
        await until_finished(conversation)
        again = await Conversations(answered, lambda: "auto", archive=archive).find(conversation.id)
        assert again is not None
        assert [each.files for each in again.messages] == [SENT, (), SENT[:1], ()]
        assert [each.title for each in await archive.search("", 9)] == ["a.csv, b.png"]
        chat = await archive.written(conversation.id)
        assert chat is not None
        cells = ["".join(cell["source"]) for cell in json.loads(to_notebook(chat))["cells"]]
        assert "**You:** `a.csv`, `b.png`" in [cell.replace("\n\n", " ") for cell in cells]
        assert "*Files: `a.csv`*" in cells
    finally:
        await conversations.close()
        records.close()
