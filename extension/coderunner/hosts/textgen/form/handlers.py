"""What the form's buttons do. Every function takes plain values and gives plain values; no gradio here.

Where the webui serves several people, the choices are its operator's: then nothing here changes them,
whoever asks.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as TooLate
from contextlib import closing
from dataclasses import dataclass
from html import escape
from secrets import token_hex
from time import monotonic
from typing import Any

from coderunner.errors import CodeRunnerError, SettingsError
from coderunner.hosts.textgen.form import character_preset
from coderunner.hosts.textgen.form.notebook_export import notebook
from coderunner.hosts.textgen.state.extension_state import ExtensionState, why_not
from coderunner.hosts.textgen.webui import webui_api
from coderunner.outputs import Error, Result, Status, Stream
from coderunner.runner import (
    Cell,
    Ended,
    RecordedRuns,
    Report,
    Run,
    RunOptions,
    Server,
    Session,
    check,
    never,
    normalise,
    run_cell_sync,
)
from coderunner.secret import Secret

TEST = "import sys\nprint('Python', sys.version.split()[0], 'says', 6 * 7)"
"""The test cell: harmless, and its output shows that it was computed and by what."""

TESTS = "test of the form"
"""What its runs bear in the records, in place of a reply's name."""

DOWNLOADED = "Notebook downloaded."

SLACK = 20.0
"""Seconds beyond the deadline that a start of a kernel may take."""

