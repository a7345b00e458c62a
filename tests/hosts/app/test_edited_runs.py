"""Code that a person changes and runs: what is shown, recorded, exported, and read by the model."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coderunner.hosts.app.choices.choices import Approve, Choices, ModelChoice
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.message_parts import Past
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.own_code.own_runs import BUSY, OFF, OwnRun, OwnRuns
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Endpoint
from coderunner.outputs import Output, Status, Stream
from coderunner.page.block_state import Block, State
from coderunner.page.html import block_html
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import Local, Sessions, open_records, to_notebook
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND
from tests.hosts.app.parrot import Parrot

CODE = "print(10 + 5)\n"
ASKS = f"```python\n{CODE}```\n"


@dataclass
class App:
    """The app without its page."""

    writer: ReplyWriter
    archive: Archive
    conversations: Conversations = field(init=False)
    approve: Approve = "auto"

    def __post_init__(self) -> None:
        self.conversations = Conversations(
            self.writer.write,
            lambda: self.approve,
            patience=1000.0,
            save_interval=0.0,
            again=self.writer.again,
            archive=self.archive,
        )

    async def said(self, text: str) -> Conversation:
        """A conversation in which that was said and answered, or a block waits."""
        conversation = self.conversations.new()
        assert conversation.say(text)
        await until(lambda: not conversation.busy or waits(conversation))
        return conversation

    async def read_again(self, conversation: Conversation) -> Block:
        """The first block as another process would find it."""
        messages = await self.archive.find(conversation.id)
        assert messages is not None
        return message_parts.blocks(messages)[0]

    async def notebook(self, conversation: Conversation) -> list[dict[str, object]]:
        chat = await self.archive.written(conversation.id)
        assert chat is not None
        return [cell for cell in json.loads(to_notebook(chat))["cells"] if cell["cell_type"] == "code"]


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(BOUND):
        while not done():  # noqa: ASYNC110 - changes of a conversation have no event of their own for a test
            await asyncio.sleep(0.01)


def block(conversation: Conversation) -> Block:
    return message_parts.blocks(conversation.messages)[0]


def waits(conversation: Conversation) -> bool:
    return any(each.state is State.WAITING for each in message_parts.blocks(conversation.messages))


def below(conversation: Conversation) -> Block:
    again = block(conversation).again
    assert again is not None
    return again


async def edit(conversation: Conversation, code: str) -> None:
    assert conversation.run_edited(block(conversation).ticket, "edit", code)
    await until(lambda: below(conversation).state is State.ENDED)


def printed(text: str) -> tuple[Output, ...]:
    return (Stream("stdout", text),)


@pytest.fixture
async def app(parrot: tuple[Parrot, str], tmp_path: Path) -> AsyncIterator[App]:
    choices = Choices(Local(), choice=ModelChoice("parrot", Endpoint(f"{parrot[1]}/v1", model="parrot")))
    sessions, records = Sessions(tmp_path), open_records("", tmp_path)
    writer = ReplyWriter(choices, sessions, StrategyCache(), records)
    app = App(writer, Archive(writer))
    yield app
    await app.conversations.close()
    await sessions.close_all()
    records.close()


@behaviour("app:edit:beside")
async def test_an_edited_run_stands_below_the_old_one_and_the_model_reads_what_was_changed(
    app: App, parrot: tuple[Parrot, str]
) -> None:
    conversation = await app.said(ASKS)
    await edit(conversation, "print(10 + 20)\n")
    assert block(conversation).shown == printed("15\n")
    assert below(conversation).shown == printed("30\n")
    assert below(conversation).first == CODE
    conversation.say("well")
    await until(lambda: not conversation.busy)
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert "```diff\n-print(10 + 5)\n+print(10 + 20)\n```\nand ran it. Result: 30\n" in told


@behaviour("app:edit:recorded")
async def test_an_edited_run_is_a_record_of_its_own_that_a_restart_and_a_notebook_show(app: App) -> None:
    conversation = await app.said(ASKS)
    await edit(conversation, "print(1)\n")
    await edit(conversation, "print(2)\n")
    known = await app.read_again(conversation)
    assert (known.source, known.shown) == (CODE, printed("15\n"))
    assert known.again is not None
    assert (known.again.source, known.again.first) == ("print(2)\n", CODE)
    assert known.again.shown == printed("2\n")
    (cell,) = await app.notebook(conversation)
    assert cell["source"] == "print(2)"
    assert "print(10 + 5)" in json.dumps(cell["metadata"])
    assert conversation.blocks() == [Past(conversation.messages[-1].reply, 0, "print(2)\n", first=CODE)]


@behaviour("app:edit:recorded")
async def test_code_that_is_as_it_was_runs_again_as_it_is(app: App) -> None:
    conversation = await app.said(ASKS)
    await edit(conversation, "print(10 + 5)\n\n")
    assert (below(conversation).first, below(conversation).shown) == ("", printed("15\n"))


@behaviour("app:edit:before")
async def test_what_a_person_changes_before_it_runs_is_what_ran_in_the_page_the_record_and_the_reply(
    app: App, parrot: tuple[Parrot, str]
) -> None:
    app.approve = "ask"
    conversation = await app.said(ASKS)
    ticket = block(conversation).ticket
    assert not conversation.run_edited(ticket, "edit", "print(0)\n")
    assert conversation.run_edited(ticket, "run", "print(10 + 20)\n")
    assert not conversation.run_edited(ticket, "run", "print('twice')\n")
    await until(lambda: not conversation.busy)
    for shown in (block(conversation), await app.read_again(conversation)):
        assert (shown.source, shown.first, shown.shown) == ("print(10 + 20)\n", CODE, printed("30\n"))
    words = "The user changed this block before it ran:\n```diff\n-print(10 + 5)\n+print(10 + 20)\n```\n"
    assert conversation.messages[-1].text == f"{ASKS}{words}Result: 30\nSeen.\n"
    assert str(parrot[0].asked[-1]["messages"][-1]["content"]).endswith(f"{words}Result: 30\n")
    (cell,) = await app.notebook(conversation)
    assert cell["source"] == "print(10 + 20)"


@behaviour("app:edit:refused")
async def test_nothing_runs_that_cannot_run_now(app: App) -> None:
    conversation = await app.said(ASKS)
    ticket = block(conversation).ticket
    assert not conversation.run_edited("nobody's", "edit", "print(1)\n")
    assert not conversation.run_edited(ticket, "run", "print(1)\n")
    assert conversation.run_edited(ticket, "edit", "import time\ntime.sleep(60)\n")
    assert not conversation.run_edited(ticket, "edit", "print('meanwhile')\n")
    assert conversation.act(below(conversation).ticket, "stop")
    await until(lambda: below(conversation).state is State.ENDED)
    result = below(conversation).result
    assert result is not None
    assert result.status is Status.INTERRUPTED
    app.approve = "off"
    assert not conversation.run_edited(ticket, "edit", "print(1)\n")


@behaviour("app:stop:block")
async def test_stop_of_a_block_lets_the_reply_go_on(app: App, parrot: tuple[Parrot, str]) -> None:
    conversation = app.conversations.new()
    conversation.say("```python\nimport time\nprint('so far', flush=True)\ntime.sleep(60)\n```\n")
    await until(
        lambda: bool(message_parts.blocks(conversation.messages)) and bool(block(conversation).outputs)
    )
    assert conversation.act(block(conversation).ticket, "stop")
    await until(lambda: not conversation.busy)
    assert conversation.messages[-1].text.endswith("Seen.\n")
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert "so far" in told
    assert "(stopped; variables are kept; the user stopped this block)" in told


@behaviour("app:own:kept")
async def test_own_runs_are_there_after_a_restart_and_run_only_where_code_may(app: App) -> None:
    def begun() -> OwnRuns:
        return OwnRuns(app.conversations, Subscriptions(), app.writer, lambda: app.approve)

    conversation = await app.said(ASKS)
    own = begun()
    ran = await own.run(conversation.id, "print('mine')\n", scratch=False)
    assert isinstance(ran, OwnRun)
    await until(lambda: ran.block.state is State.ENDED)
    endless = "import time\nprint('on', flush=True)\ntime.sleep(60)\n"
    tried = await own.run(conversation.id, endless, scratch=True)
    assert isinstance(tried, OwnRun)
    assert await own.run(conversation.id, "print(1)\n", scratch=True) == BUSY
    assert await own.run("nobody's", "print(1)\n", scratch=True) is None
    assert not own.tell(conversation.id)
    await until(lambda: bool(tried.block.outputs))
    assert own.act(tried.block.ticket, "stop")
    await until(lambda: tried.block.state is State.ENDED)
    known = await begun().known(conversation.id)
    assert known is not None
    assert [(run.code, run.scratch) for run in known] == [
        ("print('mine')\n", False),
        (endless, True),
    ]
    assert known[0].block.shown == printed("mine\n")
    failed = await own.run(conversation.id, "1/0\n", scratch=True)
    assert isinstance(failed, OwnRun)
    await until(lambda: failed.block.state is State.ENDED)
    recalled = await begun().known(conversation.id)
    assert recalled is not None
    for each in (failed, recalled[-1]):
        shown = block_html.look(each.block, block_html.Setting())
        assert "<b>Error</b>" in shown.bar
        assert "model" not in shown.bar
    app.approve = "off"
    assert await own.run(conversation.id, "print(1)\n", scratch=False) == OFF
    assert await begun().known("nobody's") is None
