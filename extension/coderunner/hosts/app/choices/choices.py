"""The choices made in the forms: one set for the whole app, which has one user."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from coderunner.access.origins import LOOPBACK
from coderunner.hosts.app.choices import chosen_model, stricter_approval
from coderunner.hosts.app.choices.chat_kernels import ChatKernels
from coderunner.models.endpoint.client import Endpoint
from coderunner.page.html.block_html import Setting
from coderunner.runner import (
    KernelLocation,
    KernelSandbox,
    Local,
    Server,
    approval_of,
    local_of,
    location_of,
    marked_yours,
)
from coderunner.settings.settings import DEFAULT, Settings
from coderunner.system_prompt import SYSTEM_PROMPT

Approve = Literal["auto", "ask", "off"]
OnTimeout = Literal["detach", "interrupt"]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that can be chosen."""

    label: str
    endpoint: Endpoint
    demo: bool = False
    """It is the scripted demo of the app, and is labelled as such."""
    trouble: str = ""
    """Why it cannot answer, as far as is known: a sentence for the page."""

    def same_as(self, other: "ModelChoice") -> bool:
        """Whether they are one model at one address; the keys may differ."""
        return (self.endpoint.url, self.endpoint.model) == (other.endpoint.url, other.endpoint.model)


@dataclass(slots=True)
class Choices:
    """What the forms show and change; it applies from the next cell and the next reply on."""

    where: KernelLocation
    here: Local = field(default_factory=Local)
    server_folder: str = ""
    """Where kernels start on any Jupyter server; empty: in a folder of each chat."""
    """The place on this machine, which the form offers."""
    sandbox: KernelSandbox | None = None
    """What kernels on this machine are started in."""
    deadline: float = 30.0
    on_timeout: OnTimeout = "detach"
    """What happens to a block at its deadline: it runs on beside the reply, or is stopped."""
    hard_timeout: float = 600.0
    """Seconds that it may run on."""
    approve: Approve | None = None
    """None: not chosen, so it depends on where code runs."""
    data: Path | None = None
    """Where the chosen model stays, and a choice that is stricter than the settings; None: nowhere."""
    kernels: ChatKernels = field(default_factory=ChatKernels)
    """Of single chats."""
    max_blocks: int = 8
    max_seconds: float = 900.0
    max_tokens: int = 0
    scripts: bool = True
    """Active output may run scripts, in its sandboxed frame."""
    finds: bool = False
    """The form offers the Jupyter servers of this computer: whoever sees it is the person who runs them."""
    choice: ModelChoice | None = None
    continuation_of: Callable[[str], str] = lambda _: "auto"
    """How replies of a model are continued."""
    vision: str = "auto"
    """Whether the model gets the images of results."""
    variables: bool = False
    """The model is told which variables each cell made or changed."""
    system_prompt: str = SYSTEM_PROMPT
    temperature: float | None = None
    """None: the endpoint's default."""

    @classmethod
    def of(cls, settings: Settings, operators: Path | None = None) -> "Choices":
        """The choices from the settings. `operators`: the data of whoever runs the app for several people."""
        chosen = settings.source("approve") != DEFAULT and settings.approve != "default"
        # Not where others may come to the page: from other machines, through a proxy, or without a login.
        finds = (
            operators is None
            and settings.login
            and settings.host in LOOPBACK
            and settings.base_path in ("", "/")
        )
        return cls(
            where=marked_yours(location_of(settings)) if finds else location_of(settings),
            here=local_of(settings),
            server_folder=settings.server_folder,
            # On somebody else's machine a person allows nothing: its files and its network are not theirs.
            sandbox=KernelSandbox.of(
                settings,
                buttons=True,
                stranger=operators is not None,
                hidden=() if operators is None else [operators],
            ),
            deadline=settings.timeout,
            on_timeout=settings.on_timeout,
            hard_timeout=settings.hard_timeout,
            # What the settings name comes first.
            approve=approval_of(settings) if chosen else stricter_approval.read(settings.data_dir),
            data=settings.data_dir,
            kernels=ChatKernels(settings.data_dir),
            max_blocks=settings.max_blocks,
            max_seconds=settings.max_seconds,
            max_tokens=settings.max_tokens,
            scripts=settings.output_scripts,
            finds=finds,
            continuation_of=settings.continuation_of,
            vision=settings.vision,
            variables=settings.variables_for_model == "on",
            system_prompt=settings.system_prompt or SYSTEM_PROMPT,
        )

    @property
    def place(self) -> str:
        """What the kernel of a single chat depends on."""
        return self.where.url if isinstance(self.where, Server) else ""

    def where_of(self, chat: str) -> KernelLocation:
        """Where the code of a chat runs, and in which kernel."""
        own = self.kernels.of(chat, self.place)
        return replace(self.where, kernel_name=own) if own else self.where

    def choose_approval(self, approve: Approve | None) -> None:
        """Choose when code runs. Takes a look at the disk."""
        self.approve = approve
        if self.data is not None:
            stricter_approval.keep(self.data, approve)

    def choose_model(self, choice: ModelChoice) -> None:
        """Choose a model, also for the next start. Writes to the disk."""
        self.choice = choice
        if self.data is not None:
            chosen_model.keep(self.data, None if choice.demo else choice.endpoint)

    def answered(self, choice: ModelChoice) -> None:
        """A model has answered: there is no trouble with it any more."""
        if choice.trouble and self.choice is choice:
            self.choice = replace(choice, trouble="")

    @property
    def limit(self) -> float:
        """Seconds that a block may run on after its deadline; 0: it is stopped at the deadline."""
        return self.hard_timeout if self.on_timeout == "detach" else 0.0

    @property
    def approval(self) -> Approve:
        """Whether cells run without approval: by default where they are isolated."""
        return self.approve or ("auto" if self.where.isolated else "ask")

    @property
    def setting(self) -> Setting:
        """What blocks say about the place where they run."""
        return Setting(self.deadline, self.where.place, self.scripts)
