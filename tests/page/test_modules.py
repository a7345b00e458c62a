"""Widgets of others in a real browser: drawn by the programs that their kernel's environment brings."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, expect

from coderunner.runner import SavedPanel
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS
from tests.page.host import block_of, frame_of, opened
from tests.page.stage import Shown, Stage
from tests.page.test_attacks import ATTACKS, UNHARMED

pytestmark = [*MARKS, pytest.mark.timeout(240)]

BARS = """
import bqplot as bq
x, y = bq.LinearScale(), bq.LinearScale()
bars = bq.Bars(x=[1, 2, 3], y=[4, 2, 5], scales={'x': x, 'y': y}, interactions={'click': 'select'})
tall = w.IntSlider(value=5, description='tall')
said = w.Label('five')
def grow(change): bars.y, said.value = [4, 2, change.new], f'now {change.new}'
tall.observe(grow, 'value')
def choose(change): said.value = f'chosen {change.new}'
bars.observe(choose, 'selected')
w.VBox([tall, said, bq.Figure(marks=[bars], axes=[bq.Axis(scale=x)], animation_duration=0)])
"""


def bar(frame: FrameLocator) -> Locator:
    return frame.locator(".bqplot rect.bar").nth(1)


@behaviour("page:modules:shown")
def test_a_figure_of_bqplot_is_drawn_moves_with_a_slider_and_tells_of_clicks(
    browser: Browser, stage: Stage
) -> None:
    shown = stage.show("bars", BARS)
    with opened(browser, stage.host) as page:
        frame = shown.in_frame(page)
        expect(frame.locator(".bqplot rect.bar")).to_have_count(3)
        height = float(bar(frame).get_attribute("height") or 0)
        handle = frame.get_by_role("slider").first
        for _ in range(5):
            handle.press("ArrowRight")
        expect(frame.get_by_text("now 10")).to_be_visible()
        expect(bar(frame)).not_to_have_attribute("height", f"{height}")
        assert shown.printed("print(bars.y)") == "[ 4  2 10]\n"
        bar(frame).click()
        expect(frame.get_by_text("chosen [1]")).to_be_visible()
        page.reload()
        expect(shown.in_frame(page).locator(".bqplot rect.bar")).to_have_count(3)
        assert shown.printed("print(bars.selected)") == "[1]\n"
    assert stage.host.asked == []


@behaviour("page:modules:there-again")
def test_it_is_drawn_again_when_the_kernel_is_gone_and_from_what_was_written_down(
    browser: Browser, stage: Stage
) -> None:
    shown = stage.show("gone", BARS)
    with opened(browser, stage.host, complains=True) as page:
        # A kernel that dies before it was asked for its programs takes them with it.
        expect(shown.in_frame(page).locator(".bqplot rect.bar")).to_have_count(3)
        shown.session.begin("import os; os._exit(1)").wait(BOUND)
        shown.session.begin("'another one'").wait(BOUND)
        kept = stage.host.show("kept", [shown.view], panel=SavedPanel(shown.kept[-1], lambda: shown.modules))
        bare = stage.host.show("bare", [shown.view], panel=SavedPanel(shown.kept[-1]))
        page.reload()
        for cell in (shown.cell, kept):
            block_of(page, cell).scroll_into_view_if_needed()
            expect(frame_of(page, cell).locator(".bqplot rect.bar")).to_have_count(3)
            expect(frame_of(page, cell).get_by_text("Not connected to a kernel")).to_be_visible()
        block_of(page, bare).scroll_into_view_if_needed()
        expect(frame_of(page, bare).locator("pre")).to_contain_text("is not supported here")


@behaviour("page:modules:scripts")
def test_it_shows_its_text_where_scripts_are_off(browser: Browser, stage: Stage) -> None:
    shown = stage.show("still", BARS)
    with opened(browser, stage.host, complains=True) as page:
        expect(shown.in_frame(page).locator(".bqplot")).to_be_visible()
        block_of(page, shown.cell).get_by_label("More", exact=True).click()
        block_of(page, shown.cell).get_by_role("button", name="Disable scripts").click()
        expect(shown.in_frame(page).locator("pre")).to_contain_text(
            "the widget needs scripts, which are turned off"
        )


MADE = """
import os, pathlib, traitlets as t
folder = pathlib.Path(FOLDER)
os.environ["JUPYTER_PATH"] = str(folder)
for name, source in SOURCES.items():
    (folder / "nbextensions" / name).mkdir(parents=True)
    (folder / "nbextensions" / name / "index.js").write_text(source)
def own(module):
    parts = {f"_{kind}_{part}": t.Unicode(each).tag(sync=True)
        for kind in ("model", "view") for part, each in (("name", kind), ("module", module))}
    return type("Own", (w.DOMWidget,), parts)()
display(w.VBox([w.Label("beside"), *map(own, SOURCES)]))
"""
DRAWS = """define(["@jupyter-widgets/base"], (base) => ({
  model: base.DOMWidgetModel,
  view: class extends base.DOMWidgetView { render() { BODY } },
}))"""


def made(stage: Stage, folder: Path, **bodies: str) -> Shown:
    """Widgets with programs of these bodies, each in a module of its own."""
    sources = {name: DRAWS.replace("BODY", body) for name, body in bodies.items()}
    return stage.show("made", MADE.replace("FOLDER", repr(str(folder))).replace("SOURCES", repr(sources)))


@behaviour("page:modules:contained")
def test_what_hostile_outputs_try_leads_nowhere_from_a_program_of_widgets_either(
    browser: Browser, stage: Stage, tmp_path: Path
) -> None:
    tried = [
        attack.source.replace("HIT/", f"{stage.host.address}/hit/")
        for attack in ATTACKS
        if attack.group in ("marks", "scripts") and attack.kind == "text/html"
    ]
    everything = f"""
      this.el.textContent = "ran";
      const place = document.body.appendChild(document.createElement("div"));
      for (const html of {tried!r}) {{
        place.insertAdjacentHTML("beforeend", html);
        for (const old of place.querySelectorAll("script:not([data-done])")) {{
          const script = document.createElement("script");
          for (const each of old.attributes) script.setAttribute(each.name, each.value);
          script.dataset.done = "";
          script.textContent = old.textContent;
          old.replaceWith(script);
        }}
      }}
      for (const act of [() => parent.document.title = "x", () => top.location = "/hit/top",
          () => require(["{stage.host.address}/hit/require.js"]), () => importScripts("/hit/import.js")])
        try {{ act(); }} catch {{ }}"""
    shown = made(stage, tmp_path, hostile=everything)
    with opened(browser, stage.host, complains=True) as page:
        before = page.evaluate(UNHARMED)
        expect(shown.in_frame(page).get_by_text("ran", exact=True)).to_be_visible()
        page.wait_for_function(f"performance.now() > {page.evaluate('performance.now()')} + 1500")
        assert page.evaluate(UNHARMED) == before
    assert stage.host.asked == []


@behaviour("page:modules:failing")
def test_a_program_that_fails_harms_no_widget_beside_it(
    browser: Browser, stage: Stage, tmp_path: Path
) -> None:
    shown = made(stage, tmp_path, fine="this.el.textContent = 'drawn';", broken="}{ }, 'not a program' (")
    with opened(browser, stage.host, complains=True) as page:
        frame = shown.in_frame(page)
        expect(frame.get_by_text("beside", exact=True)).to_be_visible()
        expect(frame.get_by_text("drawn", exact=True)).to_be_visible()
        expect(frame.get_by_text("(model of broken 2.0.0 is not supported here)")).to_be_visible()
