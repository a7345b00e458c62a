"""The person's choice to be asked before code runs, or to run none: it stays when the app is started again.

A laxer choice does not: each start begins as the settings say.
"""

import logging
from pathlib import Path
from typing import Literal

from coderunner.private_folders import write_private

log = logging.getLogger(__name__)

NAME = "approve"
STRICTER: dict[str | None, Literal["ask", "off"]] = {"ask": "ask", "off": "off"}
LONGEST = 16


def read(folder: Path) -> Literal["ask", "off"] | None:
    """The choice that was kept; None where there is none."""
    try:
        with (folder / NAME).open("rb") as file:
            word = file.read(LONGEST).decode("ascii", "replace").strip()
    except OSError:
        return None
    return STRICTER.get(word)


def keep(folder: Path, approve: str | None) -> None:
    """Keep a choice, or forget the one before; where that cannot be, the log says so."""
    path = folder / NAME
    try:
        if approve not in STRICTER:
            path.unlink(missing_ok=True)
            return
        write_private(path, f"{approve}\n")
    except OSError as error:
        log.warning(
            "the choice when code runs (%s) could not be saved, so it ends with the app: %s", approve, error
        )
