"""The comms of one conversation's kernel: what its widgets say, and what pages say to them.

Everything here runs in the I/O thread's loop.
"""

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Container, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from coderunner.kernel.background_tasks import begin
from coderunner.kernel.protocol.messages import SHOWS, Message, Stamp, comm_msg, comm_open, module_request
from coderunner.kernel.widgets.binary_framing import pack, unpack
from coderunner.kernel.widgets.chart_comms import ChartComms
from coderunner.kernel.widgets.custom_messages import ASKING, CustomMessage
from coderunner.kernel.widgets.nbextensions import Nbextensions
from coderunner.kernel.widgets.output_capture import OutputWidgets, bound
from coderunner.kernel.widgets.page_messages import sendable
from coderunner.kernel.widgets.page_updates import PageUpdates
from coderunner.kernel.widgets.restore import RestoredWidgets, WidgetRestore
from coderunner.kernel.widgets.widget_models import (
    TARGET,
    Update,
    WidgetModels,
    update_names,
    update_of,
    view_of,
)
from coderunner.kernel.widgets.widget_panel import WidgetPanel, said
from coderunner.kernel.widgets.widget_text import picture, words
from coderunner.outputs import DisplayData, ExecuteResult, Output

PANELS = 100
"""Runs of a conversation whose widgets live; those of older ones show their last state."""
LEAVE = 1.0
"""Seconds for the last words to a kernel that stays when we go."""

CAPTURED = "captured"
"""The type that a message has for everybody else once a widget has caught it."""

Send = Callable[[Message], Coroutine[Any, Any, None]]
"""Sends a message to the kernel."""


