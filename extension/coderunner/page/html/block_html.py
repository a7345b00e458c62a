"""A block as safe HTML. Pure.

Everything from a model or a kernel is escaped here, or is in the data URL of an image whose format was
checked; active output is not HTML here but data that only a sandboxed frame renders.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from html import escape

from coderunner.ending_sentences import for_the_person, how_it_ended
from coderunner.languages import PYTHON, named
from coderunner.outputs import Error, Output, Question, Refusal, Result, Status
from coderunner.packages.offers import Card
from coderunner.page.block_state import Block, State
from coderunner.page.html import ansi_html, code_html, files_html, output_html, refusals_html
from coderunner.page.html.output_html import Drawn

LONGEST_ANSWER = 10_000
"""The most characters of a person's answer to a program."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a block says about the place where code runs."""

    deadline: float = 30.0
    where: str = "It runs on your computer without a sandbox."
    scripts: bool = True
    """Active output may run scripts, in its sandboxed frame."""
    alone: bool = False
    """It stands on a page of its own outputs: its code is closed, and nothing is run or stopped there."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a block looks, in pieces, so that a page gets only those that have changed."""

    mood: str
    """The class that colours the dot."""
    code: str
    outputs: tuple[Drawn, ...]
    later: tuple[Drawn, ...]
    """Its outputs after its end."""
    files: str
    """What it made and changed."""
    refused: str
    """What the sandbox refused to it."""
    question: str
    read: str
    bar: str
    again: str
    scripts: bool = True
    loaders: tuple[str, ...] = ()
    """The names of what its frame runs first: earlier blocks loaded it."""
    omitted: str = ""
    """A sentence where there was too much of that."""

    @property
    def pieces(self) -> tuple[Drawn, ...]:
        """All outputs, one below the other."""
        return (*self.outputs, *((AFTER, *self.later) if self.later else ()))


AFTER = '<div class="cr-after">Output after the block ended</div>'
"""The heading of the outputs after a block's end."""


def placeholder(identity: str, otherwise: str = "") -> str:
    """The custom element of a block in a reply. `identity` is an id that we made.

    `otherwise`: HTML of the host that is shown until the element has content, or if it gets none.
    """
    return f'<code-runner-output id="cr-{identity}" data-cr="{identity}">{otherwise}</code-runner-output>'


def look(
    block: Block,
    setting: Setting,
    before: tuple[Block, Look] | None = None,
    *,
    longest: int = output_html.LONGEST,
    granted: Container[Refusal] = (),
    cards: Mapping[Refusal, Card] = refusals_html.NO_CARDS,
) -> Look:
    """Render a block, with at most `longest` characters of each text.

    `granted`: what of its refusals was allowed meanwhile; `cards`: what is known of packages that it lacks.

    Pieces that have not changed are taken from `before`, an earlier look rendered the same way.
    """
    kept = _known(*before) if before else {}

    def drawn(shown: Output) -> Drawn:
        # By identity: outputs contain dictionaries, which cannot be hashed.
        return kept[id(shown)] if id(shown) in kept else output_html.draw(shown, block, longest)

    return Look(
        mood=" cr-".join(filter(None, (_mood(block), "inner" if block.repeat else ""))),
        code=code_html.closed(block) if setting.alone else code_html.html(block),
        outputs=tuple(map(drawn, block.shown)),
        later=tuple(map(drawn, block.later)),
        files=files_html.html(block),
        refused=refusals_html.html(block, granted, cards),
        question=_form(block.question),
        read=read(block.told),
        bar=_bar(block, setting),
        again=_again(block.again),
        scripts=setting.scripts,
    )


def _known(block: Block, look: Look) -> dict[int, Drawn]:
    """The rendered outputs by the identity of each; an error shows a line of its block."""
    pairs = zip((*block.shown, *block.later), (*look.outputs, *look.later), strict=True)
    return {id(shown): drawn for shown, drawn in pairs if not isinstance(shown, Error)}


def block(block: Block, setting: Setting) -> str:
    """Code, outputs and bar as one piece of HTML without a frame: active output shows as text."""
    its = look(block, setting)
    code = code_html.html(block, foldable=False)
    shown = "".join(f'<div class="cr-piece">{output_html.harmless(drawn)}</div>' for drawn in its.pieces)
    return (
        f'<div class="cr-cell{its.mood and " cr-" + its.mood}" role="group" aria-label="Code and its output">'
        f'{code}<div class="cr-outs">{shown}</div>'
        f"{its.files}{its.refused}{its.question}{its.read}{its.bar}</div>"
    )


