"""What hostile outputs try: nothing leaves their frames, and their frames go on with what they may do."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from coderunner.outputs import DisplayData
from coderunner.page.html.block_html import Setting
from coderunner.page.html.sandboxed_frames import LEVELS, Level
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, opened

pytestmark = [*MARKS, pytest.mark.timeout(240)]

CORPUS = (Path(__file__).parents[1] / "corpora" / "attacks.txt").read_text(encoding="utf-8")
PATIENT = 60_000
"""Milliseconds for a frame with everything in it, Plotly included, on a busy machine."""

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


@behaviour("page:attacks:nothing-leaves")
@pytest.mark.parametrize("level", LEVELS)
def test_no_hostile_output_reaches_the_page_or_any_server(browser: Browser, host: Host, level: Level) -> None:
    host.setting = Setting(scripts=level == "scripts")
    cells = {}
    for group in GROUPS:
        pieces = [
            bundle(attack.kind, attack.source.replace("HIT/", f"{host.address}/hit/"))
            for attack in ATTACKS
            if attack.group == group
        ]
        cells[group] = host.show(f"{level} {group}", [*pieces, bundle("text/html", CONTROL)])
    with opened(browser, host, complains=True) as page:
        popups: list[object] = []
        page.context.on("page", lambda popup: popups.append(popup.url))
        page.on("dialog", lambda dialog: popups.append(dialog.message))
        before = page.evaluate(UNHARMED)
        for group, cell in cells.items():
            block_of(page, cell).scroll_into_view_if_needed()
            if group in LEFT[level]:
                expect(block_of(page, cell)).to_contain_text("Output stopped.", timeout=PATIENT)
            else:
                words = "control ran" if level == "scripts" else "control"
                expect(frame_of(page, cell).locator(".control")).to_have_text(words, timeout=PATIENT)
        # Long enough for what comes late: a refresh, a worker, a frame in a frame.
        page.wait_for_function(f"performance.now() > {page.evaluate('performance.now()')} + 1500")
        assert page.evaluate(UNHARMED) == before
        assert (popups, host.acts, host.asked) == ([], [], [])


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
