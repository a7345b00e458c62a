"""One output as HTML of ours, or as what only a closed frame may draw. Pure."""

import re
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
)
from coderunner.page import active, pictures, terminal
from coderunner.page.active import Active, string
from coderunner.page.block import Block

LONGEST = 60_000
"""Characters of text that one output shows; the middle of longer ones is left out, so that the page stays
quick. The model reads far less."""

Drawn = str | Active


def draw(output: Output, block: Block) -> Drawn:
    """Draw an output of `block`."""
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


def harmless(drawn: Drawn) -> str:
    """What stands for it where there is no frame."""
    return _text(drawn.plain) if isinstance(drawn, Active) else drawn


def _bundle(data: MimeBundle, metadata: MimeBundle) -> Drawn:
    """The best of what a bundle offers."""
    if found := active.found(data, metadata, active.ABOVE_IMAGES):
        return found
    plain = string(data.get("text/plain"))
    for kind in pictures.TYPES:
        if kind in data:
            drawn = pictures.img(kind, string(data[kind]), alt=plain or "image", metadata=metadata.get(kind))
            if drawn:
                return f'<div class="cr-out cr-image">{drawn}</div>'
    if found := active.found(data, metadata, active.BELOW_IMAGES):
        return found
    return _text(plain or active.names(data))


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
