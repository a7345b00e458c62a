"""One line of JSON for each request, block and warning, without messages, code, output and keys."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from traceback import extract_tb
from typing import TextIO

EVENT = "coderunner_event"
"""The attribute of a log record that has the fields of an event."""

log = logging.getLogger(__name__)


def configure(log_format: str, stream: TextIO | None = None) -> None:
    """Have the log of this process written in that format: `json`, or `text` as Python does."""
    if log_format != "json":
        return
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.getLogger().handlers[:] = [handler]
    log.setLevel(logging.INFO)


def tell(event: str, fields: Mapping[str, object]) -> None:
    """Log an event; empty fields are left out."""
    if log.isEnabledFor(logging.INFO):
        kept = {name: value for name, value in fields.items() if value not in ("", None, False)}
        log.info("%s", event, extra={EVENT: {"event": event, **kept}})


class JsonLines(logging.Formatter):
    """Formats each record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        event = getattr(record, EVENT, None)
        if isinstance(event, dict):
            line |= event
        else:
            line |= {"event": "log", "logger": record.name, "message": record.getMessage()}
        if record.exc_info and (failure := record.exc_info[1]) is not None:
            # Its own words may quote what somebody wrote.
            line["error"] = type(failure).__name__
            line["at"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(failure.__traceback__)
            ]
        return json.dumps(line, default=str)
