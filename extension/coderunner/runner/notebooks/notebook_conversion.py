"""Conversations out of the records into notebooks, and back."""

import hashlib
import json
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from coderunner.chat.results.result_text import for_model
from coderunner.errors import NoSuchConversation, NotANotebook, RecordsUnavailable
from coderunner.ids import new_id
from coderunner.images.image_type import SVG
from coderunner.kernel.protocol.output_limits import MIME_TYPE, BoundedText, bundle_of, traceback_of
from coderunner.kernel.widgets.widget_models import VIEW, WidgetModels, kept_of, saved
from coderunner.languages import PYTHON, Language
from coderunner.outputs import (
    Aftermath,
    DisplayData,
    Error,
    ExecuteResult,
    Output,
    Result,
    Status,
    count_of,
)
from coderunner.packages.lock import NOTHING, Lock
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.conversation_queries import (
    ConversationSummary,
    StoredConversation,
    StoredMessage,
)
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.run_queries import Key, Record
from coderunner.records.notebook_format import (
    OURS,
    RAW,
    WIDGETS,
    attached_as,
    fenced,
    has_shown,
    missing,
    notebook,
    sound,
    unnamed,
)
from coderunner.records.run_registry import Records
from coderunner.runner.notebooks.notebook_reader import (
    Json,
    content_of,
    foreign_language,
    list_of,
    object_of,
    spoken_in,
    string_of,
)
from coderunner.text.html_tag_escaping import literal
from coderunner.text.json_reader import clipped

OF_LANGUAGE = "This notebook is in {title}: to run its blocks again, choose a kernel that speaks {title}."
YEAR = 366 * 86_400.0
"""Seconds; no cell ran longer."""
LISTED = 10
"""Conversations that a sentence lists."""
NOT_RUN = Result(status=Status.UNRUN)
IMPORTED = "In the imported notebook."
"""Where a cell of a notebook ran, in words."""


def label_of(conversation: str) -> str:
    """What kernels and records bear: a conversation's id is a secret, and these are seen by others."""
    return hashlib.sha256(conversation.encode()).hexdigest()[:16]


# --- out ----------------------------------------------------------------------------------------------------


def find_chat(records: Records, name: str) -> StoredConversation:
    """The conversation of that id or title, or the runs that bear that name.

    Raises NoSuchConversation, with the ones there are, where none or several are meant.
    """
    if (chat := records.conversations.find(name)) is not None:
        return chat
    cards = records.conversations.cards()
    meant = [each for each in cards if each.title == name] or [each for each in cards if name in each.title]
    if len(meant) == 1 and (chat := records.conversations.find(meant[0].id)) is not None:
        return chat
    if runs := records.of(name):
        return StoredConversation("", name, name, (), tuple(runs))
    raise NoSuchConversation(_which(name, meant, cards))


def _which(name: str, meant: list[ConversationSummary], cards: list[ConversationSummary]) -> str:
    if meant:
        return f"several conversations match {name!r}; name one by its id:{_listed(meant)}"
    if cards:
        return f"no conversation is called {name!r}; the latest are:{_listed(cards)}"
    return f"no conversation is called {name!r}; there are none yet"


def _listed(cards: list[ConversationSummary]) -> str:
    listed = "".join(f"\n  {summary.id}  {summary.title}" for summary in cards[:LISTED])
    return listed + (f"\n  and {len(cards) - LISTED} more" if len(cards) > LISTED else "")