CHECKED = 60.0
"""Seconds that a check of a connection may take: each of its steps has a shorter limit of its own."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What the page tells of the chat that it shows."""

    unique_id: str | None = None
    character_menu: str | None = None
    mode: str | None = None

    def state(self) -> dict[str, Any]:
        """The same by the webui's names."""
        return {"unique_id": self.unique_id, "character_menu": self.character_menu, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence for the status line; `more` stands below it in small print."""

    text: str
    good: bool = True
    more: Sequence[str] = ()

    @property
    def html(self) -> str:
        """Safe to show, whatever a server or a program put into the sentences."""
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
    """The address as we understood it, without a token."""
    has_token: bool = False


class FormHandlers:
    """The form of one webui."""

    def __init__(self, extension: ExtensionState, *, first: Callable[[], str | None] = lambda: None) -> None:
        self.extension = extension
        self._first = first

    @property
    def locked(self) -> str:
        """Why nothing can be chosen here; empty where it can."""
        if not webui_api.serves_several():
            return ""
        path = self.extension.store.path
        return (
            "This webui serves several people. Only its operator can change these settings, "
            f"in {path} or with CODERUNNER_ variables."
        )

    def status(self) -> Line:
        """How things stand."""
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
        words = {
            "auto": f"Python blocks run automatically in {place}",
            "ask": f"Python blocks run in {place} after you approve them",
            "off": f"Python blocks are not run. They would run in {place}",
        }
        bold = chosen.approval == "auto" and chosen.kernel == "embedded"
        caution = ", on this computer and with your permissions" if bold else ""
        return Line(f"{words[chosen.approval]}{caution}.")

    def choose(self, **changes: Any) -> Line:  # noqa: ANN401 - values by name, checked by the store
        """Keep what a person chose."""
        if self.locked:
            return Line(self.locked, good=False)
        return self._keep(changes) or self.status()

    def _keep(self, changes: Mapping[str, Any]) -> Line | None:
        """Store; gives what went wrong."""
        try:
            self.extension.store.change(**changes)
        except CodeRunnerError as failure:
            return Line(str(failure), good=False)
        return None

    def connect(self, kernel: str, address: str, token: str, kernel_name: str) -> Connection:
        """Keep the way to the kernel and look whether it leads there."""
        if self.locked:
            return Connection(Line(self.locked, good=False))
        pasted = Server(address.strip())  # takes a token out of the address
        changes: dict[str, Any] = {
            "kernel": kernel,
            "server": _understood(pasted.url),
            "kernel_name": kernel_name,
        }
        moved = changes["server"] != _understood(self.extension.store.get().server)
        if token.strip() or pasted.token or moved:
            # The token that is kept belongs to the server that it was given for, and goes to no other.
            changes["token"] = token.strip() or pasted.token
        if failure := self._keep(changes):
            return Connection(failure)
        if kernel == "server" and not address.strip():
            return Connection(Line("Enter the address of the Jupyter server first.", good=False))
        where = self.extension.store.get().where
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
        )

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
        """What comes of the test cell, which is written down as every run; None where nothing does."""
        records, place = self.extension.records, self.extension.store.get().place
        records.settle()  # the one before has ended, and is not to be told in place of this one
        runs = RecordedRuns(records, session.conversation, TESTS, place, again=True)
        options, latest = RunOptions(deadline, runs=runs), monotonic() + deadline + SLACK
        with closing(run_cell_sync(Run(Cell(TEST), 0), session, options, never, [])) as events:
            for event in events:
                if isinstance(event, Ended):
                    return event.result
                if monotonic() > latest:
                    break
        return None

    def interrupt(self, chat: Chat) -> Line:
        """Stop the block that runs in this chat."""
        session = self._session(chat)
        if isinstance(session, Line):
            return session
        stopped = session.io_thread.call(session.interrupt(), SLACK)
        return Line("Asked the block to stop." if stopped else "No block is running in this chat.")

    def restart(self, chat: Chat) -> Line:
        """Empty the kernel of this chat."""
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
        """Put the character where the webui finds it."""
        if self.locked:
            return Line(self.locked, good=False)
        try:
            return Line(character_preset.install(webui_api.user_data()))
        except CodeRunnerError as failure:
            return Line(str(failure), good=False)

    def notebook(self, history: object, chat: Chat) -> tuple[str, Line]:
        """The chat as the text of a notebook, empty where there is none, and what there is to say."""
        try:
            text, lacks = notebook(history, chat.unique_id or "Chat", self.extension.records)
        except CodeRunnerError as failure:
            return "", Line(str(failure), good=False)
        if not text:
            return "", Line("This chat is empty.")
        return text, Line(f"{DOWNLOADED} {lacks}".rstrip(), good=not lacks)

    def address(self) -> str:
        """Where the script of the page that asks finds what its bar is to show, as HTML."""
        page = webui_api.session_hash()
        return f'<span data-file="{escape(self.extension.board.address(page))}"></span>' if page else ""

    def answer(self, number: str, chat: Chat, *, run: bool) -> str:
        """Take a person's word about the block that was on the bar; gives nothing where it does not wait.

        Else another text each time, at which the page has the reply continued.
        """
        name = self.extension.conversation(chat.state())
        taken = name and number.isdecimal() and self.extension.approvals.answer(name, int(number), run=run)
        return token_hex(4) if taken else ""

    def reply(self, number: str, line: Secret | None, chat: Chat) -> None:
        """Take what a person answers to the program that was on the bar; None: they will not."""
        name = self.extension.conversation(chat.state())
        if name and number.isdecimal():
            self.extension.approvals.reply(name, int(number), line)

    def _session(self, chat: Chat) -> Session | Line:
        """The session of the chat, or why there is none."""
        reason = why_not(self.extension.store.get(), several=webui_api.serves_several())
        name = self.extension.conversation(chat.state())
        if reason or name is None:
            return Line(reason or "Start a chat first.", good=False)
        return self.extension.kernel(name)


def sentence(text: str) -> str:
    """`text` as a sentence for a person; an address at its beginning stays as it is."""
    begun = text if text.startswith("http") else text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "!", "?", "…")) else f"{begun}."


def _understood(address: str) -> str:
    """The base address of what was pasted; itself where it is none, which the check then says."""
    try:
        return normalise(address)
    except SettingsError:
        return address


def printed(result: Result) -> str:
    """What a cell printed, or its error, on one line."""
    pieces = [each.text for each in result.outputs if isinstance(each, Stream)]
    pieces += [f"{each.ename}: {each.evalue}" for each in result.outputs if isinstance(each, Error)]
    return " ".join("".join(pieces).split())
