"""Charts whose data stand in a script: pages that libraries write, for pages that load them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from coderunner.chat.display_text import bokeh, html, plotly, vega

TRIES = 4
"""Places of a script at which a chart is looked for."""

_PLOTLY = re.compile(r"Plotly\.(?:newPlot|react|plot)\(\s*[^,\[]{1,400},\s*(?=\[)")
_VEGA = re.compile(r"(?:\}\)\(|vegaEmbed\([^,{]{1,200},\s*|\bspec\s*=\s*)(?=\{)")
_BOKEH = re.compile(r"\bdocs_json\s*=\s*(?=\{)")

_DECODER = json.JSONDecoder()


def told(script: str) -> str:
    """The charts of a script in words; empty where none was found."""
    return next((said for look in (_plotly, _vega, _bokeh) if (said := look(script))), "")


def vega_figure(page: str) -> Mapping[str, object]:
    """The chart of Vega that a page in HTML draws, as Altair writes it; empty where there is none."""
    scripts = html.read(page).scripts if '"$schema"' in page else ""
    for place in islice(_VEGA.finditer(scripts), TRIES):
        for value in _values(scripts, place.end(), 1):
            if isinstance(value, dict) and "$schema" in value:
                return value
    return {}


def _values(script: str, place: int, most: int) -> Sequence[object]:
    """The JSON values that stand one after the other, with commas between; fewer where one is no JSON."""
    values: list[object] = []
    while len(values) < most:
        try:
            value, place = _DECODER.raw_decode(script, place)
        except (ValueError, RecursionError):
            break
        values.append(value)
        comma = re.compile(r"\s*,\s*").match(script, place)
        if not comma:
            break
        place = comma.end()
    return values


def _found(script: str, pattern: re.Pattern[str], read: Callable[[Sequence[object]], str], most: int) -> str:
    def each() -> Iterator[str]:
        for number, place in enumerate(pattern.finditer(script)):
            if number == TRIES:
                return
            yield read(_values(script, place.end(), most))

    return "\n".join(filter(None, each()))


def _plotly(script: str) -> str:
    def read(values: Sequence[object]) -> str:
        return plotly.told(dict(zip(("data", "layout"), values, strict=False))) if values else ""

    return _found(script, _PLOTLY, read, 2)


def _vega(script: str) -> str:
    if '"$schema"' not in script or "vega" not in script:
        return ""
    return _found(script, _VEGA, lambda values: vega.told(values[0]) if values else "", 1)


def _bokeh(script: str) -> str:
    return _found(script, _BOKEH, lambda values: bokeh.told(values[0]) if values else "", 1)
