"""What the buttons of a block do: approve, skip, stop, run again, and answer its requests for input."""

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from coderunner.hosts.textgen.blocks.bar_state import BarState
from coderunner.hosts.textgen.blocks.block_store import OPEN, BlockStore, KnownBlock
from coderunner.hosts.textgen.blocks.rerun import Reruns
from coderunner.outputs import Refusal
from coderunner.packages.offers import Card
from coderunner.page.block_state import Block, State
from coderunner.page.html.refusals_html import ALLOW
from coderunner.page.server.input_requests import InputRequests
from coderunner.runner import Event, RecordedRuns, Records, RunOptions, Session
from coderunner.secret_value import Secret


@dataclass(frozen=True, slots=True)
class Kernels:
    """What blocks need to know about kernels and runs."""

    session: Callable[[str], Session]
    """The kernel of a conversation."""
    options: Callable[[], RunOptions]
    """How a block is run again."""
    may_run: Callable[[], bool]
    place: Callable[[], str]
    stop: Callable[[], None]
    """Stop the current reply, like the webui's own Stop."""
    allow: Callable[[str, Refusal, Callable[[], bool]], Iterator[Event]]
    """Allow code of a conversation what a button offers, until somebody stops it; may take minutes."""
    granted: Callable[[str, Refusal], bool]
    """Whether it may by now reach what it was refused."""
    card: Callable[[str, Refusal], Card | None]
    """What is known of packages that it lacks."""


class BlockButtons:
    """One for the process; may be used from any thread. The page's routes call it."""

    def __init__(self, store: BlockStore, records: Records, approvals: BarState, kernels: Kernels) -> None:
        self.answers = InputRequests()
        """Requests for input outside of a reply."""
        self._store = store
        self._records = records
        self._approvals = approvals
        self._kernels = kernels
        self._lock = threading.Lock()
        self._always: set[str] = set()
        self._queries: dict[str, tuple[str, int]] = {}
        """Requests for input in a reply, by ticket: the conversation and the number of each."""
        self._repeats = Reruns(self.answers.expect)
        self._untold: defaultdict[str, list[str]] = defaultdict(list)

    def always(self, conversation: str) -> bool:
        """Whether the user allowed all blocks of this conversation to run."""
        return conversation in self._always

    def untold(self, conversation: str) -> list[str]:
        """The text for the model about blocks that were run again; each is given once."""
        with self._lock:
            return self._untold.pop(conversation, [])

    def forget(self, conversation: str) -> None:
        """Forget a conversation whose chat is deleted."""
        self._always.discard(conversation)
        with self._lock:
            self._untold.pop(conversation, None)

    def ticket(self, conversation: str) -> str:
        """A ticket for the latest request for input in a reply."""
        ticket = secrets.token_urlsafe(18)
        if (query := self._approvals.query(conversation)) is not None:
            self._queries = {ticket: (conversation, query.number)}
        return ticket

    def act(self, ticket: str, verb: str) -> bool:
        """Do what a button of a block says; False if that is not possible (any more)."""
        known = self._store.get(ticket)
        state = known.block.state if known else None
        if known is not None and verb in ("run", "always", "skip") and state is State.WAITING:
            return self._decide(known, verb)
        if known is not None and verb == "stop" and state in OPEN - {State.WAITING}:
            return self._stop(known)
        if known is not None and verb == "again" and state in (State.ENDED, State.UNFINISHED):
            return self._run_again(known)
        if verb == ALLOW:
            return self._allow(ticket)
        if verb == "stop" and self._repeats.stop(ticket):
            return True
        return verb == "cancel" and self._reply(ticket, None)

    def run_edited(self, ticket: str, verb: str, source: str) -> bool:
        """Run a block with this code in place of its own; False if it cannot run now."""
        known = self._store.get(ticket)
        state = known.block.state if known else None
        if known is not None and verb == "run" and state is State.WAITING:
            return self._decide(known, verb, source)
        if known is not None and verb == "edit" and state in (State.ENDED, State.UNFINISHED):
            return self._run_again(known, edited=source)
        return False

    def answer(self, ticket: str, text: Secret) -> bool:
        """Give a program its input; False if it does not wait for any (any more)."""
        return self._reply(ticket, text)

    def _decide(self, known: KnownBlock, verb: str, edited: str = "") -> bool:
        if not self._kernels.may_run():
            return False
        if verb == "always":
            self._always.add(known.conversation)
        self._approvals.decide(known.block.id, known.block.source, run=verb != "skip", edited=edited)
        return True

    def _stop(self, known: KnownBlock) -> bool:
        if known.running is not None:
            known.running.interrupt()
        elif known.stop is not None:
            known.stop()
        else:
            self._kernels.stop()
        return True

    def _reply(self, ticket: str, text: Secret | None) -> bool:
        if (query := self._queries.pop(ticket, None)) is not None:
            return self._approvals.reply(*query, text)
        return self.answers.give(ticket, text)

    def _allow(self, ticket: str) -> bool:
        """Allow what a button offers, and run its block again."""
        known = self._store.get(ticket.rpartition(".")[0])
        refusal = known.block.allowed(ticket) if known is not None else None
        if known is None or refusal is None or known.block.state is not State.ENDED:
            return False
        again = known.block.again
        # What was refused to the code as a person changed it runs again as they did.
        return self._run_again(known, refusal, again.source if again is not None and again.first else "")

    def _run_again(self, known: KnownBlock, allowed: Refusal | None = None, edited: str = "") -> bool:
        if known.repeats or not self._kernels.may_run():
            return False
        block, at = known.block, known.conversation

        def tell(words: str) -> None:
            with self._lock:
                self._untold[at].append(words)

        def change(grow: Callable[[Block], Block], *, quietly: bool = False) -> None:
            self._store.change(
                block.id, lambda b: replace(b, again=grow(b.again or Block())), quietly=quietly
            )

        message = block.id.rpartition("-")[0]
        runs = RecordedRuns(self._records, known.home, message, self._kernels.place(), again=True)
        options = replace(self._kernels.options(), runs=runs)

        def prepare(stopped: Callable[[], bool]) -> Iterator[Event]:
            return iter(()) if allowed is None else self._kernels.allow(at, allowed, stopped)

        kernel = partial(self._kernels.session, at)
        self._repeats.begin(block, options, prepare, kernel, change, tell, edited)
        return True
