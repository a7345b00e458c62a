"""A kernel that serves one test after the other: to start one takes longer than most tests do."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from coderunner.kernel.connections.local_kernel import LocalKernel
from coderunner.kernel.sessions.registry import KernelLocation, Session, Sessions
from coderunner.outputs import Status, Stream

BOUND = 30.0
FORGET = "get_ipython().reset(); print(__import__('threading').active_count())"
"""Variables are gone by that, the numbers of cells begin anew, and threads that were left are seen."""


class LentKernel:
    """A conversation whose kernel has no variable, thread or late output of the test before."""

    def __init__(self, sessions: Sessions, where: KernelLocation) -> None:
        self._sessions = sessions
        self._where = where
        self._session: Session | None = None
        self._alone = ""

    @property
    def kernel(self) -> LocalKernel | None:
        """The kernel that it has now, if it is of this machine."""
        name = self._session.conversation if self._session is not None else ""
        return self._sessions._confined.get(name)

    @contextmanager
    def lent(self) -> Iterator[Session]:
        """Lend it; one that a test leaves in another state is not lent again."""
        if self._session is None:
            self._session = self._sessions.get(uuid.uuid4().hex, self._where)
            self._alone = _said(self._session, FORGET)
        yield self._session
        if not self._as_before(self._session):
            session, self._session = self._session, None
            self._sessions.io_thread.call(self._sessions.close(session.conversation), BOUND)

    def _as_before(self, session: Session) -> bool:
        if session.busy or session.status.state != "idle":
            return False
        alone = _said(session, FORGET) == self._alone
        return alone and not session.take_late() and not session.take_afterwards()


def _said(session: Session, source: str) -> str:
    result = session.begin(source).wait(BOUND)
    if result is None or result.status is not Status.OK:
        return ""
    return "".join(output.text for output in result.outputs if isinstance(output, Stream))
