"""Widgets that an earlier process showed, found again in their kernel: it is asked what they are by now."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from coderunner.kernel.background_tasks import log
from coderunner.kernel.protocol.messages import Message, Stamp, comm_info_request, comm_msg
from coderunner.kernel.widgets.widget_models import TARGET, Update, update_names, update_of
from coderunner.kernel.widgets.widget_panel import Hear, SavedPanel, WidgetPanel


class RestoredWidgets(WidgetPanel):
    """The widgets of a run of an earlier process: as they stood last until their kernel is found again."""

    def __init__(
        self,
        request: str,
        kept: SavedPanel,
        roots: Sequence[str],
        look: Callable[[], object],
        keep: Callable[[str], None],
        keep_module: Callable[[str, str], None],
    ) -> None:
        """`roots` are the widgets that the run showed by themselves; `look` has their kernel looked for."""
        super().__init__(keep, keep_module)
        self.request = request
        self.kept = kept
        self.roots = roots
        self._look = look
        self._found = False

    def watch(self, hear: Hear) -> None:
        """Tell `hear` what there is, and from now on what changes."""

        def hear_until_then(frame: bytes) -> None:
            if not self._found:
                hear(frame)

        super().watch(hear)
        if not self._found:
            self.kept.watch(hear_until_then)
            self._look()

    def come_back(self) -> None:
        """Its models are known again: tell of them."""
        self._found = True
        for root in self.roots:
            self.show(root)
        self.tell_all()


class WidgetRestore:
    """Looks for the models of such panels in a kernel. In the I/O thread's loop."""

    def __init__(
        self,
        post: Callable[[Message], str],
        stamp: Callable[[], Stamp],
        found: Callable[[str, Update], None],
        back: Callable[[RestoredWidgets], None],
    ) -> None:
        """`found` is given each model, by its id, as soon as it is told; `back` a panel that has them all."""
        self.panels: dict[str, RestoredWidgets] = {}
        """Those that were not looked for yet, by their requests; a panel may be added in any thread."""
        self._post = post
        self._stamp = stamp
        self._found = found
        self._back = back
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[str, tuple[str, asyncio.Future[Message | None]]] = {}
        """What is waited for, by the request: the model that is asked for, empty for the list of all."""

    def begin(self) -> None:
        """There is a way to the kernel: look there."""
        if self.panels and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    def pause(self) -> None:
        """The way is gone."""
        if self._task is not None:
            self._task.cancel()
        self._task = None

    def clear(self) -> None:
        """The kernel is gone: there is nothing to look for."""
        self.pause()
        self.panels.clear()

    async def _look(self) -> None:
        while self.panels:
            panels = list(self.panels.values())
            try:
                await self._find(name for panel in panels for name in panel.kept.names())
            except Exception:
                log.exception("widget states could not be requested")
            for panel in panels:
                self._back(self.panels.pop(panel.request))
        self._task = None

    async def _find(self, wanted: Iterable[str]) -> None:
        """Ask for the models of these ids that the kernel has still, and for all that those name.

        One after the other: a server drops messages that come too fast. A kernel that is busy answers when
        it is at rest.
        """
        listed = await self._ask("", comm_info_request(TARGET, self._stamp()))
        live, left, asked = _live(listed), deque(wanted), set[str]()
        while left:
            identity = left.popleft()
            if identity in live and identity not in asked:
                asked.add(identity)
                request = comm_msg(identity, {"method": "request_state"}, (), self._stamp())
                if (update := _update(await self._ask(identity, request))) is not None:
                    left.extend(update_names(update))

    async def _ask(self, identity: str, request: Message) -> Message | None:
        answer: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = identity, answer
        self._post(request)
        try:
            return await answer
        finally:
            del self._waiting[request.id]

    def receive(self, message: Message) -> None:
        """Take a message of the kernel, whoever it is for."""
        identity, answer = self._waiting.get(message.parent, ("", None))
        if answer is None or answer.done():
            return
        if message.type == ("comm_msg" if identity else "comm_info_reply"):
            if (update := _update(message)) is not None and message.content.get("comm_id") == identity:
                self._found(identity, update)
            answer.set_result(message)
        elif identity and message.type == "status" and message.content.get("execution_state") == "idle":
            answer.set_result(None)


def _live(listed: Message | None) -> Mapping[object, object]:
    comms = listed.content.get("comms") if listed is not None else None
    return comms if isinstance(comms, dict) else {}


def _update(message: Message | None) -> Update | None:
    data = message.content.get("data") if message is not None else None
    return update_of(data, message.buffers) if message is not None and isinstance(data, dict) else None
