"""The widgets of a run that is written down."""

from coderunner.kernel.panel import Kept, Panel
from coderunner.kernel.session import Session
from coderunner.kernel.widgets import view_of
from coderunner.outputs import DisplayData, ExecuteResult
from coderunner.records.book import Records
from coderunner.records.rows import Record


def panel_of(run: Record, session: Session, records: Records) -> Panel | Kept | None:
    """Its widgets: live where the kernel of `session` has them still, else as they stood last.

    None where it showed none. Those of an earlier process become live when a page shows them, if their kernel
    is there still.
    """
    if (panel := session.panel(run.request)) is not None or not run.widgets:
        return panel
    kept = Kept(run.widgets, lambda: records.modules(run.id))
    return session.recall(run.request, kept, _roots(run), records.follow(run)) if run.request else kept


def _roots(run: Record) -> list[str]:
    """The widgets that it showed by themselves."""
    outputs = (*(run.result.outputs if run.result else ()), *run.later)
    shown = (view_of(each.data) for each in outputs if isinstance(each, DisplayData | ExecuteResult))
    return [root for root in shown if root is not None]
