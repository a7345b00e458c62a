"""Titles by the model: when they are asked for, and what is taken of the answer."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from coderunner.hosts.app.choices.choices import Choices, ModelChoice
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.reply_request import ReplyRequest
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.conversation_titles import PATIENCE, ConversationTitles, title_in
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.demo.demo_replies import speak
from coderunner.models.endpoint.client import Endpoint
from coderunner.models.endpoint.title_request import ASKED, QUOTED
from coderunner.runner import Event, Finish, Local, Records, Say, Sessions, open_records
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND
from tests.hosts.app.parrot import Parrot


class Talk:
    """An app without a page: its conversations, their titles, and the model."""

    def __init__(
        self, folder: Path, parrot: tuple[Parrot, str], *, on: bool = True, patience: float = PATIENCE
    ) -> None:
        self.bird, address = parrot
        self.bird.titled.clear()
        self.records: Records = open_records("", folder)
        choices = Choices(Local(), choice=ModelChoice("parrot", Endpoint(f"{address}/v1", model="parrot")))
        self.archive = Archive(ReplyWriter(choices, Sessions(folder), StrategyCache(), self.records))
        self.titles = ConversationTitles(choices, self.archive, on=on, patience=patience)
        self.conversations = Conversations(
            answered, lambda: "auto", archive=self.archive, told=self.titles.receive
        )

    async def say(self, conversation: Conversation, text: str) -> None:
        assert conversation.say(text)
        async with asyncio.timeout(BOUND):
            async for _ in conversation.follow():
                pass

    async def settled(self) -> list[str]:
        """The titles, once nobody is asked for one any more."""
        if running := self.titles._running:
            await asyncio.wait(running, timeout=BOUND)
        assert not self.titles._running
        return [card.title for card in await self.archive.search("", 9)]


async def answered(request: ReplyRequest) -> AsyncGenerator[Event]:
    text = f"You said {request.history[-1].text}"
    request.reply, request.answered = lambda: text, lambda: True
    yield Say(text)
    yield Finish("end")


@contextlib.contextmanager
def talk(
    folder: Path, parrot: tuple[Parrot, str], title: str, *, on: bool = True, patience: float = PATIENCE
) -> Iterator[Talk]:
    parrot[0].title = title
    one = Talk(folder, parrot, on=on, patience=patience)
    try:
        yield one
    finally:
        one.records.close()


@behaviour("app:titles:asked")
async def test_a_conversation_gets_its_title_after_the_first_reply_and_keeps_it(
    tmp_path: Path, parrot: tuple[Parrot, str]
) -> None:
    with talk(tmp_path, parrot, "<think>Hm.</think>\n**Title: Apples & <b>pears</b>**\n") as one:
        conversation = one.conversations.new()
        await one.say(conversation, "x" * 5000)
        assert await one.settled() == ["Apples & <b>pears</b>"]
        await one.say(conversation, "more")
        assert await one.settled() == ["Apples & <b>pears</b>"]
        (request,) = one.bird.titled
        assert "You said x" in request
        assert len(request) < 3 * QUOTED


@behaviour("app:titles:never")
async def test_a_name_that_a_person_gave_stays(tmp_path: Path, parrot: tuple[Parrot, str]) -> None:
    with talk(tmp_path, parrot, "By the model") as one:
        named, waiting = one.conversations.new(), one.conversations.new()
        one.archive.keep(named.id, named.messages)
        await one.archive.settle()
        assert await one.archive.rename(named.id, "Mine")
        await one.say(named, "hello")
        assert await one.settled() == ["Mine"]
        assert one.bird.titled == []
        # Named while the model is being asked.
        await one.say(waiting, "hello")
        await one.archive.settle()
        assert await one.archive.rename(waiting.id, "Mine, too")
        assert not await one.archive.entitle(waiting.id, "By the model")
        assert await one.settled() == ["Mine, too", "Mine"]


@behaviour("app:titles:never")
async def test_turned_off_nothing_is_asked(tmp_path: Path, parrot: tuple[Parrot, str]) -> None:
    with talk(tmp_path, parrot, "By the model", on=False) as one:
        await one.say(one.conversations.new(), "hello")
        assert (await one.settled(), one.bird.titled) == (["hello"], [])


@behaviour("app:titles:yields")
async def test_a_reply_that_begins_ends_the_request(tmp_path: Path, parrot: tuple[Parrot, str]) -> None:
    with talk(tmp_path, parrot, "endless") as one:
        first, second = one.conversations.new(), one.conversations.new()
        await one.say(first, "hello")
        (running,) = one.titles._running
        one.bird.left.clear()
        assert second.say("me first")
        await asyncio.wait({running}, timeout=BOUND)
        assert running.cancelled()
        one.titles.cancel()


@behaviour("app:titles:yields")
async def test_an_endless_answer_is_no_title(tmp_path: Path, parrot: tuple[Parrot, str]) -> None:
    with talk(tmp_path, parrot, "endless", patience=0.2) as one:
        await one.say(one.conversations.new(), "hello")
        assert await one.settled() == ["hello"]


@behaviour("app:titles:plain")
@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Sales of apples", "Sales of apples"),
        ('"Sales of apples."\n', "Sales of apples"),
        ("# Sales of apples\n\nThis title …", "Sales of apples"),
        ("Here is a title:\n\n- **Sales of apples**", "Sales of apples"),
        ("Title: „Äpfel und Birnen“", "Äpfel und Birnen"),
        ("<think>\nWhat about pears?\n</think>\n\nSales of apples", "Sales of apples"),
        ("What about pears?\n</think>\nSales of apples", "Sales of apples"),
        ("<think>\nNever ends", ""),
        ("<img src=x onerror=hack()>", "<img src=x onerror=hack()>"),
        ("Sales\u202e of\x00 ap\u200bples\x1b[31m", "Sales of apples[31m"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("```python\nprint(1)\n```", ""),
        ("word " * 50, ""),
        ("…", ""),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_one_line_of_plain_text_is_a_title(said: str, title: str) -> None:
    assert title_in(said) == title


@behaviour("app:titles:asked")
@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What is 10 + 5?", "10 + 5"),
        ("Show a table of the planets", "Table of the planets"),
        ("Roll 1000 dice", "Roll 1000 dice"),
        ("?", "Conversation"),
    ],
)
def test_the_demo_model_has_a_title_for_what_it_is_asked(question: str, title: str) -> None:
    request = f"{ASKED}\n\n<question>\n{question}\n</question>\n\n<answer>\nSo.\n</answer>"
    assert speak([{"role": "user", "content": request}]) == title
