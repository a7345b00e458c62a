"""The users of a running proxy: read at its start, and again when their file changes."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from coderunner.access import access_settings
from coderunner.access.api_keys import ApiKeys, named
from coderunner.errors import SettingsError
from coderunner.hosts.proxy.team import team_file
from coderunner.hosts.proxy.team.members import Members
from coderunner.hosts.proxy.team.team_file import TeamFile
from coderunner.settings.settings import Settings

log = logging.getLogger(__name__)

LOOKED_AT = 2.0
"""Seconds between two looks at whether the file has changed."""

WHAT = "proxy"

Mark = tuple[int, int, int] | None
"""What tells one state of a file from the next."""


class Team:
    """The keys that are accepted, and whose they are."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        """Read the keys. Raises SettingsError if there are none, or if the settings do not allow them."""
        self._settings = settings
        self._say = say
        self.members = Members()
        self._mark: Mark = None
        if settings.team_file is None:
            self.api_keys = access_settings.load_api_keys(settings, WHAT, say)
            return
        for name in ("api_key", "attach"):
            if getattr(settings, name):
                message = f"{settings.source(name)} and {settings.source('team_file')} are both set; keep one"
                raise SettingsError(message)
        self.api_keys = ApiKeys()
        self._read(settings.team_file)

    @property
    def several(self) -> bool:
        """Whether there may be more than one user."""
        return self._settings.team_file is not None or len(named(self._settings.api_key)) > 1

    def reload(self) -> bool:
        """Read the file again; False, and a line in the log, if it cannot be used: all stays as it was."""
        if (path := self._settings.team_file) is None:
            return True
        try:
            self._read(path)
        except SettingsError as failure:
            log.warning("%s; the users stay as they were", failure)
            return False
        self._say(f"Users read again from {path}")
        return True

    async def follow(self, pause: float = LOOKED_AT) -> None:
        """Read the file again whenever it has changed, until this is cancelled."""
        path = self._settings.team_file
        while path is not None:
            await asyncio.sleep(pause)
            if await asyncio.to_thread(_mark, path) != self._mark:
                self.reload()

    def _read(self, path: Path) -> None:
        path = path.expanduser()
        # Before it is read, so that what is written meanwhile is a change.
        self._mark = _mark(path)
        given = team_file.read(path)
        self._allow(given)
        for remark in given.remarks:
            log.warning("%s", remark)
        self.api_keys.replace(ApiKeys(owners=given.owners))
        self.members.replace(Members(given.members))

    def _allow(self, given: TeamFile) -> None:
        settings = self._settings
        here = 0 if settings.server else sum(each.server is None for each in given.members.values())
        access_settings.allow(settings, WHAT, local=here > 0, keys=True)
        access_settings.keep_apart(settings, here)


def _mark(path: Path) -> Mark:
    try:
        facts = path.expanduser().stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
