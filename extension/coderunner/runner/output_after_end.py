"""What cells have shown after their end, for the model: their threads and tasks go on."""

from coderunner.outputs import Result
from coderunner.runner.run_options import Kernel

MOST = 8
"""Cells of whose threads a model is told at once; a reply has no more blocks."""


def shown_afterwards(kernel: Kernel, *, newest: bool = True) -> list[Result]:
    """What a model is to be told that cells have shown after their end: a result each, and each once.

    Without `newest`, that of the cell which ended last is left for the next call.
    """
    shown = kernel.take_afterwards(newest=newest)
    left_out = len(shown) - MOST
    word = f"later output of {left_out} more blocks is left out" if left_out > 0 else ""
    details = [word if at == 0 else "" for at in range(MOST)]
    return [Result(outputs, detail=detail) for outputs, detail in zip(shown[-MOST:], details, strict=False)]
