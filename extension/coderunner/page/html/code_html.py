"""The code of a block as safe HTML: coloured, folded if it is long, with what a person has changed. Pure."""

from collections.abc import Iterator, Sequence
from html import escape

from coderunner.page.block_state import Block, State
from coderunner.page.html import syntax_highlighting
from coderunner.page.html.folding import CODE, folded, growing
from coderunner.text.line_diff import DiffLine, Gap, line_diff
from coderunner.text.line_diff import folded as changes

AROUND = 3
"""Lines shown before and after each change."""

FIRST, LAST = 300, 100
"""Lines shown of a long diff, at its beginning and its end: a page lays each of them out."""

_SIGNS = {"same": " ", "old": "−", "new": "+"}
_WORDS = {"same": "", "old": "removed: ", "new": "added: "}


def html(block: Block, *, foldable: bool = True) -> str:
    """The code, and below it what a person has changed in it. Without a page's script nothing is `foldable`.

    Of a run below another one: what is different in it; nothing where it is the same code.
    """
    if block.repeat:
        return f"{_diff(block)}{_whole(block)}" if block.first else ""
    return f"{_code(block, foldable=foldable)}{_diff(block)}"


def closed(block: Block) -> str:
    """The code where a page shows the outputs: behind a heading that opens it."""
    # It is the first thing of its block: no line separates it from anything above.
    code = _code(block, foldable=True)
    return f'<details class="cr-full" style="border-top:0"><summary>Code</summary>{code}</details>'


def _code(block: Block, *, foldable: bool) -> str:
    language = block.language or syntax_highlighting.PYTHON
    code = syntax_highlighting.html(block.code, language)
    if foldable:
        code = growing(code, CODE, "unfold") if block.state is State.WRITING else folded(code, CODE, "unfold")
    return f'<pre class="cr-code" tabindex="0"><code>{code}</code></pre>'


def _whole(block: Block) -> str:
    code = _code(block, foldable=False)
    return f'<details class="cr-full"><summary>Whole code</summary>{code}</details>'


def _diff(block: Block) -> str:
    """What a person has changed, line by line."""
    if not block.first:
        return ""
    lines = line_diff(block.first, block.code)
    new, old = (sum(line.kind == kind for line in lines) for kind in ("new", "old"))
    rows = "".join(_rows(tuple(changes(lines, AROUND))))
    who = "Edited" if block.repeat else "Edited before it ran"
    open_ = " open" if block.repeat else ""
    return (
        f'<details class="cr-diff"{open_}><summary>{who} · <span class="cr-new">+{new}</span> '
        f'<span class="cr-old">−{old}</span> {"line" if new + old == 1 else "lines"}</summary>'
        f'<pre tabindex="0">{rows}</pre></details>'
    )


def _rows(lines: Sequence[DiffLine | Gap]) -> Iterator[str]:
    """Each line; of very many, the first and the last."""
    if len(lines) <= FIRST + LAST + 1:
        yield from map(_row, lines)
        return
    yield from map(_row, lines[:FIRST])
    left_out = sum(line.lines if isinstance(line, Gap) else 1 for line in lines[FIRST:-LAST])
    yield f'<span class="cr-gap">… {left_out:,} lines left out …\n</span>'
    yield from map(_row, lines[-LAST:])


def _row(line: DiffLine | Gap) -> str:
    if isinstance(line, Gap):
        return f'<span class="cr-gap">… {line.lines:,} unchanged lines …\n</span>'
    said = f'<span class="cr-unseen">{_WORDS[line.kind]}</span>' if _WORDS[line.kind] else ""
    text = escape(line.text, quote=False)
    return f'<span class="cr-{line.kind}">{said}<i aria-hidden="true">{_SIGNS[line.kind]}</i>{text}\n</span>'
