"""The corpus of cells: what they are, and what a model reads of them."""

import re
from dataclasses import dataclass
from pathlib import Path

CELLS = Path(__file__).parent.parent / "corpora" / "cells"


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the corpus; see its README."""

    title: str
    source: str
    read: str
    """What a model reads; an ellipsis stands for anything on its line, alone on it for any lines."""

    def agrees(self, said: str) -> bool:
        """Whether this is what a model was to read."""
        lines = self.read.splitlines(keepends=True)
        patterns = [r"(?:.*\n)*" if line == "…\n" else re.escape(line).replace("…", ".*") for line in lines]
        return bool(re.fullmatch("".join(patterns), said))


def cases(name: str) -> list[Case]:
    """The cells of one file, in order."""
    sections = (CELLS / f"{name}.md").read_text(encoding="utf-8").split("\n## ")[1:]
    return [_case(section) for section in sections]


def _case(section: str) -> Case:
    title, source, read = re.split(r"\n(?:<<<|>>>)\n", section.rstrip("\n") + "\n", maxsplit=2)
    return Case(title, source, read)
