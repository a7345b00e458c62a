"""Runs of a person's own code, in the kernel of their chat; each is a record of its own."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from coderunner.hosts.app.choices.choices import Approve
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.message_parts import Past
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter, kernel_label
from coderunner.hosts.app.conversation.rerun import Reruns
from coderunner.outputs import Refusal
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, State
from coderunner.page.html.refusals_html import ALLOW
from coderunner.page.server.input_requests import InputRequests
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import Record, panel_of, ran_own
from coderunner.secret_value import Secret

OFF = "Running code is turned off in Settings."
BUSY = "This code is running. Wait for its end, or stop it."
FEW = 50
"""Pieces of code that are remembered in a chat; more are not run by hand."""


@dataclass(slots=True)
class OwnRun:
    """The latest run of some code."""

    code: str
    scratch: bool
    block: Block

    @property
    def latest(self) -> Block:
        """Its block, or the one below it: what ran again once something was allowed."""
        return self.block.again or self.block

    @property
    def blocks(self) -> list[Block]:
        """All that pages show of it."""
        return [each for each in (self.block, self.block.again) if each is not None]


@dataclass(slots=True)
class _Chat:
    """What a person ran in one chat."""

    answers: InputRequests
    reruns: Reruns
    runs: dict[str, OwnRun] = field(default_factory=dict)
    """By a name of ours: that of the code, or of the scratch cell."""


class OwnRuns:
    """Those of all chats; used in their event loop only. Also what the buttons of all blocks do."""

    def __init__(
        self,
        conversations: Conversations,
        subscriptions: Subscriptions,
        writer: ReplyWriter,
        approve: Callable[[], Approve],
    ) -> None:
        self._conversations = conversations
        self._subscriptions = subscriptions
        self._writer = writer
        self._approve = approve
        self._chats: dict[str, _Chat] = {}

    async def known(self, chat: str) -> list[OwnRun] | None:
        """What a person ran in a chat, also before the app was started; None where there is no such chat."""
        if await self._conversations.find(chat) is None:
            if (gone := self._chats.pop(chat, None)) is not None:
                self._subscriptions.forget(_ids(gone.runs.values()))
            return None
        if chat not in self._chats:
            records = await asyncio.to_thread(self._writer.records.of, kernel_label(chat))
            self._chats.setdefault(chat, self._begun(chat, records))
        return list(self._chats[chat].runs.values())

    async def run(self, chat: str, code: str, *, scratch: bool) -> OwnRun | str | None:
        """Run some code, or say why it does not run; None where there is no such chat."""
        if await self.known(chat) is None:
            return None
        its, name = self._chats[chat], "" if scratch else code
        before = its.runs.get(name)
        if self._approve() == "off":
            return OFF
        if before is not None and before.latest.state is not State.ENDED:
            return BUSY
        if len(its.runs) >= FEW and name not in its.runs:
            self._subscriptions.forget(_ids([its.runs.pop(next(iter(its.runs)))]))
        if before is not None:
            self._subscriptions.forget(_ids([before]))
        its.runs[name] = OwnRun(code, scratch, Block())
        self._begin(chat, its.runs[name])
        return its.runs[name]

    def tell(self, chat: str) -> bool:
        """Have the model read what the scratch cell showed, before the next message."""
        its = self._chats.get(chat)
        run = its.runs.get("") if its is not None else None
        if run is None or run.latest.result is None:
            return False
        words = ran_own(run.code, run.latest.result, seen=False)
        asyncio.get_running_loop().create_task(self._tell(chat, words))
        return True

    async def close(self) -> None:
        """Stop all, bounded."""
        await asyncio.gather(*(each.reruns.close() for each in self._chats.values()))

    # --- the buttons of all blocks ----------------------------------------------------------------

    def act(self, ticket: str, verb: str) -> bool:
        """Do what a button of a block says; False if that is not possible (any more)."""
        if verb == "cancel" and any(each.answers.give(ticket, None) for each in self._chats.values()):
            return True
        own = any(each.reruns.act(ticket, verb) for each in self._chats.values())
        return own or self._run_again(ticket, verb) or self._conversations.act(ticket, verb)

    def run_edited(self, ticket: str, verb: str, source: str) -> bool:
        """Run a block of a reply with this code in place of its own."""
        return self._conversations.run_edited(ticket, verb, source)

    def answer(self, ticket: str, text: Secret) -> bool:
        """Give a program what it asks for."""
        own = any(each.answers.give(ticket, text) for each in self._chats.values())
        return own or self._conversations.answer(ticket, text)

    def _run_again(self, ticket: str, verb: str) -> bool:
        """Run code again below its block: once what a button of that offers is allowed, or as it was."""
        if self._approve() == "off":
            return False
        for chat, run in [(chat, run) for chat, its in self._chats.items() for run in its.runs.values()]:
            refusal = run.block.allowed(ticket) if verb == ALLOW else None
            asked = refusal is not None or (verb == "again" and ticket == run.block.ticket)
            if asked and run.latest.state is State.ENDED:
                self._begin(chat, run, refusal)
                return True
        return False

    # --- what they are made of --------------------------------------------------------------------

    def _begin(self, chat: str, run: OwnRun, allowed: Refusal | None = None) -> None:
        past = Past(_message(chat, scratch=run.scratch), 0, run.code)
        self._chats[chat].reruns.begin(_SCRATCH if run.scratch else run.code, past, allowed)

    def _begun(self, chat: str, records: Sequence[Record]) -> _Chat:
        answers = InputRequests()
        its = _Chat(answers, Reruns(chat, self._writer.again, self._shows(chat), lambda _: None, answers))
        for run in self._recalled(chat, records):
            its.runs["" if run.scratch else run.code] = run
        self._subscriptions.show((each for run in its.runs.values() for each in run.blocks), chat=chat)
        return its

    def _recalled(self, chat: str, records: Sequence[Record]) -> Iterator[OwnRun]:
        panel = partial(panel_of, session=self._writer.session(chat), records=self._writer.records)
        for scratch in (False, True):
            message = _message(chat, scratch=scratch)
            for record in [each for each in records if each.key.message == message and each.started][-FEW:]:
                identity, ticket = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
                bare = Block(id=identity, repeat=True, ticket=ticket)
                if block := block_transitions.recalled(bare, [record], panel):
                    yield OwnRun(record.code, scratch, block)

    def _shows(self, chat: str) -> Callable[[str, Callable[[Block], Block]], None]:
        """What changes a run of a chat: the run itself is what stands below the code."""

        def change(name: str, grow: Callable[[Block], Block]) -> None:
            its = self._chats.get(chat)
            run = its.runs.get("" if name == _SCRATCH else name) if its is not None else None
            if run is None or (new := grow(Block()).again) is None:
                return
            before = run.latest.state
            run.block = _grown(run.block, new)
            self._subscriptions.show(run.blocks, chat=chat)
            if run.scratch or before is State.ENDED or run.latest.state is not State.ENDED:
                return
            if (result := run.latest.result) is not None:
                words = ran_own(run.code, result, seen=True)
                asyncio.get_running_loop().create_task(self._tell(chat, words))

        return change

    async def _tell(self, chat: str, words: str) -> None:
        if (conversation := await self._conversations.find(chat)) is not None:
            conversation.tell_the_model(words)


_SCRATCH = "\0scratch"


def _grown(block: Block, new: Block) -> Block:
    """The block of a run as it is now; what ran again is below the one that had ended."""
    if block.id in ("", new.id):
        return replace(new, of="")
    return replace(block, again=replace(new, of=block.ticket)) if block.state is State.ENDED else block


def _ids(runs: Iterable[OwnRun]) -> list[str]:
    return [block.id for run in runs for block in run.blocks]


def _message(chat: str, *, scratch: bool) -> str:
    """What the records have in place of a reply's name."""
    return f"{kernel_label(chat)}-{'scratch' if scratch else 'own'}"
