"""One output as safe HTML, in a box, or as data that only a sandboxed frame may render. Pure."""

import re
from dataclasses import replace
from html import escape

from coderunner.outputs import (
    NOTHING_OMITTED,
    DisplayData,
    Error,
    ExecuteResult,
    MimeBundle,
    Omission,
    Output,
    Stream,
    is_tool_call,
)
from coderunner.page.block_state import Block
from coderunner.page.html import active_output, ansi_html, image_html
from coderunner.page.html.active_output import ActiveOutput, Boxed, string
from coderunner.page.html.boxes import box, markdown
from coderunner.page.html.folding import OUTPUT, folded

LONGEST = 60_000
"""The most characters of text that one output shows; the middle of a longer text is left out to keep the page
fast. The model reads far less."""
WHOLE = 1_000_000
"""The same if a person asks for all of it: a program's text is stored up to half of that."""

Drawn = str | Boxed | ActiveOutput


def draw(output: Output, block: Block, longest: int = LONGEST) -> Drawn:
    """Render an output of `block`, with at most `longest` characters of a text."""
    match output:
        case Stream(name=name, text=text, omitted=omitted):
            return _text(text, longest, " cr-stderr" if name == "stderr" else "", omitted)
        case DisplayData(widget="") | ExecuteResult(widget=""):
            return ""  # a widget that was closed
        case DisplayData(data=data) if is_tool_call(output):
            return f'<div class="cr-out cr-call">{escape(string(data.get("text/plain")), quote=False)}</div>'
        case DisplayData(data=data, metadata=metadata) | ExecuteResult(data=data, metadata=metadata):
            return _bundle(data, metadata, longest)
        case Error():
            return _error(output, block, longest)


def _text(text: str, longest: int, look: str = "", omitted: Omission = NOTHING_OMITTED) -> str:
    clipped, left = _clipped(text, longest, omitted)
    shown = folded(ansi_html.html(clipped), OUTPUT, "expand", left.lines)
    return f'<div class="cr-out cr-text{look}" tabindex="0">{shown}</div>'


def _clipped(text: str, longest: int, omitted: Omission = NOTHING_OMITTED) -> tuple[str, Omission]:
    """The text, or its beginning and end, and what is left out. What was omitted earlier is in that part."""
    if len(text) > longest:
        head, middle, tail = (
            text[: longest * 2 // 3],
            text[longest * 2 // 3 : -longest // 3],
            text[-longest // 3 :],
        )
        left = Omission(lines=omitted.lines + middle.count("\n"), characters=omitted.characters + len(middle))
        more = "; Expand shows more" if longest < WHOLE else ""
        return f"{head}\n… {left} left out{more} …\n{tail}", left
    if omitted.characters:
        return f"{text[: omitted.at]}\n… {omitted} left out …\n{text[omitted.at :]}", omitted
    return text, NOTHING_OMITTED


def harmless(drawn: Drawn) -> str:
    """Its HTML where there is neither frame nor box."""
    match drawn:
        case Boxed(active=active) | (ActiveOutput() as active):
            return _text(active.plain, LONGEST)
    return drawn


def _bundle(data: MimeBundle, metadata: MimeBundle, longest: int) -> Drawn:
    """The best type of a bundle."""
    if found := active_output.found(data, metadata, active_output.ABOVE_IMAGES):
        boxed = _boxed(found)
        return boxed if isinstance(boxed, Boxed) else replace(boxed, instead=_instead(found, data, metadata))
    plain = string(data.get("text/plain"))
    if drawn := image_html.drawn(data, metadata, alt=plain or "image"):
        return f'<div class="cr-out cr-image">{drawn}</div>'
    if found := active_output.found(data, metadata, active_output.BELOW_IMAGES):
        return _boxed(found)
    unseen = image_html.unseen(data)
    lines = "\n".join(filter(None, (unseen, "" if unseen and image_html.opaque(plain) else plain)))
    if not lines and all(value in ("", None, []) for value in data.values()):
        return ""
    return _text(lines or active_output.names(data), longest)


def _instead(output: ActiveOutput, data: MimeBundle, metadata: MimeBundle) -> str:
    """What else of a bundle is to be seen where its best type shows nothing: its picture, or its Markdown."""
    if picture := image_html.drawn(data, metadata, alt=output.plain):
        return f'<div class="cr-image">{picture}</div>'
    written = string(data.get("text/markdown")) if output.kind != "text/markdown" else ""
    text = markdown.rendered(written) if written else None
    return f'<div class="cr-html">{text.html}</div>' if text else ""


def _boxed(output: ActiveOutput) -> Boxed | ActiveOutput:
    """The output in a box if all of it can be seen there; else as it is."""
    found = box.decided(output.kind, output.data, output.size)
    return output if found is None else Boxed(output, found.html, found.style)


_HINT = re.compile(r"^Hint: .*$", re.MULTILINE)
_CELL = re.compile(r"\([0-9]{1,20}\.py, (line [0-9]{1,9})\)\Z")
"""What a syntax error says of its place: the name that ipykernel gives a cell, of which there is no file."""


def _error(error: Error, block: Block, longest: int) -> str:
    """The exception on one line, the line of the cell that raised it, a hint, and the traceback, folded."""
    traceback = ansi_html.plain("\n".join(error.traceback))
    lines = re.findall(r"Cell In ?\[\d+\], line (\d+)", traceback)
    source = block.code.split("\n")
    number = int(lines[-1]) if lines else 0
    where = f"\n  line {number}: {source[number - 1].strip()}" if 0 < number <= len(source) else ""
    hint = "".join(f"\n{line}" for line in _HINT.findall(block.read)[-1:])
    said = _CELL.sub(r"(\1)", error.evalue)
    headline = ansi_html.html(_clipped(replace(error, evalue=said).headline, longest)[0])
    folded = (
        '<details class="cr-trace"><summary>traceback</summary>'
        f'<pre tabindex="0">{ansi_html.html(_clipped(chr(10).join(error.traceback), longest)[0])}</pre>'
        "</details>"
        if error.traceback
        else ""
    )
    return (
        f'<div class="cr-out cr-text cr-error">{headline}'
        f'<span class="cr-where">{escape(where + hint, quote=False)}</span></div>{folded}'
    )
