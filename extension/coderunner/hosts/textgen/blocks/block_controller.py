"""The blocks of the chats as the page's elements show them, and what their buttons do.

While a reply grows its events tell how they are; afterwards, and after a restart, the records do.
"""

import logging
import secrets
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from coderunner.errors import RecordsUnavailable
from coderunner.hosts.textgen.blocks.pending_approvals import PendingApprovals
from coderunner.hosts.textgen.blocks.rerun import Reruns
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.reply.chat_requests import ChatRequest
from coderunner.outputs import Cell, Question, Result
from coderunner.page import block_updates
from coderunner.page.block_state import Block, BlockPanel, State
from coderunner.page.html.block_html import Setting
from coderunner.page.server.input_requests import InputRequests
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import (
    Answered,
    Asked,
    Beat,
    Change,
    Ended,
    Event,
    Late,
    LateResults,
    Part,
    Record,
    RecordedRuns,
    Records,
    RunOptions,
    Say,
    Session,
    Shown,
    Started,
    Waiting,
    for_model,
    later_of,
    panel_of,
)
from coderunner.secret import Secret

log = logging.getLogger(__name__)

MOST = 400
"""Blocks that are kept at hand; of those before, what the records have is read when a page wants it."""

PATIENCE = 60.0
"""Seconds to wait for the end of a block that was told to end; the kernel is killed long before."""

ALONE = 20.0
"""Seconds for which a block goes on that its page has left and no page shows: a reload takes two, or ten."""

OPEN = frozenset({State.WAITING, State.QUEUED, State.RUNNING, State.LATE})


@dataclass(slots=True)
class _Known:
    block: Block
    conversation: str
    """Whose kernel it runs in."""
    home: str
    """The conversation under which its runs are written down."""
    running: Late | None = None
    """The cell itself, where it goes on after its deadline."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """What the stage asks of the door."""

    session: Callable[[str], Session]
    """The kernel of a conversation."""
    options: Callable[[], RunOptions]
    """How a block is run that a person wants run once more."""
    may_run: Callable[[], bool]
    place: Callable[[], str]
    stop: Callable[[], None]
    """End the reply that is being written, as the webui's own Stop does."""


