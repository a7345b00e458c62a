"""What hostile outputs try, in Firefox: nothing leaves their frames and boxes there either."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from coderunner.page.block_state import Block
from coderunner.page.html import output_html
from coderunner.page.html.active_output import Boxed
from coderunner.page.html.block_html import Setting
from coderunner.page.html.sandboxed_frames import LEVELS, Level
from tests.behaviours import behaviour
from tests.page import firefox as fox
from tests.page.firefox import Firefox, firefox
from tests.page.host import Host
from tests.page.test_attacks import ATTACKS, GROUPS, PLACES, TAKEN, UNHARMED, bundle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not fox.path(), reason=f"{fox.NAME} is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    with firefox() as browser:
        yield browser


def read(browser: Firefox, script: str) -> object:
    """What a script of the page gives, as JSON has it."""
    return json.loads(str(browser.says(f"JSON.stringify(({script})())")))


def wait_for_what_comes_late(browser: Firefox) -> None:
    """Long enough for a refresh, a worker, a frame in a frame."""
    browser.until(f"performance.now() > {browser.says('performance.now()')} + 1500")


def control(group: str, level: Level) -> tuple[str, str]:
    """HTML that stands below the attacks of a group, and what is true of its frame once it is drawn."""
    number = GROUPS.index(group)
    source = (
        f'<p class="control" id="control-{number}">control</p>'
        f'<script>document.querySelector("#control-{number}").append(" ran")</script>'
    )
    words = "control ran" if level == "scripts" else "control"
    return source, f"document.querySelector('#control-{number}')?.textContent === {json.dumps(words)}"


@behaviour("page:attacks:firefox")
@pytest.mark.parametrize("level", LEVELS)
def test_no_hostile_output_reaches_the_page_or_any_server_in_firefox(
    browser: Firefox, host: Host, level: Level
) -> None:
    host.setting = Setting(scripts=level == "scripts")
    cells = {}
    for group in GROUPS:
        pieces = [
            bundle(attack.kind, attack.source.replace("HIT/", f"{host.address}/hit/"))
            for attack in ATTACKS
            if attack.group == group
        ]
        cells[group] = host.show(f"{level} {group}", [*pieces, bundle("text/html", control(group, level)[0])])
    browser.open(host.address)
    before = read(browser, UNHARMED)
    for group, cell in cells.items():
        browser.says(f"document.querySelector('#cr-{cell}').scrollIntoView() ?? true")
        # What tries to leave its frame stays in it, as if it had not tried; Chromium stops it.
        browser.until(control(group, level)[1], framed=True)
    wait_for_what_comes_late(browser)
    assert read(browser, UNHARMED) == before
    assert (browser.tabs(), host.acts, Counter(host.asked)) == (1, [], Counter())


@behaviour("page:attacks:firefox")
def test_what_stands_in_the_page_of_a_hostile_output_does_nothing_in_firefox(
    browser: Firefox, host: Host
) -> None:
    cells = []
    for attack in ATTACKS:
        source = attack.source.replace("HIT/", f"{host.address}/hit/")
        if isinstance(output_html.draw(bundle(attack.kind, source), Block()), Boxed):
            cells.append(host.show(attack.name, [bundle(attack.kind, source)]))
    browser.open(host.address)
    for cell in cells:
        browser.until(f"!!document.querySelector('#cr-{cell}').shadowRoot?.querySelector('.cr-box')")
    before = read(browser, UNHARMED)
    assert read(browser, PLACES) == [[], False]
    wait_for_what_comes_late(browser)
    assert read(browser, UNHARMED) == before
    assert read(browser, TAKEN) == ["body", "", None, "function", False, "", None]
    assert (browser.tabs(), host.acts, host.asked) == (1, [], [])
    # In a page that puts them into itself they do reach a server.
    for attack in ATTACKS:
        if attack.group == "marks":
            source = attack.source.replace("HIT/", f"{host.address}/hit/")
            browser.says(f"document.body.insertAdjacentHTML('beforeend', {json.dumps(source)}) ?? true")
    wait_for_what_comes_late(browser)
    assert len(set(host.asked)) > 20
