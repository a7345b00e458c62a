"""Folds the messages of one `execute_request` into outputs.

Pure. Everything in a message is untrusted: what has the wrong type or the wrong parent is ignored, what is
too large is shortened and says so, so that the memory this takes is bounded whatever the program does.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from coderunner.kernel.messages import Message
from coderunner.outputs import DisplayData, Error, ExecuteResult, MimeBundle, Output, Stream

HEAD = 256 * 1024
"""Characters kept from the start of a long text: more than any reader reads."""
TAIL = 256 * 1024
"""Characters kept from its end, where the last words of a long run stand."""
MIME_TEXT = 8 * 1024 * 1024
"""Characters of one text in a MIME bundle: a large interactive plot has 5 million."""
MIME_BINARY = 32 * 1024 * 1024
"""Characters of base64 of one image or file: a 4000 × 4000 photograph as PNG."""
WHOLE = 64 * 1024 * 1024
"""Characters of all displays of one cell together."""
COUNT = 500
"""Outputs of one cell; a cell that displays more is in a loop."""
TRACEBACK = 64 * 1024
"""Characters of one traceback: a RecursionError has 189 000, nearly all the same line."""

MIME_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,128}(;[\w.+= -]{0,64})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in a list of outputs.

    With an output: it now stands at `index`, new or in place of the one before. With None: all outputs from
    `index` on are gone. Applying the changes in order to a list gives the outputs.
    """

    index: int
    output: Output | None


