"""Loads what kernels are to have, and sees whether a process with it may be forked."""

import gc
import importlib
import os
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress

from coderunner.kernel.template.first_use import FIRST_USES
from coderunner.kernel.template.module_list import ModuleList
from coderunner.kernel.template.prepared_app import PreparedApp
from coderunner.kernel.template.thread_pools import ThreadPools, threads

OURS = "coderunner"
OPENBLAS = "OPENBLAS_NUM_THREADS"
INLINE = "module://matplotlib_inline.backend_inline"
"""Matplotlib's backend, as ipykernel sets it."""
ARROW = "JE_ARROW_MALLOC_CONF"
AT_IMPORT = {OPENBLAS: "1", ARROW: "background_thread:false", "MPLBACKEND": INLINE, "JPY_PARENT_PID": "1"}
"""What modules read of the environment when they are imported: no threads (pyarrow's would only give memory
back sooner), the backend of kernels; and no watch over a parent, which whoever is above a kernel keeps."""
COMPANIONS = (
    ("matplotlib.backends.backend_agg", ("matplotlib.pyplot",)),
    ("PIL.BmpImagePlugin", ("matplotlib.pyplot",)),
    ("PIL.GifImagePlugin", ("matplotlib.pyplot",)),
    ("PIL.JpegImagePlugin", ("matplotlib.pyplot",)),
    ("PIL.PngImagePlugin", ("matplotlib.pyplot",)),
    ("PIL.PpmImagePlugin", ("matplotlib.pyplot",)),
    ("pandas.io.formats.html", ("pandas",)),
    ("pyarrow.pandas_compat", ("pandas",)),
    ("pandas.plotting._matplotlib", ("pandas", "matplotlib.pyplot")),
    ("matplotlib_inline.backend_inline", ("matplotlib.pyplot",)),
)
"""What libraries load only for the first plot or table, where all that it belongs to is wanted: a tenth of a
second of computing, and 7 MB that each kernel would have for itself."""
THREADS = "it starts {count} threads, which no forked process has"
FILES = "it keeps {what} open, which all forked processes would share"


class Environment(os._Environ):  # type: ignore[type-arg]
    """`os.environ` while modules are loaded: it remembers which names were asked for."""

    asked: "set[str]" = set()  # noqa: RUF012 - there is one environment

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return str(super().__getitem__(key))

    @classmethod
    def watch(cls) -> None:
        """Remember from now on."""
        os.environ.__class__ = cls

    @classmethod
    def unwatch(cls) -> "list[str]":
        """Return the names that were asked for, there or not."""
        os.environ.__class__ = os._Environ
        return sorted(each for each in cls.asked if type(each) is str)


class Unforkable(Exception):
    """A process that has loaded this must not be forked; says why."""


class Loaded:
    """What came of loading."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        """What was wrong with modules that could not be imported, a clause for each."""
        self.asked: list[str] = []
        """Variables that were asked for: with another value, what is loaded would be another."""
        self.variables: dict[str, str] = {}
        """Those that ipykernel sets when it is imported."""
        self.modules: ModuleList
        """All that are loaded, in the end."""
        self.pools: ThreadPools
        self.app: PreparedApp


def load(usual: Iterable[str], wanted: Collection[str], own: Iterable[int]) -> Loaded:
    """Import modules. `usual` are those that kernels need themselves, whichever of them are there.

    `own`: the descriptors that are open by right. Raises Unforkable.
    """
    loaded, count = Loaded(), threads()
    os.environ.update(AT_IMPORT)
    before = set(os.environ)
    Environment.watch()
    for name in usual:
        with suppress(ImportError):
            importlib.import_module(name)
    _check("ipykernel", own)
    loaded.variables = {name: os.environ[name] for name in os.environ if name not in before}
    for name in wanted:
        try:
            importlib.import_module(name)
        except Exception as error:
            loaded.missing.append(f"{name}: {error}")
        _check(name, own)
    for name, needed in COMPANIONS:
        if all(each in wanted and each in sys.modules for each in needed):
            with suppress(Exception):
                importlib.import_module(name)
            _check(needed[0], own)
    for name, use in FIRST_USES:
        if name in wanted and name in sys.modules:
            with suppress(Exception):
                use()
            _check(name, own)
    loaded.app = PreparedApp()
    _check("ipykernel", own)
    loaded.asked = Environment.unwatch()
    loaded.pools = ThreadPools(count)
    loaded.modules = ModuleList(OURS)
    gc.collect()
    # What is never looked at by the collector stays in memory that all share.
    gc.freeze()
    return loaded


def _check(name: str, own: Iterable[int]) -> None:
    count = len(os.listdir("/proc/self/task"))
    if count > 1:
        raise Unforkable(name, THREADS.format(count=count - 1))
    for descriptor in sorted(set(map(int, os.listdir("/proc/self/fd"))) - {0, 1, 2, *own}):
        with suppress(OSError):  # the one that read the list
            raise Unforkable(name, FILES.format(what=os.readlink(f"/proc/self/fd/{descriptor}")))


def marks() -> dict[str, int]:
    """Return the folders that modules come from, and when something was installed or removed in each."""
    found = {}
    for folder in sys.path:
        with suppress(OSError):
            found[folder] = os.stat(folder).st_mtime_ns
    return found
