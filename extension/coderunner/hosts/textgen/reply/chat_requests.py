"""Tells the replies of a chat from everything else for which the webui asks its model.

Only a reply in the chat has its prompt made through our hook; Impersonate, the notebook and search queries
do not. So a reply is marked there, by a word in the webui's `state` that is good for one reply, and whoever
comes without a mark is none of our business. The mark itself stays with us: `state` is copied, kept and
shown.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex
from threading import Lock
from typing import Any

KEY = "_coderunner"
"""Our key in the webui's `state`."""

MOST = 64
"""Marks kept that nobody claimed: the prompt was made, but no reply followed. More is a leak."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is to be known of a reply before it begins."""

    conversation: str
    message: str = field(default_factory=lambda: token_hex(16))
    """Names the reply: the same when it is continued, another when it is made anew."""
    home: str = ""
    """The conversation in which it began: another one where the chat was renamed or branched since."""
    prior: str = ""
    """The part of the reply that is there already: on Continue, and with "Start reply with"."""
    before: str = ""
    """The same as the webui has it: with the marks of the places of its blocks."""
    api: bool = False
    """It goes to an API client, who sees no form and presses no button."""
    chat: str = ""
    """The webui's name of the chat that it is in, where it keeps that."""
    passing: bool = False
    """The conversation ends with this reply: nobody can come back to its kernel."""
    page: str = ""
    """The browser page that shows it, by gradio's session hash; empty for an API client."""
    streams: bool = True
    """The page shows the reply while it grows."""


class ChatRequests:
    """The marks that wait for their reply; may be used from any thread."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, ChatRequest] = OrderedDict()
        self._lock = Lock()

    def put(self, state: dict[str, Any], mark: ChatRequest) -> None:
        """Mark `state`."""
        word = token_hex(8)
        with self._lock:
            self._waiting[word] = mark
            while len(self._waiting) > MOST:
                self._waiting.popitem(last=False)
        state[KEY] = word

    def claim(self, state: dict[str, Any]) -> ChatRequest | None:
        """Take the mark off `state`; None where there is none, or where it was claimed before."""
        word = state.pop(KEY, None)
        with self._lock:
            return self._waiting.pop(word, None) if isinstance(word, str) else None


def origin(state: Mapping[str, Any], more: Mapping[str, Any], conversation: str) -> tuple[str, str]:
    """The name of the reply that begins, and the conversation in which it once began.

    Both are kept with the webui's own notes about the reply, which are saved, and which a renamed chat and a
    branch take along: what ran there has run. The webui hands over the history without the row of the reply,
    unless it continues one. It also calls it continuing to begin with the person's "Start reply with".
    """
    history, goes_on = more["history"], bool(more.get("_continue"))
    rows = history["internal"]
    row = len(rows) - 1 if goes_on else len(rows)
    begins = not goes_on or rows[-1][1] == state.get("start_with")
    # A key of any other form breaks the webui's branches.
    notes = history.get("metadata", {}).setdefault(f"assistant_{row}", {})
    known = notes.get("coderunner")
    if begins or not isinstance(known, str):
        known = notes["coderunner"] = f"{token_hex(16)} {conversation}"
    message, _, home = known.partition(" ")
    return message, home or conversation


def is_api(state: Mapping[str, Any]) -> bool:
    """Whether `state` comes from an API client: the page always has a `unique_id`, if only None."""
    return "unique_id" not in state


def kept_at(state: Mapping[str, Any], *, several: bool) -> tuple[str, str] | None:
    """The folder and the name under which the webui keeps the chat of a page; None where it keeps none.

    Where it serves several people it saves no chats.
    """
    saved = state.get("unique_id")
    if not saved or several:
        return None
    return "instruct" if state.get("mode") == "instruct" else str(state.get("character_menu") or "chat"), str(
        saved
    )


def of_page(session_hash: str | None) -> str | None:
    """The conversation of a page whose chat is kept nowhere; None where that cannot be told."""
    return named("page", session_hash) if session_hash else None


def api_conversation(state: Mapping[str, Any]) -> tuple[str, bool]:
    """The conversation of an API client, and whether it ends with this reply.

    A client that names its `user` finds that user's kernel again; any other gets a kernel for one reply.
    """
    user = state.get("user")
    if isinstance(user, str) and user:
        return named("api", user), False
    return named("api", token_hex(8)), True


def named(*parts: str) -> str:
    """A name that a person can read and that no other parts have."""
    readable = "-".join(re.sub(r"[^A-Za-z0-9_.]+", "-", part).strip("-.")[:40] for part in parts)
    return f"{readable}-{sha256(chr(0).join(parts).encode()).hexdigest()[:8]}"
