"""How messages travel to a kernel and back: what is the same for one of this machine and one of a server."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from coderunner.kernel.execution.pending_request import Event, Gone
from coderunner.kernel.kernel_location import KernelLocation
from coderunner.kernel.protocol.kernel_info import KernelInfo
from coderunner.kernel.protocol.messages import Json, Message


class Transport(Protocol):
    """A way to one kernel. After a `Gone` (see `go_on`), `restart` or `close` it is no longer usable."""

    found: bool
    """The kernel was there already, with its variables."""
    borrowed: bool
    """It is a person's own: nothing that they did not ask for ends or empties it."""
    uncertain: bool
    """What is sent may vanish unnoticed: before each cell `check` looks whether it arrives."""
    language: str
    """The language of its kernel spec, in lower case; empty where nobody says it."""
    about: KernelInfo
    """What the kernel says of itself; nothing where it was not asked, as one that is busy."""
    process: str
    """What the kernel's process calls its session: another after a restart, empty where it is not known."""

    @property
    def alone(self) -> bool:
        """All that the kernel says comes this way, and it numbers what it sends: what is missing was lost."""

    def attach(self, receive: Callable[[Event], None]) -> None:
        """Have every event from now on given to `receive`, in the loop."""

    def go_on(self) -> None:
        """Stay of use after a `Gone` with an heir."""

    async def send(self, message: Message) -> None:
        """Send one message; a lost connection is told as an event, not raised."""

    def usage(self) -> Json | None:
        """Tell what the kernel and all that it started use, as the question `usage` does.

        None where only the kernel itself can tell, as on another machine.
        """

    async def interrupt(self) -> None:
        """Interrupt the program that runs, as Ctrl-C does."""

    async def restart(self) -> None:
        """Kill the program; the next transport finds an empty kernel."""

    async def check(self) -> Gone | None:
        """Look whether the kernel is still there."""

    async def answers(self) -> bool:
        """Return whether the connection still works; one that does not is replaced."""

    async def close(self, *, keep: bool = False) -> None:
        """Let go. The kernel ends too, unless it can be found again and `keep` is set."""


def is_python(transport: Transport) -> bool:
    """Whether its kernel runs Python: as it says itself, or its kernel spec where it has not said so."""
    return (transport.about.language or transport.language).lower() == "python"


class Opener(Protocol):
    """Gives a transport to this conversation's kernel, which it finds or starts; raises KernelError."""

    def __call__(
        self, conversation: str, where: KernelLocation, *, start: bool = True
    ) -> Awaitable[Transport]:
        """Return it, ready for the first cell; without `start` only one that is there, else NoSuchKernel."""
