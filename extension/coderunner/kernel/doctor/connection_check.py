"""The connection doctor: walks the way to a kernel step by step, and says which step fails and what mends it.

The same sentences for the form's Connect, for `coderunner check` and for whoever else asks. It starts a
kernel of its own for the test cell and leaves none behind.
"""

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from coderunner.errors import (
    KernelError,
    KernelNotStarted,
    NoSuchKernelSpec,
    NotAJupyterServer,
    ServerStopped,
    SettingsError,
    Standing,
)
from coderunner.kernel.connections import kernel_specs, local_kernel
from coderunner.kernel.connections.servers import find_or_start
from coderunner.kernel.connections.servers.hub import explain, server_of
from coderunner.kernel.connections.servers.refusals import (
    bad_token,
    parsed,
    redirected,
    refusal,
    unknown,
    unreachable,
)
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.doctor.network_exposure import outward
from coderunner.kernel.doctor.report import Finding, Report, Sentence, Step
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.execution.transport import Transport
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Local, Server
from coderunner.kernel.server_address import is_loopback, lasting, normalise, parents
from coderunner.kernel.sessions.spoken_language import of_kernel
from coderunner.languages import language_of
from coderunner.outputs import DisplayData, ExecuteResult, Result, Status, Stream
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.text.terminal_text import plain

OLDEST_SAFE = (2, 20)
"""Jupyter Server before 2.20 has CVE-2026-44727: an output in a notebook could take its token."""

REPORT_PATH = re.compile(r"report-uri (/\S+?)/api/security/")
"""Where a Jupyter server names its base path even in the answer that there is nothing at an address."""

TEST_DEADLINE = 20.0
"""Seconds for the test cell, which takes milliseconds."""


Tell = Callable[[Finding], None]


async def check(
    where: KernelLocation, *, on_finding: Tell | None = None, sandbox: KernelSandbox | None = None
) -> Report:
    """Walk the whole way and report; never raises for what is wrong with it.

    May be awaited in any loop. `on_finding` is called in the I/O thread as each step is done. A kernel on
    this machine is started in the `sandbox`.
    """
    examination = _Examination(where, on_finding or (lambda _finding: None), sandbox)
    return await io_thread().run(examination.run())


class _Broken(Exception):
    """A step failed, and those after it make no sense."""


