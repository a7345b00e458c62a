"""Notices a reply that repeats itself: the same code, which fails the same way again."""

from collections import Counter

from coderunner.outputs import Cell, Error, Result, Status

TIMES = 2
"""Failures after which the same code is not run any more: one more chance, now that the model was told."""

NO_FAILURE = frozenset({Status.OK, Status.DECLINED, Status.UNRUN, Status.UNFIT, Status.INTERRUPTED})
"""The program succeeded, or a person did not want it."""

WORD = "the same block failed the same way before; it will not be run a third time"
NOT_RUN = "the same block failed the same way twice"


class LoopGuard:
    """The failures of one reply."""

    def __init__(self) -> None:
        self._failures: Counter[tuple[str, ...]] = Counter()
        self._stuck: set[str] = set()

    def receive(self, cell: Cell, result: Result) -> str:
        """Take a cell's result; returns what the model should be told, mostly nothing."""
        if result.status in NO_FAILURE:
            return ""
        code = _code(cell)
        failure = (code, result.status, *_errors(result))
        self._failures[failure] += 1
        if self._failures[failure] < TIMES:
            return ""
        self._stuck.add(code)
        return WORD

    def stuck(self, cell: Cell) -> bool:
        """Whether it makes no sense to run the cell once more."""
        return _code(cell) in self._stuck


def _code(cell: Cell) -> str:
    return "\n".join(line.rstrip() for line in cell.source.strip().splitlines())


def _errors(result: Result) -> tuple[str, ...]:
    errors = [output for output in result.outputs if isinstance(output, Error)]
    return tuple(f"{error.ename}: {error.evalue}" for error in errors)
