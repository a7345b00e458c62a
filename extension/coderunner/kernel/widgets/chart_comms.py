"""The comms of charts that are no widgets: of HoloViews, Panel and Bokeh, whose scripts name them.

A page speaks for one run: to targets that this run's own outputs name, and to no others. Their comms have ids
that are made here, so that no page names one. To a figure of Bokeh's only its program speaks, by
`push_notebook`: that is kept for pages that show the figure later. All of this runs in the I/O thread's loop.
"""

import re
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.widgets.binary_framing import pack
from coderunner.kernel.widgets.custom_messages import CustomMessage, CustomMessages
from coderunner.kernel.widgets.output_capture import bound
from coderunner.kernel.widgets.widget_panel import WidgetPanel

_EXECUTED = re.compile(r"application/vnd\.holoviews_exec\.v0\+json", re.ASCII)
"""Marks a bundle whose script speaks to the kernel."""
_TARGET = re.compile(r"(?<![0-9a-zA-Z-])[0-9a-f]{32}(?![0-9a-zA-Z-])")
_FIGURE = re.compile(r"application/vnd\.bokehjs_exec\.v0\+json", re.ASCII)
"""Marks a bundle that draws a figure."""
_PUSHED = re.compile(r'"notebook_comms_target":\s?"([\w-]{1,64})"', re.ASCII)
LONGEST = 2_000_000
"""Characters of an output in which targets are looked for."""
MOST = 200
"""Targets of one output; a dashboard has two for each of its parts."""


def targets_in(data: object) -> list[str]:
    """The names of targets in a MIME bundle."""
    return _named(data, _EXECUTED, _TARGET)


def figures_in(data: object) -> list[str]:
    """The names of targets in a MIME bundle to which only the program speaks."""
    return _named(data, _FIGURE, _PUSHED)


def _named(data: object, kind: re.Pattern[str], name: re.Pattern[str]) -> list[str]:
    if not isinstance(data, dict) or not any(isinstance(key, str) and kind.fullmatch(key) for key in data):
        return []
    texts = (each for each in data.values() if isinstance(each, str) and len(each) <= LONGEST)
    return list(dict.fromkeys(found for text in texts for found in name.findall(text)))[:MOST]


class ChartComms:
    """Those of one kernel."""

    def __init__(
        self,
        open_comm: Callable[[str, str], str],
        say: Callable[[str, Mapping[str, object], Sequence[bytes]], str],
    ) -> None:
        """`open_comm` opens a comm to a target, `say` says something to it; both give the message's id."""
        self._open, self._say = open_comm, say
        self._panels: OrderedDict[str, WidgetPanel] = OrderedDict()
        """Whose outputs name a target."""
        self._ours: OrderedDict[str, str] = OrderedDict()
        """The comm that was opened to a target."""
        self._targets: OrderedDict[str, str] = OrderedDict()
        """The target of a comm, whoever opened it."""
        self._figures: OrderedDict[str, WidgetPanel] = OrderedDict()
        """Whose outputs draw the figure of a target."""
        self._pushed = CustomMessages()
        self._last = 0
        """The number of what was pushed last; it grows over restarts of the kernel."""

    def name(self, panel: WidgetPanel, data: object) -> None:
        """A run shows that: its page may speak to the targets that it names."""
        for target in targets_in(data):
            self._panels[target] = panel
        for target in figures_in(data):
            self._figures[target] = panel
            panel.tell_besides(lambda: self._told(panel))
        for each in (self._panels, self._figures):
            bound(each)

    def _told(self, panel: WidgetPanel) -> list[bytes]:
        """All that is kept of what was pushed to the figures of a run."""
        return list(map(_push, self._pushed.of([each for each, of in self._figures.items() if of is panel])))

    def hear(self, message: Message) -> None:
        """The kernel opened a comm, or says something to one."""
        if message.type == "comm_open":
            self._opened(message.content)
        elif message.type == "comm_msg":
            self._heard(message)

    def _opened(self, content: Mapping[str, object]) -> None:
        comm, target = content.get("comm_id"), content.get("target_name")
        if not isinstance(comm, str) or not isinstance(target, str):
            return
        if target in self._panels or target in self._figures:
            self._targets[comm] = target
            bound(self._targets)

    def _heard(self, message: Message) -> None:
        target = self._targets.get(str(message.content.get("comm_id")), "")
        if (shows := self._figures.get(target)) is not None:
            said = CustomMessage(target, 0, message.content.get("data"), message.buffers)
            said = self._pushed.add(said)
            self._last = said.number
            shows.tell(_push(said))
        elif (panel := self._panels.get(target)) is not None:
            told = {"data": message.content.get("data"), "metadata": message.metadata}
            panel.tell(pack({"t": "comm", "target": target, **told}, message.buffers))

    def take(self, panel: WidgetPanel, head: Mapping[str, object], buffers: Sequence[bytes]) -> list[str]:
        """Take what a page says to a target; gives the ids of the messages that this became."""
        target, data = head.get("target"), head.get("data")
        if not isinstance(target, str) or self._panels.get(target) is not panel:
            return []
        sent = []
        if target not in self._ours:
            comm = self._ours[target] = uuid.uuid4().hex
            self._targets[comm] = target
            bound(self._ours)
            sent.append(self._open(comm, target))
        return [*sent, self._say(self._ours[target], data, buffers)] if isinstance(data, dict) else sent

    def clear(self) -> None:
        """The kernel is gone."""
        for each in (self._panels, self._figures, self._ours, self._targets):
            each.clear()
        self._pushed = CustomMessages(self._last + 1)


def _push(message: CustomMessage) -> bytes:
    head = {"t": "comm", "target": message.identity, "number": message.number, "data": message.content}
    return pack(head, message.buffers)
