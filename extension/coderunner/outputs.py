"""Cells and what running them gives: values that every package understands.

The names are nbformat's (`stream`, `display_data`, `execute_result`, `error`). Everything in an output
comes from a program and is untrusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from coderunner.text.surrogates import whole

LARGEST_COUNT = 2**31 - 1
"""What counts of programs and servers are kept up to: an integer in every database."""


def count_of(value: object) -> int | None:
    """A count as a program or a server gives it; None where it is none, or none that can be kept."""
    counts = isinstance(value, int) and not isinstance(value, bool)
    return value if counts and 0 <= value <= LARGEST_COUNT else None  # type: ignore[operator,return-value]


MimeBundle = Mapping[str, object]
"""MIME type to data: text as `str`, binary types as base64 `str`, JSON types as JSON values."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Code to run: the content of one fence, without the fence."""

    source: str
    """With whole characters: what runs is what is shown, wherever the code comes from."""
    language: str = "python"

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", whole(self.source))


@dataclass(frozen=True, slots=True)
class Omission:
    """What is missing from the middle of a text that was too long to keep."""

    at: int = 0
    """The characters before it: where in the text it is missing."""
    lines: int = 0
    characters: int = 0

    def __str__(self) -> str:
        count = f"{self.characters:,} characters"
        return f"{self.lines:,} lines, {count}" if self.lines else count


NOTHING_OMITTED = Omission()


@dataclass(frozen=True, slots=True)
class Stream:
    """Text that the program wrote to stdout or stderr, in the order of arrival within its stream."""

    name: Literal["stdout", "stderr"]
    text: str
    omitted: Omission = NOTHING_OMITTED
    """Who shows the text says this, too: its head and its tail do not belong together."""


@dataclass(frozen=True, slots=True)
class DisplayData:
    """Something the program displayed, in one or more MIME types."""

    data: MimeBundle
    metadata: MimeBundle = field(default_factory=dict)
    display_id: str = ""
    widget: str | None = None
    """What the widget that it shows is at the end of the run, in words; empty where it was closed: then
    nothing is shown any more. None where that is not known, or it shows none."""


@dataclass(frozen=True, slots=True)
class ExecuteResult:
    """The value of the cell's last expression, in one or more MIME types."""

    data: MimeBundle
    metadata: MimeBundle = field(default_factory=dict)
    execution_count: int | None = None
    display_id: str = ""
    widget: str | None = None
    """As for `DisplayData`."""


@dataclass(frozen=True, slots=True)
class Error:
    """An exception that ended the cell; `traceback` has ANSI colours, one string a frame or a line."""

    ename: str
    evalue: str
    traceback: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """Name and message; bash_kernel's have no name, and the exit code as their message."""
        if not self.ename and self.evalue.isdecimal():
            return f"exit code {self.evalue}"
        return ": ".join(filter(None, (self.ename, self.evalue)))


Output = Stream | DisplayData | ExecuteResult | Error

TOOL_CALL = "application/vnd.coderunner.tool-call+json"
"""The type of an output that tells of a call of a tool: we add it, and no program can."""


def is_tool_call(output: Output) -> bool:
    """Whether it tells of a call of a tool: for a person; the model reads what code does with the result."""
    return isinstance(output, DisplayData) and TOOL_CALL in output.data


def in_nbformat(output: Output) -> dict[str, object]:
    """An output as notebooks have it; what was left out of a text is told in it."""
    match output:
        case Stream(name, text, omitted):
            if omitted.characters:
                text = f"{text[: omitted.at]}\n… {omitted} left out …\n{text[omitted.at :]}"
            return {"output_type": "stream", "name": name, "text": text}
        case DisplayData(data, metadata):
            shown = {"data": dict(data), "metadata": dict(metadata)}
            return {"output_type": "display_data", **shown}
        case ExecuteResult(data, metadata, count):
            shown = {"data": dict(data), "metadata": dict(metadata)}
            return {"output_type": "execute_result", "execution_count": count, **shown}
        case Error(ename, evalue, traceback):
            return {"output_type": "error", "ename": ename, "evalue": evalue, "traceback": list(traceback)}


