"""A forked process becomes a kernel, as if its interpreter had just been started with the command."""

import builtins
import importlib
import importlib.util
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import CodeType
from typing import Any

from coderunner.kernel.template import command_line, fresh
from coderunner.kernel.template.loading import OURS
from coderunner.kernel.template.module_list import ModuleList, read_by

LAUNCHER = "ipykernel_launcher"


class Prelude:
    """The files of the prelude, compiled once for all kernels."""

    def __init__(self, shared: Sequence[str], files: Sequence[str]) -> None:
        self._shared = [_compiled(each) for each in shared]
        self._files = [_compiled(each) for each in files]

    def run(self) -> None:
        """Run them as the cell of the prelude does: a file that fails leaves the others."""
        names: dict[str, Any] = {"__name__": OURS, "__builtins__": builtins}
        for code in self._shared:
            exec(code, names)
        for code in self._files:
            with suppress(Exception):
                exec(code, {**names})


def _compiled(text: str) -> CodeType:
    return compile(text, "<string>", "exec", dont_inherit=True)


def kernel(
    command: Sequence[str], prelude: Prelude, pools: "Sequence[Callable[[int], Any]]", modules: ModuleList
) -> None:
    """Be the kernel of a command; returns when it has ended."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fresh.renew(pools)
    at = command.index(LAUNCHER)
    spec = importlib.util.find_spec(LAUNCHER)
    sys.argv[:] = [(spec.origin if spec else None) or LAUNCHER, *command[at + 1 :]]
    sys.orig_argv[:] = command
    command_line.show(command)
    modules.forget_ours()
    app = importlib.import_module("ipykernel.kernelapp").IPKernelApp.instance()
    with read_by(sys.modules["ipykernel.ipkernel"], modules):
        app.initialize()
    prelude.run()
    plots: Any = sys.modules.get("matplotlib.pyplot")
    if plots is not None:
        # It looks for IPython when it is imported, and there was none then.
        plots.install_repl_displayhook()
    app.start()
