"""`coderunner exec`: runs a program in a kernel, with an exit code that says how it ended."""

import asyncio
import getpass
import logging
import os
import secrets
import signal
import sys
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TextIO

from coderunner.errors import SettingsError
from coderunner.hosts.terminal.cell_printer import CellPrinter
from coderunner.hosts.terminal.inline_images import protocol
from coderunner.hosts.terminal.start_server import offer_start
from coderunner.languages import PYTHON
from coderunner.outputs import END_OF_INPUT, Error, Question, Result, Status
from coderunner.runner import (
    Cell,
    Connection,
    Ended,
    KernelSandbox,
    Local,
    Packaging,
    RecordedRuns,
    ReplyRuns,
    Run,
    RunOptions,
    Session,
    Sessions,
    Shown,
    Toolbox,
    UnrecordedRuns,
    located,
    open_records,
    plain,
    run_cell_sync,
)
from coderunner.sandbox.backends import Availability
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

CODES: Mapping[Status, int] = {
    Status.OK: 0,
    Status.ERROR: 1,
    Status.REFUSED: 2,
    Status.UNRECORDED: 2,
    Status.TIMEOUT: 124,
    Status.INTERRUPTED: 130,
}
"""Exit codes by the status of a cell: 124 as timeout(1) gives it, 130 as a shell gives it after Ctrl-C.
All other statuses are `INCOMPLETE`."""
INCOMPLETE = 3
"""It did not run to its end, or that is unknown: the kernel died, or the connection was lost."""


@dataclass(frozen=True, slots=True)
class Program:
    """Code to run."""

    source: str
    piped: bool = False
    """It came by stdin, which therefore holds no answers for it."""
    argv: tuple[str, ...] = ("-c",)
    """What it finds in `sys.argv`, as Python itself gives it: its own name, then its arguments."""

    @classmethod
    def of(cls, code: str | None, file: str | None, arguments: Sequence[str] = ()) -> "Program":
        """The program that the command line names: the code itself, or a file; `-` is stdin.

        Raises SettingsError if there is none, or two, or it cannot be read.
        """
        if code is None and file is None:
            message = "nothing to run: give -c CODE, a file, or - for stdin"
            raise SettingsError(message)
        if code is not None and file is not None:
            message = "two programs to run: give either -c CODE or a file"
            raise SettingsError(message)
        if code is not None:
            return cls(code)
        try:
            argv = (str(file), *arguments)
            if file == "-":
                return cls(sys.stdin.read(), piped=True, argv=argv)
            return cls(Path(str(file)).read_text(encoding="utf-8-sig"), argv=argv)
        except (OSError, UnicodeDecodeError) as failure:
            reason = getattr(failure, "strerror", None) or "it is not UTF-8 text"
            raise SettingsError(f"{file} cannot be read: {reason}") from None


def execute(settings: Settings, program: Program, session: str = "", *, start_server: bool = False) -> int:
    """Run a program in a kernel of its own, or in that of a `session` on a server; gives the exit code.

    `start_server`: a server of theirs that a JupyterHub has stopped is started without asking. Raises
    SettingsError if the program must not or cannot be run, KernelError if that server does not start.
    """
    if settings.approve == "off":
        message = "approve is off, so nothing runs; set it to auto or ask"
        raise SettingsError(message)
    where, sandbox = located(settings), None
    offer_start(where, open_terminal() if program.piped else sys.stdin, agreed=start_server)
    if isinstance(where, Local):
        if session:
            message = "--session needs a Jupyter server: a kernel on this machine ends with the command"
            raise SettingsError(message)
        # A program of the person's own may do what they may, in their folder, unless they want it otherwise.
        sandbox = KernelSandbox.of(settings, theirs=True) if settings.sandbox == "on" else None
        way = where.sandbox if sandbox else Availability("none")
        where = replace(where, directory=str(Path.cwd()), sandbox=way)
    sessions = Sessions(
        settings.data_dir / "kernels",
        max_memory=settings.max_memory,
        sandbox=sandbox,
        packaging=Packaging(settings.packages),
        toolbox=Toolbox.of(settings, people=False),
    )
    kernel = sessions.get(session or f"exec-{secrets.token_hex(8)}", where)
    try:
        with _runs(settings, kernel, session) as runs:
            return Terminal(program, kernel, stays=bool(session)).run(
                RunOptions(_deadline(settings), runs=runs)
            )
    finally:
        asyncio.run(sessions.close_all(keep=bool(session)))


def _deadline(settings: Settings) -> float:
    """The hard limit, since no reply waits for it; only the flag of this command makes it shorter."""
    return settings.timeout if settings.source("timeout") == "--timeout" else settings.hard_timeout


