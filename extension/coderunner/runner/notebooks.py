"""Conversations out of the records into notebooks, and back."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from coderunner.chat.render import for_model
from coderunner.errors import NoSuchConversation, NotANotebook
from coderunner.identity import new_id
from coderunner.kernel.bounds import bundle_of, clean, traceback_of
from coderunner.kernel.widgets import VIEW, Widgets, kept_of, saved
from coderunner.outputs import (
    Aftermath,
    DisplayData,
    Error,
    ExecuteResult,
    Output,
    Result,
    Status,
    Stream,
)
from coderunner.records.book import Records
from coderunner.records.chats import Card, Chat, Saying
from coderunner.records.entry import Entry
from coderunner.records.notebook import OURS, WIDGETS, YOU, notebook, sound
from coderunner.records.pieces import Kind, Piece
from coderunner.records.rows import Key, Record

NOT_RUN = Result(status=Status.DECLINED, detail="it had not run in the notebook")
IMPORTED = "In the notebook that was imported."
"""Where a cell of a notebook ran, in words."""


def label_of(conversation: str) -> str:
    """What kernels and records bear: a conversation's id is a secret, and these are seen by others."""
    return hashlib.sha256(conversation.encode()).hexdigest()[:16]


# --- out ----------------------------------------------------------------------------------------------------


def find_chat(records: Records, name: str) -> Chat:
    """The conversation of that id or title, or the runs that bear that name.

    Raises NoSuchConversation, with the ones there are, where none or several are meant.
    """
    if (chat := records.shelf.find(name)) is not None:
        return chat
    cards = records.shelf.cards()
    meant = [card for card in cards if card.title == name] or [card for card in cards if name in card.title]
    if len(meant) == 1 and (chat := records.shelf.find(meant[0].id)) is not None:
        return chat
    if runs := records.of(name):
        return Chat("", name, name, (), tuple(runs))
    raise NoSuchConversation(_which(name, meant or cards))


def _which(name: str, cards: list[Card]) -> str:
    if not cards:
        return f"there is no conversation {name!r}, nor any other"
    listed = "".join(f"\n  {card.id}  {card.title}" for card in cards)
    return f"which conversation is {name!r}? There are:{listed}"


