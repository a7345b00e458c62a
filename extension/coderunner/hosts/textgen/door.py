"""What the extension keeps for the whole process: choices, kernels, open questions; and who may run code."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coderunner import settings
from coderunner.errors import SettingsError
from coderunner.hosts.textgen import pictures, webui
from coderunner.hosts.textgen.desk import Desk
from coderunner.hosts.textgen.marks import Mark, Marks, api_conversation, conversation, is_api
from coderunner.hosts.textgen.preferences import Preferences, Store, from_settings
from coderunner.runner import Manner, Run, Session, Sessions, declined, granted

log = logging.getLogger(__name__)

FOLDER = "coderunner"


@dataclass(frozen=True, slots=True)
class Door:
    """One for the process: a restart of the interface runs `script.py` again, but not this."""

    store: Store
    sessions: Sessions
    cache: Path
    """The folder that the webui serves."""
    desk: Desk = field(default_factory=Desk)
    marks: Marks = field(default_factory=Marks)

    @classmethod
    def open(cls, user_data: Path) -> "Door":
        """Open the door of the webui whose data are in `user_data`."""
        home = user_data / FOLDER
        return cls(
            store=Store(home / "settings.json", _defaults()),
            sessions=Sessions(home / "files"),
            cache=user_data / "cache",
        )

    def mark(self, state: webui.State, more: Mapping[str, Any]) -> Mark | None:
        """What is to be known of the reply that begins; None where it is to pass untouched."""
        chosen, api = self.store.get(), is_api(state)
        if why_not(chosen, several=webui.serves_several(), api=api):
            return None
        name, passing = api_conversation(state) if api else (self.conversation(state), False)
        if name is None:
            return None
        return Mark(name, _prior(more), api=api, passing=passing, streams=bool(state.get("stream", True)))

    def may_run(self) -> bool:
        """Whether code runs for the people at the page."""
        return not why_not(self.store.get(), several=webui.serves_several())

    def conversation(self, state: Mapping[str, Any]) -> str | None:
        """The conversation of the browser page for which we are called."""
        return conversation(state, webui.session_hash(), several=webui.serves_several())

    def kernel(self, name: str) -> Session:
        """The kernel of a conversation; nothing is started yet."""
        return self.sessions.get(name, self.store.get().where)

    def manner(self, name: str) -> Manner:
        """How the cells of a conversation are run."""
        chosen = self.store.get()

        def consent(run: Run) -> Future[bool]:
            match chosen.approval:
                case "auto":
                    return granted(run)
                case "off":
                    return declined(run)
            return self.desk.ask(name, run)

        return Manner(chosen.deadline, consent, pictures.keeper(self.cache))

    def leave(self, mark: Mark) -> None:
        """A reply is over; returns at once."""
        self.desk.clear(mark.conversation)
        if mark.passing:
            self.sessions.portal.submit(self.sessions.close(mark.conversation))


def why_not(chosen: Preferences, *, several: bool, api: bool = False) -> str:
    """Why code does not run, in a sentence for a person; empty where it does."""
    if not chosen.active:
        return "CodeRunner is switched off: replies pass untouched."
    if several and chosen.kernel == "embedded" and not chosen.embedded_for_all:
        return (
            "This webui serves several people, and the embedded kernel would let each of them run code on "
            "this machine: no code runs until its operator chooses a Jupyter server."
        )
    if api and not chosen.api:
        return "Code does not run for API clients."
    if api and chosen.approval == "ask":
        return "API clients cannot be asked: choose “auto” to run code for them."
    return ""


def _prior(more: Mapping[str, Any]) -> str:
    """The part of the reply that is there already: what Continue goes on from."""
    rows = more["history"]["internal"] if more.get("_continue") else []
    return str(rows[-1][1]) if rows else ""


def _defaults() -> Preferences:
    try:
        return from_settings(settings.load())
    except SettingsError as failure:
        log.warning("CodeRunner's own settings are left aside: %s", failure)
        return Preferences()
