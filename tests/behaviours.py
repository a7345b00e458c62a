"""The manifest: every behaviour that CodeRunner promises, as one sentence with its source.

Each room keeps its sentences in its own `manifest.py`; here they are put together. `test_behaviours.py`
checks both ways: each behaviour has a test, and each test names one behaviour.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A sentence about an outcome, and where the promise comes from."""

    sentence: str
    source: str


def behaviour(identity: str) -> Callable[[Test], Test]:
    """Say which behaviour a test shows. The check reads the source, so this changes nothing at run time."""

    def mark(test: Test) -> Test:
        return test

    return mark


def manifest() -> dict[str, Behaviour]:
    """All behaviours by id.

    Raises ValueError where two rooms claim the same id.
    """
    every: dict[str, Behaviour] = {}
    for path in sorted(Path(__file__).parent.rglob("manifest.py")):
        name = ".".join(["tests", *path.relative_to(Path(__file__).parent).with_suffix("").parts])
        claims: dict[str, Behaviour] = import_module(name).BEHAVIOURS
        if twice := every.keys() & claims.keys():
            message = f"{name} claims what another room has: {sorted(twice)}"
            raise ValueError(message)
        every |= claims
    return every
