"""Runs inside a Python kernel before the first cell: what IPython's own ways lack.

Imports nothing of ours, because it is sent to the kernel as text (see `preparation`), wherever that runs. It
may be sent twice, leaves no name behind and changes nothing that a program can see:

- IPython compiles a cell statement by statement and runs each at once, so that a `return` at the end is only
  found when all before it has run. Here a cell runs when the whole of it compiles, or not at all.
- A cell that is nested too deeply to be compiled ends in its error; IPython would never answer.
- `breakpoint()` means pdb. ipykernel has made it debugpy's, which does nothing while no debugger is attached.
- What a thread shows belongs to the cell that started it. ipykernel 7 gives it to whichever cell runs; 6 does
  so with what is displayed, and gives text of a pool's thread to the cell that made the pool.
- Half a character (a lone surrogate) is shown as U+FFFD. ipykernel would lose all that is printed with it,
  print its own failure in its place, and may then wait ten seconds for each flush at the end of the cell.
- What is shown faster than it is read waits, `WAITING` messages at the most. ipykernel drops what comes after
  the first thousand, and tells nobody.
- What programs that a cell started wrote is shown before the cell ends. ipykernel takes it from a pipe in a
  thread of its own, and may show the end of it when the cell is over.
- Messages are numbered as they are sent, so that a number that does not come is a message that was lost.
  jupyter_client numbers them as they are made, and some are never sent: the result of a last expression with
  `_ipython_display_` or with a `__repr__` that raises, what a hook keeps for itself, what is no JSON.
- A traceback names the line that raised. IPython names the one that ran last, which may be in a `finally`.
- The traceback of an ExceptionGroup begins in the cell. IPython leaves it to Python, with a frame of its own.
- An exception that cannot say what it is (its `__str__` raises) is told once. ipykernel tells of both.
- A thread may ask while the cell that started it runs, one after the other; then it gets EOFError. ipykernel
  would let it take the answer to the next cell's question.
- A figure that a thread or a task makes between two cells is shown as the first one's, when the next begins.
  IPython would show it at the end of the second, as a plot of that.
- The programs of widgets that this environment has are given to who asks on control, also while a cell runs.
"""

import ast
import builtins
import itertools
import linecache
import os
import sys
import threading
import time
import warnings
from collections.abc import Coroutine, Sequence
from concurrent.futures import thread as pool
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython
from jupyter_core.paths import jupyter_path

Module = ast.Module
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
WAITING = 100_000
HANDOVER = 0.0002
"""Seconds in which another thread comes to run."""
DRAINING = 1.0
"""Seconds to wait at most: a program in the background may write for ever."""
LARGEST = 12 * 1024 * 1024
"""Bytes of a widget's program."""
PATIENCE = 0.05
"""Seconds between two looks of a thread that asks at whether its cell still runs."""
TOO_LATE = "the block that started this thread has ended, so nobody can answer"
UNSAYABLE = "<exception str() failed>"
"""What Python itself says then."""
UNSENT = "coderunner_unsent"
NOTHING: dict[str, Any] = {"parent_header": {}, "metadata": {}, "content": {}, "buffers": []}


def whole(shell: Any) -> None:
    """Have the shell run the statements of a cell only when all of them compile."""
    run: Any = getattr(shell.run_ast_nodes, "bare", shell.run_ast_nodes)

    # Not a coroutine itself: a program's stack is the same as without us.
    def run_ast_nodes(
        nodelist: Sequence[ast.stmt], cell_name: str, *arguments: Any, **options: Any
    ) -> Coroutine[Any, Any, bool]:
        try:
            flags = AWAIT if shell.autoawait else 0
            check(nodelist, cell_name, options.get("compiler", shell.compile), flags)
        except Exception as error:
            return refuse(shell, error, options.get("result"))
        running: Coroutine[Any, Any, bool] = run(nodelist, cell_name, *arguments, **options)
        return running

    run_ast_nodes.bare = run  # type: ignore[attr-defined]
    shell.run_ast_nodes = run_ast_nodes


def check(statements: Sequence[ast.stmt], cell_name: str, compiler: Any, flags: int) -> None:
    """Compile each statement exactly as IPython will; raises what that would raise.

    As one module they would not do: IPython takes a `from __future__` in any place.
    """
    kept, shown = compiler.flags, warnings.showwarning
    compiler.flags |= flags
    # What a compiler warns of is shown when the statement runs, not twice.
    warnings.showwarning = lambda *_arguments, **_options: None
    try:
        for statement in statements:
            compiler(Module([statement], []), cell_name, "exec")
    except SyntaxError as error:
        point(error)
        raise
    finally:
        compiler.flags, warnings.showwarning = kept, shown