@contextmanager
def _runs(settings: Settings, kernel: Session, session: str) -> Generator[ReplyRuns]:
    """The records for a program in a session; without one, nothing is recorded."""
    if not session:
        yield UnrecordedRuns()
        return
    # Without a handler Python would print each log message; trouble is reported once, at the end.
    logging.getLogger("coderunner.records").addHandler(logging.NullHandler())
    records = open_records(
        settings.records_url.reveal(),
        settings.data_dir,
        keep_days=settings.keep_days,
        pool=settings.records_pool,
    )
    try:
        yield RecordedRuns(records, session, secrets.token_hex(16), kernel.where.place)
    finally:
        records.close()
        if told := records.trouble(session):
            sys.stderr.write(f"coderunner: {plain(told)}\n")


class Terminal:
    """The terminal of a program: shows its outputs, passes input and Ctrl-C on."""

    def __init__(self, program: Program, kernel: Session, *, stays: bool) -> None:
        """`stays`: the kernel keeps running after the program."""
        self._stays = stays
        self._program = program
        self._kernel = kernel
        self._screen = CellPrinter(protocol(os.environ))
        self._stop = Event()
        self._asking = False

    def run(self, options: RunOptions) -> int:
        """Run the program to its end; gives the exit code.

        Raises BrokenPipeError if the reader has closed the pipe.
        """
        # Where there is no terminal there are no answers: the program reads the end of its input.
        answers = (open_terminal() if self._program.piped else sys.stdin) or StringIO()
        options = replace(options, ask=lambda question: self._ask(question, answers))
        run, result = Run(Cell(self._program.source), 0), Result()
        with self._heeding_interrupts():
            self._give_arguments()
            for event in run_cell_sync(run, self._kernel, options, self._stopped, []):
                match event:
                    case Shown(change):
                        self._screen.show(change)
                    case Connection():
                        self._screen.reconnect(event.words)
                    case Ended(ended):
                        result = ended
        if self._screen.gone:
            raise BrokenPipeError
        self._screen.end(result, stays=self._stays)
        return code_of(result)

    def _give_arguments(self) -> None:
        """Have them where a program looks for them: those of the kernel's own would be there otherwise.

        A person's own kernel is left as it is, unless there are some for it. Raises SettingsError where a
        kernel of another language has no such place.
        """
        given = self._program.argv[1:]
        if self._kernel.where.attach and not given:
            return
        if self._kernel.language_now() is PYTHON:
            self._kernel.argv = self._program.argv
        elif given:
            message = "only a program in Python can be given arguments"
            raise SettingsError(message)

    def _stopped(self) -> bool:
        return self._stop.is_set() or self._screen.gone

    def _ask(self, question: Question, answers: TextIO) -> Future[Secret]:
        """Read an answer in this thread: the program waits for it anyway."""
        answer: Future[Secret] = Future()
        self._asking = True
        try:
            answer.set_result(self._read(question, answers))
        except EOFError:
            answer.set_result(Secret(END_OF_INPUT))
        except KeyboardInterrupt:
            answer.cancel()
        finally:
            self._asking = False
        return answer

    def _read(self, question: Question, answers: TextIO) -> Secret:
        if not answers.isatty():
            return _line(answers)
        if question.password:
            self._screen.answered(question.prompt, "")
            return Secret(getpass.getpass(question.prompt))
        self._screen.prompt(question.prompt)
        line = _line(answers)
        self._screen.answered(question.prompt, line.reveal())
        return line

    @contextmanager
    def _heeding_interrupts(self) -> Generator[None]:
        """Ctrl-C stops the program, a second one this command."""

        def heed(_signal: int, _frame: FrameType | None) -> None:
            if self._asking or self._stop.is_set():
                raise KeyboardInterrupt
            self._stop.set()

        before = signal.signal(signal.SIGINT, heed)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def code_of(result: Result) -> int:
    """The exit code for a result; a program's own exit code is passed on."""
    exits = [
        shown.evalue for shown in result.outputs if isinstance(shown, Error) and shown.ename == "SystemExit"
    ]
    if result.status is Status.ERROR and exits:
        return (
            int(exits[-1]) % 256 if exits[-1].lstrip("-").isdecimal() else int(exits[-1] not in ("", "None"))
        )
    return CODES.get(result.status, INCOMPLETE)


def open_terminal() -> TextIO | None:
    """The terminal itself, if the program comes from stdin; None if there is none."""
    try:
        return Path("CON" if os.name == "nt" else "/dev/tty").open(encoding="utf-8")
    except OSError:
        return None


def _line(answers: TextIO) -> Secret:
    line = answers.readline()
    if not line:
        raise EOFError
    return Secret(line.rstrip("\r\n"))
