"""A conversation as what the page shows: Markdown of the model's, HTML of ours. Pure.

Whatever comes from a model or a kernel is escaped here, or stands in a data address of an image whose
format was checked.
"""

import re
from dataclasses import dataclass
from html import escape

from coderunner.endings import how_it_ended
from coderunner.hosts.app import highlight, pictures, terminal
from coderunner.hosts.app.transcript import Block, Message, Notice, Part, Prose, State, Thought
from coderunner.outputs import (
    NOTHING_OMITTED,
    DisplayData,
    Error,
    ExecuteResult,
    MimeBundle,
    Omission,
    Output,
    Question,
    Result,
    Status,
    Stream,
)

LONGEST = 60_000
"""Characters of text that one output shows; the middle of longer ones is left out, so that the page stays
quick. The model reads far less."""


LONGEST_ANSWER = 10_000
"""Characters that a person may answer: a program gets no more."""


@dataclass(frozen=True, slots=True)
class Markdown:
    """Text that the page renders as Markdown and sanitises."""

    text: str


@dataclass(frozen=True, slots=True)
class Html:
    """Elements of ours."""

    html: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What the page says about the place where code runs."""

    deadline: float = 30.0
    where: str = "On your own machine, not isolated."


class Drawing:
    """Draws messages and keeps what it drew of parts that stay the same, since each frame asks for all."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Part, Setting, Markdown | Html]] = {}

    def contents(self, message: Message, setting: Setting) -> list[Markdown | Html]:
        """What one message shows, in order; never empty."""
        if message.role == "user":
            return [Markdown(message.text), *([Html(_read(message.late, LATE))] if message.late else [])]
        shown = [self._part(part, setting) for part in message.parts]
        if message.finished:
            return [*shown, Html(foot(message))]
        return shown if shown and _moves(message.parts[-1]) else [*shown, Html(DOTS)]

    def _part(self, part: Part, setting: Setting) -> Markdown | Html:
        # By identity: parts hold dictionaries of the kernel's, which have no hash.
        kept = self._kept.get(id(part))
        if kept is None or kept[0] is not part or kept[1] != setting:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            kept = self._kept[id(part)] = (part, setting, _drawn(part, setting))
        return kept[2]


KEPT = 1000
"""Parts whose drawing is kept: more than a long conversation has."""

DOTS = '<div class="cr-dots" role="status" aria-label="Writing"><i></i><i></i><i></i></div>'


def foot(message: Message) -> str:
    """The quiet line below a finished reply."""
    tokens = f"<span>{message.tokens:,} tokens</span>" if message.tokens else ""
    return (
        '<div class="cr-foot">'
        f'<button type="button" data-cr="copy-text" data-cr-text="{escape(message.text)}">Copy</button>'
        f"{tokens}</div>"
    )


def _moves(last: Part) -> bool:
    """Its look already says that the reply goes on."""
    return isinstance(last, Prose) or (isinstance(last, Block) and last.state in LIVE)


LIVE = (State.WRITING, State.WAITING, State.QUEUED, State.RUNNING)

LATE = " of the block that was still running"


def _drawn(part: Part, setting: Setting) -> Markdown | Html:
    match part:
        case Prose(text):
            return Markdown(text)
        case Thought(text):
            return Html(
                '<details class="cr-thought"><summary>Thought</summary>'
                f"<div>{escape(text.strip(), quote=False)}</div></details>"
            )
        case Notice(text):
            return Html(f'<div class="cr-notice" role="alert">{escape(text, quote=False)}</div>')
        case Block():
            return Html(block(part, setting))


def block(block: Block, setting: Setting) -> str:
    """Code, outputs and bar as one unit. Its elements keep their places, so that the page can patch them."""
    mood = _mood(block)
    outputs = block.result.outputs if block.result else block.outputs
    shown = "".join(_output(output, block) for output in outputs)
    return (
        f'<div class="cr-cell{mood and " cr-" + mood}" role="group" aria-label="Code and its output">'
        f'<pre class="cr-code" tabindex="0"><code>{highlight.html(block.code)}</code></pre>'
        f'<div class="cr-outs">{shown}</div>'
        f"{_later(block)}"
        f"{_form(block.question)}"
        f"{_read(block.read)}"
        f"{_bar(block, setting)}</div>"
    )


