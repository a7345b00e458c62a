"""The chat as a notebook: the webui has its messages, the records have its runs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from coderunner.hosts.textgen.reply.output_placeholders import without
from coderunner.runner import (
    Record,
    Records,
    StoredConversation,
    StoredMessage,
    installed_for,
    missing_words,
    pieces_in,
    results_in,
    slug,
    to_notebook,
)


def notebook(history: object, title: str, records: Records, folders: Path) -> tuple[str, str]:
    """The webui's `history` of a chat as the text of a notebook, and a sentence on what is missing.

    Both are empty if there is nothing to say. `folders` has those of kernels, beside which it is written what
    was installed for them. Raises RecordsUnavailable.
    """
    rows = history.get("internal") if isinstance(history, Mapping) else None
    if not isinstance(history, Mapping) or not rows:
        return "", ""
    names = [_name(history, at) for at in range(len(rows))]
    runs = _runs({home for _message, home in names if home}, records)
    sayings = [
        stored
        for (asked, reply), (message, _home) in zip(rows, names, strict=True)
        for stored in _sayings(str(asked), without(str(reply)), message, runs.get(message, []))
    ]
    kept = [run for message, _home in names for run in runs.get(message, [])]
    chat = StoredConversation("", title, "", tuple(sayings), tuple(kept))
    # A block without a recorded run is no cell: it stays in the text, with its result.
    prose = [piece.text for stored in sayings for piece in stored.pieces]
    lacks = sum(map(results_in, prose))
    lock = installed_for(folders, map(slug, {run.key.conversation for run in kept}))
    return to_notebook(chat, lock), missing_words(chat, lacks)


def _runs(homes: Iterable[str], records: Records) -> Mapping[str, list[Record]]:
    """The runs of these conversations, by reply."""
    runs: defaultdict[str, list[Record]] = defaultdict(list)
    for home in homes:
        for run in records.of(home):
            runs[run.key.message].append(run)
    return runs


def _name(history: Mapping[str, Any], row: int) -> tuple[str, str]:
    """The name of a reply in the records, and the conversation in which it began."""
    notes = history.get("metadata", {}).get(f"assistant_{row}", {})
    message, _, home = str(notes.get("coderunner", "")).partition(" ")
    return message, home


def _sayings(asked: str, reply: str, message: str, runs: list[Record]) -> Iterator[StoredMessage]:
    # The webui's placeholder for a chat in which the character speaks first.
    if asked and asked != "<|BEGIN-VISIBLE-CHAT|>":
        yield StoredMessage("user", asked)
    if reply or runs:
        yield StoredMessage("assistant", reply, pieces_in(reply, runs), message)
