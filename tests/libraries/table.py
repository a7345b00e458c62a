"""The table of docs/libraries.md: what was measured, written down for readers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.libraries.displays import OUTCOMES, Display, Outcome
from tests.libraries.environments import versions

PAGE = Path(__file__).parents[2] / "docs" / "libraries.md"
BEGIN = "<!-- displays: made by `python -m tests.libraries` -->\n"
END = "<!-- /displays -->\n"
COLUMNS = ("library", "version", "shows", "MIME types", "live", "after a reload", "why")
STANDARD = "3"
"""The version of what Python itself brings."""
_SAME = {"python": STANDARD}


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of a display."""

    kinds: tuple[str, ...]
    live: Outcome
    reloaded: Outcome


def version(display: Display) -> str:
    """The version of its library that is tried."""
    return _SAME.get(display.library) or versions()[display.environment][display.library.lower()]


def written(displays: Iterable[Display], rows: Mapping[str, Row]) -> str:
    """The tables as Markdown, one for each theme; a display without a row is left out."""
    pieces = []
    for theme, group in groupby(displays, key=lambda each: each.theme):
        lines = [_line(each, rows[each.name]) for each in group if each.name in rows]
        head = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"
        pieces.append(f"### {theme.replace('_', ' ').capitalize()}\n\n{head}" + "".join(lines))
    return "\n".join(pieces)


def _line(display: Display, row: Row) -> str:
    kinds = ", ".join(f"`{kind}`" for kind in row.kinds)
    cells = (display.library, version(display), display.what, kinds, row.live, row.reloaded, display.why)
    return f"| {' | '.join(cells)} |\n"


def read(text: str) -> dict[str, Row]:
    """What the page says was measured, by the name of the display."""
    found = {}
    for line in text.partition(BEGIN)[2].partition(END)[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == len(COLUMNS) and cells[4] in OUTCOMES and cells[5] in OUTCOMES:
            library, _, what, kinds, live, reloaded, _ = cells
            row = Row(tuple(re.findall(r"`([^`]+)`", kinds)), live, reloaded)  # type: ignore[arg-type]
            found[f"{library}: {what}"] = row
    return found


def summary(rows: Mapping[str, Row], displays: Iterable[Display]) -> str:
    """How many were tried, and what became of them."""
    tried = [each for each in displays if each.name in rows]
    libraries = len({each.library for each in tried})
    counts = {
        outcome: sum(
            rows[each.name].live == outcome and rows[each.name].reloaded == outcome for each in tried
        )
        for outcome in OUTCOMES
    }
    lines = "".join(f"| {outcome} | {what} | {counts[outcome]} |\n" for outcome, what in OUTCOMES.items())
    return (
        f"{len(tried)} displays of {libraries} libraries:\n\n"
        f"| outcome | a person sees | displays |\n|---|---|---|\n{lines}"
    )


def page(text: str, displays: tuple[Display, ...], rows: Mapping[str, Row]) -> str:
    """The page with its tables made anew."""
    made = f"{BEGIN}\n{summary(rows, displays)}\n{written(displays, rows)}\n{END}"
    return re.sub(f"(?s){re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, text)
