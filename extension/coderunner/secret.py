"""A value that must not be seen: a Jupyter token, an API key."""

from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Holds a secret; `reveal()` is the only way to it.

    It prints as `********` everywhere, is false when empty, and refuses to be pickled, so that it cannot
    slip into a log, an exception's text, a cache or a file by accident.
    """

    _value: str = ""

    def reveal(self) -> str:
        """Give the secret itself, for the one header that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "'********'" if self._value else "''"

    def __str__(self) -> str:
        return "********" if self._value else ""

    def __reduce__(self) -> NoReturn:
        message = "a secret is not to be pickled"
        raise TypeError(message)
