"""The comms of charts that are no widgets: of HoloViews and Panel, whose scripts name them in what they show.

A page speaks for one run: to targets that this run's own outputs name, and to no others. Their comms have ids
that are made here, so that no page names one. Everything here runs in the I/O thread's loop.
"""

import re
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.widgets.binary_framing import pack
from coderunner.kernel.widgets.output_capture import bound
from coderunner.kernel.widgets.widget_panel import WidgetPanel

_EXECUTED = re.compile(r"application/vnd\.holoviews_exec\.v0\+json", re.ASCII)
"""Marks a bundle whose script speaks to the kernel."""
_TARGET = re.compile(r"(?<![0-9a-zA-Z-])[0-9a-f]{32}(?![0-9a-zA-Z-])")
LONGEST = 2_000_000
"""Characters of an output in which targets are looked for."""
MOST = 200
"""Targets of one output; a dashboard has two for each of its parts."""


def targets_in(data: object) -> list[str]:
    """The names of targets in a MIME bundle."""
    if not isinstance(data, dict) or not any(
        isinstance(key, str) and _EXECUTED.fullmatch(key) for key in data
    ):
        return []
    texts = (each for each in data.values() if isinstance(each, str) and len(each) <= LONGEST)
    return list(dict.fromkeys(name for text in texts for name in _TARGET.findall(text)))[:MOST]


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

    def name(self, panel: WidgetPanel, data: object) -> None:
        """A run shows that: its page may speak to the targets that it names."""
        for target in targets_in(data):
            self._panels[target] = panel
        bound(self._panels)

    def hear(self, message: Message) -> None:
        """The kernel opened a comm, or says something to one."""
        if message.type == "comm_open":
            self._opened(message.content)
        elif message.type == "comm_msg":
            self._heard(message)

    def _opened(self, content: Mapping[str, object]) -> None:
        comm, target = content.get("comm_id"), content.get("target_name")
        if isinstance(comm, str) and isinstance(target, str) and target in self._panels:
            self._targets[comm] = target
            bound(self._targets)

    def _heard(self, message: Message) -> None:
        target = self._targets.get(str(message.content.get("comm_id")), "")
        if (panel := self._panels.get(target)) is not None:
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
        for each in (self._panels, self._ours, self._targets):
            each.clear()
