"""A cell runs as a whole or not at all.

- IPython compiles a cell statement by statement and runs each at once, so that a `return` at the end is only
  found when all before it has run. Here a cell runs when the whole of it compiles, or not at all.
- A cell that is nested too deeply to be compiled ends with that error; IPython would never answer.
- `breakpoint()` starts pdb. ipykernel sets debugpy's hook, which does nothing while no debugger is attached.
"""

import ast
import linecache
import sys
import warnings
from collections.abc import Coroutine, Sequence
from typing import Any

from IPython.core.getipython import get_ipython

Module = ast.Module
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def run_whole_cells(shell: Any) -> None:
    """Run the statements of a cell only when all of them compile."""
    run: Any = getattr(shell.run_ast_nodes, "bare", shell.run_ast_nodes)

    # Not a coroutine itself: a program's stack is the same as without us.
    def run_ast_nodes(
        nodelist: Sequence[ast.stmt], cell_name: str, *arguments: Any, **options: Any
    ) -> Coroutine[Any, Any, bool]:
        try:
            flags = AWAIT if shell.autoawait else 0
            check(nodelist, cell_name, options.get("compiler", shell.compile), flags)
        except Exception as error:
            return show_error(shell, error, options.get("result"))
        running: Coroutine[Any, Any, bool] = run(nodelist, cell_name, *arguments, **options)
        return running

    run_ast_nodes.bare = run  # type: ignore[attr-defined]
    shell.run_ast_nodes = run_ast_nodes


def check(statements: Sequence[ast.stmt], cell_name: str, compiler: Any, flags: int) -> None:
    """Compile each statement exactly as IPython will; raises what that would raise.

    Not as one module: IPython accepts a `from __future__` anywhere in a cell.
    """
    kept, shown = compiler.flags, warnings.showwarning
    compiler.flags |= flags
    # The compiler's warnings are shown when the statement runs, not twice.
    warnings.showwarning = lambda *_arguments, **_options: None
    try:
        for statement in statements:
            compiler(Module([statement], []), cell_name, "exec")
    except SyntaxError as error:
        locate(error)
        raise
    finally:
        compiler.flags, warnings.showwarning = kept, shown


def locate(error: SyntaxError) -> None:
    """Give the error its line: compiling a tree, the compiler has none, and counts in bytes."""
    line = linecache.getline(str(error.filename), error.lineno or 0)
    if line and error.offset:
        before = line.encode()[: error.offset - 1].decode(errors="ignore")
        error.text, error.offset = line, len(before) + 1
        error.end_lineno = error.end_offset = None


async def show_error(shell: Any, error: Exception, result: Any) -> bool:
    """Show the error as IPython shows its own; nothing has run."""
    if result is not None:
        result.error_before_exec = error
    # The frames that raised it are ours.
    shell.showtraceback((type(error), error.with_traceback(None), None))
    return True


def survive_deep_nesting(shell: Any) -> None:
    """Keep IPython's check whether a cell awaits something from failing at a deep cell."""
    ask = getattr(shell.should_run_async, "bare", shell.should_run_async)

    def should_run_async(*arguments: Any, **options: Any) -> bool:
        try:
            return bool(ask(*arguments, **options))
        except (RecursionError, MemoryError):
            return False

    should_run_async.bare = ask  # type: ignore[attr-defined]
    shell.should_run_async = should_run_async


def use_pdb() -> None:
    """Make `breakpoint()` start pdb, unless a program has set a hook of its own."""
    if getattr(sys.breakpointhook, "__module__", "").startswith("debugpy"):
        sys.breakpointhook = sys.__breakpointhook__


shell = get_ipython()
if shell is not None:
    run_whole_cells(shell)
    survive_deep_nesting(shell)
    use_pdb()