class Execution:
    """What one `execute_request` has shown so far, and how it ended.

    Complete when both the reply and the idle status of our own request came, in either order; the first of
    each counts. Afterwards it may still receive: text of the same request that was on its way.
    """

    def __init__(self, request: str) -> None:
        self.request = request
        """The request's message id; only messages with this parent count."""
        self.started = False
        """The kernel said that it took up our request."""
        self.idle = False
        self.reply: Literal["", "ok", "error", "aborted"] = ""
        self.execution_count: int | None = None
        self.ending = False
        """The program asked for the end of its kernel (`exit()`)."""
        self._shown: list[Output | _Text] = []
        self._changed: set[int] = set()
        self._clear_at_next = False
        self._cleared = False
        self._left_out = 0
        self._notice = 0
        self._size = 0

    @property
    def complete(self) -> bool:
        """Both the reply and the idle status came."""
        return self.idle and bool(self.reply)

    @property
    def changed(self) -> bool:
        """There are changes that nobody took."""
        return self._cleared or bool(self._changed)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """All outputs so far, in order, consecutive text of one stream in one piece."""
        return tuple(_value(shown) for shown in self._shown)

    def take_changes(self) -> list[Change]:
        """Give what changed since this was last called; many small changes to one output come as one."""
        changes = [Change(0, None)] if self._cleared else []
        changes += [Change(index, _value(self._shown[index])) for index in sorted(self._changed)]
        self._cleared = False
        self._changed.clear()
        return changes

    def receive(self, message: Message) -> None:
        """Take one message of the kernel; anything that is not ours or makes no sense is ignored."""
        if message.parent != self.request:
            return
        receive = _RECEIVERS.get((message.channel, message.type))
        if receive is not None:
            receive(self, message.content)

    # --- what each type of message does -----------------------------------------------------------

    def _status(self, content: Mapping[str, object]) -> None:
        self.started = self.started or content.get("execution_state") == "busy"
        self.idle = self.idle or content.get("execution_state") == "idle"

    def _input(self, content: Mapping[str, object]) -> None:
        self.started = True
        self._count(content)

    def _reply(self, content: Mapping[str, object]) -> None:
        status = content.get("status")
        if self.reply or status not in ("ok", "error", "aborted", "abort"):
            return
        self.reply = "aborted" if status == "abort" else status  # type: ignore[assignment]
        self._count(content)
        if status == "error" and not any(isinstance(shown, Error) for shown in self._shown):
            # An ExceptionGroup, a lone surrogate, no memory left: the error is only in the reply.
            self._error(content)
        payload = content.get("payload")
        for item in payload if isinstance(payload, list) else []:
            self._payload(item)

    def _payload(self, item: object) -> None:
        if not isinstance(item, dict):
            return
        if item.get("source") == "page":
            # `len?`: what a terminal would show in its pager.
            self._display({"data": item.get("data")})
        elif item.get("source") == "ask_exit":
            self.ending = True

    def _stream(self, content: Mapping[str, object]) -> None:
        name, text = content.get("name"), content.get("text")
        if not isinstance(text, str) or not text:
            return
        self._make_way()
        last = self._shown[-1] if self._shown else None
        kind: Literal["stdout", "stderr"] = "stderr" if name == "stderr" else "stdout"
        if isinstance(last, _Text) and last.name == kind:
            last.add(clean(text))
            self._changed.add(len(self._shown) - 1)
        else:
            self._append(_Text(kind, clean(text)))

    def _display(self, content: Mapping[str, object]) -> None:
        self._make_way()
        data = self._bundle(content.get("data"))
        if data and not self._twice(data, ExecuteResult):
            self._append(DisplayData(data, _object(content.get("metadata")), _display_id(content)))

    def _execute_result(self, content: Mapping[str, object]) -> None:
        self._make_way()
        data = self._bundle(content.get("data"))
        self._count(content)
        if data and not self._twice(data, DisplayData):
            metadata = _object(content.get("metadata"))
            self._append(ExecuteResult(data, metadata, self.execution_count, _display_id(content)))

    def _update(self, content: Mapping[str, object]) -> None:
        display_id = _display_id(content)
        if not display_id:
            return
        data, metadata = self._bundle(content.get("data")), _object(content.get("metadata"))
        for index, shown in enumerate(self._shown):
            if isinstance(shown, DisplayData | ExecuteResult) and shown.display_id == display_id:
                self._size -= _size(shown.data)
                self._shown[index] = replace(shown, data=data, metadata=metadata)
                self._changed.add(index)

    def _error(self, content: Mapping[str, object]) -> None:
        self._make_way()
        ename, evalue = (_shorten(_text(content.get(key)), 4096) for key in ("ename", "evalue"))
        self._append(Error(ename, evalue, _traceback(content.get("traceback"))))

    def _clear(self, content: Mapping[str, object]) -> None:
        self._clear_at_next = True
        if content.get("wait") is not True:
            self._make_way()

    # --- how they do it ---------------------------------------------------------------------------

    def _count(self, content: Mapping[str, object]) -> None:
        count = content.get("execution_count")
        if isinstance(count, int) and not isinstance(count, bool):
            self.execution_count = count

    def _make_way(self) -> None:
        """Do what a `clear_output` asked for: with `wait` it clears when the next output comes."""
        if not self._clear_at_next:
            return
        self._clear_at_next = False
        self._cleared = self._cleared or bool(self._shown)
        self._shown.clear()
        self._changed.clear()
        self._left_out = self._size = 0

    def _append(self, output: "Output | _Text") -> None:
        if len(self._shown) < COUNT or isinstance(output, Error):
            self._shown.append(output)
            self._changed.add(len(self._shown) - 1)
            return
        self._left_out += 1
        notice = Stream("stderr", f"… {self._left_out:,} more outputs left out: a cell may show {COUNT}.\n")
        if self._left_out == 1:
            self._notice = len(self._shown)
            self._shown.append(notice)
        self._shown[self._notice] = notice
        self._changed.add(self._notice)

    def _bundle(self, data: object) -> MimeBundle:
        bundle = bundle_of(data)
        self._size += _size(bundle)
        if self._size <= WHOLE:
            return bundle
        self._size -= _size(bundle)
        return {"text/plain": f"[{', '.join(bundle)} left out: this cell shows too much]"} if bundle else {}

    def _twice(self, data: MimeBundle, kind: type[DisplayData | ExecuteResult]) -> bool:
        """Tell whether the picture stands there already: `fig` as a last value is shown in two ways."""
        pictures = {key: value for key, value in data.items() if key.startswith("image/")}
        return bool(pictures) and any(
            isinstance(shown, kind) and {key: shown.data.get(key) for key in pictures} == pictures
            for shown in self._shown
        )


