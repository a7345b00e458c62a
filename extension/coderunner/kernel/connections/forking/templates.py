"""Which template serves: one at a time, renewed when what it has loaded is no longer what is installed."""

import asyncio
import logging
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec

from coderunner.kernel.background_tasks import begin
from coderunner.kernel.connections.forking.template import NoProcess, NotForked, Template, Unforkable

log = logging.getLogger(__name__)

# fmt: off
USUAL = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect", "IPython.core.magics",
    "IPython.extensions.storemagic", "tornado.platform.asyncio", "tornado.queues",
    "IPython.core.logger", "IPython.core.pylabtools", "concurrent.futures.thread", "encodings.idna",
    "encodings.latin_1", "executing", "faulthandler", "gzip", "pdb", "pygments.formatters.terminal256",
    "pygments.styles", "stack_data",
)
# fmt: on
"""What every kernel loads when it starts, and for its first cell and error, by the installed version."""
PATIENCE = 3
"""Templates in a row that may fail; then kernels are started by themselves."""


ALONE = "a kernel is started by itself, as it cannot be forked: %s"


@cache
def can_fork() -> bool:
    """Whether kernels can be forked on this machine."""
    if sys.platform != "linux" or find_spec("ipykernel") is None:
        return False
    from coderunner.kernel.template import clone  # Linux's alone

    return clone.available()


@dataclass(slots=True)
class Templates:
    """Forks kernels that have `wanted` modules and the `prelude` loaded. Lives in the I/O thread's loop.

    What goes wrong is said in the log; a kernel that is not forked is started by itself.
    """

    wanted: Sequence[str]
    prelude: tuple[Sequence[str], Sequence[str]]
    """Its shared files and its others, as text."""
    answers_within: float = 20.0
    """Seconds for a forked kernel to answer, which takes a tenth of a second; then another one is started."""
    _template: Template | None = None
    _environment: Mapping[str, str] = field(default_factory=dict)
    """What the template was started with."""
    _starting: "asyncio.Task[None] | None" = None
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    _failed: int = 0
    _closed: bool = False

    @property
    def ready(self) -> bool:
        """A kernel would be forked now, if nothing has changed."""
        return self._template is not None

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Start a template in the background, unless there is one of this environment; returns at once."""
        if self._closed or self._failed >= PATIENCE or not can_fork():
            return
        if self._starting is not None or (self._template is not None and self._template.fits(environment)):
            return
        self._end()
        self._environment = dict(environment)
        self._starting = begin("no template of kernels could be started", self._start(), self._tasks)

    async def fork(self, environment: Mapping[str, str], channel: int, said: int) -> int | None:
        """Return the number of a process that reads from `channel` what to be; None: there is none now."""
        if self._template is None or not self._template.fits(environment):
            self.prepare(environment)
            return None
        try:
            child = await self._template.fork(channel, said)
        except NoProcess as error:
            log.warning(ALONE, error)
            return None  # the template is as good as ever
        except NotForked as error:
            self.fail(error)
            return None
        return child

    async def _start(self) -> None:
        wanted = list(self.wanted)
        try:
            while not self._closed:
                try:
                    told = {"usual": USUAL, "wanted": wanted, "prelude": self.prelude}
                    template, missing = await Template.start(self._environment, told)
                except Unforkable as error:
                    name, why = error.args
                    log.warning("kernels are started without %s, which cannot be preloaded: %s", name, why)
                    if name not in wanted:
                        self._failed = PATIENCE
                        return
                    wanted.remove(name)
                    continue
                for each in missing:
                    log.warning("kernels are started without a module of the setting preload: %s", each)
                self._template = template
                return
        except NotForked as error:
            self.fail(error)
        finally:
            self._starting = None

    def fail(self, error: BaseException) -> None:
        """Start another template for the next kernel: this one forked none, or one that is of no use."""
        self._failed += 1
        log.warning(ALONE, error)
        self._end()

    def served(self) -> None:
        """A kernel that was forked answers."""
        self._failed = 0

    def _end(self) -> None:
        template, self._template = self._template, None
        if template is not None:
            template.close()

    async def close(self) -> None:
        """End the template, and start no other; kernels that it has forked live on."""
        self._closed = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._end()


_lock = threading.Lock()
_held: dict[tuple[str, ...], tuple[Templates, int]] = {}
"""By the modules that are wanted: those that serve, and for how many."""


def hold(wanted: Sequence[str] | None, prelude: tuple[Sequence[str], Sequence[str]]) -> Templates | None:
    """Return what forks kernels with these modules, for all of this process that want the same.

    None where nothing is to be forked, or nothing can be.
    """
    if wanted is None or not can_fork():
        return None
    with _lock:
        found, count = _held.get(tuple(wanted), (None, 0))
        found = found or Templates(tuple(wanted), prelude)
        _held[tuple(wanted)] = (found, count + 1)
        return found


async def release(templates: Templates | None) -> None:
    """Need them no more; the last one to say so ends them."""
    if templates is None:
        return
    with _lock:
        key = tuple(templates.wanted)
        found, count = _held.pop(key, (templates, 1))
        if count > 1:
            _held[key] = (found, count - 1)
            return
    await templates.close()