def _again(block: Block | None) -> str:
    """The run that a person started, below the first outputs, as a block of its own."""
    if block is None:
        return ""
    what = "Run with your changes" if block.first else "Run again"
    return f'<div class="cr-again" role="group" aria-label="{what}">{placeholder(block.id)}</div>'


def _mood(block: Block) -> str:
    """The class that colours the dot."""
    match block.state, block.result:
        case (State.WRITING, _):
            return "write"
        case (State.RUNNING | State.LATE, _) if block.question or block.cut:
            return "wait"
        case (State.RUNNING | State.LATE, _):
            return "run"
        case (State.WAITING | State.QUEUED, _):
            return "wait"
        case (_, Result(status=Status.OK)):
            return ""
        case (_, Result(status=Status.DECLINED | Status.UNRUN | Status.UNFIT)) | (State.UNFINISHED, _):
            return "off"
        case _:
            return "bad"


def read(text: str, of: str = "") -> str:
    """What the model read, folded; `of` says of what."""
    lines = len(text.strip("\n").split("\n"))
    if not text.strip():
        return '<details class="cr-read" hidden><summary></summary><pre></pre></details>'
    word = "line" if lines == 1 else "lines"
    return (
        f'<details class="cr-read"><summary>What the model saw{of} ({lines} {word})</summary>'
        f'<pre tabindex="0">{ansi_html.html(text.strip(chr(10)))}</pre></details>'
    )


def _form(question: Question | None) -> str:
    """The form for a line that a program asks for. The page empties the field when the ticket changes."""
    if question is None:
        return '<form class="cr-question" hidden></form>'
    kind, what = ("password", "a password") if question.password else ("text", "input")
    prompt = question.prompt if question.prompt.strip() else f"The program is asking for {what}"
    ticket = escape(question.id)
    if question.choices:
        first, *others = question.choices
        return (
            f'<form class="cr-question" data-cr-ticket="{ticket}" autocomplete="off">'
            f'<p>{escape(prompt, quote=False)}</p><input type="hidden" name="answer" value="">'
            f"{''.join(map(_choice, others))}{_choice(first, 'cr-main')}</form>"
        )
    return (
        f'<form class="cr-question" data-cr-ticket="{ticket}" autocomplete="off">'
        f'<label for="cr-{ticket}">{escape(prompt.strip(), quote=False)}</label>'
        f'<input id="cr-{ticket}" name="answer" type="{kind}" maxlength="{LONGEST_ANSWER}" '
        'autocomplete="off" autocapitalize="off" spellcheck="false">'
        '<button type="submit" class="cr-main">Send</button>'
        f"{_button('cancel', 'Cancel', question.id)}</form>"
    )


def _choice(answer: str, look: str = "") -> str:
    words = escape(answer)
    return f'<button type="submit" class="{look}" value="{words}">{words}</button>'


def _bar(block: Block, setting: Setting) -> str:
    state, buttons = _state(block, setting)
    if block.repeat and not block.stoppable:
        edit = block.first and block.of
        buttons = f"{_edit(block, block.of)}{_button('copy', 'Copy')}" if edit else ""
    if setting.alone:
        buttons = _button("copy", "Copy code")
    if block.repeat and block.of:
        state = f"{'Edited' if block.first else 'Again'}: {state}"
    asks = " cr-ask" if block.state is State.WAITING else ""
    return (
        f'<div class="cr-bar{asks}"><span class="cr-dot"></span><span class="cr-state">{state}</span>'
        f'<span class="cr-grow">{buttons}</span></div>'
    )


