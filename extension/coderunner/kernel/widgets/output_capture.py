"""What Output widgets catch of what programs show: outputs folded as those of a cell are."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from coderunner.kernel.protocol.cell_outputs import CellOutputs
from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.widgets.widget_models import Update, WidgetModels
from coderunner.outputs import in_nbformat

COUNT, WHOLE = 200, 16 * 1024 * 1024
"""Outputs of one such widget, and characters of them."""
CATCH = 1.0
"""Seconds after which a kernel is told what its Output widgets have caught, where nothing comes to an end."""
REMEMBERED = 1000
"""Ids of messages and models that are remembered; the oldest go first."""

OUTPUT = "OutputModel"


class CapturedOutputs:
    """The outputs of one Output widget."""

    def __init__(self, outputs: object = ()) -> None:
        """`outputs`: what its model has by now."""
        self._execution = CellOutputs("", count=COUNT, whole=WHOLE)
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict) and isinstance(output.get("output_type"), str):
                self.receive(Message("iopub", output["output_type"], content=output))

    def receive(self, message: Message) -> None:
        """Take one message that is meant for it."""
        self._execution.receive(replace(message, parent=""))

    def outputs(self) -> list[dict[str, object]]:
        """All of them, as its model has them."""
        return [in_nbformat(output) for output in self._execution.outputs]


class OutputWidgets:
    """The Output widgets of one kernel, and what each of them catches. In the I/O thread's loop."""

    def __init__(
        self,
        widgets: WidgetModels,
        say: Callable[[str, Mapping[str, object]], str | None],
        on_change: Callable[[], None],
    ) -> None:
        """`say` tells a model in the kernel its state and gives the message's id, None where there is no way.

        `on_change` is called when an Output widget shows something new.
        """
        self._widgets = widgets
        self._say = say
        self._on_change = on_change
        self._ours: OrderedDict[str, None] = OrderedDict()
        """Messages that bring kernels what was caught: their echo is no news."""
        self._catching: dict[str, list[str]] = {}
        """The Output widgets that catch what has a parent, the last one first."""
        self._captured: dict[str, CapturedOutputs] = {}
        self._caught: set[str] = set()
        """Those whose outputs have changed since their model was told."""
        self._untold: set[str] = set()
        """Those whose outputs the kernel does not know yet."""
        self._timer: asyncio.TimerHandle | None = None

    def heed(self, identity: str, update: Update) -> None:
        """An Output widget says whose outputs it catches, by the id of what they answer; empty: no more."""
        parent = update.state.get("msg_id")
        if not isinstance(parent, str) or self._widgets[identity].name != OUTPUT:
            return
        for catching in self._catching.values():
            with suppress(ValueError):
                catching.remove(identity)
        self._catching = {each: catching for each, catching in self._catching.items() if catching}
        if parent:
            self._catching.setdefault(parent, []).append(identity)

    def echoed(self, message: Message) -> bool:
        """Whether a message answers one that brought the kernel what was caught."""
        return message.parent in self._ours

    def take(self, message: Message) -> bool:
        """Take what a program shows; False where no Output widget catches it."""
        if message.type == "update_display_data":
            for identity, captured in self._captured.items():
                captured.receive(message)
                self._caught.add(identity)
            return False
        catching = self._catching.get(message.parent)
        if not catching:
            return False
        if catching[-1] in self._widgets:
            self._catch(catching[-1], message)
        return True

    def _catch(self, identity: str, message: Message) -> None:
        captured = self._captured.get(identity)
        if captured is None:
            captured = self._captured[identity] = CapturedOutputs(
                self._widgets[identity].state.get("outputs")
            )
        captured.receive(message)
        self._caught.add(identity)
        self._untold.add(identity)
        self._on_change()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CATCH, self.tell_kernel)

    def forget(self, identity: str) -> None:
        """What a widget has caught counts no more: a program has set its outputs, or closed it."""
        self._captured.pop(identity, None)
        self._caught.discard(identity)

    def update_models(self) -> Iterator[tuple[str, str]]:
        """Bring the models here up to date; gives each that has changed, with the key of its state."""
        caught, self._caught = self._caught, set()
        for identity in caught:
            if identity in self._widgets:
                update = Update({"outputs": self._captured[identity].outputs()}, {})
                if self._widgets.update(identity, update):
                    yield identity, "outputs"

    def tell_kernel(self) -> None:
        """Have programs find in their Output widgets what those show."""
        self._stop()
        untold, self._untold = self._untold, set()
        for identity in untold:
            if identity in self._widgets:
                sent = self._say(identity, {"outputs": self._widgets[identity].state.get("outputs")})
                if sent is not None:
                    self._ours[sent] = None
                    bound(self._ours)

    def clear(self) -> None:
        """The kernel is gone."""
        self._stop()
        for each in (self._ours, self._catching, self._captured, self._caught, self._untold):
            each.clear()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None


def bound(known: OrderedDict[str, Any]) -> None:
    """Forget what is oldest."""
    while len(known) > REMEMBERED:
        known.popitem(last=False)
