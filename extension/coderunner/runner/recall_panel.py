"""The widgets of a recorded run."""

from coderunner.kernel.kernel_location import Local
from coderunner.kernel.sessions.session import Session
from coderunner.kernel.widgets.restore import RestoredWidgets
from coderunner.kernel.widgets.widget_models import view_of
from coderunner.kernel.widgets.widget_panel import SavedPanel, WidgetPanel
from coderunner.outputs import DisplayData, ExecuteResult
from coderunner.records.database.run_queries import Record
from coderunner.records.run_registry import Records
from coderunner.runner.late_output_recorder import LateOutputRecorder


class _Recalled(RestoredWidgets):
    def __init__(self, run: Record, kept: SavedPanel, session: Session, records: Records) -> None:
        recorded = records.follow(run)
        super().__init__(run.request, kept, _roots(run), session.look, recorded.keep, recorded.keep_module)
        self.later = LateOutputRecorder(recorded, run.later)


def panel_of(run: Record, session: Session, records: Records) -> WidgetPanel | SavedPanel | None:
    """Its widgets: live if the kernel of `session` still has them, otherwise as last recorded.

    None if it showed none. Those of an earlier process become live when a page shows them, if their kernel
    still runs.
    """
    if (panel := session.panel(run.request)) is not None or not run.widgets:
        return panel
    kept = SavedPanel(run.widgets, lambda: records.modules(run.id))
    # A kernel on this machine has ended with that process.
    if not run.request or isinstance(session.where, Local):
        return kept
    recalled = _Recalled(run, kept, session, records)
    return session.recall(recalled, recalled.later.show, run.result.outputs if run.result else ())


def later_of(panel: object) -> LateOutputRecorder | None:
    """The later output for a panel of `panel_of`; None if it does not come from there."""
    return panel.later if isinstance(panel, _Recalled) else None


def _roots(run: Record) -> list[str]:
    """The top-level widgets of its outputs."""
    outputs = (*(run.result.outputs if run.result else ()), *run.later)
    shown = (view_of(each.data) for each in outputs if isinstance(each, DisplayData | ExecuteResult))
    return [root for root in shown if root is not None]