def _later(block: Block) -> str:
    if not block.later:
        return '<div class="cr-later" hidden></div>'
    shown = "".join(_output(output, block) for output in block.later)
    return f'<div class="cr-later"><b>Shown after its end</b><div class="cr-outs">{shown}</div></div>'


def _mood(block: Block) -> str:
    """The class that colours the dot."""
    match block.state, block.result:
        case (State.WRITING, _):
            return "write"
        case (State.RUNNING, _) if block.question:
            return "wait"
        case (State.RUNNING | State.LATE, _):
            return "run"
        case (State.WAITING | State.QUEUED, _):
            return "wait"
        case (_, Result(status=Status.OK)):
            return ""
        case (_, Result(status=Status.DECLINED)) | (State.UNFINISHED, _):
            return "off"
        case _:
            return "bad"


def _read(text: str, of: str = "") -> str:
    lines = len(text.strip("\n").split("\n"))
    if not text.strip():
        return '<details class="cr-read" hidden><summary></summary><pre></pre></details>'
    word = "line" if lines == 1 else "lines"
    return (
        f'<details class="cr-read"><summary>the model read {lines} {word}{of}</summary>'
        f'<pre tabindex="0">{terminal.html(text.strip(chr(10)))}</pre></details>'
    )


def _form(question: Question | None) -> str:
    """The line that a program asks for. The page empties the field whenever the ticket is another one."""
    if question is None:
        return '<form class="cr-question" hidden></form>'
    kind, what = ("password", "a password") if question.password else ("text", "a line")
    prompt = question.prompt if question.prompt.strip() else f"The program asks for {what}"
    ticket = escape(question.id)
    return (
        f'<form class="cr-question" data-cr-ticket="{ticket}" autocomplete="off">'
        f'<label for="cr-{ticket}">{escape(prompt.strip(), quote=False)}</label>'
        f'<input id="cr-{ticket}" name="answer" type="{kind}" maxlength="{LONGEST_ANSWER}" '
        'autocomplete="off" autocapitalize="off" spellcheck="false">'
        '<button type="submit" class="cr-main">Send</button>'
        f"{_button('cancel', 'Cancel', question.id)}</form>"
    )


def _bar(block: Block, setting: Setting) -> str:
    state, buttons = _state(block, setting)
    asks = " cr-ask" if block.state is State.WAITING else ""
    return (
        f'<div class="cr-bar{asks}"><span class="cr-dot"></span><span class="cr-state">{state}</span>'
        f'<span class="cr-grow"></span>{buttons}</div>'
    )


def _state(block: Block, setting: Setting) -> tuple[str, str]:
    copy = _button("copy", "Copy")
    match block.state:
        case State.WRITING:
            return "<b>Writing</b>", ""
        case State.UNFINISHED:
            return f"<b>Not run</b> · {_why_not(block.read)}", copy
        case State.WAITING:
            ask = [("skip", "Skip", ""), ("always", "Always here", ""), ("run", "Run", "cr-main")]
            buttons = "".join(_button(act, word, block.ticket, look) for act, word, look in ask)
            return f"<b>Run this?</b> {escape(setting.where)}", buttons
        case State.QUEUED:
            return "<b>Next</b> · when the block before has ended", _button("stop", "Stop", block.ticket)
        case State.RUNNING if block.question:
            return "<b>Waiting for you</b> · the clock is paused", _button("stop", "Stop", block.ticket)
        case State.RUNNING:
            return f"<b>Running</b> · {_clock(block, setting.deadline)}", _button(
                "stop", "Stop", block.ticket
            )
        case State.LATE:
            clock = f"{_clock(block)} · its result will follow"
            return f"<b>Still running</b> · {clock}", _button("stop", "Stop", block.ticket)
        case State.ENDED:
            return _end(block.result or Result()), copy


def _clock(block: Block, deadline: float | None = None) -> str:
    """Seconds that the page counts on; another clock for each state, so that each begins anew."""
    name = escape(f"{block.state}-{block.ticket}")
    of = "" if deadline is None else f"{deadline:.0f}"
    words = f"{int(block.elapsed)} s of {of}" if of else duration(block.elapsed)
    return (
        f'<span data-cr-clock="{name}" data-cr-elapsed="{block.elapsed:.1f}" data-cr-of="{of}">{words}</span>'
    )


def _why_not(read: str) -> str:
    found = re.search(r"\(not run: (.*)\)$", read, re.MULTILINE)
    return escape(found[1], quote=False) if found else "the block was not closed"


