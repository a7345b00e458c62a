"""Variables in words, for a model: what is new since a block, and what one is that a person names. Pure.

What a kernel says is a stranger's: here it is bounded, and has no invisible characters or line ends. Who
puts it into a reply takes care of what else a text can do there.
"""

import re
from collections.abc import Iterable

from coderunner.kernel.variables.table_page import TablePage
from coderunner.kernel.variables.variable_list import Variable, VariableList
from coderunner.text.file_sizes import in_words
from coderunner.text.terminal_text import visible_line

CHANGES = 400
"""Characters about what a block has changed: a hundred tokens, paid again with each block that follows."""
SHORT, LONG = 60, 200
"""Characters of a value, where there are many and where one is asked for."""
NAMES = 5
"""Variables of one message that are told of."""
ROWS, CELL, WIDE = 5, 40, 400
"""Rows of a table, and characters of a cell and of a row."""

_MENTION = re.compile(r"(?<![\w@./`])@([^\W\d]\w{0,199})")


def mentioned(text: str) -> tuple[str, ...]:
    """The names after an @ in a message, each once: perhaps those of variables."""
    return tuple(dict.fromkeys(match[1] for match in _MENTION.finditer(text)))[:NAMES]


def changed(before: VariableList, after: VariableList) -> str:
    """What is new or another since an earlier list, and what is gone; empty where nothing is.

    What changed within a value without changing its type, size or first words is not seen.
    """
    earlier = {each.name: each for each in before.variables}
    now = {each.name for each in after.variables}
    news = [each for each in after.variables if _made_here(each) and earlier.get(each.name) != each]
    # Of a list that is not whole nobody knows what is missing from it.
    gone = (
        [] if before.more or after.more else [each.name for each in before.variables if each.name not in now]
    )
    told = [about(each, SHORT) for each in reversed(news)]
    told += [f"no longer there: {', '.join(map(_word, gone))}"] if gone else []
    return _within(told, CHANGES)


def _made_here(variable: Variable) -> bool:
    """Whether it is no module, nor a function or class that was imported."""
    return variable.kind == "data" or (variable.kind != "module" and variable.home in ("", "__main__"))


def about(variable: Variable, most: int = LONG) -> str:
    """A variable: its name, type, shape and a few words of its value."""
    kind = variable.type if variable.kind == "data" else variable.kind
    size = "" if variable.size is None or most < LONG else in_words(variable.size)
    about = ", ".join(filter(None, (f"{kind} {variable.extent}".strip(), size)))
    value = "" if variable.value == f"<{variable.type}>" or variable.kind == "class" else variable.value
    said = visible_line(value)
    said = said if len(said) <= most else f"{said[: most - 1]}…"
    return f"{_word(variable.name)} ({_word(about)}){f': {said}' if said else ''}"


def rows(page: TablePage) -> str:
    """The first rows of a table, a line each."""
    named = ["", *(name for name, _ in page.columns)]
    lines = [named, *([label, *row] for label, row in zip(page.labels, page.rows, strict=True))]
    written = [
        " | ".join(_cut(visible_line(cell), CELL) for cell in line).strip() for line in lines[: ROWS + 1]
    ]
    return "\n".join(_cut(line, WIDE) for line in written)


def _within(told: Iterable[str], most: int) -> str:
    kept: list[str] = []
    left = 0
    for each in told:
        if left or sum(map(len, kept)) + len(each) > most:
            left += 1
        else:
            kept.append(each)
    return "; ".join([*kept, f"and {left} more"] if left and kept else kept)


def _word(text: str) -> str:
    return _cut(visible_line(text), SHORT)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
