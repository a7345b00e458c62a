"""What the connection doctor says: its steps, its sentences, and its report as values."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from coderunner.errors import Standing


class Step(StrEnum):
    """The steps of the way, in order; a kernel on this machine has only the last ones."""

    ADDRESS = "address"
    REACH = "reach"
    JUPYTER = "jupyter"
    TOKEN = "token"  # noqa: S105 - the name of a step
    KERNEL = "kernel"
    SANDBOX = "sandbox"
    START = "start"
    WEBSOCKET = "websocket"
    CELL = "cell"
    RECORDS = "records"
    """Where runs are saved; added by whoever has a database for them."""


class Sentence(StrEnum):
    """All that the doctor says by itself; what fails in an errand to a server, that errand's error says."""

    KERNELS_HERE = "Kernels installed on this machine: {kernels}."
    STARTED_HERE = "The kernel started in {seconds:.1f} s."
    ADDRESS = "The address is {url}."
    NOT_ENCRYPTED = (
        "The connection is not encrypted: others on the network can read the token; use https or a tunnel."
    )
    RESPONDS = "A server responds at {url}."
    EXPOSED = (
        "Other machines may reach it too, at {others}; make it listen on 127.0.0.1 only "
        "(ServerApp.ip; in Docker, publish its port as 127.0.0.1:8888:8888)."
    )
    YOURS = (
        "This server runs on this computer with your permissions, and so does the code in it: have it ask "
        "each time to see the code before it runs."
    )
    VERSION = "It is Jupyter Server {version}."
    VULNERABLE = (
        "Jupyter Server {version} has a known vulnerability (CVE-2026-44727); upgrade to 2.20 or later."
    )
    NO_HTTPS = "The server at {url} does not use https; use {plain}."
    ELSEWHERE = "The base path is wrong: the Jupyter server is at {url}; use that address."
    A_HUB = "{url} is a JupyterHub; use the address of your own server, {url}/user/NAME."
    NOT_JUPYTER = (
        "{url} is not a Jupyter server, or the base path is wrong; copy the address from your browser"
    )
    OPEN_TO_ALL = "The server does not require a token, so anybody who reaches it can run code; set a token."
    ADMITTED = "The server accepts the token."
    KERNELS_THERE = "Kernels installed on the server: {kernels}."
    STARTED_THERE = "The server started a kernel."
    CONNECTED = "The WebSocket is open, and the kernel answered after {seconds:.1f} s."
    ANSWERS = "{hello}: {what} answers in {milliseconds:g} ms."
    NO_CELL = "The kernel answers; it speaks {language}, for which there is no test cell."
    CELL_FAILED = "The test cell ended with {status}: {reason}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step showed, in one sentence; where `ok` is false it says what mends it."""

    step: Step
    ok: bool
    sentence: str
    warning: bool = False
    """It works, but there is something to mend."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in order; the first that is not ok is the last."""

    findings: tuple[Finding, ...]
    kernels: tuple[str, ...] = ()
    """The names of the kernel specs there are, where we got so far; the default first."""
    kernel: str = ""
    """The name of the kernel that was asked for."""
    version: str = ""
    """The server's version."""
    output: str = ""
    """What the test cell printed."""
    milliseconds: float | None = None
    """The round trip of a warm test cell."""
    standing: Standing | None = None
    """How a server stands that its Hub starts if the person agrees."""

    @property
    def ok(self) -> bool:
        """A cell ran."""
        return all(finding.ok for finding in self.findings)

    @property
    def sentence(self) -> str:
        """The one sentence for a status line."""
        return min(reversed(self.findings), key=lambda each: each.ok).sentence if self.findings else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works but should be mended."""
        return tuple(finding.sentence for finding in self.findings if finding.warning)

    def to_json(self) -> dict[str, object]:
        """Return the report as JSON values."""
        return {"ok": self.ok, "sentence": self.sentence, **asdict(self), "findings": self._findings()}

    def _findings(self) -> list[dict[str, object]]:
        return [{**asdict(finding), "step": finding.step.value} for finding in self.findings]
