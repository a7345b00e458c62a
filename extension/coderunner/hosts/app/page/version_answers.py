"""What a page answers where a message or a reply gets another version."""

from typing import Any

from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.message_parts import blocks
from coderunner.hosts.app.forms import toast
from coderunner.hosts.app.page.component_values import ComponentValues
from coderunner.hosts.app.page.open_pages import OpenPages

BUSY = "A reply is still being written. Stop it first."
OTHER = "This message has another version by now."
MOVED = "What you wrote is in the message box."
KEPT = "The old version is kept: ‹ and › go back to it when the new reply has ended."
VARIABLES = "The kernel's variables stay as they are."


class VersionAnswers:
    """The values of the page after an edit, a retry or a switch, and what is said of it."""

    def __init__(self, values: ComponentValues, pages: OpenPages) -> None:
        self._values = values
        self._pages = pages

    def refused(self, page: str, conversation: Conversation, text: str, box: str) -> list[Any]:
        """Keep the text of an edit that was not taken: it goes to the message box, below what is there."""
        whole = self._pages.values(page, conversation)
        if text.strip():
            toast.warning(f"{BUSY if conversation.busy else OTHER} {MOVED}")
            kept = "\n\n".join(filter(None, (box.rstrip(), text)))
            whole[1] = self._values.box(conversation, kept)
        return whole

    def switch(self, page: str, conversation: Conversation, number: int) -> list[Any]:
        """Show another version of a message."""
        before = conversation.messages
        if not conversation.switch(number):
            if conversation.busy:
                toast.warning(BUSY)
        elif blocks((*before, *conversation.messages)):
            toast.info(VARIABLES, seconds=4)
        return self._pages.values(page, conversation)

    def begun(self, page: str, conversation: Conversation, *, taken: bool) -> list[Any]:
        """Say what became of the version before, where another one was begun."""
        if taken:
            toast.info(f"{KEPT} {VARIABLES}", seconds=6)
        elif conversation.busy:
            toast.warning(BUSY)
        return self._pages.values(page, conversation)