class BlockController:
    """One for the process; may be used from any thread. It is what our routes act on."""

    def __init__(
        self, records: Records, approvals: PendingApprovals, kernels: Kernels, setting: Callable[[], Setting]
    ) -> None:
        self.board = Subscriptions(setting, self._find)
        self.alone = ALONE
        self._records = records
        self._approvals = approvals
        self._kernels = kernels
        self._lock = threading.RLock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._current: dict[str, str] = {}
        """The block that each conversation is at."""
        self._waits: dict[str, str] = {}
        """The block that waits for a person's word, where the reply of a conversation ends with one."""
        self._always: set[str] = set()
        self._queries: dict[str, tuple[str, int]] = {}
        """What is asked, by ticket: where, and its number on the desk."""
        self._answers = InputRequests()
        """What is asked beside any reply."""
        self._repeats = Reruns(self._answers.expect)
        self._untold: defaultdict[str, list[str]] = defaultdict(list)
        self._moved: dict[str, str] = {}
        """In which conversation a reply stands by now, where its chat was renamed or branched."""

    # --- a reply that grows -------------------------------------------------------------------------------

    def move(self, replies: Mapping[str, object], conversation: str) -> None:
        """Learn in which conversation the replies stand of which the webui has these notes."""
        with self._lock:
            for notes in replies.values():
                known = notes.get("coderunner") if isinstance(notes, dict) else None
                if isinstance(known, str):
                    self._moved[known.partition(" ")[0]] = conversation

    def receive(self, mark: ChatRequest, event: Event) -> str:
        """Show what happens in a reply; gives the id of a block that has its place in it from now on."""
        at = mark.conversation
        match event:
            case Waiting(cell, ordinal):
                return self._begin(mark, cell, ordinal, State.WAITING)
            case Started(cell, ordinal, panel):
                state = State.QUEUED if self._goes_on(at) else State.RUNNING
                return self._begin(mark, cell, ordinal, state, panel)
            case Shown(change):
                self._change(
                    self._current.get(at), lambda b: block_updates.showed(b, change.index, change.output)
                )
            case Asked(question):
                ticket = self._laid(at)
                self._change(
                    self._current.get(at), lambda b: replace(b, question=replace(question, id=ticket))
                )
            case Answered():
                self._change(self._current.get(at), lambda b: replace(b, question=None))
            case Beat(elapsed):
                self._change(self._current.get(at), lambda b: block_updates.aged(b, elapsed), quietly=True)
            case Say(text, Part.RESULT):
                self._change(self._current.get(at), lambda b: replace(b, read=b.read + text))
            case Ended():
                return self._end(mark, event)
        return ""

    def leave(self, mark: ChatRequest) -> None:
        """Its reply is over, perhaps by the webui's will: what runs is told to end. Returns at once.

        What waits for a person's word waits on, whatever else the webui writes.
        """
        identity = self._current.pop(mark.conversation, "")
        with self._lock:
            known = self._known.get(identity)
        if known is not None and known.block.state is State.WAITING:
            self._waits[mark.conversation] = identity
        elif known is not None and known.block.state in (State.QUEUED, State.RUNNING):
            threading.Thread(target=self._await_end, args=(identity,), daemon=True).start()
        else:
            self._change(identity, block_updates.left)

    def pass_over(self, conversation: str, message: str = "") -> None:
        """Another reply than `message` begins there: a block of it that waits will not run in its reply."""
        waits = self._waits.get(conversation, "")
        if waits and waits.rpartition("-")[0] != message:
            del self._waits[conversation]
            self._approvals.withdraw(conversation)
            self._change(waits, block_updates.left)

    def go_on(self, mark: ChatRequest, event: Ended) -> None:
        """The page of its reply was loaded again or closed: what runs goes on, for a page that comes."""
        self.receive(mark, event)
        if event.running is not None:
            identity = output_placeholders.identity(mark.message, event.ordinal)
            timer = threading.Timer(self.alone, self._end_unseen, (identity, event.running))
            timer.daemon = True
            event.running.settled.add_done_callback(lambda _: timer.cancel())
            timer.start()

    def _end_unseen(self, identity: str, running: Late) -> None:
        if not self.board.watched([identity]):
            log.info("stopping a block that no page shows any more")
            running.interrupt()

    def _await_end(self, identity: str) -> None:
        """Show how a block ended of which its reply has not heard: that is written down in any case."""
        try:
            runs = self._runs(identity)
            end = self._records.ended(runs[-1]).result(PATIENCE) if runs else None
            self._change(
                identity, lambda b: block_updates.ended(b, end) if end else block_updates.never_ran(b)
            )
        except (RecordsUnavailable, TimeoutError) as failure:
            log.warning("how a block ended is unknown: %s", failure)
            self._change(identity, block_updates.left)

    def _begin(
        self, mark: ChatRequest, cell: Cell, ordinal: int, state: State, panel: BlockPanel | None = None
    ) -> str:
        identity = output_placeholders.identity(mark.message, ordinal)
        block = Block(
            source=cell.source, state=state, ticket=identity, ordinal=ordinal, id=identity, panel=panel
        )
        with self._lock:
            self._current[mark.conversation] = identity
            self._keep(identity, _Known(block, mark.conversation, mark.home or mark.conversation))
        self.board.show([block])
        return identity

    def _end(self, mark: ChatRequest, event: Ended) -> str:
        identity = output_placeholders.identity(mark.message, event.ordinal)
        if self._current.get(mark.conversation) != identity:
            self._current[mark.conversation] = identity
            with self._lock:
                known = self._known.get(identity)
                waited = known is not None and known.block.state is State.WAITING
                if known is not None and known.running is None and not waited:
                    # It ran before: what it showed then is in the records.
                    del self._known[identity]
                    self.board.forget([identity])
            if not waited:
                return identity if self._find(identity) is not None else ""
        if event.running is None:
            self._change(identity, lambda b: block_updates.ended(b, event.result))
        else:
            self._follow(identity, event.running, event.result)
        self._follow_later(identity, event.later)
        return identity

    def _goes_on(self, conversation: str) -> bool:
        with self._lock:
            return any(each.running and each.conversation == conversation for each in self._known.values())

    def _follow(self, identity: str, running: Late, result: Result) -> None:
        began = time.monotonic() - result.duration
        self._change(identity, lambda b: block_updates.went_on(b, result))

        def show(told: Change) -> None:
            elapsed = time.monotonic() - began
            self._change(identity, lambda b: block_updates.late_showed(b, told.index, told.output, elapsed))

        def end(done: Future[Result]) -> None:
            with self._lock:
                if (known := self._known.get(identity)) is not None:
                    known.running = None
                at = known.conversation if known else ""
            self._change(identity, lambda b: block_updates.ended(b, done.result()))
            self._change(self._current.get(at), block_updates.came_up)

        with self._lock:
            self._known[identity].running = running

        def ask(question: Question) -> Future[Secret]:
            ticket, answer = self._answers.expect()
            asked = replace(question, id=ticket)
            self._change(identity, lambda b: block_updates.inquired(b, asked))
            answer.add_done_callback(
                lambda _: self._change(identity, lambda b: block_updates.settled(b, asked))
            )
            return answer

        running.listen(show, ask)
        running.settled.add_done_callback(end)

    def _follow_later(self, identity: str, later: LateResults | None) -> None:
        if later is not None:
            later.listen(
                lambda told: self._change(
                    identity, lambda b: block_updates.showed_later(b, told.index, told.output)
                )
            )

    # --- what is at hand ----------------------------------------------------------------------------------

    def _change(
        self, identity: str | None, change: Callable[[Block], Block], *, quietly: bool = False
    ) -> None:
        with self._lock:
            known = self._known.get(identity or "")
            if known is None:
                return
            before, known.block = known.block, change(known.block)
            self.board.show(_with_repeat(known.block), quietly=quietly)
            if before.again is not None and (known.block.again or before).id != before.again.id:
                self.board.forget([before.again.id])

    def _keep(self, identity: str, known: _Known) -> None:
        self._known[identity] = known
        self._known.move_to_end(identity)
        spare = max(0, len(self._known) - MOST)
        rest = [
            each for each, its in self._known.items() if its.block.state not in OPEN and not _repeats(its)
        ]
        for old in rest[:spare]:
            self.board.forget(each.id for each in _with_repeat(self._known.pop(old).block))

    def _find(self, identity: str) -> Block | None:
        """The block of that id, from the records where it is not at hand."""
        with self._lock:
            if (known := self._known.get(identity)) is not None:
                return known.block
        try:
            runs = self._runs(identity)
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return None
        if not runs:
            return None
        key = runs[0].key
        home = key.conversation
        with self._lock:
            at = self._moved.get(key.message, home)
        bare = Block(ticket=identity, ordinal=key.ordinal, id=identity)
        panel = partial(panel_of, session=self._kernels.session(at), records=self._records)
        block = block_updates.recalled(bare, runs, panel)
        if block is None:
            return None
        block = replace(block, read=for_model(block.result) if block.result else "")
        with self._lock:
            if (known := self._known.get(identity)) is None:
                self._keep(identity, known := _Known(block, at, home))
            known_block = known.block
        self.board.show(_with_repeat(known_block)[1:])
        self._follow_later(identity, later_of(known_block.panel))
        return known_block

    def _runs(self, identity: str) -> list[Record]:
        """All runs of a block, the first one first. Raises RecordsUnavailable."""
        if (name := output_placeholders.taken_apart(identity)) is None:
            return []
        message, ordinal = name
        return [run for run in self._records.of_reply(message) if run.key.ordinal == ordinal]

    # --- buttons ------------------------------------------------------------------------------------------

    def always(self, conversation: str) -> bool:
        """Whether the person said that blocks of this conversation may run without being asked for."""
        return conversation in self._always

    def forget(self, conversation: str) -> None:
        """Its chat is no more: nothing that was said of it counts for a later one."""
        self._always.discard(conversation)
        self.pass_over(conversation)
        with self._lock:
            self._untold.pop(conversation, None)

    def act(self, ticket: str, verb: str) -> bool:
        """Do what a button of a block says; False where no block waits for that."""
        with self._lock:
            known = self._known.get(ticket)
        state = known.block.state if known else None
        if known is not None and verb in ("run", "always", "skip") and state is State.WAITING:
            return self._decide(known, verb)
        if known is not None and verb == "stop" and state in OPEN - {State.WAITING}:
            return self._stop(known)
        if known is not None and verb == "again" and state in (State.ENDED, State.UNFINISHED):
            return self._run_again(known)
        if verb == "stop" and self._repeats.stop(ticket):
            return True
        return verb == "cancel" and self._reply(ticket, None)

    def answer(self, ticket: str, text: Secret) -> bool:
        """Give a program what it asks for; False where it does not (any more)."""
        return self._reply(ticket, text)

    def _decide(self, known: _Known, verb: str) -> bool:
        if not self._kernels.may_run():
            return False
        if verb == "always":
            self._always.add(known.conversation)
        self._approvals.decide(known.block.id, known.block.source, run=verb != "skip")
        return True

    def _stop(self, known: _Known) -> bool:
        if known.running is not None:
            known.running.interrupt()
        else:
            self._kernels.stop()
        return True

    def _laid(self, conversation: str) -> str:
        """A ticket for what a program of a reply has just asked."""
        ticket = secrets.token_urlsafe(18)
        if (query := self._approvals.query(conversation)) is not None:
            self._queries = {ticket: (conversation, query.number)}
        return ticket

    def _reply(self, ticket: str, text: Secret | None) -> bool:
        if (laid := self._queries.pop(ticket, None)) is not None:
            return self._approvals.reply(*laid, text)
        return self._answers.give(ticket, text)

    # --- once more ----------------------------------------------------------------------------------------

    def untold(self, conversation: str) -> list[str]:
        """What the model is to read of blocks that were run once more; each of it once."""
        with self._lock:
            return self._untold.pop(conversation, [])

    def _run_again(self, known: _Known) -> bool:
        if _repeats(known) or not self._kernels.may_run():
            return False
        block, at = known.block, known.conversation

        def tell(words: str) -> None:
            with self._lock:
                self._untold[at].append(words)

        def change(grow: Callable[[Block], Block], *, quietly: bool = False) -> None:
            self._change(block.id, lambda b: replace(b, again=grow(b.again or Block())), quietly=quietly)

        message = block.id.rpartition("-")[0]
        runs = RecordedRuns(self._records, known.home, message, self._kernels.place(), again=True)
        options = replace(self._kernels.options(), runs=runs)
        self._repeats.begin(block, options, partial(self._kernels.session, at), change, tell)
        return True


def _with_repeat(block: Block) -> list[Block]:
    """The block, and the one below it that is its code once more."""
    return [block] if block.again is None else [block, block.again]


def _repeats(known: _Known) -> bool:
    return known.block.again is not None and known.block.again.state is not State.ENDED
