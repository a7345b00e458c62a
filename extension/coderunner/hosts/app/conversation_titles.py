"""Titles of conversations: a short one by the model, asked for in the background after the first reply."""

import asyncio
import logging
import re
import unicodedata

from coderunner.errors import CodeRunnerError
from coderunner.hosts.app.choices.choices import Choices
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.models.endpoint.client import Client
from coderunner.models.endpoint.title_request import ask_for_title
from coderunner.runner import without_thoughts

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds for a title: a model that needs longer has better things to do."""

LONGEST = 80
"""Characters of a line that is a title: a longer one is an answer."""

AT_MOST = 3
"""Replies after which a title is still asked for: somebody who goes on at once cuts the request short."""


class ConversationTitles:
    """The requests for titles; used in one event loop.

    A conversation that a person has named, or that was imported, keeps its name; where nothing comes of a
    request, the first words stay.
    """

    def __init__(
        self, choices: Choices, archive: Archive, *, on: bool = True, patience: float = PATIENCE
    ) -> None:
        self._choices = choices
        self._archive = archive
        self._on = on
        self._patience = patience
        self._running: set[asyncio.Task[None]] = set()

    def receive(self, conversation: Conversation) -> None:
        """A reply of the conversation has begun or ended; returns at once.

        A reply that begins has the model for itself: requests that run are cancelled.
        """
        if conversation.busy:
            self.cancel()
        elif self._on and self._choices.choice and (said := first_words(conversation)):
            task = asyncio.create_task(self._ask(conversation.id, *said))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def cancel(self) -> None:
        """End all requests."""
        for task in self._running:
            task.cancel()

    async def _ask(self, identity: str, question: str, answer: str) -> None:
        try:
            if (choice := self._choices.choice) is None or not await self._archive.untitled(identity):
                return
            async with Client(choice.endpoint) as client:
                said = await ask_for_title(client, question, answer, patience=self._patience)
            if title := title_in(said):
                await self._archive.entitle(identity, title)
        except (CodeRunnerError, TimeoutError) as failure:
            log.debug("No title for a conversation: %s", failure)
        except Exception:
            log.exception("No title for a conversation")


def first_words(conversation: Conversation) -> tuple[str, str] | None:
    """The question and the answer that a title is made of; None where it is too early, or too late."""
    messages = conversation.messages
    answers = [message.text for message in messages if message.role == "assistant" and message.text.strip()]
    question = next((message.text for message in messages if message.role == "user"), "")
    imported = any(block.imported for block in conversation.blocks())
    if not 1 <= len(answers) <= AT_MOST or not question or imported:
        return None
    return question, answers[0]


def title_in(said: str) -> str:
    """The title in what a model said: one line of plain text; empty where there is none."""
    for line in without_thoughts(said).splitlines():
        shown = "".join(each for each in line if _is_shown(each))
        title = _MARKS.sub("", _LABEL.sub("", _MARKS.sub("", " ".join(shown.split()))))
        if shown.lstrip().startswith("```"):
            return ""
        if title and not title.endswith(":"):
            return title if len(title) <= LONGEST and any(map(str.isalnum, title)) else ""
    return ""


_LABEL = re.compile(r"^(?:title|titel|titre|título|titolo)\s*[:：]\s*", re.IGNORECASE)
_MARKS = re.compile(r"^[\s#>*_\"'“”„«»`-]+|[\s*_\"'“”„«»`.]+$")
"""What models put around a title: Markdown's marks, quotes, a full stop."""

_JOINERS = "\u200c\u200d"
"""Invisible, but part of words in many languages, and of emoji."""


def _is_shown(character: str) -> bool:
    """Whether it is visible or a blank: what is neither could turn or break the line that it stands in."""
    return character in _JOINERS or character.isspace() or unicodedata.category(character)[0] != "C"