def point(error: SyntaxError) -> None:
    """Give the error its line: from a tree the compiler has none, and counts in bytes."""
    line = linecache.getline(str(error.filename), error.lineno or 0)
    if line and error.offset:
        before = line.encode()[: error.offset - 1].decode(errors="ignore")
        error.text, error.offset = line, len(before) + 1
        error.end_lineno = error.end_offset = None


async def refuse(shell: Any, error: Exception, result: Any) -> bool:
    """Tell the error as IPython tells its own; nothing has run."""
    if result is not None:
        result.error_before_exec = error
    # Where it was raised is ours alone.
    shell.showtraceback((type(error), error.with_traceback(None), None))
    return True


def answering(shell: Any) -> None:
    """Have the shell find out whether a cell awaits something without failing at it."""
    ask = getattr(shell.should_run_async, "bare", shell.should_run_async)

    def should_run_async(*arguments: Any, **options: Any) -> bool:
        try:
            return bool(ask(*arguments, **options))
        except (RecursionError, MemoryError):
            return False

    should_run_async.bare = ask  # type: ignore[attr-defined]
    shell.should_run_async = should_run_async


def debugging() -> None:
    """Have `breakpoint()` mean pdb, unless a program gave it a meaning of its own."""
    if getattr(sys.breakpointhook, "__module__", "").startswith("debugpy"):
        sys.breakpointhook = sys.__breakpointhook__


class Origin:
    """To ipykernel a ContextVar, with the header of what is shown: in a thread, that of who started it."""

    def __init__(self, bare: Any, threads: Any) -> None:
        self.bare = bare
        self.threads = threads

    def get(self) -> Any:
        """Give it; raises LookupError, as a ContextVar does, and ipykernel takes the newest cell's."""
        try:
            return self.bare.get()
        except LookupError:
            return self.threads[threading.current_thread()]

    def set(self, header: Any) -> Any:
        """Set it for this thread or task."""
        return self.bare.set(header)

    def reset(self, token: Any) -> None:
        """Undo a `set`."""
        self.bare.reset(token)


