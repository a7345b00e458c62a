"""A value that must not be seen: a Jupyter token, an API key."""

from typing import NoReturn, Self


class Secret:
    """Holds a secret; `reveal()` is the only way to it.

    It prints as `********` everywhere, is false when empty, and refuses to be pickled, so that it cannot
    slip into a log, an exception's text, a cache or a file by accident. A copy of it is itself.
    """

    # No dataclass: `asdict`, and every library that knows dataclasses, would lay the value open.
    __slots__ = ("__value",)

    def __init__(self, value: str = "") -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the secret itself, for the one header that needs it."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        return self.__value == other.__value if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.__value)

    def __repr__(self) -> str:
        return "'********'" if self.__value else "''"

    def __str__(self) -> str:
        return "********" if self.__value else ""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memory: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        message = "a secret is not to be pickled"
        raise TypeError(message)
