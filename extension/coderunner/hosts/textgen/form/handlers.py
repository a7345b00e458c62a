"""What the form's buttons do. Every function takes and gives plain values; gradio is not used here.

With `--multi-user` the settings are the operator's, and nothing here changes them.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import TimeoutError as TooLate
from contextlib import closing, suppress
from dataclasses import dataclass
from html import escape
from queue import Empty, SimpleQueue
from secrets import token_hex
from time import monotonic
from typing import Any

from coderunner.errors import CodeRunnerError
from coderunner.hosts.textgen.form import character_preset
from coderunner.hosts.textgen.form.notebook_export import notebook
from coderunner.hosts.textgen.state.extension_state import ExtensionState, why_not
from coderunner.hosts.textgen.webui import webui_api
from coderunner.languages import PYTHON
from coderunner.outputs import Error, Result, Status, Stream
from coderunner.runner import (
    Cell,
    Ended,
    KernelLocation,
    Progress,
    RecordedRuns,
    Report,
    Run,
    RunOptions,
    Server,
    Session,
    check,
    heard,
    marked_yours,
    never,
    run_cell_sync,
    running_servers,
    start_server,
    with_token,
)
from coderunner.secret_value import Secret

TEST = "import sys\nprint('Python', sys.version.split()[0], 'says', 6 * 7)"
"""The test cell: harmless, and its output shows that Python computed it. Other languages have their own."""

TESTS = "test of the form"
"""The name of its runs in the records, in place of a reply's."""

DOWNLOADED = "Notebook downloaded."

SLACK = 20.0
"""Seconds that a kernel start may take, in addition to the deadline."""

BEAT = 1.0
"""Seconds after which a line is shown again, so that a page that was closed is noticed."""

CHECKED = 60.0
"""Seconds that a connection check may take; each of its steps has a shorter limit."""