@dataclass(frozen=True, slots=True)
class Question:
    """What a running program asks a person for: one line (`input()`, `getpass`, `pdb`)."""

    id: str
    """Never given twice, so that a late answer cannot answer the next question."""
    prompt: str
    """A stranger's text, bounded, all its characters visible; may be empty or have several lines."""
    password: bool = False
    """The answer is not to be seen: it becomes part of nothing."""
    choices: tuple[str, ...] = ()
    """The answers that there are, where we ask ourselves; else it is any line."""


END_OF_INPUT = "\x04"
"""The answer that there is none, as Ctrl-D at a terminal: ipykernel raises EOFError for it."""


class Status(StrEnum):
    """How a cell ended. Every cell ends in exactly one of these."""

    OK = "ok"
    ERROR = "error"
    """The program raised."""
    TIMEOUT = "timeout"
    """The deadline passed; `Result.aftermath` says what became of the program."""
    INTERRUPTED = "interrupted"
    """A person stopped it."""
    ABORTED = "aborted"
    """The kernel flushed it from its queue: it did not run."""
    DIED = "died"
    """The kernel's process ended while it ran."""
    REPLACED = "replaced"
    """Somebody else restarted or deleted the kernel while it ran."""
    LOST = "lost"
    """The connection was lost; whether it ran to its end is unknown."""
    REFUSED = "refused"
    """It could not be started: no kernel, no server; `Result.detail` says why. It did not run."""
    UNRECORDED = "unrecorded"
    """It could not be saved, as it has to be before it runs: it did not run."""
    DECLINED = "declined"
    """A person said no, or a guard did: it did not run."""
    UNRUN = "unrun"
    """It came with a notebook in which it had not run."""
    UNFIT = "unfit"
    """The kernel does not speak its language; `Result.detail` says which it speaks. It did not run."""


class Aftermath(StrEnum):
    """What the next cell finds."""

    READY = "ready"
    """The same kernel: all variables are as the cell left them."""
    BUSY = "busy"
    """The cell still runs."""
    FRESH = "fresh"
    """A new kernel: all variables are gone."""