def belonging(shell: Any) -> None:
    """Have what threads show belong to the cell that started them, or gave a pool of them something to do."""
    places = [sys.stdout, sys.stderr, shell.display_pub]
    # In ipykernel 6 what is displayed has none; and when this is sent again, it is done already.
    ours = [place for place in places if isinstance(getattr(place, "_parent_header", None), ContextVar)]
    if not ours:
        return
    threads: WeakKeyDictionary[threading.Thread, Any] = WeakKeyDictionary()
    for place in ours:
        place._parent_header = Origin(place._parent_header, threads)
    origin = ours[0]._parent_header
    bare = threading.Thread.start
    item: Any = pool._WorkItem

    def start(self: threading.Thread) -> None:
        with suppress(LookupError):
            threads[self] = origin.get()
        bare(self)

    class Work(item):  # type: ignore[misc]
        """A call that waits for a thread of a pool, which another cell may have started."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.header = None
            with suppress(LookupError):
                self.header = origin.get()

        def run(self, *arguments: Any) -> None:
            if self.header is not None:
                threads[threading.current_thread()] = self.header
            super().run(*arguments)

    threading.Thread.start = start  # type: ignore[method-assign]
    pool._WorkItem = Work  # type: ignore[assignment,misc]


def whole_characters(value: Any) -> Any:
    """The content of a message, its halves of characters joined; one without its other half is U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {whole_characters(key): whole_characters(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [whole_characters(each) for each in value]
    return value


def packing(shell: Any) -> None:
    """Have every message be sent that can be."""
    session = shell.kernel.session
    bare: Any = getattr(session.pack, "bare", session.pack)

    def pack(content: Any) -> Any:
        try:
            return bare(content)
        except UnicodeEncodeError:
            return bare(whole_characters(content))

    pack.bare = bare  # type: ignore[attr-defined]
    session.pack = pack


def numbering(shell: Any) -> None:
    """Have every message that is sent bear the next number, in a series of its own."""
    session = shell.kernel.session
    if hasattr(session.send, "bare"):
        return
    bare, process = session.send, os.getpid()
    series, numbers = f"{session.session}_{process}_sent", itertools.count()

    def send(
        stream: Any,
        message: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,  # noqa: FBT001, FBT002 - as jupyter_client has it
        header: Any = None,
        metadata: Any = None,
    ) -> Any:
        if not isinstance(message, dict):
            message = session.msg(message, content, parent, header, metadata)
        if os.getpid() != process:
            # A forked child's are no part of the series: the kernel goes on counting without it.
            return bare(stream, message, ident=ident, buffers=buffers, track=track)
        identity = f"{series}_{next(numbers)}"
        message = {**message, "header": {**message["header"], "msg_id": identity}, "msg_id": identity}
        try:
            return bare(stream, message, ident=ident, buffers=buffers, track=track)
        except BaseException:
            # An empty one gets its number: nothing is lost on the way, and who sent it is told here.
            empty = {"header": {**message["header"], "msg_type": UNSENT}, "msg_type": UNSENT}
            bare(stream, {**message, **empty, **NOTHING}, ident=ident)
            raise

    send.bare = bare  # type: ignore[attr-defined]
    session.send = send


def tracing(shell: Any) -> None:
    """Have tracebacks name the lines that raised."""
    records: Any = getattr(shell.InteractiveTB.get_records, "bare", shell.InteractiveTB.get_records)

    def get_records(trace: Any, *arguments: Any, **options: Any) -> Any:
        lines: dict[int, list[int]] = {}
        found = records(trace, *arguments, **options)
        while trace is not None:
            lines.setdefault(id(trace.tb_frame), []).append(trace.tb_lineno)
            trace = trace.tb_next
        for record in found:
            raised = lines.get(id(getattr(record, "frame", None)))
            # The others have it from the traceback already.
            if raised and getattr(record, "description", None) == "Raw frame":
                record.lineno = raised.pop(0)
        return found

    get_records.bare = records  # type: ignore[attr-defined]
    shell.InteractiveTB.get_records = get_records


def grouping(shell: Any) -> None:
    """Have what Python tells of a group of exceptions begin where the cell does."""
    bare: Any = getattr(shell.showtraceback, "bare", shell.showtraceback)
    own = type(shell).run_code.__code__

    def showtraceback(*arguments: Any, **options: Any) -> None:
        error = sys.exc_info()[1]
        trace = error.__traceback__ if error is not None else None
        while trace is not None and trace.tb_frame.f_code is own:
            trace = trace.tb_next
        if error is None or trace is None or not grouped(error):
            bare(*arguments, **options)
            return
        kept, error.__traceback__ = error.__traceback__, trace
        try:
            bare(*arguments, **options)
        finally:
            error.__traceback__ = kept

    showtraceback.bare = bare  # type: ignore[attr-defined]
    shell.showtraceback = showtraceback


def grouped(error: Any) -> bool:
    """Whether IPython leaves an exception to Python: it, or one that was there before it, is a group."""
    group: Any = getattr(builtins, "BaseExceptionGroup", ())
    while error is not None:
        if isinstance(error, group):
            return True
        error = error.__context__
    return False


def saying(shell: Any) -> None:
    """Have what is said of an exception never raise another one."""

    def settle(result: Any) -> None:
        result.error_in_exec = sayable(result.error_in_exec)

    for place, name in (
        (shell.InteractiveTB, "format_exception"),
        (shell, "_showtraceback"),
        (shell, "_format_exception_for_storage"),
    ):
        bare: Any = getattr(place, name, None)
        if bare is not None and not hasattr(bare, "bare"):
            setattr(place, name, careful(bare))
    replace_callback(shell, "post_run_cell", settle)


def careful(bare: Any) -> Any:
    """Give a function that gets exceptions which can say what they are."""

    def told(*arguments: Any, **options: Any) -> Any:
        said = (sayable(each) if isinstance(each, BaseException) else each for each in arguments)
        return bare(*said, **options)

    told.bare = bare  # type: ignore[attr-defined]
    return told


def sayable(error: Any) -> Any:
    """The exception, or one of its name in its place where it cannot say what it is."""
    try:
        str(error)
    except Exception:
        told = type(type(error).__name__, (Exception,), {})(UNSAYABLE)
        told.__traceback__ = error.__traceback__
        return told
    return error


def replace_callback(shell: Any, event: str, callback: Any) -> None:
    """Have it called at the event, in place of an earlier one of ours of that name."""
    for before in list(shell.events.callbacks[event]):
        named = (getattr(before, "__module__", ""), getattr(before, "__name__", ""))
        if named == (__name__, callback.__name__):
            shell.events.unregister(event, before)
    shell.events.register(event, callback)


def asking(shell: Any) -> None:
    """Have each answer reach who asked for it."""
    kernel, main, output = shell.kernel, threading.main_thread(), sys.stdout
    bare: Any = getattr(kernel._input_request, "bare", kernel._input_request)
    turn, running = threading.Lock(), [""]

    def begin_asking() -> None:
        running[0] = kernel.get_parent("shell")["header"]["msg_id"]

    def end_asking() -> None:
        running[0] = ""

    def check() -> None:
        header: Any = getattr(output, "parent_header", {})
        if threading.current_thread() is not main and header.get("msg_id") != running[0]:
            raise EOFError(TOO_LATE)

    def ask(prompt: str, ident: Any, parent: Any, password: bool = False) -> str:  # noqa: FBT001, FBT002
        check()
        while not turn.acquire(timeout=PATIENCE):
            check()
        try:
            if threading.current_thread() is main:
                return str(bare(prompt, ident, parent, password=password))
            stdin = kernel.stdin_socket
            while stdin.poll(0):
                stdin.recv_multipart()
            content = {"prompt": prompt, "password": password}
            kernel.session.send(stdin, "input_request", content, parent, ident=ident)
            while not stdin.poll(1000 * PATIENCE):
                check()
            return str(kernel.session.recv(stdin)[1]["content"]["value"])
        finally:
            turn.release()

    ask.bare = bare  # type: ignore[attr-defined]
    kernel._input_request = ask
    replace_callback(shell, "pre_execute", begin_asking)
    replace_callback(shell, "post_execute", end_asking)


def plotting(shell: Any) -> None:
    """Have figures that were made between two cells be shown as the earlier one's."""
    origin: Any = getattr(shell.display_pub, "_parent_header", None)
    if not hasattr(origin, "set"):
        return  # in ipykernel 6 what is displayed is always the newest cell's
    last: list[Any] = []

    def remember_cell() -> None:
        last[:] = [origin.get()]

    def show_figures_between() -> None:
        inline: Any = sys.modules.get("matplotlib_inline.backend_inline")
        if not last or inline is None or not inline.show._draw_called:
            return
        token = origin.set(last[0])
        try:
            inline.flush_figures()
        finally:
            origin.reset(token)

    replace_callback(shell, "post_execute", remember_cell)
    replace_callback(shell, "pre_execute", show_figures_between)


def waiting(shell: Any) -> None:
    """Have what a cell shows wait for those who are connected when it begins."""
    thread = shell.kernel.iopub_thread

    def widen() -> None:
        # A socket belongs to its thread.
        thread.schedule(lambda: setattr(thread.socket, "sndhwm", WAITING))

    replace_callback(shell, "pre_execute", widen)


def draining(shell: Any) -> None:
    """Have the end of a cell wait, bounded, for what still lies in the pipes of stdout and stderr."""
    try:
        import fcntl
        import termios
    except ImportError:
        return  # on Windows ipykernel has no such pipes
    streams: list[Any] = [sys.stdout, sys.stderr]
    ours = [each for each in streams if isinstance(getattr(each, "_fid", None), int)]
    pipes = [each._fid for each in ours]
    clocks = [time.pthread_getcpuclockid(each.watch_fd_thread.ident) for each in ours]
    ioctl, count, nothing = fcntl.ioctl, termios.FIONREAD, bytes(4)
    monotonic, sleep, clock = time.monotonic, time.sleep, time.clock_gettime_ns
    worked = [0]

    def full() -> bool:
        return any(ioctl(pipe, count, nothing) != nothing for pipe in pipes)

    def drain() -> None:
        with suppress(OSError):
            # The threads that read stand still while nobody writes.
            before, worked[0] = worked[0], sum(map(clock, clocks))
            if before == worked[0] and not full():
                return
            until = monotonic() + DRAINING
            # What one has taken it shows as soon as it may run.
            sleep(HANDOVER)
            while full() and monotonic() < until:
                sleep(20 * HANDOVER)
            worked[0] = sum(map(clock, clocks))

    if pipes:
        replace_callback(shell, "post_execute", drain)


def lending(shell: Any) -> None:
    """Have the kernel give the programs of widgets, as extensions of the notebook bring them."""
    kernel = shell.kernel

    def give(stream: Any, ident: Any, parent: Any) -> None:
        name = str(parent["content"]["name"])
        found: list[bytes] = []
        # A scope is a part of the name to npm, and none of the folder's.
        for each in (name, name.rpartition("/")[2]):
            paths = [Path(folder, each, "index.js") for folder in jupyter_path("nbextensions")]
            with suppress(OSError):
                found += [path.read_bytes() for path in paths if is_program(path)][:1]
        kernel.session.send(
            stream, "coderunner_module_reply", {"found": bool(found)}, parent, ident, buffers=found[:1]
        )

    kernel.control_handlers["coderunner_module_request"] = give


def is_program(path: Path) -> bool:
    """Whether it is a file, and not too large to be sent."""
    return path.is_file() and path.stat().st_size <= LARGEST


shell = get_ipython()
if shell is not None:
    whole(shell)
    answering(shell)
    debugging()
    belonging(shell)
    packing(shell)
    numbering(shell)
    tracing(shell)
    grouping(shell)
    saying(shell)
    asking(shell)
    plotting(shell)
    waiting(shell)
    draining(shell)
    lending(shell)
