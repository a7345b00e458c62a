"""Why a reply of the webui ended before its time: its loaders tell that to its log alone, and end."""

import logging
from collections.abc import Iterator
from threading import local

LONGEST = 160
"""Characters of what a loader says itself."""

MORE = "the webui's log says more"


class LoaderErrors(logging.Handler):
    """Hears what goes wrong in the thread that asks; may be used from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._heard = local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._heard.record = record

    def listen(self, texts: Iterator[str]) -> Iterator[str]:
        """Give `texts`; at their end `take` tells of the error with which they ended."""
        while True:
            self._heard.record = None
            try:
                text = next(texts)
            except StopIteration:
                return
            yield text

    def take(self) -> str:
        """What was heard, in a sentence for a person; empty where that is nothing."""
        record, self._heard.record = getattr(self._heard, "record", None), None
        return _sentence(record) if record is not None else ""


def _sentence(record: logging.LogRecord) -> str:
    failure = record.exc_info[1] if record.exc_info else None
    if failure is None:
        said = " ".join(record.getMessage().split())[:LONGEST].rstrip(".")
        return f"The model's loader ended the reply: {said}."
    if status := getattr(getattr(failure, "response", None), "status_code", None):
        return f"The model's server answered with status {status}; {MORE}."
    kind = type(failure).__name__
    if isinstance(failure, OSError):
        return f"The model's server cannot be reached, or broke off ({kind}); {MORE}."
    return f"The model's loader failed ({kind}); {MORE}."


LOADER_ERRORS = LoaderErrors()
