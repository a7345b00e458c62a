"""Pictures of charts that came without one: drawn beside the kernel, by what its environment has for that."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

from coderunner.files.looking import Ask, printed, read
from coderunner.outputs import DisplayData, ExecuteResult, Output, Result
from coderunner.runner import vega_figure

MOST = 4
"""Charts of one result that are drawn."""
PATIENCE = 5.0
"""Seconds that the reply waits for all of them."""
PNG = "image/png"

LARGEST_PAGE = 4_000_000
"""Characters of a page in which a chart is looked for."""

_SCHEMA = re.compile(r"https://vega\.github\.io/schema/(vega|vega-lite)/v(\d{1,2})\b.*", re.ASCII)
_CHART = re.compile(r"application/vnd\.(vega|vegalite)\.v(\d{1,2})\+json", re.ASCII)


async def with_pictures(result: Result, ask: Ask, stopped: Callable[[], bool]) -> Result:
    """The result with a PNG beside each chart that has no picture; itself where none could be drawn in time.

    `ask` asks the kernel, which need not be done with the cell. Raises nothing.
    """
    if not any(isinstance(output, DisplayData | ExecuteResult) for output in result.outputs):
        return result
    charts = await asyncio.to_thread(_charts, result)
    if not charts:
        return result
    given = json.dumps([told for _, told in charts])
    said = await printed(ask, _program(), "", PATIENCE, lambda: False, stopped, given=given)
    found = read(said) if said else None
    outputs = list(result.outputs)
    for (place, _), picture in zip(charts, found if isinstance(found, list) else [], strict=False):
        its = outputs[place]
        # A kernel may print what it likes: what is no picture is refused where it is kept, as any output's.
        if isinstance(picture, str) and picture and isinstance(its, DisplayData | ExecuteResult):
            outputs[place] = replace(its, data={**its.data, PNG: picture})
    return replace(result, outputs=tuple(outputs)) if outputs != list(result.outputs) else result


def _charts(result: Result) -> list[tuple[int, dict[str, object]]]:
    """What is to be drawn, with the place of its output. Takes milliseconds."""
    each = ((place, _chart(output)) for place, output in enumerate(result.outputs))
    return list(islice(((place, told) for place, told in each if told), MOST))


def _chart(output: Output) -> dict[str, object]:
    """What is to be drawn of an output; empty where nothing is."""
    if not isinstance(output, DisplayData | ExecuteResult):
        return {}
    if any(kind.startswith("image/") for kind in output.data):
        return {}
    for kind, figure in output.data.items():
        if (named := _CHART.fullmatch(kind)) and figure:
            return {"kind": named[1], "version": named[2], "figure": figure}
    page = output.data.get("text/html")
    return _in_page(page) if isinstance(page, str) and len(page) <= LARGEST_PAGE else {}


def _in_page(page: str) -> dict[str, object]:
    """The chart that a page of Altair's draws."""
    figure = vega_figure(page)
    if named := _SCHEMA.fullmatch(str(figure.get("$schema"))[:100]):
        return {"kind": named[1].replace("-", ""), "version": named[2], "figure": figure}
    return {}


@cache
def _program() -> str:
    return Path(__file__).with_name("drawer.py").read_text(encoding="utf-8")
