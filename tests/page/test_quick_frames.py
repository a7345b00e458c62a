"""What frames are made of: no more than what they show needs."""

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import Browser, Page, expect

from coderunner.outputs import DisplayData
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, opened
from tests.page.stage import Stage
from tests.page.test_assets import SOURCES

pytestmark = [*MARKS, pytest.mark.timeout(240)]

PLOTLY = "application/vnd.plotly.v1+json"

_TREE = {"labels": ["all", "a", "b"], "parents": ["", "all", "all"], "values": [3, 1, 2]}
_PRICES = {"x": ["2026-01-01", "2026-01-02"], "open": [1, 2], "high": [3, 3], "low": [0, 1], "close": [2, 1]}
_ANGLES = {"r": [1, 2, 3], "theta": [0, 90, 180]}
_PARTS = {"labels": ["a", "b"], "values": [1, 2]}
_GRID = {"z": [[1, 2], [3, 4]]}
_PAIRS = {"x": [1, 2, 2], "y": [1, 1, 2]}
_STEPS = {"x": ["a", "b"], "y": [1, 2]}

SMALL: Mapping[str, Mapping[str, object]] = {
    "scatter": _STEPS,
    "bar": _STEPS,
    "funnel": {"y": ["a", "b"], "x": [2, 1]},
    "waterfall": _STEPS,
    "pie": _PARTS,
    "funnelarea": _PARTS,
    "histogram": {"x": [1, 2, 2]},
    "box": {"y": [1, 2, 3]},
    "violin": {"y": [1, 2, 3]},
    "heatmap": _GRID,
    "contour": _GRID,
    "histogram2d": _PAIRS,
    "histogram2dcontour": _PAIRS,
    "candlestick": _PRICES,
    "ohlc": _PRICES,
    "sunburst": _TREE,
    "treemap": _TREE,
    "icicle": _TREE,
    "indicator": {"mode": "number+gauge", "value": 3},
    "table": {"header": {"values": ["a"]}, "cells": {"values": [[1, 2]]}},
    "scatterpolar": _ANGLES,
    "barpolar": _ANGLES,
}
"""A figure of each kind of traces that the small program has."""

SANKEY = {
    "type": "sankey",
    "node": {"label": ["a", "b"]},
    "link": {"source": [0], "target": [1], "value": [1]},
}
LINE = {"type": "scatter", **_STEPS}

WHOLE: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "another kind": ({"data": [SANKEY]},),
    "another kind beside": ({"data": [LINE, SANKEY]},),
    "after a line": ({"data": [LINE]}, {"data": [SANKEY]}),
    "in a frame": ({"data": [LINE], "frames": [{"name": "later", "data": [SANKEY]}]},),
    "another calendar": ({"data": [LINE], "layout": {"xaxis": {"calendar": "jalali"}}},),
    "the calendar of a trace": ({"data": [LINE | {"xcalendar": "jalali"}]},),
}
"""Figures of blocks that need all of Plotly."""

DRAWN = "() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => plot._fullData[0]?.type)"
LOADED = (
    "() => performance.getEntriesByType('resource').map(each => each.name.split('/').pop().split('?')[0])"
)
FRAMES = "() => document.querySelector('.js-plotly-plot')._transitionData._frames.map(each => each.name)"
BEGUN = """() => new Promise(done => {
    const look = () => {
        const [found] = performance.getEntriesByType('resource').filter(each => /[.]js[?]/.test(each.name));
        if (found) done(found.name.split('/').pop().split('?')[0]); else setTimeout(look, 20);
    };
    look();
})"""
KNOWN = "() => Object.keys(coderunner.charts.PlotSchema.get().traces)"


def figures(*shown: Mapping[str, object]) -> list[DisplayData]:
    return [DisplayData({PLOTLY: {"layout": {"height": 200}, **each}}) for each in shown]


def inside(page: Page, cell: str, ask: str) -> object:
    return frame_of(page, cell).locator("#root").evaluate(f"(_root) => ({ask})()")


