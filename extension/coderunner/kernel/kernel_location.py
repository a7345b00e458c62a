"""Where a kernel runs: on this machine, or on a Jupyter server."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from coderunner.errors import SettingsError
from coderunner.kernel.server_address import lasting, normalise, split_token
from coderunner.sandbox.backends import Availability
from coderunner.sandbox.kernel_sandbox import in_force
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

SANDBOXED = (
    "It runs on your computer in a sandbox: it can use its own folder and nothing else of yours, unless you "
    "allow it."
)
UNSANDBOXED = "It runs on your computer without a sandbox."


@dataclass(frozen=True, slots=True)
class Local:
    """A kernel as a child process of this one."""

    kernel_name: str = "python3"
    directory: str = ""
    """Where it works; empty: in a folder of its conversation's own."""
    sandbox: Availability = field(default=Availability("none"))
    """The sandbox that it runs in."""
    attach: ClassVar[str] = ""
    """It is never a person's own."""

    @property
    def isolated(self) -> bool:
        """Code cannot do there whatever the person could, so it runs without asking."""
        return bool(self.sandbox)

    @property
    def own_folder(self) -> bool:
        """Each conversation has a folder of its own, with nothing in it but what belongs to it."""
        return not self.directory

    @property
    def place(self) -> str:
        """Where that is, as a sentence for the reader; what a sandbox leaves open, or why there is none."""
        return f"{SANDBOXED if self.sandbox else UNSANDBOXED} {self.sandbox.why}".strip()


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a server's answers."""

    request: float = 20.0
    """For one over HTTP."""
    start: float = 60.0
    """For a kernel to start and answer: one second as a rule, many on a cold disk or in a cluster."""
    handshake: float = 5.0
    """For a WebSocket to open to a kernel that has run already: a slower server is asked once more. To one
    that starts it opens when that has answered."""
    away: float = 15.0
    """For a Hub that stops answering while it starts a server to come back: its restart takes a few."""


@dataclass(frozen=True, slots=True)
class Server:
    """A kernel on a Jupyter server.

    `url` may be what a person pasted from the browser: it becomes the server's base address at once, and a
    token in it is moved to `token`, so that neither the value's repr nor its `url` ever shows one. What is no
    address stays as it is, for whoever asks there to refuse.
    """

    url: str
    token: Secret = field(default_factory=Secret)
    kernel_name: str = "python3"
    ca_file: str = ""
    """A file with the certificates to trust in place of the system's, for a server with one of its own."""
    attach: str = ""
    """A kernel that runs there already, by its id, path or name: a person's own. Empty: one of ours."""
    folder: str = ""
    """Where kernels start, from the server's own folder, which is `/`; empty: in one of each conversation."""
    patience: Patience = field(default_factory=Patience, repr=False, compare=False)
    yours: bool = field(default=False, compare=False)
    """It was found on this machine as a program of this user: code in it can do what they can."""

    def __post_init__(self) -> None:
        url, pasted = split_token(self.url)
        with suppress(SettingsError):
            url = lasting(normalise(url))
        object.__setattr__(self, "url", url)
        if pasted and not self.token:
            object.__setattr__(self, "token", Secret(pasted))

    @property
    def isolated(self) -> bool:
        """It was chosen for code, which runs there without asking; not that it is kept from anything."""
        return True

    @property
    def own_folder(self) -> bool:
        """Each conversation has a folder of its own, with nothing in it but what belongs to it."""
        return not (self.attach or self.folder)

    @property
    def place(self) -> str:
        """Where that is, as a sentence for the reader."""
        attached = f", in the kernel {self.attach}" if self.attach else ""
        told = f"It runs on the Jupyter server {self.url}{attached}."
        return f"{told} That server runs on your computer with your permissions." if self.yours else told


KernelLocation = Local | Server


def location_of(settings: Settings) -> KernelLocation:
    """Return the place that the settings name; raises SettingsError where it cannot be one."""
    if settings.server:
        ca_file = str(settings.ca_file or "")
        return Server(
            settings.server,
            settings.token,
            settings.kernel_name,
            ca_file,
            settings.attach,
            settings.server_folder,
        )
    if settings.attach:
        message = f"{settings.source('attach')} names a kernel on a Jupyter server; set the server too"
        raise SettingsError(message)
    return local_of(settings)


def local_of(settings: Settings) -> Local:
    """Return the place on this machine, with the sandbox that the settings mean."""
    return Local(settings.kernel_name, sandbox=in_force(settings))


def approval_of(settings: Settings) -> Literal["ask", "auto", "off"]:
    """What `approve` means: its default asks where code is not isolated."""
    if settings.approve == "default":
        # A kernel that is found on this machine is the person's own, in no sandbox.
        here = not settings.attach and in_force(settings)
        return "auto" if settings.server or here else "ask"
    return settings.approve