class _Examination:
    """One walk along the way, and what it has found so far."""

    def __init__(self, where: KernelLocation, tell: Tell, sandbox: KernelSandbox | None) -> None:
        self._where = where
        self._sandbox = sandbox
        self._tell = tell
        self._findings: list[Finding] = []
        self._kernels: list[str] = []
        self._version = ""
        self._output = ""
        self._milliseconds: float | None = None
        self._standing: Standing | None = None

    async def run(self) -> Report:
        try:
            if isinstance(self._where, Local):
                await self._walk_here(self._where)
            else:
                await self._walk_there(self._where)
        except _Broken:
            pass
        return Report(
            tuple(self._findings),
            tuple(self._kernels),
            self._where.kernel_name,
            self._version,
            self._output,
            self._milliseconds,
            self._standing,
        )

    def _found(self, step: Step, sentence: str, *, ok: bool = True, warning: bool = False) -> None:
        finding = Finding(step, ok, sentence, warning)
        self._findings.append(finding)
        self._tell(finding)

    def _broken(self, step: Step, sentence: str) -> _Broken:
        self._found(step, sentence, ok=False)
        return _Broken()

    # --- a kernel on this machine

    async def _walk_here(self, where: Local) -> None:
        self._kernels = kernel_specs.kernel_names()
        self._found(Step.KERNEL, Sentence.KERNELS_HERE.format(kernels=", ".join(self._kernels) or "none"))
        self._found(Step.SANDBOX, where.place)
        started = time.monotonic()
        with TemporaryDirectory(prefix="coderunner-", ignore_cleanup_errors=True) as directory:
            try:
                kernel = await local_kernel.start(where.kernel_name, Path(directory), sandbox=self._sandbox)
            except NoSuchKernelSpec as error:
                raise self._broken(Step.KERNEL, _sentence(error)) from None
            except KernelError as error:
                raise self._broken(Step.START, _sentence(error)) from None
            async with _closing(kernel):
                took = time.monotonic() - started
                self._found(Step.START, Sentence.STARTED_HERE.format(seconds=took))
                await self._try_cell(kernel, f"{where.kernel_name} on this machine")

    # --- a kernel on a server

    async def _walk_there(self, where: Server) -> None:
        try:
            url = normalise(where.url)
        except SettingsError as error:
            raise self._broken(Step.ADDRESS, _sentence(error)) from None
        open_to_all = urlsplit(url).scheme == "http" and not is_loopback(url)
        self._found(Step.ADDRESS, Sentence.ADDRESS.format(url=url))
        if open_to_all:
            self._found(Step.ADDRESS, Sentence.NOT_ENCRYPTED, warning=True)
        rest = RestApi(where)
        try:
            await self._look_at(rest)
            await self._look_at_token(rest)
            await self._look_at_specs(rest, where)
            await self._run_there(rest, where)
        finally:
            rest.close()

    async def _look_at(self, rest: RestApi) -> None:
        """See whether a Jupyter server answers, and if it is not here, where it is."""
        try:
            response = await rest.fetch("GET", "api")
            if response.code == 599:
                raise unreachable(rest.url, response.error)
        except KernelError as error:
            raise self._broken(Step.REACH, await self._why_no_answer(rest, error)) from None
        self._found(Step.REACH, Sentence.RESPONDS.format(url=rest.url))
        if others := await outward(rest.url):
            sentence = Sentence.EXPOSED.format(others=" and ".join(others))
            self._found(Step.REACH, sentence, warning=True)
        if rest.where.yours:
            self._found(Step.REACH, Sentence.YOURS, warning=True)
        version = _version(parsed(response)) if response.code == 200 else ""
        here = server_of(rest.url, response)
        if unknown(response) and here is None:
            raise self._broken(Step.TOKEN, _sentence(bad_token(rest.url, token=bool(rest.where.token))))
        if not version or (here is not None and not here.owner):
            trouble = await explain(rest, response)
            if isinstance(trouble, ServerStopped) and (trouble.startable or trouble.standing == "starting"):
                self._standing = trouble.standing
            refused = refusal(rest.url, response, token=False)
            said = _sentence(trouble) if trouble is not None else await self._why_no_jupyter(rest, refused)
            raise self._broken(Step.JUPYTER, said)
        self._version = version
        self._found(Step.JUPYTER, Sentence.VERSION.format(version=version))
        if _numbers(version) < OLDEST_SAFE:
            self._found(Step.JUPYTER, Sentence.VULNERABLE.format(version=version), warning=True)

    async def _why_no_answer(self, rest: RestApi, error: KernelError) -> str:
        # A plain server leaves a TLS greeting unanswered, which looks like one that hangs.
        plain = f"http{rest.url.removeprefix('https')}"
        if rest.url.startswith("https:") and await self._is_jupyter(rest, plain):
            return Sentence.NO_HTTPS.format(url=rest.url, plain=plain)
        return _sentence(error)

    async def _why_no_jupyter(self, rest: RestApi, trouble: KernelError | None) -> str:
        for url in [*parents(rest.url), *await self._ways_on(rest)]:
            if await self._is_jupyter(rest, url):
                return Sentence.ELSEWHERE.format(url=lasting(url))
        if await self._is_jupyter(rest, f"{rest.url}/hub"):
            return Sentence.A_HUB.format(url=rest.url)
        return _sentence(trouble or NotAJupyterServer(Sentence.NOT_JUPYTER.format(url=rest.url)))

    async def _ways_on(self, rest: RestApi) -> list[str]:
        """Return the addresses that the answer to a wrong one hints at."""
        response = await rest.fetch("GET", "")
        reports = REPORT_PATH.search(response.headers.get("Content-Security-Policy", ""))
        leads = redirected(rest.url, response.headers.get("Location", ""))
        reported = redirected(rest.url, reports[1] if reports else "")
        here = urlsplit(rest.url)[:2]
        ways = [normalise(leads.geturl())] if leads is not None and leads[:2] == here else []
        return [*ways, *([reported.geturl()] if reported is not None and reported[:2] == here else [])]

    async def _is_jupyter(self, rest: RestApi, url: str) -> bool:
        try:
            response = await rest.anonymous(f"{url}/api")
        except KernelError:
            return False
        return unknown(response) or (response.code == 200 and bool(_version(parsed(response))))

    async def _look_at_token(self, rest: RestApi) -> None:
        try:
            self._kernels = await rest.kernel_specs()
            stranger = await rest.anonymous(f"{rest.url}/api/kernelspecs")
        except KernelError as error:
            raise self._broken(Step.TOKEN, _sentence(error)) from None
        if stranger.code == 200:
            self._found(Step.TOKEN, Sentence.OPEN_TO_ALL, warning=True)
        else:
            self._found(Step.TOKEN, Sentence.ADMITTED)

    async def _look_at_specs(self, rest: RestApi, where: Server) -> None:
        try:
            await rest.require_kernel_spec(where.kernel_name)
        except KernelError as error:
            raise self._broken(Step.KERNEL, _sentence(error)) from None
        self._found(Step.KERNEL, Sentence.KERNELS_THERE.format(kernels=", ".join(self._kernels)))

    async def _run_there(self, rest: RestApi, where: Server) -> None:
        started = time.monotonic()
        try:
            kernel = await find_or_start.create_without_session(rest, where.kernel_name)
        except KernelError as error:
            raise self._broken(Step.START, _sentence(error)) from None
        async with _closing(kernel):
            self._found(Step.START, Sentence.STARTED_THERE)
            try:
                await find_or_start.greet(kernel, within=rest.patience.start)
            except KernelNotStarted as error:
                raise self._broken(Step.START, _sentence(error)) from None
            except KernelError as error:
                raise self._broken(Step.WEBSOCKET, _sentence(error)) from None
            took = time.monotonic() - started
            self._found(Step.WEBSOCKET, Sentence.CONNECTED.format(seconds=took))
            await self._try_cell(kernel, f"{where.kernel_name} at {rest.url}")

    # --- the test cell

    async def _try_cell(self, transport: Transport, what: str) -> None:
        language = of_kernel(transport.about) or language_of(transport.language)
        cell = language.hello or language.sum
        if not cell:
            self._found(Step.CELL, Sentence.NO_CELL.format(language=language.title))
            return
        client = KernelClient(transport)
        result = await client.execute(cell, deadline=TEST_DEADLINE)
        self._output = _said(result)
        if result.status is not Status.OK:
            raise self._broken(Step.CELL, _failure(result))
        if result.detail:
            self._found(Step.CELL, _sentence(result.detail), warning=True)
        # The first cell of a kernel pays for imports; a second one shows what every other will take.
        warm = await client.execute(cell, deadline=TEST_DEADLINE)
        self._milliseconds = round(warm.duration * 1000, 1)
        hello = self._output.strip() or "The test cell ran"
        sentence = Sentence.ANSWERS.format(hello=hello, what=what, milliseconds=self._milliseconds)
        self._found(Step.CELL, sentence)


@asynccontextmanager
async def _closing(kernel: Transport) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await kernel.close()


def _sentence(error: Exception | str) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}." if not text.startswith("http") else f"{text}."


def _said(result: Result) -> str:
    """What the test cell printed, or its value: some languages show that alone, as a string of theirs."""
    shown = [each for each in result.outputs if isinstance(each, DisplayData | ExecuteResult)]
    values = [each.data.get("text/plain") for each in shown]
    printed = "".join(output.text for output in result.outputs if isinstance(output, Stream))
    return printed or "".join(f"{plain(str(each))}\n" for each in values if each).replace('"', "")


def _failure(result: Result) -> str:
    last = result.outputs[-1] if result.outputs else None
    said = f"{getattr(last, 'ename', '')} {getattr(last, 'evalue', '')}".strip()
    reason = result.detail or said or "no output"
    return Sentence.CELL_FAILED.format(status=result.status.value, reason=reason)


def _version(answer: object) -> str:
    version = answer.get("version") if isinstance(answer, dict) else None
    return version[:40] if isinstance(version, str) else ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else OLDEST_SAFE
