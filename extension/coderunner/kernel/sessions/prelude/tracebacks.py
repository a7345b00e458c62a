"""A traceback begins in the cell, names the line that raised, and can always be shown.

- IPython names the line that ran last, which may be in a `finally`.
- IPython leaves the traceback of an ExceptionGroup to Python, with a frame of its own.
- An exception whose `__str__` raises is shown once. ipykernel shows both errors.
- A program that leaves by `sys.exit` is not told how to leave a terminal.
"""

import builtins
import sys
import warnings
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import replace_callback

UNSAYABLE = "<exception str() failed>"
"""What Python itself shows then."""


def name_raising_lines(shell: Any) -> None:
    """Make tracebacks name the lines that raised."""
    records: Any = getattr(shell.InteractiveTB.get_records, "bare", shell.InteractiveTB.get_records)

    def get_records(trace: Any, *arguments: Any, **options: Any) -> Any:
        lines: dict[int, list[int]] = {}
        found = records(trace, *arguments, **options)
        while trace is not None:
            lines.setdefault(id(trace.tb_frame), []).append(trace.tb_lineno)
            trace = trace.tb_next
        for record in found:
            raised = lines.get(id(getattr(record, "frame", None)))
            # All others have the line of the traceback already.
            if raised and getattr(record, "description", None) == "Raw frame":
                record.lineno = raised.pop(0)
        return found

    get_records.bare = records  # type: ignore[attr-defined]
    shell.InteractiveTB.get_records = get_records


def start_groups_in_the_cell(shell: Any) -> None:
    """Begin the traceback of an ExceptionGroup in the cell."""
    bare: Any = getattr(shell.showtraceback, "bare", shell.showtraceback)
    own = type(shell).run_code.__code__

    def showtraceback(*arguments: Any, **options: Any) -> None:
        error = sys.exc_info()[1]
        trace = error.__traceback__ if error is not None else None
        while trace is not None and trace.tb_frame.f_code is own:
            trace = trace.tb_next
        if error is None or trace is None or not is_group(error):
            bare(*arguments, **options)
            return
        kept, error.__traceback__ = error.__traceback__, trace
        try:
            bare(*arguments, **options)
        finally:
            error.__traceback__ = kept

    showtraceback.bare = bare  # type: ignore[attr-defined]
    shell.showtraceback = showtraceback


def is_group(error: Any) -> bool:
    """Whether IPython leaves an exception to Python: it, or one in its context, is a group."""
    group: Any = getattr(builtins, "BaseExceptionGroup", ())
    while error is not None:
        if isinstance(error, group):
            return True
        error = error.__context__
    return False


def describe_safely(shell: Any) -> None:
    """Keep the description of an exception from raising another one."""

    def settle(result: Any) -> None:
        result.error_in_exec = describable(result.error_in_exec)

    for place, name in (
        (shell.InteractiveTB, "format_exception"),
        (shell, "_showtraceback"),
        (shell, "_format_exception_for_storage"),
    ):
        bare: Any = getattr(place, name, None)
        if bare is not None and not hasattr(bare, "bare"):
            setattr(place, name, guarded(bare))
    replace_callback(shell, "post_run_cell", settle)


def guarded(bare: Any) -> Any:
    """Wrap a function so that all exceptions it gets can be described."""

    def told(*arguments: Any, **options: Any) -> Any:
        said = (describable(each) if isinstance(each, BaseException) else each for each in arguments)
        return bare(*said, **options)

    told.bare = bare  # type: ignore[attr-defined]
    return told


def describable(error: Any) -> Any:
    """The exception, or, where its `__str__` raises, a new one with its name."""
    try:
        str(error)
    except Exception:
        told = type(type(error).__name__, (Exception,), {})(UNSAYABLE)
        told.__traceback__ = error.__traceback__
        return told
    return error


def leave_quietly() -> None:
    """Drop IPython's warning below each SystemExit, which names keys that no cell has."""
    warnings.filterwarnings("ignore", "To exit: use", UserWarning, r"IPython\.core\.interactiveshell")


shell = get_ipython()
if shell is not None:
    leave_quietly()
    name_raising_lines(shell)
    start_groups_in_the_cell(shell)
    describe_safely(shell)
