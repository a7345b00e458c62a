"""How what something costs grows with its input."""

import time
from collections.abc import Callable

GROWN = 8
"""So many times as much input costs as many times as much where the cost is linear, else the square of it."""
LINEAR = GROWN * 3
"""What counts as linear: small inputs fit into the processor's caches, and large ones do not."""


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times as much processor time `GROWN` times the size takes; the best of three each."""

    def cost(size: int) -> float:
        began = time.process_time()
        work(size)
        return time.process_time() - began

    small, large = (min(cost(each) for _ in range(3)) for each in (size, GROWN * size))
    return large / max(small, 1e-3)