def to_notebook(chat: Chat) -> str:
    """The conversation as the text of a notebook file."""
    return json.dumps(notebook(chat), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


_RESULT = re.compile(
    r"\s*Result:(?:[^\n]+\n?|\n(`{3,})output\n.*?\n\1\n?(?:\([^\n]*\)\n?)?)(?:\s*!\[[^\n]*\n?)*", re.DOTALL
)
"""What the model read of a block, with the pictures that a host put below it."""


def pieces_in(text: str, runs: Iterable[Record]) -> tuple[Piece, ...]:
    """A reply taken apart by what ran in it: prose, and blocks with what the model read of each.

    For hosts that keep the text alone. A block that somebody changed in it since then comes last.
    """
    last = {run.key.ordinal: run for run in runs}
    pieces: list[Piece] = []
    lost: list[Piece] = []
    at = 0
    for ordinal, run in sorted(last.items()):
        code = re.escape(run.code.rstrip("\n"))
        block = re.compile(rf"^(`{{3,}}|~{{3,}})[^\n]*\n{code}\n*\1[`~]*[ \t]*(?:\n|\Z)", re.MULTILINE)
        found = block.search(text, at)
        if found is None:
            lost.append(Piece(Kind.BLOCK, "", ordinal=ordinal))
            continue
        read = _RESULT.match(text, found.end())
        pieces.append(Piece(Kind.PROSE, text[at : found.start()]))
        pieces.append(Piece(Kind.BLOCK, found[0], read[0] if read else "", ordinal))
        at = read.end() if read else found.end()
    return (*pieces, Piece(Kind.PROSE, text[at:]), *lost)


# --- in -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ran:
    """A code cell of a notebook."""

    code: str
    result: Result | None
    """What it shows; None where it has not run."""


def from_notebook(records: Records, text: str, title: str) -> str:
    """Write a notebook down as a conversation, with what its cells show; gives its id. Runs nothing.

    `title` is what it is called where the notebook does not say. Raises NotANotebook, RecordsUnavailable.
    """
    content = _content(text)
    title = _string(_object(content.get("metadata")).get("title")) or title
    identity = new_id()
    label = label_of(identity)
    widgets = saved(_object(_object(content.get("metadata")).get("widgets")).get(WIDGETS))
    sayings: list[Saying] = []
    for part in _parts(content):
        if isinstance(part, str):
            sayings.append(Saying("user", part))
            continue
        if not sayings:
            sayings.append(Saying("user", title))
        sayings.append(_reply(part, records, label, widgets))
    if not sayings:
        raise NotANotebook("the notebook is empty")
    records.shelf.keep(identity, label, sayings)
    records.settle()
    records.shelf.rename(identity, title)
    return identity


def _reply(parts: list[Piece | Ran], records: Records, label: str, widgets: Widgets) -> Saying:
    """A reply made of Markdown and cells; what these showed becomes a run that is over."""
    message = secrets.token_hex(16)
    pieces: list[Piece] = []
    text, ordinal = "", 0
    for part in parts:
        if isinstance(part, Piece):
            pieces.append(part)
            text += f"{part.text}\n\n" if part.kind is Kind.PROSE else ""
            continue
        fence = _fenced(part.code)
        result = part.result or NOT_RUN
        read = for_model(result)
        text += f"{fence}{read}\n"
        if part.result is not None:
            entry = records.claim(Key(label, message, ordinal), part.code, place=IMPORTED)
            if isinstance(entry, Entry) and entry.send():
                entry.finish(result)
                if states := kept_of(widgets, _views(result)):
                    entry.keep(states)
        pieces.append(Piece(Kind.BLOCK, fence, read, ordinal, None if part.result is not None else NOT_RUN))
        ordinal += 1
    return Saying("assistant", text, tuple(pieces), message)


def _views(result: Result) -> Iterator[str]:
    """The widgets of which a result shows views."""
    for output in result.outputs:
        if isinstance(output, DisplayData | ExecuteResult):
            yield _string(_object(output.data.get(VIEW)).get("model_id"))


def _fenced(code: str) -> str:
    marker = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{marker}python\n{code}\n{marker}\n"


def _content(text: str) -> Mapping[str, object]:
    try:
        content = json.loads(text)
    except ValueError:
        raise NotANotebook("this is no notebook: it is not JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise NotANotebook("this is no notebook of version 4: it has no cells; open and save it in Jupyter")
    metadata = _object(content.get("metadata"))
    language = _string(_object(metadata.get("kernelspec")).get("language")) or "python"
    if language.lower() != "python":
        raise NotANotebook(f"the notebook is in {language}; only those in Python can be imported")
    return content


def _parts(content: Mapping[str, object]) -> Iterator[str | list[Piece | Ran]]:
    """What people said, and the replies to it; without a word of ours, Markdown before code is a person's."""
    reply: list[Piece | Ran] = []
    cells = content["cells"]
    for cell in map(_object, cells if isinstance(cells, list) else []):
        ours = _object(_object(cell.get("metadata")).get(OURS))
        source = _string(cell.get("source"))
        kind = ours.get("kind")
        if cell.get("cell_type") == "code":
            reply.append(Ran(source, _result(cell, ours)))
        elif cell.get("cell_type") != "markdown" or kind in ("end", "thought"):
            continue
        elif ours.get("role") == "assistant":
            notice = kind == Kind.NOTICE
            text = source.strip("*") if notice else source
            reply.append(Piece(Kind.NOTICE if notice else Kind.PROSE, text))
        else:
            if reply:
                yield reply
                reply = []
            yield source.removeprefix(YOU)
    if reply:
        yield reply


def _result(cell: Mapping[str, object], ours: Mapping[str, object]) -> Result | None:
    listed = cell.get("outputs")
    shown = map(_output, map(_object, listed if isinstance(listed, list) else []))
    outputs = tuple(output for output in shown if output is not None)
    count = cell.get("execution_count")
    count = count if isinstance(count, int) else None
    if not outputs and count is None and not ours.get("status"):
        return None
    failed = any(isinstance(output, Error) for output in outputs)
    status, aftermath = Status.ERROR if failed else Status.OK, Aftermath.READY
    match ours:
        case {"status": str(told), "aftermath": str(left)} if told in tuple(Status) and left in tuple(
            Aftermath
        ):
            status, aftermath = Status(told), Aftermath(left)
    took = ours.get("duration")
    return Result(
        outputs,
        status,
        aftermath,
        count,
        float(took) if isinstance(took, int | float) else 0.0,
        _string(ours.get("detail")),
    )


def _output(output: Mapping[str, object]) -> Output | None:
    """An output as a kernel's would be taken: a notebook is as strange as a program."""
    data, metadata = bundle_of(sound(output.get("data"))), _object(output.get("metadata"))
    match output.get("output_type"):
        case "stream":
            return Stream(
                "stderr" if output.get("name") == "stderr" else "stdout", _string(output.get("text"))
            )
        case "display_data" if data:
            return DisplayData(data, metadata)
        case "execute_result" if data:
            count = output.get("execution_count")
            return ExecuteResult(data, metadata, count if isinstance(count, int) else None)
        case "error":
            ename, evalue = _string(output.get("ename")), _string(output.get("evalue"))
            return Error(ename, evalue, traceback_of(output.get("traceback")))
    return None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str:
    """Text, or the lines of one, as nbformat allows."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    return clean(value) if isinstance(value, str) else ""
