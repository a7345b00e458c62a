"""The grants of the app's conversations: what is listed, and what a person takes back."""

from dataclasses import dataclass
from pathlib import Path

from coderunner.hosts.app.conversation.reply_writer import ReplyWriter, kernel_label
from coderunner.runner import GrantInWords, Grants, grants_in_words, short_path


@dataclass(frozen=True, slots=True)
class ChatGrants:
    """What the page shows of one conversation's grants."""

    own: tuple[str, ...] = ()
    """Those of the conversation, in words."""
    everywhere: tuple[str, ...] = ()
    """Those of all conversations, by settings."""
    folder: str = ""
    """The conversation's own folder, with `~` for the home."""


class GrantedInChats:
    """The grants of all conversations."""

    def __init__(self, writer: ReplyWriter) -> None:
        self._writer = writer

    @property
    def sandboxed(self) -> bool:
        """Kernels on this machine run in a sandbox."""
        return self._writer.sessions.sandbox is not None

    def of(self, conversation: str) -> ChatGrants:
        """What a conversation may reach beyond its folder."""
        if (sandbox := self._writer.sessions.sandbox) is None:
            return ChatGrants()
        everywhere = grants_in_words(sandbox.grants, Path.home())
        own = self._own(conversation)
        folder = short_path(self._writer.sessions.directory(kernel_label(conversation)), Path.home())
        return ChatGrants(tuple(each.words for each in own), tuple(each.words for each in everywhere), folder)

    async def keep(self, conversation: str, kept: list[str]) -> str:
        """Take back what is not among those `kept`; gives a sentence about it, empty if nothing was.

        A folder stays in sight of the kernel that runs, so that is replaced.
        """
        gone = [each for each in self._own(conversation) if each.words not in kept]
        if not gone:
            return ""
        taken = Grants()
        for each in gone:
            taken |= each.grants
        said = f"Taken back: {', '.join(each.words for each in gone)}."
        replaced = await self._writer.sessions.revoke(kernel_label(conversation), taken)
        return f"{said} The kernel was restarted, its variables are gone." if replaced else said

    def _own(self, conversation: str) -> list[GrantInWords]:
        sandbox = self._writer.sessions.sandbox
        granted = sandbox.granted.of(kernel_label(conversation)) if sandbox is not None else Grants()
        return grants_in_words(granted, Path.home())
