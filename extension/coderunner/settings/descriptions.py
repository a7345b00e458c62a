"""What help, documentation and forms say of a setting."""

from dataclasses import dataclass

from coderunner.settings.fields import Topic

PREFIX = "CODERUNNER_"
"""How environment variables of ours begin."""


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting with its effective value, as text."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Description:
    """The description of one setting, for help, documentation and forms."""

    name: str
    topic: Topic
    what: str
    default: str
    choices: tuple[str, ...] = ()
    secret: bool = False
    switch: bool = False

    @property
    def flag(self) -> str:
        """The flag that sets it; empty for a secret."""
        return "" if self.secret else "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()
