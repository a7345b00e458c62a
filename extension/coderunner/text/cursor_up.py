"""Text that moves a terminal's cursor to lines above, as lines that stay where they are. Pure.

Several progress bars below each other are written so: a line down for each, and up again. JupyterLab and
terminals follow; without it each round leaves a line.
"""

import re

_UP = re.compile(r"\x1b\[(\d{0,3})A")
_STEP = re.compile(r"\n|\x1b\[\d{0,3}A")


def settled(text: str) -> str:
    """The text with each line as it is written last; what is written over stands before a carriage return.

    It is the same text where nothing goes up. Costs time in proportion to the text.
    """
    if not _UP.search(text):
        return text
    lines: list[list[str]] = [[]]
    row = start = 0
    for step in _STEP.finditer(text):
        lines[row].append(text[start : step.start()])
        start = step.end()
        if step[0] == "\n":
            row += 1
        else:
            row = max(row - int(step[0][2:-1] or 1), 0)
        if row == len(lines):
            lines.append([])
        else:
            # What follows is written over what stands there.
            lines[row].append("\r")
    lines[row].append(text[start:])
    return "\n".join("".join(line) for line in lines)
