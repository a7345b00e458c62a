"""Tells the replies of a chat from everything else for which the webui calls its model.

Only the prompt of a chat reply is made through our hook, not those of Impersonate, the notebook or search
queries. The hook puts a token for one reply into the webui's `state`; a call without a token is not ours. The
request itself is kept here, since `state` is copied, saved and shown.
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
"""Requests that are kept unclaimed: a prompt was made, but no reply followed. More would be a leak."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is known of a reply before it begins."""

    conversation: str
    message: str = field(default_factory=lambda: token_hex(16))
    """The name of the reply: the same if it is continued, a new one if it is regenerated."""
    home: str = ""
    """The conversation in which it began: another one if the chat was renamed or branched since."""
    prior: str = ""
    """The existing part of the reply: on Continue, and with "Start reply with"."""
    before: str = ""
    """The same with the markers of its blocks, as the webui has it."""
    api: bool = False
    """It goes to an API client, which has no form and no buttons."""
    chat: str = ""
    """The webui's name of the chat, if it saves that."""
    passing: bool = False
    """The conversation ends with this reply: nothing can use its kernel later."""
    page: str = ""
    """The gradio session hash of the page that shows it; empty for an API client."""
    streams: bool = True
    """The page shows the reply while it is written."""


class ChatRequests:
    """The requests that wait for their reply; may be used from any thread."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, ChatRequest] = OrderedDict()
        self._lock = Lock()

    def put(self, state: dict[str, Any], request: ChatRequest) -> None:
        """Keep a request, and put its token into `state`."""
        word = token_hex(8)
        with self._lock:
            self._waiting[word] = request
            while len(self._waiting) > MOST:
                self._waiting.popitem(last=False)
        state[KEY] = word

    def claim(self, state: dict[str, Any]) -> ChatRequest | None:
        """The request of the token in `state`, which is removed; None if there is none, or it was claimed."""
        word = state.pop(KEY, None)
        with self._lock:
            return self._waiting.pop(word, None) if isinstance(word, str) else None


def origin(state: Mapping[str, Any], more: Mapping[str, Any], conversation: str) -> tuple[str, str]:
    """The name of the reply that begins, and the conversation in which it once began.

    Both are in the webui's metadata of the reply, which are saved with a chat, its branches and renames: what
    ran there is not run again. The webui passes the history without the row of the reply, unless it continues
    one. Beginning with the user's "Start reply with" also counts as continuing there.
    """
    history, goes_on = more["history"], bool(more.get("_continue"))
    rows = history["internal"]
    row = len(rows) - 1 if goes_on else len(rows)
    begins = not goes_on or rows[-1][1] == state.get("start_with")
    # A key of any other form breaks branching in the webui.
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
    """The folder and the name under which the webui saves the chat of a page; None if it does not.

    With `--multi-user` it saves no chats.
    """
    saved = state.get("unique_id")
    if not saved or several:
        return None
    return "instruct" if state.get("mode") == "instruct" else str(state.get("character_menu") or "chat"), str(
        saved
    )


def of_page(session_hash: str | None) -> str | None:
    """The conversation of a page whose chat is not saved; None if it is unknown."""
    return named("page", session_hash) if session_hash else None


def api_conversation(state: Mapping[str, Any]) -> tuple[str, bool]:
    """The conversation of an API client, and whether it ends with this reply.

    A client that sends a `user` gets that user's kernel again; any other gets a kernel for one reply.
    """
    user = state.get("user")
    if isinstance(user, str) and user:
        return named("api", user), False
    return named("api", token_hex(8)), True


def named(*parts: str) -> str:
    """A readable name that is different for other parts."""
    readable = "-".join(re.sub(r"[^A-Za-z0-9_.]+", "-", part).strip("-.")[:40] for part in parts)
    return f"{readable}-{sha256(chr(0).join(parts).encode()).hexdigest()[:8]}"