def results_in(text: str) -> int:
    """How many blocks showed something, by what the model read of them below their fences."""
    ends = re.finditer(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*\n(?=\s*Result:)", text, re.MULTILINE)
    read = (_RESULT.match(text, end.end()) for end in ends)
    return sum(has_shown(each[0]) for each in read if each)


def missing_words(chat: StoredConversation, more: int = 0) -> str:
    """A sentence on what the blocks of a conversation, and some `more`, showed and the notebook lacks.

    Empty where it lacks nothing.
    """
    count = missing(chat) + more
    if not count:
        return ""
    whose = "a block" if count == 1 else f"{count} blocks"
    return f"The notebook lacks what {whose} showed: it is not in the records any more."


def to_notebook(chat: StoredConversation, packages: Lock = NOTHING) -> str:
    """The conversation as the text of a notebook file, whose metadata say what was installed for it."""
    content = notebook(chat)
    if packages:
        metadata = object_of(content["metadata"])
        content["metadata"] = {**metadata, OURS: {REQUIREMENTS: packages.text}}
    content["cells"] = [_readable(object_of(cell)) for cell in list_of(content["cells"])]
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _readable(cell: Json) -> Json:
    """A cell of which nothing vanishes; what it was is kept where it had to be changed."""
    ours = object_of(object_of(cell.get("metadata")).get(OURS))
    written = string_of(cell.get("source"))
    shown = literal(written) if cell.get("cell_type") == "markdown" else written
    if shown == written:
        return cell
    return {**cell, "source": shown, "metadata": {OURS: {**ours, WRITTEN: written}}}


REQUIREMENTS = "requirements"
"""Where a notebook's metadata have the file from which pip installs what its code needs."""
WRITTEN = "written"
"""Where a cell's metadata have its text as it was written."""


_RESULT = re.compile(
    r"\s*Result:(?:[^\n]+\n?|\n(`{3,})output\n.*?\n\1\n?(?:\([^\n]*\)\n?)?)(?:\s*!\[[^\n]*\n?)*", re.DOTALL
)
"""What the model read of a block, with the pictures that a host put below it."""


def pieces_in(text: str, runs: Iterable[Record]) -> tuple[MessagePart, ...]:
    """A reply taken apart by what ran in it: prose, and blocks with what the model read of each.

    For hosts that keep the text alone. A block that somebody changed in it since then comes last.
    """
    last = {run.key.ordinal: run for run in runs}
    pieces: list[MessagePart] = []
    lost: list[MessagePart] = []
    at = 0
    for ordinal, run in sorted(last.items()):
        code = re.escape(run.code.rstrip("\n"))
        block = re.compile(rf"^(`{{3,}}|~{{3,}})[^\n]*\n{code}\n*\1[`~]*[ \t]*(?:\n|\Z)", re.MULTILINE)
        found = block.search(text, at)
        if found is None:
            lost.append(MessagePart(Kind.BLOCK, "", ordinal=ordinal))
            continue
        read = _RESULT.match(text, found.end())
        pieces.append(MessagePart(Kind.PROSE, text[at : found.start()]))
        pieces.append(MessagePart(Kind.BLOCK, found[0], read[0] if read else "", ordinal))
        at = read.end() if read else found.end()
    return (*pieces, MessagePart(Kind.PROSE, text[at:]), *lost)


# --- in -----------------------------------------------------------------------------------------------------


def imported(run: Record) -> bool:
    """Whether a run was taken from a notebook: it was somewhere else."""
    return run.place == IMPORTED


@dataclass(frozen=True, slots=True)
class Ran:
    """A code cell of a notebook."""

    code: str
    result: Result | None
    """What it shows; None where it has not run."""


Tell = Callable[[str], None]
"""Takes a sentence on what of a notebook is not taken."""


def from_notebook(records: Records, file: bytes | str, title: str, tell: Tell = lambda _: None) -> str:
    """Write a notebook down as a conversation, with what its cells show; gives its id. Runs nothing.

    `title` is what it is called where the notebook does not say; `tell` takes what of it has no place in a
    conversation. Raises NotANotebook, and RecordsUnavailable where it cannot be written down.
    """
    content = content_of(file)
    title = string_of(object_of(content.get("metadata")).get("title")) or title
    identity = new_id()
    label = label_of(identity)
    widgets = saved(_states(content))
    sayings: list[StoredMessage] = []
    language = spoken_in(content)
    if language != PYTHON:
        tell(OF_LANGUAGE.format(title=language.title))
    for part in _parts(content, language, tell):
        if isinstance(part, str):
            sayings.append(StoredMessage("user", part))
            continue
        if not sayings:
            sayings.append(StoredMessage("user", title))
        sayings.append(_reply(part, language, records, label, widgets))
    if not sayings:
        raise NotANotebook("the notebook is empty")
    records.conversations.keep(identity, label, sayings)
    if not records.settle():
        raise RecordsUnavailable(records.trouble(label) or f"writing to {records.place} takes too long")
    records.conversations.rename(identity, title)
    if trouble := records.trouble(label):
        tell(trouble)
    return identity


def _reply(
    parts: list[MessagePart | Ran], language: Language, records: Records, label: str, widgets: WidgetModels
) -> StoredMessage:
    """A reply made of Markdown and cells; what these showed becomes a run that is over."""
    message = secrets.token_hex(16)
    pieces: list[MessagePart] = []
    text, ordinal = "", 0
    for part in parts:
        if isinstance(part, MessagePart):
            pieces.append(part)
            text += f"{_for_model(part.text)}\n\n" if part.kind is Kind.PROSE else ""
            continue
        fence = fenced(part.code, language.fence)
        result = part.result or NOT_RUN
        read = for_model(result)
        text += f"{fence}{read}\n"
        if part.result is not None:
            # As a reply's block has it: with the end of its last line.
            entry = records.claim(Key(label, message, ordinal), f"{part.code}\n", place=IMPORTED)
            if isinstance(entry, ActiveRun) and entry.send():
                entry.finish(result)
                if states := kept_of(widgets, _views(result)):
                    entry.keep(states)
        pieces.append(
            MessagePart(Kind.BLOCK, fence, read, ordinal, None if part.result is not None else NOT_RUN)
        )
        ordinal += 1
    return StoredMessage("assistant", text, tuple(pieces), message)


def _views(result: Result) -> Iterator[str]:
    """The widgets of which a result shows views."""
    for output in result.outputs:
        if isinstance(output, DisplayData | ExecuteResult):
            yield string_of(object_of(output.data.get(VIEW)).get("model_id"))


def _states(content: Json) -> object:
    """The states of widgets; some programs leave out the object around them (Colab does)."""
    states = object_of(object_of(content.get("metadata")).get("widgets"))
    states = object_of(states.get(WIDGETS)) or states
    return states if "state" in states else {"state": states}


def _parts(content: Json, own: Language, tell: Tell) -> Iterator[str | list[MessagePart | Ran]]:
    """What people said, and the replies to it; without a word of ours, Markdown before code is a person's."""
    reply: list[MessagePart | Ran] = []
    silent = strange = 0
    streams: set[str] = set()
    for cell in map(object_of, list_of(content["cells"])):
        ours = object_of(object_of(cell.get("metadata")).get(OURS))
        source, written = string_of(cell.get("source")), string_of(ours.get(WRITTEN))
        if written and literal(written) == source:
            source = written
        kind = ours.get("kind")
        if cell.get("cell_type") in ("code", "markdown") and not any(
            (source.strip(), list_of(cell.get("outputs")), object_of(cell.get("attachments")))
        ):
            continue  # An empty cell, as notebooks end with one.
        if cell.get("cell_type") == "code":
            language = foreign_language(cell, own)
            silent += bool(language and list_of(cell.get("outputs")))
            streams |= _unknown_streams(cell)
            ran = Ran(source, _result(cell, ours))
            reply.append(MessagePart(Kind.PROSE, fenced(source, language)) if language else ran)
        elif cell.get("cell_type") == "raw":
            reply.append(MessagePart(Kind.PROSE, fenced(source, f"{RAW} {_format(cell)}".strip())))
        elif cell.get("cell_type") != "markdown":
            strange += 1
        elif kind in ("end", "thought"):
            continue
        elif ours.get("role") == "assistant":
            notice = kind == Kind.NOTICE
            text = source.strip("*") if notice else source
            reply.append(MessagePart(Kind.NOTICE if notice else Kind.PROSE, text))
        else:
            if reply:
                yield reply
                reply = []
            text, pictures = _attached(cell, unnamed(source))
            yield text
            reply += [MessagePart(Kind.PROSE, each) for each in pictures]
    if reply:
        yield reply
    if silent:
        tell(f"Outputs of cells in other languages were left out: {silent}.")
    if streams:
        tell(f"What these streams hold is taken for stdout: {', '.join(sorted(streams))}.")
    if strange:
        tell(f"Cells of unknown types were left out: {strange}.")


def _unknown_streams(cell: Json) -> set[str]:
    """Names of streams that programs do not have: an output is one of stdout or of stderr."""
    outputs = map(object_of, list_of(cell.get("outputs")))
    names = {string_of(each.get("name")) for each in outputs if each.get("output_type") == "stream"}
    return {each[:40] for each in names - {"", "stdout", "stderr"}}


def _format(cell: Json) -> str:
    """The MIME type that a raw cell is for."""
    metadata = object_of(cell.get("metadata"))
    told = string_of(metadata.get("format") or metadata.get("raw_mimetype"))
    return told if MIME_TYPE.fullmatch(told) else ""


def _attached(cell: Json, source: str) -> tuple[str, list[str]]:
    """The text of a cell, and each picture that is attached to it, as Markdown of its own."""
    pictures = []
    for name, bundle in object_of(cell.get("attachments")).items():
        for kind, data in bundle_of(bundle).items():
            if not kind.startswith("image/") or not isinstance(data, str):
                continue
            if kind == SVG and not _BASE64.fullmatch(data):
                data = b64encode(data.encode()).decode()
            if _BASE64.fullmatch(data):
                pictures.append(f"![{attached_as(name)}](data:{kind};base64,{''.join(data.split())})")
    return source, pictures


_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(data:[^)]*\)")


