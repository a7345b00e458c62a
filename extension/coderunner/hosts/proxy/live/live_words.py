"""Which outputs have a page that shows them live, and what the link to it says. Pure."""

import re
from collections.abc import Mapping

from coderunner.chat.display_text.inline_scripts import vega_figure
from coderunner.outputs import DisplayData, ExecuteResult, Output, Result
from coderunner.page.block_state import Block
from coderunner.page.html import image_html, output_html
from coderunner.page.html.active_output import WIDGET, ActiveOutput, Boxed, string
from coderunner.page.loaders.loaders_of_output import LOADS

CHART, WIDGETS, PAGE = "Open the live chart", "Open the live widgets", "Open the page"
SEVERAL = "Open the live outputs"
RUNNING = "Watch it run"

_CHART = re.compile(
    r"application/vnd\.(?:plotly\.v1|vega(?:lite)?\.v\d+|(?:bokehjs|holoviews)_exec\.v0)(?:[+.]json)?",
    re.ASCII,
)


def words(result: Result, *, goes_on: bool) -> str:
    """What the link to a result's page says; empty where the reply says as much as that would.

    `goes_on`: it is the result so far of a block that runs on.
    """
    if goes_on:
        return RUNNING
    its = {what for output in result.outputs if (what := _kind(output))}
    return its.pop() if len(its) == 1 else SEVERAL if its else ""


def _kind(output: Output) -> str:
    if not isinstance(output, DisplayData | ExecuteResult):
        return ""
    drawn = output_html.draw(output, Block())
    match drawn:
        case ActiveOutput(kind=kind) if LOADS.fullmatch(kind):  # it draws nothing
            return ""
        case ActiveOutput(kind=kind):
            return WIDGETS if kind == WIDGET else CHART if _is_chart(kind, output.data) else PAGE
        # A table's text is a table as well; that of a styled one is the name of its class.
        case Boxed(active=ActiveOutput(kind="text/html")):
            plain = string(output.data.get("text/plain"))
            return PAGE if not plain or image_html.opaque(plain) else ""
    return ""


def _is_chart(kind: str, data: Mapping[str, object]) -> bool:
    """What is drawn is a chart: by its type, or as the page that Altair writes by default."""
    page = data.get(kind)
    return bool(_CHART.fullmatch(kind) or (isinstance(page, str) and vega_figure(page)))
