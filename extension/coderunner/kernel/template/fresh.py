"""What each kernel has anew, of all that are forked of one process: chance, secrets, threads, folders."""

import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
"""Where OpenBLAS reads how many threads it may have, when it is loaded."""


def renew(pools: "Iterable[Callable[[int], Any]]") -> None:
    """Make anew what forked processes would share; `pools` set how many threads libraries have."""
    random.seed()
    tempfile.tempdir = None
    tempfile._name_sequence = None  # type: ignore[attr-defined]
    for name, mend in MENDED.items():
        module = sys.modules.get(name)
        if module is not None:
            # What another version has not is not there to be renewed.
            with suppress(AttributeError, KeyError, TypeError, ValueError):
                mend(module)
    count = _threads()
    if count > 1:
        for pool in pools:
            pool(count)


def _threads() -> int:
    for name in BLAS_THREADS:
        with suppress(ValueError):
            return int(os.environ.get(name, ""))
    return len(os.sched_getaffinity(0))


def _numpy(module: Any) -> None:
    module.seed()


def _processes(module: Any) -> None:
    own = module.current_process()
    own.authkey = os.urandom(32)


def _uuid(module: Any) -> None:
    module._last_timestamp = module._node = None


def _matplotlib(module: Any) -> None:
    """Have it look for its folders again: those of a sandbox are others."""
    for each in (module.get_configdir, module.get_cachedir):
        cells = dict(zip(each.__code__.co_freevars, each.__closure__, strict=True))
        cells["called"].cell_contents = False


MENDED: "dict[str, Callable[[Any], None]]" = {
    "numpy.random": _numpy,
    "multiprocessing.process": _processes,
    "uuid": _uuid,
    "matplotlib": _matplotlib,
}
"""By the name of a module, where it is loaded."""
