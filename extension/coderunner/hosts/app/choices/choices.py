"""What a person chose, and what the app keeps: one of each for the whole app, which has one user."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from coderunner.models.endpoint.client import Endpoint
from coderunner.page.html.block_html import Setting
from coderunner.runner import KernelLocation, Server, location_of
from coderunner.settings.settings import DEFAULT, Settings
from coderunner.system_prompt import SYSTEM_PROMPT

Approve = Literal["auto", "ask", "off"]
OnTimeout = Literal["detach", "interrupt"]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that can be picked."""

    label: str
    endpoint: Endpoint
    demo: bool = False
    """It is the script that ships with the app, and has to be called so."""


@dataclass(slots=True)
class Choices:
    """What the forms show; the forms change it, the next cell and the next reply go by it."""

    where: KernelLocation
    deadline: float = 30.0
    on_timeout: OnTimeout = "detach"
    """What becomes of a block at its deadline: it goes on beside the reply, or is stopped."""
    hard_timeout: float = 600.0
    """Seconds up to which it goes on."""
    approve: Approve | None = None
    """None: nobody chose, so the place decides."""
    max_blocks: int = 8
    max_seconds: float = 900.0
    max_tokens: int = 0
    scripts: bool = True
    """What a program shows may run scripts, in its closed frame."""
    choice: ModelChoice | None = None
    continuation_of: Callable[[str], str] = lambda _: "auto"
    """How replies of a model are continued."""
    vision: str = "auto"
    """Whether the model is shown the pictures of results."""
    system_prompt: str = SYSTEM_PROMPT
    temperature: float | None = None
    """None: the endpoint's own."""

    @classmethod
    def of(cls, settings: Settings) -> "Choices":
        """The choices that the settings make."""
        chosen = settings.source("approve") != DEFAULT and settings.approve != "default"
        return cls(
            where=location_of(settings),
            deadline=settings.timeout,
            on_timeout=settings.on_timeout,
            hard_timeout=settings.hard_timeout,
            approve=settings.approval if chosen else None,
            max_blocks=settings.max_blocks,
            max_seconds=settings.max_seconds,
            max_tokens=settings.max_tokens,
            scripts=settings.output_scripts,
            continuation_of=settings.continuation_of,
            vision=settings.vision,
            system_prompt=settings.system_prompt or SYSTEM_PROMPT,
        )

    @property
    def limit(self) -> float:
        """Seconds up to which a block goes on after its deadline; 0: it is stopped there."""
        return self.hard_timeout if self.on_timeout == "detach" else 0.0

    @property
    def approval(self) -> Approve:
        """Whether cells run by themselves: a Jupyter server is the isolated one, this machine is not."""
        return self.approve or ("auto" if isinstance(self.where, Server) else "ask")

    @property
    def setting(self) -> Setting:
        """What blocks say about the place where they run."""
        return Setting(self.deadline, self.where.place, self.scripts)