@dataclass(frozen=True, slots=True)
class Chat:
    """The chat that the page shows."""

    unique_id: str | None = None
    character_menu: str | None = None
    mode: str | None = None

    def state(self) -> dict[str, Any]:
        """The same under the webui's names."""
        return {"unique_id": self.unique_id, "character_menu": self.character_menu, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence for the status line, with `more` in small print below."""

    text: str
    good: bool = True
    more: Sequence[str] = ()

    @property
    def html(self) -> str:
        """Escaped: the sentences may hold text of a server or a program."""
        steps = "".join(f"<li>{escape(sentence(step))}</li>" for step in self.more)
        kind = "good" if self.good else "bad"
        return (
            f'<div class="coderunner-{kind}">{escape(sentence(self.text))}</div>'
            f"{f'<ul>{steps}</ul>' if steps else ''}"
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """What Connect found."""

    line: Line
    kernels: tuple[str, ...] = ()
    kernel_name: str = ""
    server: str = ""
    """The normalised address, without a token."""
    has_token: bool = False
    startable: bool = False
    """A Hub starts the server if the user agrees, or is starting it."""


class FormHandlers:
    """The form of one webui."""

    def __init__(self, extension: ExtensionState, *, first: Callable[[], str | None] = lambda: None) -> None:
        self.extension = extension
        self._first = first

    @property
    def locked(self) -> str:
        """Why the settings cannot be changed here; empty if they can."""
        if not webui_api.serves_several():
            return ""
        path = self.extension.store.path
        return (
            "This webui serves several people. Only its operator can change these settings, "
            f"in {path} or with CODERUNNER_ variables."
        )

    def status(self) -> Line:
        """Whether code runs, and where."""
        if other := self._first():
            return Line(
                f"The extension {other} builds the prompts before CodeRunner sees them, so no code runs. "
                f"List CodeRunner before {other} in the extensions.",
                good=False,
            )
        chosen = self.extension.store.get()
        if reason := why_not(chosen, several=webui_api.serves_several()):
            return Line(reason, good=False, more=[self.locked] if self.locked else [])
        place = self.extension.place()
        known = heard(chosen.where)
        blocks = f"{known.title} blocks" if known else "Blocks"
        words = {
            "auto": f"{blocks} run automatically in {place}",
            "ask": f"{blocks} run in {place} after you approve them",
            "off": f"{blocks} are not run. They would run in {place}",
        }
        bold = chosen.approval == "auto" and self._unprotected(chosen.where)
        caution = ", on this computer and with your permissions" if bold else ""
        boxed = ", in a sandbox" if chosen.kernel == "embedded" and chosen.sandbox else ""
        why = f" {chosen.sandbox.why}" if chosen.kernel == "embedded" and chosen.sandbox.why else ""
        return Line(f"{words[chosen.approval]}{caution}{boxed}.{why}")

    def _unprotected(self, where: KernelLocation) -> bool:
        """Whether code can do there what the person can, who sees the form."""
        told = marked_yours(where) if self.finds else where
        return not where.isolated or (isinstance(told, Server) and told.yours)

    def choose(self, **changes: Any) -> Line:  # noqa: ANN401 - values by name, checked by the store
        """Save choices."""
        if self.locked:
            return Line(self.locked, good=False)
        return self._keep(changes) or self.status()

    def _keep(self, changes: Mapping[str, Any]) -> Line | None:
        """Save changes; gives what went wrong."""
        try:
            self.extension.store.change(**changes)
        except CodeRunnerError as failure:
            return Line(str(failure), good=False)
        return None

    def connect(self, kernel: str, address: str, token: str, kernel_name: str) -> Connection:
        """Save the kernel's address and check the connection."""
        if self.locked:
            return Connection(Line(self.locked, good=False))
        pasted = Server(address.strip())  # moves a token out of the address
        changes: dict[str, Any] = {
            "kernel": kernel,
            "server": pasted.url,
            "kernel_name": kernel_name,
        }
        moved = changes["server"] != Server(self.extension.store.get().server).url
        known = with_token(pasted).token if kernel == "server" and self.finds else Secret()
        if token.strip() or pasted.token or known or moved:
            # The saved token belongs to one server and is never sent to another.
            changes["token"] = token.strip() or pasted.token or known
        if failure := self._keep(changes):
            return Connection(failure)
        if kernel == "server" and not address.strip():
            return Connection(Line("Enter the address of the Jupyter server first.", good=False))
        where = self.extension.store.get().where
        where = marked_yours(where) if self.finds else where
        try:
            return self._checked(self.extension.sessions.io_thread.call(check(where), CHECKED))
        except TooLate:
            return Connection(Line(f"The check did not finish within {CHECKED:.0f} s.", good=False))

    def _checked(self, report: Report) -> Connection:
        chosen = self.extension.store.get()
        failed = next((finding for finding in report.findings if not finding.ok), None)
        steps = [finding.sentence for finding in report.findings]
        text = failed.sentence if failed else f"Connected to {self.extension.place()}."
        return Connection(
            Line(text, good=failed is None, more=[step for step in steps if step != text]),
            tuple(report.kernels),
            chosen.kernel_name,
            chosen.server,
            bool(chosen.token),
            report.standing is not None,
        )

    @property
    def finds(self) -> bool:
        """Whether it offers the Jupyter servers of this machine: only where others cannot reach the form."""
        reached = webui_api.serves_several() or webui_api.serves_others() or webui_api.shared_at()
        return not (reached or self.locked)

    def found(self) -> list[tuple[str, str]]:
        """The Jupyter servers of this machine, each with its address; their tokens stay here."""
        return [(str(each), each.where.url) for each in running_servers()] if self.finds else []

    def start(self) -> Generator[Line]:
        """Have a Hub start the server that Connect found stopped, since the user agrees; gives its progress.

        The last line is not good where it did not start. When nobody listens any more, the Hub goes on.
        """
        where = self.extension.store.get().where
        if self.locked or not isinstance(where, Server):
            yield Line(self.locked or "There is no server to start.", good=False)
            return
        told: SimpleQueue[Progress] = SimpleQueue()
        starting = self.extension.sessions.io_thread.submit(start_server(where, told.put))
        line = "Starting the server …"
        try:
            while not starting.done():
                yield Line(line)
                with suppress(Empty):
                    line = f"Starting the server: {told.get(timeout=BEAT)} …"
            starting.result()
            yield Line("The server runs. Connecting …")
        except CodeRunnerError as failure:
            yield Line(str(failure), good=False)
        finally:
            starting.cancel()

    def test(self, chat: Chat) -> Line:
        """Run the test cell in the kernel of this chat."""
        session = self._session(chat)
        if isinstance(session, Line):
            return session
        chosen = self.extension.store.get()
        began = monotonic()
        result = self._tested(session, chosen.deadline)
        if result is None:
            return Line(
                f"No answer from {self.extension.place()} after {chosen.deadline + SLACK:.0f} s.", good=False
            )
        whole = (monotonic() - began) * 1000
        if result.status is not Status.OK:
            return Line(result.detail or f"The test cell ended with: {result.status}.", good=False)
        return Line(
            f"{printed(result)} · {self.extension.place()} · {result.duration * 1000:.0f} ms round trip",
            more=[f"{whole:.0f} ms including the kernel start"]
            if whole > result.duration * 1000 + 50
            else [],
        )

    def _tested(self, session: Session, deadline: float) -> Result | None:
        """The result of the test cell, which is recorded like every run; None without one."""
        records, place = self.extension.records, self.extension.store.get().place
        records.settle()  # the previous test has ended: its result is not used for this one
        runs = RecordedRuns(records, session.conversation, TESTS, place, again=True)
        options, latest = RunOptions(deadline, runs=runs), monotonic() + deadline + SLACK
        language = session.language_now()
        cell = Cell(TEST if language == PYTHON else language.hello or language.sum, language.name)
        with closing(run_cell_sync(Run(cell, 0), session, options, never, [])) as events:
            for event in events:
                if isinstance(event, Ended):
                    return event.result
                if monotonic() > latest:
                    break
        return None

    def interrupt(self, chat: Chat) -> Line:
        """Stop the running block of this chat."""
        session = self._session(chat)
        if isinstance(session, Line):
            return session
        stopped = session.io_thread.call(session.interrupt(), SLACK)
        return Line("Asked the block to stop." if stopped else "No block is running in this chat.")

    def restart(self, chat: Chat) -> Line:
        """Restart the kernel of this chat."""
        session = self._session(chat)
        if isinstance(session, Line):
            return session
        try:
            session.io_thread.call(session.restart(), SLACK)
        except TooLate:
            return Line(
                "The kernel did not restart in time; the next block will start a new one.", good=False
            )
        except CodeRunnerError as failure:
            return Line(str(failure), good=False)
        return Line("Kernel restarted. All variables of this chat are gone.")

    def install(self) -> Line:
        """Install the character."""
        if self.locked:
            return Line(self.locked, good=False)
        try:
            return Line(character_preset.install(webui_api.user_data()))
        except CodeRunnerError as failure:
            return Line(str(failure), good=False)

    def notebook(self, history: object, chat: Chat) -> tuple[str, Line]:
        """The chat as the text of a notebook, empty if there is none, and the status."""
        try:
            text, lacks = notebook(
                history,
                chat.unique_id or "Chat",
                self.extension.records,
                self.extension.sessions.folders.root,
            )
        except CodeRunnerError as failure:
            return "", Line(str(failure), good=False)
        if not text:
            return "", Line("This chat is empty.")
        return text, Line(f"{DOWNLOADED} {lacks}".rstrip(), good=not lacks)

    def address(self) -> str:
        """HTML that tells the page's script the address of its status file."""
        page = webui_api.session_hash()
        return (
            f'<span data-file="{escape(self.extension.status_files.address(page))}"></span>' if page else ""
        )

    def answer(self, number: str, chat: Chat, *, run: bool) -> str:
        """Approve or decline the block in the status bar; gives an empty text if it does not wait.

        Otherwise a new text each time, on which the page continues the reply.
        """
        name = self.extension.conversation(chat.state())
        taken = name and number.isdecimal() and self.extension.approvals.answer(name, int(number), run=run)
        return token_hex(4) if taken else ""

    def reply(self, number: str, line: Secret | None, chat: Chat) -> None:
        """Give the user's answer to the program in the status bar; None: no answer."""
        name = self.extension.conversation(chat.state())
        if name and number.isdecimal():
            self.extension.approvals.reply(name, int(number), line)

    def _session(self, chat: Chat) -> Session | Line:
        """The session of the chat, or the reason that there is none."""
        reason = why_not(self.extension.store.get(), several=webui_api.serves_several())
        name = self.extension.conversation(chat.state())
        if reason or name is None:
            return Line(reason or "Start a chat first.", good=False)
        return self.extension.kernel(name)


def sentence(text: str) -> str:
    """`text` as a sentence; a URL at its beginning is not capitalised."""
    begun = text if text.startswith("http") else text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "!", "?", "…")) else f"{begun}."


def printed(result: Result) -> str:
    """What a cell printed, or its error, on one line."""
    pieces = [each.text for each in result.outputs if isinstance(each, Stream)]
    pieces += [f"{each.ename}: {each.evalue}" for each in result.outputs if isinstance(each, Error)]
    return " ".join("".join(pieces).split())
