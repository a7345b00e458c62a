"""What hostile outputs try: nothing leaves their frames, and their frames go on with what they may do."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from coderunner.outputs import DisplayData
from coderunner.page.block_state import Block
from coderunner.page.html import output_html
from coderunner.page.html.active_output import Boxed
from coderunner.page.html.block_html import Setting
from coderunner.page.html.boxes import clean_html
from coderunner.page.html.sandboxed_frames import LEVELS, Level
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, opened

pytestmark = [*MARKS, pytest.mark.timeout(240)]

CORPUS = (Path(__file__).parents[1] / "corpora" / "attacks.txt").read_text(encoding="utf-8")
PATIENT = 60_000
"""Milliseconds for a frame with everything in it, Plotly included, on a busy machine."""

LOOKS = 12
"""How often a block is looked for in that time."""

CONTROL = '<p class="control">control</p><script>document.querySelector(".control").append(" ran")</script>'


@dataclass(frozen=True, slots=True)
class Attack:
    """One piece of the corpus."""

    group: str
    name: str
    kind: str
    source: str


def attacks() -> Iterator[Attack]:
    for group in re.split(r"^# ", CORPUS, flags=re.MULTILINE)[1:]:
        title, *pieces = re.split(r"^== ", group, flags=re.MULTILINE)
        for piece in pieces:
            head, _, source = piece.partition("\n")
            name, _, kind = head.partition(" ")
            yield Attack(title.strip(), name, kind or "text/html", source.strip())


ATTACKS = tuple(attacks())
GROUPS = tuple(dict.fromkeys(attack.group for attack in ATTACKS))


def bundle(kind: str, source: str) -> DisplayData:
    is_json = kind.endswith("json")
    return DisplayData({kind: json.loads(source) if is_json else source, "text/plain": "plain"})


LEFT = {
    "scripts": [group for group in GROUPS if group.startswith("leave by")],
    # Without a script there is one way to go elsewhere; the shell closes that, too.
    "still": ["leave by refresh"],
}
"""Groups that try to leave their frame, and are stopped there."""

UNHARMED = """() => [document.title, localStorage.hacked, sessionStorage.hacked, document.cookie,
    document.querySelectorAll("script").length, location.pathname]"""


def see_control(page: Page, cell: str, words: str) -> None:
    """Look at a block until the control in its frame reads like `words`, a pattern.

    What stands above it grows meanwhile and pushes it away, and of many frames those far away are closed:
    whoever waits in one at that moment is told that the page is gone.
    """
    control = frame_of(page, cell).locator(".control")
    said = None
    for _ in range(LOOKS):
        block_of(page, cell).scroll_into_view_if_needed()
        try:
            return expect(control).to_have_text(re.compile(words), timeout=PATIENT / LOOKS)
        except (AssertionError, Error) as error:
            said = error
        assert not page.is_closed()
    raise AssertionError(f"the control of {cell} is not seen") from said


@behaviour("page:attacks:nothing-leaves")
@pytest.mark.parametrize("level", LEVELS)
def test_no_hostile_output_reaches_the_page_or_any_server(browser: Browser, host: Host, level: Level) -> None:
    host.setting = Setting(scripts=level == "scripts")
    cells: dict[str, str] = {}
    outputs: dict[str, list[DisplayData]] = {}
    for group in GROUPS:
        pieces = [
            bundle(attack.kind, attack.source.replace("HIT/", f"{host.address}/hit/"))
            for attack in ATTACKS
            if attack.group == group
        ]
        outputs[group] = [*pieces, bundle("text/html", CONTROL)]
        # Every other one is drawn in a frame that was ready while its block ran.
        ready = len(cells) % 2 == 1
        first = () if ready else outputs[group]
        cells[group] = host.show(f"{level} {group}", first, ended=not ready, source="import plotly")
    with opened(browser, host, complains=True) as page:
        popups: list[object] = []
        page.context.on("page", lambda popup: popups.append(popup.url))
        page.on("dialog", lambda dialog: popups.append(dialog.message))
        before = page.evaluate(UNHARMED)
        for group, cell in cells.items():
            if not host.block(cell).outputs:
                block_of(page, cell).scroll_into_view_if_needed()
                frame_of(page, cell).locator("#root").wait_for(state="attached")
                host.show(f"{level} {group}", outputs[group], source="import plotly")
        for group, cell in cells.items():
            block_of(page, cell).scroll_into_view_if_needed()
            if group in LEFT[level]:
                expect(block_of(page, cell)).to_contain_text("Output stopped.", timeout=PATIENT)
            else:
                see_control(page, cell, "^control ran$" if level == "scripts" else "^control$")
        # Long enough for what comes late: a refresh, a worker, a frame in a frame.
        page.wait_for_function(f"performance.now() > {page.evaluate('performance.now()')} + 1500")
        assert page.evaluate(UNHARMED) == before
        assert (popups, host.acts, host.asked) == ([], [], [])


@behaviour("page:attacks:loaders")
def test_what_a_hostile_block_loads_reaches_no_more_from_the_frames_of_later_blocks(
    browser: Browser, host: Host
) -> None:
    cells = {}
    for group in GROUPS:
        # Each leaves something behind, so that later blocks get it.
        pieces = [
            bundle(attack.kind, lasting(attack.kind, attack.source).replace("HIT/", f"{host.address}/hit/"))
            for attack in ATTACKS
            if attack.group == group
        ]
        host.show(f"loads {group}", pieces, chat=group)
        cells[group] = host.show(f"after {group}", [bundle("text/html", CONTROL)], chat=group)
    looks = {group: host.subscriptions.look(cell, "") for group, cell in cells.items()}
    assert sum(len(look.loaders) for look in looks.values() if look is not None) > 40
    with opened(browser, host, complains=True) as page:
        before = page.evaluate(UNHARMED)
        for cell in cells.values():
            # What leaves its frame is stopped, and left out from then on: with it, all scripts of that frame.
            see_control(page, cell, "control")
        page.wait_for_function(f"performance.now() > {page.evaluate('performance.now()')} + 1500")
        assert page.evaluate(UNHARMED) == before
        assert (host.acts, host.asked) == ([], [])


def lasting(kind: str, source: str) -> str:
    if kind == "application/javascript":
        return f"window.lasting = 1;\n{source}"
    return re.sub(r"(<script(?![^>]* src)[^>]*>)", r"\1window.lasting = 1;\n", source)


PLACES = """() => {
    const blocks = [...document.querySelectorAll("code-runner-output")], covered = [];
    for (const { id, shadowRoot } of blocks) {
        for (const name of [".cr-bar button", ".cr-code code"]) {
            const place = shadowRoot.querySelector(name);
            place.scrollIntoView({ block: "center" });
            const { x, y, width, height } = place.getBoundingClientRect();
            const found = shadowRoot.elementFromPoint(x + width / 2, y + height / 2);
            if (found !== place && !place.contains(found)) covered.push(id);
        }
    }
    return [covered, document.documentElement.scrollWidth > innerWidth];
}"""
"""The blocks of which something else covers a button or the code; and whether the page has become wider."""

TAKEN = """() => [document.activeElement.localName, location.hash, document.getElementById("coderunner"),
    typeof document.getElementById, window.coderunner instanceof Node, document.dir, ({}).polluted ?? null]"""

NAKED = """([html, style]) => {
    const root = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    root.innerHTML = html;
}"""


@behaviour("page:attacks:boxes")
def test_what_stands_in_the_page_of_a_hostile_output_does_nothing(browser: Browser, host: Host) -> None:
    sources = {each: each.source.replace("HIT/", f"{host.address}/hit/") for each in ATTACKS}
    cells = {}
    for attack, source in sources.items():
        # What acts goes to frames, which are attacked above.
        if isinstance(output_html.draw(bundle(attack.kind, source), Block()), Boxed):
            cells[attack.name] = host.show(attack.name, [bundle(attack.kind, source)])
    assert len(cells) > 15
    with opened(browser, host, viewport={"width": 900, "height": 700}) as page:
        popups: list[object] = []
        page.context.on("page", lambda popup: popups.append(popup.url))
        page.on("dialog", lambda dialog: popups.append(dialog.message))
        for cell in cells.values():
            expect(block_of(page, cell).locator(".cr-box")).to_have_count(1)
        before = page.evaluate(UNHARMED)
        assert page.evaluate(PLACES) == [[], False]
        assert page.locator("iframe").count() == 0
        # The cleaner itself holds, whatever was decided before.
        for attack, source in sources.items():
            if attack.kind == "text/html":
                page.evaluate(NAKED, [clean_html.purified(source, whole=False) or "", ""])
        page.wait_for_function(f"performance.now() > {page.evaluate('performance.now()')} + 1500")
        assert page.evaluate(UNHARMED) == before
        assert page.evaluate(TAKEN) == ["body", "", None, "function", False, "", None]
        assert (popups, host.acts, host.asked) == ([], [], [])
        # Without a box it would be seen.
        page.evaluate(NAKED, ["<p>x</p>", "p { position: fixed; inset: 0 }"])
        covered, _ = page.evaluate(PLACES)
        assert len(covered) == 2 * len(cells)


@behaviour("page:attacks:real")
def test_the_same_outputs_would_reach_a_server_from_a_page_that_puts_them_into_itself(
    browser: Browser, host: Host
) -> None:
    with opened(browser, host, complains=True) as page:
        for attack in ATTACKS:
            if attack.group == "marks":
                source = attack.source.replace("HIT/", f"{host.address}/hit/")
                page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", source)
        page.wait_for_function(f"performance.now() > {page.evaluate('performance.now()')} + 1500")
    assert len(set(host.asked)) > 20


@behaviour("page:attacks:many")
def test_there_are_many_of_them_and_each_is_another_one() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 60