@behaviour("page:frames:smallest")
def test_a_frame_loads_no_more_of_plotly_than_its_figures_need(browser: Browser, host: Host) -> None:
    table = (SOURCES / "src" / "traces.js").read_text(encoding="utf-8")
    listed = re.findall(r'"(\w+)"', table[table.index("SMALL") : table.index("]);")])
    assert sorted(listed) == sorted(SMALL)
    small = host.show("small", figures(*({"data": [{"type": name, **SMALL[name]}]} for name in SMALL)))
    frames = host.show("frames", figures({"data": [LINE], "frames": [{"name": "later", "data": [LINE]}]}))
    whole = {host.show(name, figures(*shown)): len(shown) for name, shown in WHOLE.items()}
    with opened(browser, host) as page:
        expect(frame_of(page, small).locator(".js-plotly-plot .main-svg")).not_to_have_count(0)
        frame_of(page, small).locator(".js-plotly-plot").nth(len(SMALL) - 1).wait_for()
        assert inside(page, small, DRAWN) == list(SMALL)
        assert inside(page, small, LOADED) == ["charts.js"]
        assert sorted(inside(page, small, KNOWN)) == sorted(SMALL)  # type: ignore[call-overload]
        block_of(page, frames).scroll_into_view_if_needed()
        frame_of(page, frames).locator(".scatterlayer").wait_for()
        assert (inside(page, frames, FRAMES), inside(page, frames, LOADED)) == (["later"], ["charts.js"])
        for cell, count in whole.items():
            block_of(page, cell).scroll_into_view_if_needed()
            expect(frame_of(page, cell).locator(".js-plotly-plot")).to_have_count(count)
            expect(frame_of(page, cell).locator(".main-svg").first).to_be_visible()
            assert "plotly.js" in inside(page, cell, LOADED)  # type: ignore[operator]


CODE = {
    "lines": "import plotly.express as px\npx.line(y=[1, 2])",
    "a slider": "from ipywidgets import IntSlider\nIntSlider(7)",
    "another thing": "import altair\nfigure",
    "nothing": "import plotly\nx = 1",
    "text": "print(1)",
}
"""Code of blocks that run, and what is foreseen of them: all but the last have a frame ready."""

READY = {"lines": "charts.js", "a slider": "widgets.js", "another thing": "vega.js", "nothing": "charts.js"}


def _mark(page: Page, cell: str) -> str:
    """Marks a block's frame, from outside and from inside; gives how high it is."""
    frame_of(page, cell).locator("#root").evaluate("() => { globalThis.mark = true; }")
    frame = block_of(page, cell).locator("iframe")
    return str(
        frame.evaluate("node => { node.dataset.mark = 'same'; return getComputedStyle(node).height; }")
    )


@behaviour("page:frames:ready")
def test_a_frame_is_ready_when_a_block_that_runs_shows_what_its_code_says(
    browser: Browser, host: Host, stage: Stage
) -> None:
    slider = stage.show("first slider", "w.IntSlider(value=7)")
    shown = host.block(slider.cell).outputs
    chart = figures({"data": [LINE]})
    cells = {name: host.show(name, (), ended=False, source=code) for name, code in CODE.items()}
    with opened(browser, host) as page:
        for name, program in READY.items():
            block_of(page, cells[name]).scroll_into_view_if_needed()
            frame_of(page, cells[name]).locator("#root").wait_for(state="attached")
            assert inside(page, cells[name], BEGUN) == program
            assert _mark(page, cells[name]) == "0px"
        expect(block_of(page, cells["text"]).locator("iframe")).to_have_count(0)

        host.show("lines", chart, source=CODE["lines"])
        host.show("a slider", shown, source=CODE["a slider"], panel=slider.panel)
        host.show("another thing", chart, source=CODE["another thing"])
        host.show("nothing", (), source=CODE["nothing"])
        shows = {"lines": ".scatterlayer", "a slider": ".noUi-handle", "another thing": ".scatterlayer"}
        for name, selector in shows.items():
            block_of(page, cells[name]).scroll_into_view_if_needed()
            expect(frame_of(page, cells[name]).locator(selector).first).to_be_visible()
            expect(block_of(page, cells[name]).locator("iframe[data-mark=same]")).to_have_count(1)
            assert inside(page, cells[name], "() => globalThis.mark")
        expect(block_of(page, cells["nothing"]).locator("iframe")).to_have_count(0)
