"""The form that chooses where kernels run, checks the connection and runs a test cell."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from html import escape
from time import monotonic
from typing import Any

import gradio as gr

from coderunner.errors import CodeRunnerError, NoSuchKernelSpec
from coderunner.hosts.app.choices.choices import Approve, Choices, OnTimeout
from coderunner.hosts.app.conversation.message_parts import Past
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.forms.connection import examined, started
from coderunner.hosts.app.forms.event_options import COMMAND, STREAM
from coderunner.hosts.app.forms.findings import finding, working
from coderunner.languages import PYTHON
from coderunner.page.block_state import Block, State
from coderunner.page.html import block_html
from coderunner.runner import (
    KernelLocation,
    Report,
    Server,
    existing,
    interpreter,
    is_environment,
    kernel_choices,
    marked_yours,
    meant,
    running_servers,
    with_token,
)
from coderunner.secret_value import Secret

HERE, THERE = "This computer", "Jupyter server"
KERNELS = "A kernel, a conda environment, or the folder of a project with a .venv"
NOT_YOURS = "on this machine, only the kernels and environments in the list can be used"
STORED = "Saved; type to replace it"
KNOWN = "Known; type to replace it"
LEFT = "No longer waiting; the server may go on starting."

APPROVALS: dict[str, Approve | None] = {
    "Default (run in a sandbox or on a server, ask elsewhere)": None,
    "Ask each time": "ask",
    "Automatically": "auto",
    "Never": "off",
}

AT_DEADLINE: dict[str, OnTimeout] = {
    "Keep it running in the background": "detach",
    "Stop it": "interrupt",
}

TESTS = "test of the form"
"""The reply id under which runs of the test cell are recorded."""
TEST = "import sys\nprint(10 + 5)\nprint(sys.version.split()[0])"


class KernelForm:
    """Place, URL, token and kernel; Connect and Run; deadline, approval, blocks per reply."""

    def __init__(self, choices: Choices, writer: ReplyWriter) -> None:
        self._choices = choices
        self._writer = writer
        self.place = gr.Radio([HERE, THERE], label="Where code runs", elem_id="cr-place")
        with gr.Group(visible=False, elem_id="cr-server") as self.server:
            self.found = gr.Dropdown([], label="Found on this computer", visible=False, elem_id="cr-found")
            self.url = gr.Textbox(
                label="Address", placeholder="http://127.0.0.1:8888", elem_id="cr-server-url"
            )
            self.token = gr.Textbox(label="Token", type="password", elem_id="cr-token")
            self.attach = gr.Textbox(
                label="Existing kernel (optional)",
                placeholder="Path of an open notebook, or a kernel ID",
                elem_id="cr-existing",
            )
        self.name = gr.Dropdown(
            ["python3"],
            label="Kernel",
            info=KERNELS,
            allow_custom_value=True,
            elem_id="cr-kernel-name",
        )
        self.alone = gr.Checkbox(label="For this chat alone", elem_id="cr-kernel-alone")
        with gr.Row(elem_classes="cr-pair"):
            self.connect = gr.Button(
                "Connect", size="sm", variant="primary", elem_id="cr-connect", min_width=40
            )
            self.run = gr.Button("Run a test", size="sm", elem_id="cr-test", min_width=40)
        self.start = gr.Button("Start the server", size="sm", visible=False, elem_id="cr-start-server")
        self.leave = gr.Button("Stop waiting", size="sm", visible=False, elem_id="cr-stop-waiting")
        self.status = gr.HTML(
            "", elem_id="cr-kernel-status", elem_classes="cr-html", apply_default_css=False, padding=False
        )
        self.approve = gr.Radio(list(APPROVALS), label="Run code", elem_id="cr-approve")
        self.on_timeout = gr.Radio(list(AT_DEADLINE), label="When a block times out", elem_id="cr-on-timeout")
        with gr.Row(elem_classes="cr-pair"):
            self.deadline = gr.Number(label="Timeout (seconds)", minimum=1, precision=0, min_width=80)
            self.blocks = gr.Number(
                label="Max. blocks per reply", minimum=1, maximum=100, precision=0, min_width=80
            )

    @property
    def shown(self) -> list[Any]:
        """The components that `values` fills."""
        return [
            self.place,
            self.server,
            self.found,
            self.url,
            self.token,
            self.attach,
            self.name,
            self.approve,
            self.on_timeout,
            self.deadline,
            self.blocks,
        ]

    def values(self) -> list[Any]:
        """The current choices, without the token."""
        where = self._choices.where
        remote = isinstance(where, Server)
        labels = {approve: label for label, approve in APPROVALS.items()}
        return [
            THERE if remote else HERE,
            gr.Group(visible=remote),
            self._offer() if remote else gr.skip(),
            where.url if isinstance(where, Server) else "",
            gr.Textbox(value="", placeholder=STORED if isinstance(where, Server) and where.token else ""),
            where.attach if isinstance(where, Server) else "",
            where.kernel_name if remote else gr.Dropdown(choices=kernel_choices(), value=where.kernel_name),
            labels[self._choices.approve],
            next(label for label, what in AT_DEADLINE.items() if what == self._choices.on_timeout),
            self._choices.deadline,
            self._choices.max_blocks,
        ]

    def listen(self, identity: gr.BrowserState) -> list[Any]:
        """Connect the form to its handlers; gives the events after which the page shows the new choices."""
        place = [self.place, self.url, self.token, self.name, self.attach]
        said = [self.status, self.name, self.token, self.url, self.start, self.leave]
        self.place.input(self._unfold, [self.place], [self.server, self.found], **COMMAND)
        self.found.input(self._choose, [self.found], [self.url, self.token], **COMMAND)
        start = self.start.click(self._start, place, said, **STREAM)
        self.leave.click(self._leave, None, [self.status, self.start, self.leave], cancels=[start], **COMMAND)
        self.deadline.input(self._bound, [self.deadline], None, **COMMAND)
        self.blocks.input(self._count, [self.blocks], None, **COMMAND)
        return [
            self.place.input(self._use_local, [self.place, self.name], None, **COMMAND),
            self.name.input(self._rename, [self.name, self.alone, identity], [self.status], **COMMAND),
            self.connect.click(self._connect, place, said, **STREAM),
            start,
            self.run.click(self._test, [identity], [self.status], **STREAM),
            self.approve.input(self._set_approval, [self.approve], None, **COMMAND),
            self.on_timeout.input(self._set_on_timeout, [self.on_timeout], None, **COMMAND),
        ]

    async def _unfold(self, place: str) -> tuple[gr.Group, Any]:
        there = place == THERE
        return gr.Group(visible=there), await asyncio.to_thread(self._offer) if there else gr.skip()

    def _offer(self) -> gr.Dropdown:
        """The Jupyter servers that run on this computer, to choose from; their tokens stay here."""
        found = running_servers() if self._choices.finds else []
        return gr.Dropdown([(str(each), each.where.url) for each in found], value=None, visible=bool(found))

    async def _choose(self, url: str | None) -> tuple[Any, Any]:
        return (url, gr.Textbox(value="", placeholder=KNOWN)) if url else (gr.skip(), gr.skip())

    async def _start(
        self, place: str, url: str, token: str, name: str, attach: str
    ) -> AsyncGenerator[list[Any]]:
        """Have a Hub start the server, which the person has just agreed to, and connect to it."""
        keep, hidden, waits = [gr.skip()] * 3, gr.Button(visible=False), gr.Button(visible=True)
        try:
            where = self._where(place, url, token, name, attach)
            if isinstance(where, Server):
                async for shown in started(where):
                    yield [shown, *keep, hidden, waits]
        except CodeRunnerError as failure:
            yield [finding(str(failure), ok=False), *keep, gr.Button(visible=True), hidden]
            return
        async for each in self._connect(place, url, token, name, attach):
            yield each

    async def _leave(self) -> tuple[str, Any, Any]:
        hidden = gr.Button(visible=False)
        return finding(LEFT, ok=True, warning=True), hidden, hidden

    async def _use_local(self, place: str, name: str) -> None:
        """A local kernel needs no Connect; a server is used once Connect has succeeded."""
        if place == HERE:
            with suppress(CodeRunnerError):
                self._choices.where = replace(self._choices.here, kernel_name=self._named(name))

    def _named(self, name: str | None) -> str:
        """A kernel of this machine by what was typed; raises NoSuchKernelSpec for an environment without one.

        Of somebody else's machine only what is listed: to look at an environment is to run its Python.
        """
        name = (name or "").strip() or "python3"
        if is_environment(name):
            sandbox = self._choices.sandbox
            if (
                sandbox is not None
                and sandbox.stranger
                and name not in {each for _, each in kernel_choices()}
            ):
                raise NoSuchKernelSpec(NOT_YOURS)
            interpreter(name)
        return name

    async def _rename(self, name: str, alone: bool, identity: str) -> str:  # noqa: FBT001 - Gradio's way
        """Use a kernel from the next cell on: for all chats, or for the one that is shown."""
        try:
            there = isinstance(self._choices.where, Server)
            name = (name or "python3") if there else await asyncio.to_thread(self._named, name)
        except CodeRunnerError as failure:
            return finding(f"{str(failure)[:1].upper()}{str(failure)[1:]}.", ok=False)
        await asyncio.to_thread(self._writer.choose_kernel, identity, name if alone else "")
        if not alone:
            self._choices.where = replace(self._choices.where, kernel_name=name)
        whose = "This chat uses" if alone else "All chats use"
        return finding(f"{whose} {name} from the next block on.", ok=True)

    async def _connect(
        self, place: str, url: str, token: str, name: str, attach: str
    ) -> AsyncGenerator[list[Any]]:
        """Check the connection to a kernel step by step, and use the place if it works."""
        keep, hidden = [gr.skip()] * 3, [gr.Button(visible=False)] * 2
        yield [working("Connecting"), *keep, *hidden]
        try:
            where = self._where(place, url, token, name, attach)
        except CodeRunnerError as failure:
            yield [finding(str(failure), ok=False), *keep, *hidden]
            return
        if self._choices.finds:
            where = await asyncio.to_thread(marked_yours, where)
        report = Report(())
        shown = ""
        async for each in examined(where, self._choices.sandbox):
            shown, report = each
            yield [shown, *keep, *hidden]
        if report.standing == "starting":  # nothing has to be agreed to: it is only waited for
            async for step in self._start(place, url, token, name, attach):
                yield step
            return
        names = list(report.kernels)
        choices = gr.Dropdown(choices=names)
        if not report.ok:
            offer = gr.Button(visible=report.standing is not None)
            yield [shown, choices if names else gr.skip(), *keep[1:], offer, hidden[1]]
            return
        if isinstance(where, Server) and where.attach:
            try:
                shown += finding(f"Found the kernel {meant(await existing(where), where.attach)}.", ok=True)
            except CodeRunnerError as failure:
                yield [shown + finding(str(failure), ok=False), choices, *keep[1:], *hidden]
                return
        self._choices.where = where
        held = gr.Textbox(value="", placeholder=STORED if isinstance(where, Server) and where.token else "")
        address = where.url if isinstance(where, Server) else gr.skip()
        yield [shown, gr.Dropdown(choices=names, value=where.kernel_name), held, address, *hidden]

    def _where(self, place: str, url: str, token: str, name: str, attach: str) -> KernelLocation:
        if place == HERE:
            return replace(self._choices.here, kernel_name=self._named(name))
        server = Server(
            url.strip(),
            Secret(token.strip()),
            name or "python3",
            attach=attach.strip(),
            folder=self._choices.server_folder,
        )
        known = self._choices.where
        if isinstance(known, Server):
            server = replace(server, ca_file=known.ca_file)
        if not server.token and self._choices.finds:
            server = with_token(server)
        if not server.token and isinstance(known, Server) and known.url == server.url:
            # The page never gets the token back, so an empty field means the stored one.
            return replace(server, token=known.token)
        return server

    async def _test(self, identity: str) -> AsyncGenerator[str]:
        """Run a test cell in the conversation's kernel and show it as a block."""
        yield working("Running a test")
        session = self._writer.session(identity)
        language = await session.language()
        test = TEST if language == PYTHON else language.hello or language.sum
        nothing = "pass" if language == PYTHON else test
        await session.execute(nothing, deadline=self._choices.deadline)  # starts the kernel if necessary
        began = monotonic()
        result = await self._writer.result_of(identity, Past(TESTS, 0, test))
        took = f"{(monotonic() - began) * 1000:.0f} ms round trip"
        shown = Block(f"```{language.fence}\n", test, State.ENDED, result=result)
        block = block_html.block(shown, self._choices.setting)
        yield f'{block}<p class="cr-soft">{took} · kernel {escape(session.where.kernel_name)}</p>'

    async def _set_approval(self, label: str) -> None:
        await asyncio.to_thread(self._choices.choose_approval, APPROVALS[label])

    async def _set_on_timeout(self, label: str) -> None:
        self._choices.on_timeout = AT_DEADLINE[label]

    async def _bound(self, seconds: float | None) -> None:
        if seconds and seconds >= 1:
            self._choices.deadline = float(seconds)

    async def _count(self, blocks: float | None) -> None:
        if blocks and blocks >= 1:
            self._choices.max_blocks = int(blocks)
