"""What each kernel has anew, of all that are forked of one process: chance, secrets, folders."""

import os
import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def renew() -> None:
    """Make anew what forked processes would share."""
    random.seed()
    tempfile.tempdir = None
    tempfile._name_sequence = None  # type: ignore[attr-defined]
    for name, mend in MENDED.items():
        module = sys.modules.get(name)
        if module is not None:
            # What another version has not is not there to be renewed.
            with suppress(AttributeError, KeyError, TypeError, ValueError):
                mend(module)


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