class _Text:
    """The text of one stream while it grows: its head, its tail, and how much was left out between them."""

    __slots__ = ("_head", "_room", "_tail", "_tail_size", "left_out", "name")

    def __init__(self, name: Literal["stdout", "stderr"], text: str) -> None:
        self.name = name
        self.left_out = 0
        self._room = HEAD
        self._head: list[str] = []
        self._tail: list[str] = []
        self._tail_size = 0
        self.add(text)

    def add(self, text: str) -> None:
        if self._room:
            kept = text[: self._room]
            self._head.append(kept)
            self._room -= len(kept)
            text = text[len(kept) :]
        if text:
            self._tail.append(text)
            self._tail_size += len(text)
            # Cutting only at twice the size keeps the cost of a chunk constant on average.
            if self._tail_size > 2 * TAIL:
                self._cut()

    def _cut(self) -> None:
        tail = "".join(self._tail)
        self.left_out += max(0, len(tail) - TAIL)
        self._tail = [tail[-TAIL:]]
        self._tail_size = len(self._tail[0])

    def value(self) -> Stream:
        if self._tail_size > TAIL:
            self._cut()
        self._head = ["".join(self._head)]
        gap = f"\n… {self.left_out:,} characters left out …\n" if self.left_out else ""
        return Stream(self.name, self._head[0] + gap + "".join(self._tail))


_RECEIVERS = {
    ("iopub", "status"): Execution._status,
    ("iopub", "execute_input"): Execution._input,
    ("iopub", "stream"): Execution._stream,
    ("iopub", "display_data"): Execution._display,
    ("iopub", "execute_result"): Execution._execute_result,
    ("iopub", "update_display_data"): Execution._update,
    ("iopub", "error"): Execution._error,
    ("iopub", "clear_output"): Execution._clear,
    ("shell", "execute_reply"): Execution._reply,
}


def _value(shown: "Output | _Text") -> Output:
    return shown.value() if isinstance(shown, _Text) else shown


def clean(text: str) -> str:
    """Replace what cannot be written as UTF-8 (lone surrogates) by question marks."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def bundle_of(data: object) -> MimeBundle:
    """Give a MIME bundle with only what is well formed and not too large; the rest is left out or named."""
    bundle: dict[str, object] = {}
    for key, value in data.items() if isinstance(data, dict) else ():
        if isinstance(key, str) and MIME_TYPE.fullmatch(key) and len(bundle) < 32:
            checked = _mime(key, value)
            if checked is not None:
                bundle[key] = checked
    return bundle


def _mime(key: str, value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        value = "".join(value)  # nbformat's multi-line strings
    if isinstance(value, str):
        binary = key.startswith(("image/", "audio/", "video/")) and not key.startswith("image/svg")
        if len(value) <= (MIME_BINARY if binary else MIME_TEXT):
            return clean(value)
        return None if binary or "html" in key or "svg" in key else _shorten(clean(value), HEAD)
    if key.split(";")[0].endswith("json") and value is not None:
        return value if len(json.dumps(value)) <= MIME_TEXT else None
    return None


def _size(bundle: MimeBundle) -> int:
    return sum(len(value) if isinstance(value, str) else 1024 for value in bundle.values())


def _shorten(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… {len(text) - limit:,} characters left out …\n"


def _traceback(lines: object) -> tuple[str, ...]:
    """Give a traceback's frames, head and tail of a very long one: the first frame and the last say most."""
    frames = [clean(line) for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    if sum(map(len, frames)) <= TRACEBACK:
        return tuple(frames)
    # A RecursionError's traceback comes as a few strings of thousands of lines: cut by lines then.
    each = "\n".join(frames).split("\n")
    head, tail = _within(each, TRACEBACK // 2), _within(each[::-1], TRACEBACK // 2)[::-1]
    left_out = len(each) - len(head) - len(tail)
    return (*head, f"… {left_out:,} lines left out …", *tail)


def _within(lines: list[str], limit: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        limit -= len(line) + 1
        if limit < 0:
            break
        kept.append(line)
    return kept


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def _object(value: object) -> MimeBundle:
    return value if isinstance(value, dict) and len(json.dumps(value)) <= HEAD else {}


def _display_id(content: Mapping[str, object]) -> str:
    transient = content.get("transient")
    return _text(transient.get("display_id")) if isinstance(transient, dict) else ""
