"""The widgets of a run that is written down."""

from coderunner.kernel.panel import Kept, Panel
from coderunner.kernel.session import Session
from coderunner.records.book import Records
from coderunner.records.rows import Record


def panel_of(run: Record, session: Session, records: Records) -> Panel | Kept | None:
    """Its widgets: live where the kernel of `session` has them still, else as they stood last.

    None where it showed none.
    """
    kept = Kept(run.widgets, lambda: records.modules(run.id)) if run.widgets else None
    return session.panel(run.request) or kept
