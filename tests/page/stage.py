"""Cells with widgets that run in a real kernel, and a host that shows them."""

from dataclasses import dataclass

from playwright.sync_api import FrameLocator, Page

from coderunner.outputs import Output, Stream
from coderunner.page.block_transitions import showed_later
from coderunner.records.active_run import ActiveRun
from coderunner.runner import LateOutputRecorder, Session, WidgetPanel
from tests.hosts.app.browsing import BOUND
from tests.page.host import Host, block_of, frame_of


@dataclass
class Shown:
    """A block with widgets, as its page shows it."""

    host: Host
    session: Session
    cell: str
    panel: WidgetPanel
    kept: list[str]
    modules: dict[str, str]

    def in_frame(self, page: Page) -> FrameLocator:
        block_of(page, self.cell).scroll_into_view_if_needed()
        return frame_of(page, self.cell)

    @property
    def view(self) -> Output:
        """What stands for the widgets among its outputs."""
        return self.host.block(self.cell).shown[-1]

    def printed(self, source: str) -> str:
        result = self.session.begin(source).wait(BOUND)
        assert result is not None
        return "".join(output.text for output in result.outputs if isinstance(output, Stream))


class Stage:
    """A host, and a kernel in which cells run whose widgets it shows."""

    def __init__(self, host: Host, session: Session) -> None:
        self.host = host
        self.session = session

    def show(self, name: str, source: str, *more: Output) -> Shown:
        kept: list[str] = []
        modules: dict[str, str] = {}
        panel = WidgetPanel(kept.append, modules.__setitem__)
        later = LateOutputRecorder(ActiveRun(name, lambda *_: True, lambda run, *, soon=False: None))
        source = f"import ipywidgets as w\n{source}"
        result = self.session.begin(source, panel=panel, on_later=later.show).wait(BOUND)
        assert result is not None
        cell = self.host.show(name, [*result.outputs, *more], panel=panel)
        later.listen(lambda told: self.host.change(cell, lambda b: showed_later(b, told.index, told.output)))
        return Shown(self.host, self.session, cell, panel, kept, modules)
