"""Which conversations of a member have a kernel: no more at once than its limit allows."""

import threading
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from coderunner.hosts.proxy.team.limiter import Reached
from coderunner.hosts.proxy.team.members import Member
from coderunner.runner import Session, Sessions


class KernelSeats:
    """Gives a conversation the right to a kernel. May be used from any thread.

    Where a member has as many as it may, a new one takes the place of the kernel that was unused for longest:
    that is ended, also on a server, and the next block in its conversation says that its variables are gone.
    A kernel whose conversation has a reply in progress, or runs a block, keeps its place.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._taken: defaultdict[str, dict[str, Session]] = defaultdict(dict)
        """The sessions that may have a kernel, by owner and conversation."""
        self._replying: Counter[str] = Counter()

    @contextmanager
    def reply(self, conversation: str) -> Generator[None]:
        """A reply is being written in a conversation: its kernel keeps its place meanwhile."""
        with self._lock:
            self._replying[conversation] += 1
        try:
            yield
        finally:
            with self._lock:
                self._replying[conversation] -= 1
                if self._replying[conversation] <= 0:
                    del self._replying[conversation]

    def reached(self, member: Member, conversation: str) -> Reached | None:
        """Why the conversation may have no kernel now; None: it has one, or may."""
        with self._lock:
            others = self._others(member, conversation)
            full = others is not None and all(self._in_use(each) for each in others.values())
            return _reached(member) if full else None

    def take(self, member: Member, conversation: str, session: Session) -> Reached | None:
        """Let the conversation have a kernel; gives why it may not."""
        with self._lock:
            others = self._others(member, conversation)
            if others is not None:
                idle = [each for each in others.values() if not self._in_use(each)]
                if not idle:
                    return _reached(member)
                oldest = min(idle, key=lambda each: each.used)
                del self._taken[member.owner][oldest.conversation]
                self._sessions.release(oldest)
            self._taken[member.owner][conversation] = session
            return None

    def counts(self) -> Mapping[str, int]:
        """The kernels of each owner that has any."""
        with self._lock:
            live = {owner: sum(map(_live, held.values())) for owner, held in self._taken.items()}
            return {owner: kernels for owner, kernels in live.items() if kernels}

    def _others(self, member: Member, conversation: str) -> Mapping[str, Session] | None:
        """The kernels that fill the member's limit; None where there is room, or no limit."""
        held = self._taken[member.owner]
        for each in [name for name, session in held.items() if not self._kept(session)]:
            del held[each]
        others = {name: session for name, session in held.items() if name != conversation}
        full = member.limits.kernels and len(others) >= member.limits.kernels
        return others if full else None

    def _kept(self, session: Session) -> bool:
        return _live(session) or self._in_use(session)

    def _in_use(self, session: Session) -> bool:
        return session.busy or session.conversation in self._replying


def _live(session: Session) -> bool:
    return session.live


def _reached(member: Member) -> Reached:
    most = member.limits.kernels
    return Reached("kernels", f"{most:,} kernel{'s' if most > 1 else ''} at once", None)