class Remedy(StrEnum):
    """Who can allow what the sandbox refused, and where."""

    BUTTON = "button"
    """The person, with a button below the block."""
    FORM = "form"
    """The person, by hand in a form of the page: it is wider than what a button may grant."""
    SETTING = "setting"
    """Whoever starts CodeRunner, with a setting."""
    NOTHING = "nothing"
    """It is not offered: secrets lie there."""
    SOCKETS = "sockets"
    """The code itself: programs reach each other over Unix sockets."""
    LINK = "link"
    """The code itself: what the path leads to is allowed, and the link to it is not there."""
    INSIDE = "inside"
    """The code itself: the folder takes no new files, and those in it do."""
    APART = "apart"
    """Nobody, as long as there is a sandbox: another program of this machine is there."""
    PROXY = "proxy"
    """The code itself: it went past the sandbox's proxy, and nothing that is allowed lets it out there."""
    INSTALL = "install"
    """The person, with a button below the block that installs what is missing."""
    PACKAGES = "packages"
    """Whoever starts CodeRunner, with a setting: nobody can be asked, or nothing is installed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a cell did not get: an access that the sandbox refused, or a package that is not installed.

    Code can forge one: nothing in it may be believed.
    """

    access: Literal["read", "write", "network", "program", "listen", "package"]
    what: str
    """The path, with `~` for the home folder, the domain name, what program of this machine it is, or the
    names of packages."""
    remedy: Remedy = Remedy.NOTHING
    grant: str = ""
    """With a button, what it grants: an absolute path, a domain name, the name of a grant, or requirements
    of packages with blanks between them."""
    named: str = ""
    """The same as a person reads it."""
    by: str = ""
    """The path by which the code went, where that leads through a link."""
    lost: bool = False
    """A write that seemed to succeed: it went to a place that ends with the kernel."""
    more: int = 0
    """How many accesses were refused besides those that are told; the last that is told says it."""

    @property
    def sentence(self) -> str:
        """What was refused, for the model and the person who reads a reply."""
        return self.said_of("This block")

    def said_of(self, subject: str) -> str:
        """What was refused to `subject`, as a sentence."""
        if self.access == "package":
            return f"{subject} needs {self.what}, which {self._is} not installed."
        if self.remedy is Remedy.PROXY:
            return (
                f"{subject} cannot reach {self.what} directly: only HTTP and HTTPS requests get out, "
                "through the sandbox's proxy."
            )
        if self.remedy is Remedy.LINK:
            return f"{subject} cannot use {self.by}: the sandbox has no such link. Use {self.what}."
        lost = "; what it writes there is not kept" if self.lost else ""
        return f"{subject} may not {_ACCESSES[self.access].may_not} {self._place}{lost}."

    @property
    def others(self) -> str:
        """How many more there were, in a sentence; empty where there were none."""
        if not self.more:
            return ""
        return f"{self.more} more {'access was' if self.more == 1 else 'accesses were'} refused."

    @property
    def setting(self) -> str:
        """The name of the setting that it depends on."""
        return _ACCESSES[self.access].setting

    @property
    def offer(self) -> str:
        """What the button grants; empty where there is none."""
        if self.remedy is Remedy.INSTALL:
            return f"Install {self.named} for this chat?"
        if self.remedy is not Remedy.BUTTON:
            return ""
        return f"Allow code in this chat to {_ACCESSES[self.access].may} {self.named}?"

    @property
    def _is(self) -> str:
        return "are" if " and " in self.what else "is"

    @property
    def _place(self) -> str:
        return f"{self.what}, which {self.by} leads to" if self.by else self.what

    @property
    def past(self) -> str:
        """What was refused, for a person who has allowed it since."""
        if self.access == "package":
            return f"This block needed {self.what}."
        return f"This block could not {_ACCESSES[self.access].may_not} {self._place}."

    @property
    def granted(self) -> str:
        """What is said in place of the offer once that is allowed."""
        if self.access == "package":
            return f"{self.named[:1].upper()}{self.named[1:]} {self._is} installed for this chat now."
        return f"Code in this chat may {_ACCESSES[self.access].may} {self.named} now."


@dataclass(frozen=True, slots=True)
class _Words:
    may_not: str
    may: str
    setting: str


_ACCESSES = {
    "read": _Words("read", "read", "sandbox_read"),
    "write": _Words("write to", "read and write", "sandbox_write"),
    "network": _Words("reach", "reach", "sandbox_network"),
    "program": _Words("reach", "reach", "sandbox"),
    "listen": _Words("listen on", "listen on", "sandbox"),
    "package": _Words("import", "import", "packages"),
}


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file in the kernel's folder that a cell made or changed. Its name is a stranger's."""

    path: str
    """Within the folder, with slashes."""
    size: int
    """Bytes."""
    changed: int
    """When its content was changed, in nanoseconds since 1970, by the clock of its machine."""
    new: bool = True
    """It was not there before."""


@dataclass(frozen=True, slots=True)
class Result:
    """All outputs of one run, in order, with the way it ended."""

    outputs: tuple[Output, ...] = ()
    status: Status = Status.OK
    aftermath: Aftermath = Aftermath.READY
    execution_count: int | None = None
    duration: float = 0.0
    """Seconds from sending the request to its end, by a monotonic clock."""
    detail: str = ""
    """What status and aftermath do not say already, in a few plain words for the reader and the model."""
    refusals: tuple[Refusal, ...] = ()
    """What the sandbox refused to it."""
    files: tuple[MadeFile, ...] = ()
    """The files that it made or changed: the first of them."""
    more_files: int = 0
    """How many it made or changed besides."""
    variables: str = ""
    """What it changed in the kernel's variables, in a line, where a model is told of that; not recorded."""
