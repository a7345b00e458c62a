"""All clues of one cell."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from coderunner.outputs import Result
from coderunner.sandbox.clues import error_hosts
from coderunner.sandbox.clues.error_paths import Named, named
from coderunner.sandbox.clues.error_programs import Sought, sought


@dataclass(frozen=True, slots=True)
class Clues:
    """What in a cell may tell of a refusal; most have none."""

    paths: tuple[Named, ...] = ()
    unfound: tuple[str, ...] = ()
    """Hosts that it could not find."""
    refused: tuple[str, ...] = ()
    """Hosts that the egress proxy refused."""
    programs: Sought = field(default_factory=Sought)
    """Other programs that it could not reach."""

    @classmethod
    def of(cls, result: Result, source: str, refused: Sequence[str] = ()) -> "Clues":
        """The clues in what a cell shows and is."""
        unfound = error_hosts.unfound(result, source, {each.partition(":")[0] for each in refused})
        told = tuple(dict.fromkeys(refused))
        return cls(tuple(named(result, source)), tuple(unfound), told, sought(result, source))

    def __bool__(self) -> bool:
        return bool(self.paths or self.unfound or self.refused or self.programs)