def _state(block: Block, setting: Setting) -> tuple[str, str]:
    copy = _button("copy", "Copy")
    match block.state:
        case State.WRITING:
            return "<b>Writing</b>", ""
        case State.UNFINISHED:
            # A block that waited for approval can still be run.
            run = _button("again", "Run", block.ticket) if block.ordinal is not None else ""
            edit = _edit(block, block.ticket) if run else ""
            return f"<b>Not run</b> · {_why_not(block)}", f"{run}{edit}{copy}"
        case State.WAITING:
            ask = [
                ("skip", "Skip", ""),
                ("always", "Always allow in this chat", ""),
                ("run", "Run", "cr-main"),
            ]
            buttons = "".join(_button(act, word, block.ticket, look) for act, word, look in ask)
            buttons = f"{_edit(block, block.ticket, then='run')}{buttons}"
            return f"<b>Run this code?</b> {escape(setting.where)}", buttons
        case State.QUEUED:
            return "<b>Queued</b> · waiting for the previous block", _button("stop", "Stop", block.ticket)
        case State.RUNNING | State.LATE if block.cut:
            of = setting.deadline if block.state is State.RUNNING else None
            clock = "the timer is paused" if block.question else _clock(block, of)
            stop = _button("stop", "Stop", block.ticket)
            return f"<b>Connection lost</b> · trying again · {clock}", stop
        case State.RUNNING | State.LATE if block.question and block.question.choices:
            stop = _button("stop", "Stop", block.ticket)
            return "<b>Waiting for your answer</b> · the timer is paused", stop
        case State.RUNNING | State.LATE if block.question:
            return "<b>Waiting for input</b> · the timer is paused", _button("stop", "Stop", block.ticket)
        case State.RUNNING if block.preparing:
            stop = _button("stop", "Stop", block.ticket)
            return f"<b>{escape(block.preparing, quote=False)}</b>", stop
        case State.RUNNING:
            return f"<b>Running</b> · {_clock(block, setting.deadline)}", _button(
                "stop", "Stop", block.ticket
            )
        case State.LATE:
            clock = f"{_clock(block)} · its result will follow"
            return f"<b>Still running</b> · {clock}", _button("stop", "Stop", block.ticket)
        case State.ENDED:
            fits = block.ticket and not (block.result and block.result.status is Status.UNFIT)
            again = _button("again", "Run again", block.ticket) if fits else ""
            edit = _edit(block, block.ticket) if fits else ""
            return _end(block), f"{again}{edit}{copy}"


def _clock(block: Block, deadline: float | None = None) -> str:
    """Seconds that the page goes on counting; each state has a clock of its own."""
    name = escape(f"{block.state}-{block.ticket}")
    of = "" if deadline is None else f"{deadline:.0f}"
    words = f"{int(block.elapsed)} s of {of}" if of else duration(block.elapsed)
    return (
        f'<span data-cr-clock="{name}" data-cr-elapsed="{block.elapsed:.1f}" data-cr-of="{of}">{words}</span>'
    )


def _why_not(block: Block) -> str:
    if found := re.search(r"\(not run: (.*)\)$", block.read, re.MULTILINE):
        return escape(found[1], quote=False)
    if not block.code.strip():
        return "it has no code"
    return "the reply ended first" if block.closed else "the block was not closed"


def _button(act: str, word: str, ticket: str = "", look: str = "") -> str:
    named = f' data-cr-ticket="{escape(ticket)}"' if ticket else ""
    look = f' class="{look}"' if look else ""
    return f'<button type="button"{look} data-cr="{act}"{named}>{word}</button>'


def _edit(block: Block, ticket: str, then: str = "edit") -> str:
    """Opens the code in an editor; `then`: the act with which the edited code runs."""
    python = " data-cr-python" if not block.language or named(block.language) == PYTHON else ""
    return _button("change", "Edit", ticket).replace("<button", f'<button data-cr-then="{then}"{python}', 1)


def _end(block: Block) -> str:
    """How a block ended, in the words that the model reads, where they are not for it alone."""
    result = block.result or Result()
    took = f" · {duration(result.duration)}" if result.duration else ""
    detail = f" · {escape(for_the_person(result.detail), quote=False)}" if result.detail else ""
    match result.status:
        case Status.OK:
            count = f" · [{result.execution_count}]" if result.execution_count else ""
            return f"<b>Done</b>{took}{count}{detail}"
        case Status.ERROR:
            return f"<b>Error</b>{took}{' · shown to the model' if block.error_told else ''}{detail}"
    short, _, more = (
        how_it_ended(result.status, result.aftermath, result.detail).replace(": ", "; ", 1).partition("; ")
    )
    return f"<b>{short[:1].upper()}{short[1:]}</b>{took}{more and ' · '}{more}{detail}"


def duration(seconds: float) -> str:
    """A duration as short text: `9 ms`, `0.4 s`, `12 s`, `1 min 12 s`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
