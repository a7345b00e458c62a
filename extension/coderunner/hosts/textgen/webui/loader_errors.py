"""Why a reply of the webui ended too early: its model loaders only log an error, and end."""

import logging
from collections.abc import Iterator
from threading import local

LONGEST = 160
"""Characters of a loader's own message."""

MORE = "the webui's log says more"


class LoaderErrors(logging.Handler):
    """Notes the errors that are logged in the calling thread; may be used from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._heard = local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._heard.record = record

    def listen(self, texts: Iterator[str]) -> Iterator[str]:
        """Give `texts`; after their end, `take` gives the error that ended them."""
        while True:
            self._heard.record = None
            try:
                text = next(texts)
            except StopIteration:
                return
            yield text

    def take(self) -> str:
        """The noted error as a sentence for the user; empty without one."""
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
