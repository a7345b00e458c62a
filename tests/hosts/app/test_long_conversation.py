"""A long conversation at the page: opened at its end, read upwards, found in, and gone on with. One page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.conversation import image, notebook, plotly, table, text
from playwright.sync_api import Browser, Locator, expect

from coderunner.hosts.app.server import App
from coderunner.runner import from_notebook
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Visitor, served, visitor
from tests.hosts.app.parrot import Parrot
from tests.hosts.app.test_widgets import started

pytestmark = MARKS

TURNS = 20
KINDS = [text, table, image, text, plotly] * 8


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    return started(parrot, Path(tmp_path_factory.mktemp("long")))


@pytest.fixture(scope="module")
def somebody(app: App, browser: Browser) -> Iterator[Visitor]:
    identity = from_notebook(app.records, notebook([*KINDS[:-1], text], TURNS), "long")
    with served(app.asgi) as address, visitor(browser, "about:blank") as somebody:
        somebody.come_in(address)
        somebody.page.add_init_script(NOTED)
        somebody.page.goto(f"{address}/?c={identity}")
        expect(blocks(somebody)).to_have_count(len(KINDS))
        yield somebody


NOTED = """
// In which order blocks are drawn.
window.drawn = [];
addEventListener("DOMContentLoaded", () => setInterval(() => {
    for (const each of document.querySelectorAll("#cr-chat code-runner-output")) {
        const its = each.shadowRoot?.querySelector(".cr-cell");
        if (its && !window.drawn.includes(each.dataset.cr)) window.drawn.push(each.dataset.cr);
    }
}, 10));
"""

PLACE = "document.querySelector('#cr-chat .bubble-wrap')"


def blocks(somebody: Visitor) -> Locator:
    return somebody.page.locator("#cr-chat code-runner-output")


def all_drawn(somebody: Visitor) -> None:
    somebody.page.wait_for_function("count => window.drawn.length === count", arg=len(KINDS))


@behaviour("app:long:end")
def test_what_is_in_view_is_drawn_first_and_all_the_rest_without_being_scrolled_to(
    somebody: Visitor,
) -> None:
    all_drawn(somebody)
    ids = blocks(somebody).evaluate_all("all => all.map(each => each.dataset.cr)")
    drawn = somebody.page.evaluate("window.drawn")
    assert drawn.index(ids[-1]) < 8
    assert drawn.index(ids[0]) > len(ids) - 8
    expect(blocks(somebody).last.locator(".cr-state")).to_be_in_viewport()
    assert somebody.page.evaluate(f"{PLACE}.scrollTop") > 3000


@behaviour("app:long:end")
def test_an_earlier_turn_looks_like_the_last_one(somebody: Visitor) -> None:
    gaps = """() => ['.cr-earlier ', ''].map((where) => {
        const row = (who) => [...document.querySelectorAll(`#cr-chat ${where}.${who}-row`)].at(-1);
        const said = row("user").querySelector(".cr-said"), prose = row("bot").querySelector(".cr-prose");
        const block = row("bot").querySelector("code-runner-output");
        const foot = row("bot").querySelector(".cr-foot");
        const [a, b, c, d] = [said, prose, block, foot].map((each) => each.getBoundingClientRect());
        const font = getComputedStyle(prose), own = getComputedStyle(said);
        return [a.right, b.left, b.width, c.left, c.width, b.top - a.bottom, c.top - b.bottom, d.height,
            d.left, font.fontSize, font.lineHeight, font.color, own.fontSize, own.color];
    })"""
    earlier, last = somebody.page.evaluate(gaps)
    assert earlier == last


@behaviour("app:long:still")
def test_nothing_that_is_read_moves_while_something_above_it_is_drawn(somebody: Visitor) -> None:
    somebody.page.reload()
    expect(blocks(somebody)).to_have_count(len(KINDS))
    expect(blocks(somebody).last.locator(".cr-state")).to_be_in_viewport()
    somebody.complaints.clear()  # a page that is left says so
    assert somebody.page.evaluate(READ_UPWARDS) < LINE


LINE = 24
"""Pixels of a line of text: an output that is cut by the edge of the view may still settle by less."""


READ_UPWARDS = f"""async () => {{
    const at = {PLACE}, frame = () => new Promise(requestAnimationFrame);
    let most = 0;
    for (let step = 0; step < 12; step += 1) {{
        at.dispatchEvent(new WheelEvent("wheel", {{ bubbles: true }}));
        at.scrollTop -= 600;
        await frame();
        // The first thing that begins in view stays where it is from now on.
        const top = at.getBoundingClientRect().top;
        const node = [...document.querySelectorAll("#cr-chat :is(.cr-said, .cr-prose, code-runner-output)")]
            .find((each) => each.getBoundingClientRect().top > top);
        const place = node.getBoundingClientRect().top, end = performance.now() + 250;
        while (performance.now() < end) {{
            await frame();
            most = Math.max(most, Math.abs(node.getBoundingClientRect().top - place));
        }}
    }}
    return most;
}}"""
"""How many pixels something moves at most that is read, step by step from the end."""


FRAMES = "new Promise((soon) => requestAnimationFrame(() => setTimeout(soon, 100)))"
WHEEL = f"{PLACE}.dispatchEvent(new WheelEvent('wheel', {{ bubbles: true }}))"


def grows(somebody: Visitor, block: int, pixels: int) -> None:
    blocks(somebody).nth(block).evaluate("(at, to) => { at.style.paddingBottom = `${to}px`; }", pixels)
    somebody.page.evaluate(FRAMES)


@behaviour("app:long:found")
def test_what_is_found_far_above_stays_in_view(somebody: Visitor) -> None:
    page = somebody.page
    all_drawn(somebody)
    # Read upwards, while something grows; then by hand back to the end.
    page.evaluate(f"{WHEEL}; {PLACE}.scrollTop -= 900")
    grows(somebody, 4, 50)
    page.evaluate(f"{WHEEL}; {PLACE}.scrollTop = {PLACE}.scrollHeight")
    expect(blocks(somebody).last.locator(".cr-state")).to_be_in_viewport()
    # As the browser's own search does: without a key or a pointer that the page hears of or just heard of.
    page.wait_for_function(f"performance.now() > {page.evaluate('performance.now()')} + 1000")
    first = blocks(somebody).first.locator(".cr-bar")
    first.evaluate("found => found.scrollIntoView()")
    grows(somebody, 4, 100)
    expect(first).to_be_in_viewport()


@behaviour("app:long:goes-on")
def test_a_message_more_leaves_all_that_is_drawn_as_it_is(somebody: Visitor) -> None:
    page = somebody.page
    page.evaluate(
        "document.querySelectorAll('#cr-chat code-runner-output').forEach(each => { each.marked = true; })"
    )
    somebody.ask("and now")
    expect(somebody.page.locator("#cr-chat .cr-said").last).to_be_in_viewport()
    marked = "all => all.filter(each => each.marked && each.shadowRoot.querySelector('.cr-cell')).length"
    assert blocks(somebody).evaluate_all(marked) == len(KINDS)


@behaviour("app:long:goes-on")
def test_an_earlier_message_is_edited_where_it_stands(somebody: Visitor) -> None:
    own = somebody.page.locator("#cr-chat .cr-own").nth(3)
    own.scroll_into_view_if_needed()
    own.hover()
    own.get_by_role("button", name="Edit", exact=True).click()
    own.get_by_label("Edit the message").fill("something else")
    own.get_by_role("button", name="Send", exact=True).click()
    said = somebody.page.locator("#cr-chat .cr-said")
    expect(said).to_have_count(4)
    expect(said.last).to_have_text("something else")
    expect(somebody.feet).to_have_count(4)
    expect(said.last).to_be_in_viewport()
    somebody.page.get_by_role("button", name="Previous version").click()
    expect(said).to_have_count(TURNS + 1)
    expect(blocks(somebody)).to_have_count(len(KINDS))
