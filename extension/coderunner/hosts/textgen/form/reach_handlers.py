"""What code of a chat may reach, as the form shows and changes it. Plain values; gradio is not used here."""

from collections.abc import Collection, Coroutine
from concurrent.futures import TimeoutError as TooLate
from html import escape
from typing import Any

from coderunner.hosts.textgen.form.handlers import SLACK, Chat, Line
from coderunner.hosts.textgen.state.extension_state import ExtensionState
from coderunner.runner import GRANT_CHOICES, ChatGrants, NotGrantable, Reach

ELSEWHERE = Line("Only CodeRunner's own page may do this; reload it.", good=False)
NO_CHAT = "Start a chat first."
LATE = Line("It took too long; look again in a moment.", good=False)


class ReachHandlers:
    """What one webui shows of it."""

    def __init__(self, extension: ExtensionState) -> None:
        self._extension = extension
        self._granted = ChatGrants(extension.sessions, lambda: extension.store.get().where)

    def admits(self, request: object, token: str) -> bool:
        """Whether gradio's request comes from our page: no other page or program may allow anything."""
        scope = getattr(getattr(request, "request", None), "scope", None)
        return self._extension.elements.admits(scope, token)

    def look(self, chat: Chat) -> Reach:
        """What code of a chat may reach."""
        name = self._extension.conversation(chat.state())
        if name is None:
            return Reach(why_not=NO_CHAT)
        try:
            return self._extension.sessions.io_thread.call(self._granted.look(name), SLACK)
        except TooLate:
            return self._granted.of(name)

    def allow(self, chat: Chat, choice: str, text: str) -> Line:
        """Allow what a person typed."""
        kind, name = GRANT_CHOICES.get(choice), self._extension.conversation(chat.state())
        if kind is None or name is None:
            return Line(NO_CHAT, good=False)
        try:
            return self._done(self._granted.add(name, kind, text))
        except NotGrantable as why:
            return Line(str(why), good=False)

    def seen(self, chat: Chat) -> str:
        """What the page keeps beside the list."""
        name = self._extension.conversation(chat.state())
        return "" if name is None else self._granted.seen(name)

    def keep(self, chat: Chat, seen: str, kept: Collection[str]) -> Line | None:
        """Take back what is not ticked any more of the list that was `seen`; None: nothing."""
        name = self._extension.conversation(chat.state())
        said = None if name is None else self._done(self._granted.keep(name, seen, kept))
        return said if said is not None and said.text else None

    def _done(self, work: Coroutine[Any, Any, str]) -> Line:
        try:
            return Line(self._extension.sessions.io_thread.call(work, SLACK))
        except TooLate:
            return LATE


def words(reach: Reach) -> str:
    """What stands above the list."""
    return "".join(f"<p>{escape(each, quote=False)}</p>" for each in reach.sentences)
