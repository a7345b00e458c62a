"""The limits of one reply's member, as the runner asks for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from coderunner.hosts.proxy.team.accounts import Accounts
from coderunner.hosts.proxy.team.kernel_seats import KernelSeats
from coderunner.hosts.proxy.team.limiter import Reached
from coderunner.hosts.proxy.team.members import Member
from coderunner.outputs import Output, Refusal
from coderunner.runner import (
    Change,
    Question,
    Result,
    Run,
    Running,
    Session,
    WidgetPanel,
)


def reached_before(
    member: Member, conversation: str, accounts: Accounts, seats: KernelSeats
) -> Reached | None:
    """Why a reply should not begin now: none of its blocks could run, or no token may be used."""
    return (
        accounts.tokens_reached(member)
        or accounts.block_reached(member)
        or seats.reached(member, conversation)
    )


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """Decides for the blocks of one reply."""

    member: Member
    session: Session
    accounts: Accounts
    seats: KernelSeats
    on_reached: Callable[[Reached], None]
    """Is told each limit that is met."""

    def admit(self, _run: Run) -> str:
        """Why a block may not run now; empty: it may, and counts."""
        return self._said(
            self.seats.take(self.member, self.session.conversation, self.session)
            or self.accounts.take_block(self.member)
        )

    def used_up(self) -> str:
        """Why the reply ends, as `ReplyBudget.used_up`."""
        return self._said(self.accounts.tokens_reached(self.member))

    def _said(self, reached: Reached | None) -> str:
        if reached is None:
            return ""
        self.on_reached(reached)
        return reached.in_a_reply


@dataclass(frozen=True, slots=True)
class LimitedKernel:
    """A session whose kernel starts in advance only where it may."""

    session: Session
    limits: ReplyLimits
    waiting: Callable[[int], None]
    """Is told by how much the number of blocks that wait for their kernel changes. From any thread."""

    @property
    def live(self) -> bool:
        """Whether it has a kernel, or one is being started."""
        return self.session.live

    @property
    def state(self) -> str:
        """How its kernel is."""
        return self.session.status.state

    async def ask(
        self, question: str, arguments: Mapping[str, object], patience: float
    ) -> Mapping[str, object]:
        """Ask the kernel a question, beside a cell that runs; raises NotAnswered."""
        return await self.session.ask(question, arguments, patience)

    def warm(self) -> None:
        """Start the kernel in the background."""
        limits = self.limits
        if limits.seats.take(limits.member, self.session.conversation, self.session) is None:
            self.session.warm()

    def begin(
        self,
        source: str,
        *,
        deadline: float,
        limit: float = 0.0,
        on_output: Callable[[Change], None] | None = None,
        on_question: Callable[[Question | None], None] | None = None,
        on_send: Callable[[str], bool] | None = None,
        on_wait: Callable[[bool], None] | None = None,
        on_lost: Callable[[bool], None] | None = None,
        on_later: Callable[[Change], None] | None = None,
        panel: WidgetPanel | None = None,
    ) -> Running:
        """Run a cell."""
        waits = [True]
        self.waiting(1)

        def end_waiting() -> None:
            if waits:
                waits.clear()
                self.waiting(-1)

        def send(request: str) -> bool:
            end_waiting()
            return on_send is None or on_send(request)

        running = self.session.begin(
            source,
            deadline=deadline,
            limit=limit,
            on_output=on_output,
            on_question=on_question,
            on_send=send,
            on_wait=on_wait,
            on_lost=on_lost,
            on_later=on_later,
            panel=panel,
        )
        running.settled.add_done_callback(lambda _: end_waiting())
        return running

    def take_late(self) -> Sequence[Result]:
        """The results of cells that ended after their deadline, each once."""
        return self.session.take_late()

    def take_afterwards(self, *, newest: bool = True) -> Sequence[tuple[Output, ...]]:
        """The output of threads and tasks after the end of their cells, each once."""
        return self.session.take_afterwards(newest=newest)

    def refused_afterwards(self, outputs: Sequence[Output]) -> tuple[Refusal, ...]:
        """What a sandbox refused to those threads and tasks."""
        return self.session.refused_afterwards(outputs)