def _button(act: str, word: str, ticket: str = "", look: str = "") -> str:
    named = f' data-cr-ticket="{escape(ticket)}"' if ticket else ""
    look = f' class="{look}"' if look else ""
    return f'<button type="button"{look} data-cr="{act}"{named}>{word}</button>'


def _end(result: Result) -> str:
    """How a cell ended, in the bar: in the words that the model reads."""
    took = f" · {duration(result.duration)}" if result.duration else ""
    detail = f" · {escape(result.detail, quote=False)}" if result.detail else ""
    match result.status:
        case Status.OK:
            count = f" · [{result.execution_count}]" if result.execution_count else ""
            return f"<b>Done</b>{took}{count}{detail}"
        case Status.ERROR:
            return f"<b>Error</b>{took} · the model has seen it{detail}"
    short, _, more = how_it_ended(result.status, result.aftermath).replace(": ", "; ", 1).partition("; ")
    return f"<b>{short[:1].upper()}{short[1:]}</b>{took}{more and ' · '}{more}{detail}"


def duration(seconds: float) -> str:
    """Seconds in words, as short as they are still exact enough: `9 ms`, `0.4 s`, `12 s`, `1 min 12 s`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _output(output: Output, block: Block) -> str:
    match output:
        case Stream(name=name, text=text, omitted=omitted):
            return _text(text, " cr-stderr" if name == "stderr" else "", omitted)
        case DisplayData(data=data, metadata=metadata) | ExecuteResult(data=data, metadata=metadata):
            return _bundle(data, metadata)
        case Error():
            return _error(output, block)


def _text(text: str, look: str = "", omitted: Omission = NOTHING_OMITTED) -> str:
    return f'<div class="cr-out cr-text{look}" tabindex="0">{terminal.html(_clipped(text, omitted))}</div>'


def _clipped(text: str, omitted: Omission = NOTHING_OMITTED) -> str:
    """The text, or its head and tail. What was omitted before lies in the part that is clipped here."""
    if len(text) <= LONGEST:
        return text
    head, middle, tail = (
        text[: LONGEST * 2 // 3],
        text[LONGEST * 2 // 3 : -LONGEST // 3],
        text[-LONGEST // 3 :],
    )
    left = Omission(lines=omitted.lines + middle.count("\n"), characters=omitted.characters + len(middle))
    return f"{head}\n… {left} left out …\n{tail}"


def _bundle(data: MimeBundle, metadata: MimeBundle) -> str:
    """The best that may be drawn without a frame: an image, else text."""
    plain = _string(data.get("text/plain"))
    for kind in pictures.TYPES:
        if kind in data:
            drawn = pictures.img(kind, _string(data[kind]), alt=plain or "image", metadata=metadata.get(kind))
            if drawn:
                return f'<div class="cr-out cr-image">{drawn}</div>'
    for kind in ("text/markdown", "text/latex"):
        if source := _string(data.get(kind)):
            return _text(source)
    return _text(plain or _names(data))


def _string(value: object) -> str:
    """Text as it is: nbformat allows a list of lines wherever it has text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else ""


def _names(data: MimeBundle) -> str:
    return f"({', '.join(sorted(str(kind)[:100] for kind in data)[:8]) or 'empty output'})"


_HINT = re.compile(r"^Hint: .*$", re.MULTILINE)


def _error(error: Error, block: Block) -> str:
    """The exception in one line, the line of the cell that raised, what helps, and the traceback folded."""
    traceback = terminal.plain("\n".join(error.traceback))
    lines = re.findall(r"Cell In ?\[\d+\], line (\d+)", traceback)
    source = block.code.split("\n")
    number = int(lines[-1]) if lines else 0
    where = f"\n  line {number}: {source[number - 1].strip()}" if 0 < number <= len(source) else ""
    hint = "".join(f"\n{line}" for line in _HINT.findall(block.read)[-1:])
    headline = terminal.html(_clipped(f"{error.ename}: {error.evalue}" if error.evalue else error.ename))
    folded = (
        '<details class="cr-trace"><summary>traceback</summary>'
        f'<pre tabindex="0">{terminal.html(_clipped(chr(10).join(error.traceback)))}</pre></details>'
        if error.traceback
        else ""
    )
    return (
        f'<div class="cr-out cr-text cr-error">{headline}'
        f'<span class="cr-where">{escape(where + hint, quote=False)}</span></div>{folded}'
    )
