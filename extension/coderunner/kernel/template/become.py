"""A forked process becomes a kernel, as if its interpreter had just been started with the command."""

import builtins
import importlib
import importlib.util
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import CodeType
from typing import Any

from coderunner.kernel.template import command_line, fresh
from coderunner.kernel.template.loading import OURS, Loaded
from coderunner.kernel.template.module_list import read_by

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


def kernel(command: Sequence[str], prelude: Prelude, loaded: Loaded) -> None:
    """Be the kernel of a command; returns when it has ended."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fresh.renew()
    loaded.pools.renew()
    at = command.index(LAUNCHER)
    spec = importlib.util.find_spec(LAUNCHER)
    sys.argv[:] = [(spec.origin if spec else None) or LAUNCHER, *command[at + 1 :]]
    sys.orig_argv[:] = command
    command_line.show(command)
    loaded.modules.forget_ours()
    with read_by(sys.modules["ipykernel.ipkernel"], loaded.modules):
        app = loaded.app.initialize(sys.argv[1:])
    prelude.run()
    see_shell()
    app.start()


def see_shell() -> None:
    """Have libraries that look for IPython when they are imported see it now: there was none then."""
    inline: Any = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None:
        inline._enable_matplotlib_integration()
    plots: Any = sys.modules.get("matplotlib.pyplot")
    if plots is not None:
        plots.install_repl_displayhook()