def _for_model(text: str) -> str:
    """Prose as a model gets it: pictures that stand in it as data would fill its context."""
    return _PICTURE.sub(r"[picture: \1]", text)


def _result(cell: Json, ours: Json) -> Result | None:
    shown = map(_output, map(object_of, list_of(cell.get("outputs"))))
    outputs = tuple(output for output in shown if output is not None)
    count = count_of(cell.get("execution_count"))
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
    seconds = float(took) if isinstance(took, int | float) and 0 <= took < YEAR else 0.0
    return Result(outputs, status, aftermath, count, seconds, string_of(ours.get("detail")))


def _output(output: Json) -> Output | None:
    """An output as a kernel's would be taken: a notebook is as strange as a program."""
    data, metadata = bundle_of(sound(output.get("data"))), object_of(clipped(output.get("metadata")))
    match output.get("output_type"):
        case "stream":
            name: Literal["stdout", "stderr"] = "stderr" if output.get("name") == "stderr" else "stdout"
            return BoundedText(name, string_of(output.get("text"))).value()
        case "display_data" if data:
            return DisplayData(data, metadata)
        case "execute_result" if data:
            return ExecuteResult(data, metadata, count_of(output.get("execution_count")))
        case "error":
            ename, evalue = string_of(output.get("ename")), string_of(output.get("evalue"))
            return Error(ename, evalue, traceback_of(output.get("traceback")))
    return None
