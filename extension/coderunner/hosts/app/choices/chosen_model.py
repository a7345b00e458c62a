"""The model that a person has chosen in the form: it stays when the app is started again, without its key."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from coderunner.errors import SettingsError
from coderunner.models.endpoint.client import Endpoint
from coderunner.private_folders import write_private
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)

NAME = "model.json"
LARGEST = 10_000
"""Characters that are read."""


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """What is kept of a model."""

    endpoint: Endpoint
    """Without a key: no file of ours holds one."""
    keyed: bool
    """It had a key when it was chosen."""


def read(folder: Path) -> ChosenModel | None:
    """The model that was kept; None where there is none."""
    try:
        with (folder / NAME).open(encoding="utf-8") as file:
            kept = json.loads(file.read(LARGEST))
        endpoint = Endpoint(str(kept["address"]), Secret(), str(kept["model"]))
        return ChosenModel(endpoint, keyed=kept["key"] is True)
    except (OSError, ValueError, KeyError, TypeError, SettingsError):
        return None


def keep(folder: Path, endpoint: Endpoint | None) -> None:
    """Keep a model, or forget the one before; where that cannot be, the log says so."""
    path = folder / NAME
    try:
        if endpoint is None:
            path.unlink(missing_ok=True)
            return
        kept = {"address": endpoint.url, "model": endpoint.model, "key": bool(endpoint.key)}
        write_private(path, json.dumps(kept))
    except OSError as error:
        log.warning("the model could not be saved, so the choice ends with the app: %s", error)