class Comms:
    """The widgets of one kernel, and the panels of the runs that show them."""

    def __init__(self, post: Callable[..., object]) -> None:
        """`post` has something done in the loop, from any thread."""
        self.post = post
        # What an earlier process numbered has smaller numbers: none says a thousand things in a millisecond.
        self.widgets = WidgetModels(int(time.time() * 1000))
        self.modules = Nbextensions(self._ask_for, self._module_came)
        self._charts = ChartComms(self._open_comm, self._say)
        self.silent = True  # until a program says something over a comm, or somebody wants its widgets
        self._send: Send | None = None
        self._session = uuid.uuid4().hex
        self._sending: set[asyncio.Task[None]] = set()
        self._panels: OrderedDict[str, WidgetPanel] = OrderedDict()
        self._recall = WidgetRestore(self._post, self._stamp, self._found, self._back)
        self._asked: OrderedDict[str, tuple[WidgetPanel, str]] = OrderedDict()
        self._closed: OrderedDict[str, None] = OrderedDict()  # models that a program has closed
        self._outputs = OutputWidgets(self.widgets, self._say_state, self._news)
        self._updates = PageUpdates(self.widgets, self._panels, self._outputs.update_models)

    # --- the kernel ---------------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """The kernel can be reached."""
        return self._send is not None

    def attach(self, send: Send) -> None:
        """There is a way to the kernel."""
        self._send = send
        for panel in self._panels.values():
            panel.tell_all()
        self.find_again()

    def detach(self, send: Send) -> None:
        """That way is gone; the kernel may be there still."""
        if self._send == send:
            self._send = None
            self._recall.pause()
            for panel in self._panels.values():
                panel.settle()
                panel.tell(pack({"t": "live", "live": False}))

    def clear(self, *, but: str = "") -> None:
        """The kernel is gone, and its models with it; the run of request `but` is still to begin."""
        self._updates.flush()
        self._recall.clear()
        waiting = self._panels.pop(but, None)
        for panel in self._panels.values():
            panel.end()
        for each in (self._panels, self._asked, self._outputs, self._updates, self._charts):
            each.clear()
        self.widgets.clear()
        self.modules.clear()
        if waiting is not None:
            self._panels[but] = waiting

    def _say(self, comm: str, data: Mapping[str, object], buffers: Sequence[bytes] = ()) -> str:
        """Say something to a model in the kernel; returns the id of the message."""
        return self._post(comm_msg(comm, data, buffers, self._stamp()))

    def _open_comm(self, comm: str, target: str) -> str:
        return self._post(comm_open(comm, target, self._stamp()))

    def _say_state(self, identity: str, state: Mapping[str, object]) -> str | None:
        """Tell a model in the kernel a part of its state; None where there is no way to it."""
        if self._send is None:
            return None
        return self._say(identity, {"method": "update", "state": state, "buffer_paths": []})

    def _news(self) -> None:
        self._updates.schedule()

    def _ask_for(self, module: str) -> str:
        """Ask the kernel for a program of widgets; returns the id of the request."""
        return self._post(module_request(module, self._stamp()))

    def _stamp(self) -> Stamp:
        return Stamp(uuid.uuid4().hex, self._session, datetime.now(UTC).isoformat())

    def _post(self, message: Message) -> str:
        if self._send is not None:
            # Not awaited: a way that stalls holds up no message of the kernel's.
            begin("a widget message could not be sent", self._send(message), self._sending)
        return message.id

    def _module_came(self, module: str) -> None:
        for panel in self._panels.values():
            panel.tell_module(module)

    def expect(self, request: str, panel: WidgetPanel) -> None:
        """The run of that request is about to begin: what it shows belongs to `panel`."""
        self.silent = False
        panel.begin(self, request)
        self._panels[request] = panel
        while len(self._panels) > PANELS:
            self._panels.popitem(last=False)[1].end()

    def panel(self, request: str) -> WidgetPanel | None:
        """The panel of a run, while its kernel lives."""
        return self._panels.get(request) or self._recall.panels.get(request)

    # --- what an earlier process showed -------------------------------------------------------------------

    def recall(self, panel: RestoredWidgets) -> WidgetPanel:
        """Look for the widgets of a run when there is a way to its kernel; returns the panel it has by then.

        From any thread.
        """
        self.silent = False
        return self.panel(panel.request) or self._recall.panels.setdefault(panel.request, panel)

    def described(self, outputs: Sequence[Output]) -> tuple[Output, ...]:
        """The outputs of a run, with what the widgets among them are by now."""
        return tuple(_described(each, self.widgets, self._closed) for each in outputs)

    def find_again(self) -> None:
        """Look in the kernel for what was not looked for yet."""
        if self._send is not None:
            self._recall.begin()

    def _found(self, identity: str, update: Update) -> None:
        if identity not in self.widgets:
            self._add(identity, update)

    def _back(self, panel: RestoredWidgets) -> None:
        if any(root in self.widgets for root in panel.roots):
            for message in panel.kept.said():
                if message.identity in self.widgets:
                    self.widgets.said.put(message)
            self.expect(panel.request, panel)
            panel.come_back()

    # --- what the kernel says -----------------------------------------------------------------------------

    def receive(self, message: Message) -> Message:
        """Take a message of the kernel, whoever it is for; returns what it is for everybody else.

        What a page's message makes a program show belongs to the run whose page that was.
        """
        self._recall.receive(message)
        if message.channel == "control":
            self.modules.receive(message)
        if message.channel != "iopub":
            return message
        if message.type == "status":
            self.modules.receive(message)
            self._status(message)
        elif (heard := _COMM.get(message.type)) is not None:
            self._charts.hear(message)
            identity, data = message.content.get("comm_id"), message.content.get("data")
            if isinstance(identity, str) and isinstance(data, dict):
                heard(self, identity, data, message)
        elif message.type in SHOWS:
            return self._shown(message)
        return message

    def _open(self, identity: str, data: Mapping[str, object], message: Message) -> None:
        update = update_of(data, message.buffers)
        if message.content.get("target_name") != TARGET or update is None:
            return
        if self.widgets.crowded:
            reached = frozenset().union(*(panel.reach for panel in self._panels.values()))
            self.widgets.drop_but(reached | update_names(update))
        self._add(identity, update)

    def _add(self, identity: str, update: Update) -> None:
        if self.widgets.open(identity, update):
            self._outputs.heed(identity, update)
            self.modules.want(self.widgets[identity].modules)
            # It may point at what is shown already.
            if self.widgets[identity].points:
                self._updates.schedule()

    def _message(self, identity: str, data: Mapping[str, object], message: Message) -> None:
        if identity not in self.widgets:
            return
        match data.get("method"):
            case "update":
                if (update := update_of(data, message.buffers)) is not None:
                    self._update(identity, update, data, message)
            case "echo_update" if not self._outputs.echoed(message):
                if (update := update_of(data, message.buffers)) is not None:
                    self.widgets.update(identity, update)
                    self._updates.flush()
                    self._pass_on(identity, data, message)
            case "custom":
                self._updates.flush()
                self._say_on(identity, data.get("content"), message)

    def _update(self, identity: str, update: Update, data: Mapping[str, object], message: Message) -> None:
        keys = self.widgets.update(identity, update)
        self._outputs.heed(identity, update)
        if "outputs" in keys:
            self._outputs.forget(identity)
        # Some send commands as states, one right after the other: those go on as they are.
        if any(key.startswith("_") for key in keys):
            self._updates.flush()
            self._pass_on(identity, data, message)
        elif keys:
            self._updates.changed(identity, keys)

    def _close(self, identity: str, _data: Mapping[str, object], _message: Message) -> None:
        concerned = [panel for panel in self._panels.values() if identity in panel.reach]
        self._updates.flush()
        if self.widgets.close(identity):
            self._closed[identity] = None
            bound(self._closed)
            self._outputs.forget(identity)
            self._updates.forget(identity)
            for panel in concerned:
                panel.close(identity)

    def _status(self, message: Message) -> None:
        if message.content.get("execution_state") != "idle":
            return
        self._updates.flush()
        self._outputs.tell_kernel()
        asked = self._asked.get(message.parent)
        if asked is not None and asked[1]:
            panel, number = asked
            # What its threads show comes after this.
            self._asked[message.parent] = (panel, "")
            panel.tell(pack({"t": "idle", "mid": number}))

    def _say_on(self, identity: str, content: object, message: Message) -> None:
        """Have pages told what a program said to a model beside its state: now, and those that come later."""
        _, parent = self._asked.get(message.parent, (None, ""))
        asks = self.widgets[identity].modules & ASKING
        with suppress(RecursionError):  # deeper than anybody reads
            told = CustomMessage(identity, 0, content, tuple(map(bytes, message.buffers)), parent)
            self._tell(identity, said(told if asks else self.widgets.said.add(told)))

    def _pass_on(self, identity: str, data: Mapping[str, object], message: Message) -> None:
        _, number = self._asked.get(message.parent, (None, ""))
        self._tell(
            identity, pack({"t": "update", "id": identity, "data": data, "parent": number}, message.buffers)
        )

    def _tell(self, identity: str, frame: bytes) -> None:
        for panel in self._panels.values():
            if identity in panel.reach:
                panel.changed()
                panel.tell(frame)

    # --- what programs show -------------------------------------------------------------------------------

    def _shown(self, message: Message) -> Message:
        if self._outputs.take(message):
            return replace(message, type=CAPTURED)
        panel, _ = self._asked.get(message.parent, (None, ""))
        if panel is not None:
            message = replace(message, parent=panel.request)
        panel = panel or self._panels.get(message.parent)
        root = view_of(message.content.get("data"))
        if panel is not None:
            self._charts.name(panel, message.content.get("data"))
            if root is not None:
                panel.show(root)
                panel.changed()
        return message

    # --- leaving ------------------------------------------------------------------------------------------

    async def take_leave(self) -> None:
        """Tell the kernel what it does not know yet, for whoever finds it again; bounded."""
        self._updates.flush()
        self._outputs.tell_kernel()
        if self._sending:
            await asyncio.wait(self._sending, timeout=LEAVE)

    # --- what pages say -----------------------------------------------------------------------------------

    def take(self, panel: WidgetPanel, frame: bytes) -> None:
        """Take what a page says to a model: it has to be one of its panel's, and may name no other."""
        read = unpack(frame)
        if read is None:
            return
        head, buffers = read
        if isinstance(file := head.get("file"), str):
            panel.ask_for(file)
            return
        if head.get("t") == "comm":
            if self._send is not None:
                self._asked |= dict.fromkeys(self._charts.take(panel, head, buffers), (panel, ""))
                bound(self._asked)
            return
        number = head.get("mid")
        if not isinstance(number, str) or not 0 < len(number) <= 64:
            return
        data = sendable(head, buffers, panel.reach)
        if data is None or self._send is None:
            panel.tell(pack({"t": "refused", "mid": number}))
            return
        identity = str(head["id"])
        if data["method"] == "update" and (update := update_of(data, buffers)) is not None:
            self.widgets.update(identity, update)
        self._asked[self._say(identity, data, buffers)] = (panel, number)
        bound(self._asked)


def _described(output: Output, widgets: WidgetModels, closed: Container[str]) -> Output:
    root = view_of(output.data) if isinstance(output, DisplayData | ExecuteResult) else None
    if root is None or not isinstance(output, DisplayData | ExecuteResult):
        return output
    if root in closed:
        return replace(output, widget="")
    said = words(widgets, root)
    caught = None if any(map(_is_picture, output.data)) else picture(widgets, root)
    if caught is None:
        return replace(output, widget=said or None)
    # What cannot show the widget shows the picture in it, as with a chart that brings one of itself.
    kind, content = caught
    told = said.split("\n")
    if f"[{kind}]" in told:
        told.remove(f"[{kind}]")
    return replace(output, widget="\n".join(told) or None, data={**output.data, kind: content})


def _is_picture(kind: object) -> bool:
    return isinstance(kind, str) and kind.startswith("image/")


_COMM = {"comm_open": Comms._open, "comm_msg": Comms._message, "comm_close": Comms._close}


def concern(comms: Comms, message: Message) -> bool:
    """Whether a message may have to do with widgets: in most kernels none ever has."""
    comms.silent = comms.silent and message.type not in _COMM
    return not comms.silent
