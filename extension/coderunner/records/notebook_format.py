"""A conversation as a Jupyter notebook: what was said as Markdown, what ran as cells with what they showed.

The format is nbformat 4.5. What a notebook has no place for (who said it, how a cell ended) stands in the
cells' metadata under `coderunner`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from urllib.parse import unquote

from coderunner.ending_sentences import how_it_ended, with_details
from coderunner.languages import PYTHON, Language, fenced_as, language_of
from coderunner.outputs import Result, Status, in_nbformat
from coderunner.records.database.conversation_queries import StoredConversation, StoredMessage
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.run_queries import GONE, Record
from coderunner.text.json_reader import clipped, loads
from coderunner.text.line_diff import differ

OURS = "coderunner"
YOU = "**You:** "
"""What a person said begins with this."""

_NAMED = re.compile(rf"{re.escape(YOU.strip())}(?: |\n\n)")

RAW = "raw"
"""The info string of what was a raw cell."""
_RAW = re.compile(rf"(`{{3,}}){RAW}(?: ([^\s`]+))?\n(.*)\n\1\n?", re.DOTALL)

WIDGETS = "application/vnd.jupyter.widget-state+json"
"""Where a notebook's metadata holds the states of widgets."""

Cell = dict[str, object]


def notebook(chat: StoredConversation) -> dict[str, object]:
    """The conversation as the JSON of a notebook; where nothing was said its runs, as they were.

    What is not in the conversation any more, since somebody edited or wrote it anew, is not in the notebook.
    """
    told: list[Cell] = []
    attached: Attached = {}
    for stored, answer in zip_longest(chat.sayings, chat.sayings[1:]):
        beside, attached = attached, _attached(stored, answer)
        told += _said(chat, stored, beside or attached)
    replies = {stored.reply for stored in chat.sayings}
    runs = [run for run in chat.records if run.key.message in replies or not chat.sayings]
    if not chat.sayings:
        told = [_ran(run) for run in runs if run.started is not None]
    widgets = _widgets(runs)
    cells = [cell | {"id": f"cell-{number}"} for number, cell in enumerate(told, 1)]
    return {
        "cells": cells,
        "metadata": {
            **_kernel(spoken_in(chat)),
            "title": chat.title,
            **({"widgets": {WIDGETS: widgets}} if widgets else {}),
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


KERNELS = {"r": "ir", "typescript": "deno", "javascript": "jslab"}
"""The usual kernels of languages by their specs' names, where those are not the languages' own."""


def spoken_in(chat: StoredConversation) -> Language:
    """The language of the kernel that a conversation had: that of most of its blocks; Python without any."""
    blocks = (each for said in chat.sayings for each in said.pieces if each.kind is Kind.BLOCK)
    words = Counter(fenced_as(each.text.partition("\n")[0]) for each in blocks if not _unfit(each))
    known = [language_of(word) for word, _ in words.most_common() if word]
    return known[0] if known else PYTHON


def _unfit(block: MessagePart) -> bool:
    return block.end is not None and block.end.status is Status.UNFIT


def _kernel(language: Language) -> dict[str, object]:
    """What the metadata say of the kernel; Jupyter asks where it has none of that name."""
    if language == PYTHON:
        spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
        return {"kernelspec": spec, "language_info": {"name": "python"}}
    name = KERNELS.get(language.name) or re.sub(r"[^\w.-]+", "-", language.fence)
    info = {"name": language.title, "file_extension": language.extension, "pygments_lexer": language.lexer}
    return {
        "kernelspec": {"display_name": language.title, "language": language.title, "name": name},
        "language_info": {key: value for key, value in info.items() if value},
    }


NOT_THERE = "what it showed is not in the records any more"
_NEVER_RAN = frozenset(
    {
        Status.ABORTED,
        Status.REFUSED,
        Status.UNRECORDED,
        Status.DECLINED,
        Status.UNRUN,
        Status.UNFIT,
        Status.LOST,
    }
)
_NOTHING = re.compile(r"\s*(?:Result: \((?:no output|not run\b).*\)\s*)?", re.DOTALL)
"""What the model read of a block that showed nothing."""


def missing(chat: StoredConversation) -> int:
    """How many blocks of a conversation showed what is not in the records any more."""
    runs = {(run.key.message, run.key.ordinal): run for run in chat.records}
    blocks = [(said, each) for said in chat.sayings for each in said.pieces if each.kind is Kind.BLOCK]
    gone = sum((said.reply, each.ordinal) not in runs and _has_shown(each) for said, each in blocks)
    return gone + sum(GONE in run.result.outputs for run in runs.values() if run.result)


def _has_shown(block: MessagePart) -> bool:
    """Whether a block has shown something, as far as the reply alone can tell."""
    ran = block.end is None or block.end.status not in _NEVER_RAN
    return ran and block.ordinal is not None and has_shown(block.read)


def has_shown(read: str) -> bool:
    """Whether a block has shown something, by what the model `read` of it."""
    return not _NOTHING.fullmatch(read)


def _widgets(runs: Sequence[Record]) -> dict[str, object]:
    """The last state of all widgets that the runs showed; empty where they showed none."""
    states: dict[str, object] = {}
    for run in runs:
        kept = loads(run.widgets, lenient=True) if run.widgets else {}
        states |= kept.get("state", {}) if isinstance(kept, dict) else {}
    return {"state": sound(states), "version_major": 2, "version_minor": 0} if states else {}


Attached = dict[str, dict[str, str]]
"""Pictures by the names by which a text has them, each as base64 by its type."""
_ATTACHED = re.compile(r"attachment:([^)\s\"'<>]+)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(data:(image/[\w.+-]+);base64,([A-Za-z0-9+/=]+)\)")


def attached_as(name: str) -> str:
    """The name of a picture that is attached to a text, as the picture itself bears it."""
    return re.sub(r"[\[\]()<>\s]+", " ", name).strip() or "picture"


def _attached(stored: StoredMessage, answer: StoredMessage | None) -> Attached:
    """The pictures that what a person said refers to: they stand at the beginning of the answer."""
    names = [unquote(each) for each in _ATTACHED.findall(stored.text)] if stored.role == "user" else []
    found = [_PICTURE.fullmatch(piece.text) for piece in answer.pieces] if names and answer else []
    pictures = {each[1]: {each[2]: each[3]} for each in found if each}
    return {name: pictures[attached_as(name)] for name in names if attached_as(name) in pictures}


def _said(chat: StoredConversation, stored: StoredMessage, attached: Attached) -> Iterator[Cell]:
    """The cells of what was said; pictures that are `attached` to a text are no cells of their own."""
    if stored.role == "user":
        names = ", ".join(f"`{name}`" for name in stored.files)
        cell = _markdown(_named(stored.text or names), role="user")
        yield cell | ({"attachments": attached} if attached else {})
        if stored.text and names:  # the files themselves are not in a notebook
            yield _markdown(f"*Files: {names}*", role="user", kind="end")
        return
    own = {attached_as(name) for name in attached}
    for piece in stored.pieces:
        if (picture := _PICTURE.fullmatch(piece.text)) and picture[1] in own:
            continue
        if piece.kind is Kind.BLOCK:
            yield from _block(chat, stored, piece)
        elif raw := _RAW.fullmatch(piece.text):
            yield _raw(raw[3], raw[2])
        elif piece.text.strip():
            yield _markdown(_words(piece), role="assistant", kind=piece.kind.value)


def _named(text: str) -> str:
    """What a person said, with who said it: before it, or above what has to begin a line to be Markdown."""
    sentence = "\n" not in text.strip() and re.match(r"(?!\d{1,9}[.)])[^\W_]", text)
    return f"{YOU}{text}" if sentence or not text.strip() else f"{YOU.strip()}\n\n{text}"


def unnamed(source: str) -> str:
    """What a person said, of a cell that may begin with who said it."""
    return source[found.end() :] if (found := _NAMED.match(source)) else source


def _words(piece: MessagePart) -> str:
    match piece.kind:
        case Kind.THOUGHT:
            return f"<details><summary>Thought</summary>\n\n{piece.text.strip()}\n\n</details>"
        case Kind.NOTICE:
            return f"*{piece.text.strip()}*"
        case _:
            return piece.text.strip("\n")


def _block(chat: StoredConversation, stored: StoredMessage, piece: MessagePart) -> Iterator[Cell]:
    """A block as its last run says; one that never ran as a cell without a number."""
    runs = chat.runs(stored, piece)
    if runs:
        yield _ran(runs[-1], code_in(piece.text))
        result = runs[-1].result
    else:
        # What was for another kernel is not for this notebook's either.
        unrun = _markdown(piece.text.strip("\n"), role="assistant", kind=Kind.PROSE.value)
        yield unrun if _unfit(piece) else _code(f"{code_in(piece.text)}\n", None)
        result = piece.end
        if _has_shown(piece):
            words = f"*{NOT_THERE}; the model read:*\n\n{piece.read.strip()}"
            yield _markdown(words, role="assistant", kind="end")
    if result is None or result.status is Status.UNRUN:
        return  # A cell without a number says that it has not run.
    said = how_it_ended(result.status, result.aftermath, result.detail)
    ended = with_details(said, result.detail) if said else ""
    refused = " ".join(
        filter(None, (words for each in result.refusals for words in (each.sentence, each.others)))
    )
    if words := ". ".join(filter(None, (ended, refused))):
        yield _markdown(f"*{words}*", role="assistant", kind="end")


def _ran(run: Record, written: str = "") -> Cell:
    """A run as a cell; what a model has `written` stands in its metadata where a person ran other code."""
    return _code(run.code, run.result, written if written and differ(written, run.code) else "")


def _code(source: str, result: Result | None, written: str = "") -> Cell:
    ours: dict[str, object] = {"role": "assistant", **({"edited_from": written} if written else {})}
    if result is not None:
        ours |= {
            "status": result.status.value,
            "aftermath": result.aftermath.value,
            "detail": result.detail,
            "duration": result.duration,
        }
        if result.files:
            ours["files"] = [{"path": each.path, "size": each.size, "new": each.new} for each in result.files]
    return {
        "cell_type": "code",
        "execution_count": result.execution_count if result is not None else None,
        "metadata": {OURS: ours},
        "outputs": [sound(in_nbformat(output)) for output in result.outputs] if result is not None else [],
        "source": source.removesuffix("\n"),
    }


def _raw(text: str, kind: str) -> Cell:
    """A cell that stood in a notebook which was imported."""
    metadata: dict[str, object] = {OURS: {"role": "assistant"}}
    return {"cell_type": "raw", "metadata": metadata | ({"format": kind} if kind else {}), "source": text}


def _markdown(text: str, **ours: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {OURS: ours}, "source": text}


def sound(value: object) -> object:
    """The value without what JSON has no word for: NaN and the infinities, and what is nested too deep."""
    return _sound(clipped(value))


def _sound(value: object) -> object:
    match value:
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {str(key): _sound(each) for key, each in value.items()}
        case str() | bytes():
            return value
        case Sequence():
            return [_sound(each) for each in value]
    return value


_CLOSING = re.compile(r"[ \t>]*(?:`{3,}|~{3,})[ \t]*")


def code_in(fence: str) -> str:
    """The code of a block that never ran, out of its fence."""
    _, opened, rest = fence.partition("\n")
    if not opened:
        return fence
    body = rest.removesuffix("\n")
    code, _, last = body.rpartition("\n")
    return code if _CLOSING.fullmatch(last) else body


def fenced(text: str, info: str) -> str:
    """A text as a fence of that info string, longer than any within it."""
    marker = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{marker}{info}\n{text}\n{marker}\n"
