"""The chat that the page shows, as a notebook: the webui keeps what was said, the records what ran."""

from collections.abc import Iterator, Mapping
from typing import Any

from coderunner.runner import Chat, Records, Saying, pieces_in, to_notebook


def notebook(history: object, title: str, records: Records) -> str:
    """The webui's `history` of a chat as the text of a notebook; empty where nothing was said.

    Raises RecordsUnavailable.
    """
    rows = history.get("internal") if isinstance(history, Mapping) else None
    if not isinstance(history, Mapping) or not rows:
        return ""
    chats = [_said(str(row[0]), str(row[1]), _name(history, at), records) for at, row in enumerate(rows)]
    sayings = [saying for chat in chats for saying in chat.sayings]
    runs = [run for chat in chats for run in chat.records]
    return to_notebook(Chat("", title, "", tuple(sayings), tuple(runs)))


def _name(history: Mapping[str, Any], row: int) -> tuple[str, str]:
    """How a reply's runs are named: its own name, and the conversation in which it began."""
    notes = history.get("metadata", {}).get(f"assistant_{row}", {})
    message, _, home = str(notes.get("coderunner", "")).partition(" ")
    return message, home


def _said(asked: str, reply: str, name: tuple[str, str], records: Records) -> Chat:
    """One message and the reply to it, with what ran in that."""
    message, home = name
    runs = [run for run in records.of(home) if run.key.message == message] if message else []
    return Chat("", "", "", tuple(_sayings(asked, reply, message, runs)), tuple(runs))


def _sayings(asked: str, reply: str, message: str, runs: list[Any]) -> Iterator[Saying]:
    # The webui's own word for a chat in which the character speaks first.
    if asked and asked != "<|BEGIN-VISIBLE-CHAT|>":
        yield Saying("user", asked)
    if reply or runs:
        yield Saying("assistant", reply, pieces_in(reply, runs), message)
