"""Tells pages what programs change in their widgets: many changes at once, as fast as an eye can follow."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from coderunner.kernel.widgets.binary_framing import pack
from coderunner.kernel.widgets.widget_models import WidgetModels
from coderunner.kernel.widgets.widget_panel import WidgetPanel

FRAME = 0.04
"""Seconds between two rounds of updates."""


class PageUpdates:
    """What programs have changed since pages were told. In the I/O thread's loop."""

    def __init__(
        self,
        widgets: WidgetModels,
        panels: Mapping[str, WidgetPanel],
        more: Callable[[], Iterable[tuple[str, str]]],
    ) -> None:
        """`more` brings models up to date before each round: pairs of a model and a key of its state."""
        self._widgets = widgets
        self._panels = panels
        self._more = more
        self._pending: dict[str, set[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._told = 0.0

    def changed(self, identity: str, keys: Iterable[str]) -> None:
        """A program has changed these parts of a model's state."""
        self._pending.setdefault(identity, set()).update(keys)
        self.schedule()

    def schedule(self) -> None:
        """There is something to tell, soon."""
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._timer = loop.call_at(max(loop.time(), self._told + FRAME), self.flush)

    def flush(self) -> None:
        """Tell it now."""
        self._stop()
        for identity, key in self._more():
            self._pending.setdefault(identity, set()).add(key)
        pending, self._pending = self._pending, {}
        self._told = asyncio.get_running_loop().time()
        for panel in self._panels.values():
            if pending:
                self._tell(panel, pending)
            else:
                panel.catch_up()

    def forget(self, identity: str) -> None:
        """That model no longer exists."""
        self._pending.pop(identity, None)

    def clear(self) -> None:
        """No model exists any longer."""
        self._stop()
        self._pending.clear()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _tell(self, panel: WidgetPanel, pending: Mapping[str, set[str]]) -> None:
        if mine := [identity for identity in pending if identity in panel.reach]:
            panel.changed()
            for identity in mine:
                state, paths, buffers = self._widgets[identity].part(pending[identity])
                data = {"method": "update", "state": state, "buffer_paths": paths}
                panel.tell(pack({"t": "update", "id": identity, "data": data, "parent": ""}, buffers))
