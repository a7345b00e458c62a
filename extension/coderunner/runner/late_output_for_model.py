"""The output of cells after their end, for the model: their threads and tasks go on."""

from collections.abc import Sequence

from coderunner.outputs import Output, Result
from coderunner.runner.run_options import Kernel

MOST = 8
"""Cells whose later output a model gets at once: the default number of blocks in a reply."""


def shown_afterwards(kernel: Kernel, *, newest: bool = True) -> list[Result]:
    """The output of cells after their end: one result for each cell, and each output once.

    With what a sandbox refused to them then: not for the thread of kernel I/O, which has to find that out.

    Without `newest`, that of the latest cell is left for the next call.
    """
    return described(kernel.take_afterwards(newest=newest), kernel)


def described(shown: Sequence[tuple[Output, ...]], kernel: Kernel) -> list[Result]:
    """What cells have shown after their end as results, as `shown_afterwards` has it."""
    left_out = len(shown) - MOST
    word = f"later output of {left_out} more blocks is left out" if left_out > 0 else ""
    details = [word if at == 0 else "" for at in range(MOST)]
    return [
        Result(outputs, detail=detail, refusals=kernel.refused_afterwards(outputs))
        for outputs, detail in zip(shown[-MOST:], details, strict=False)
    ]
