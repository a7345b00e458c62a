"""What a program can show, in Firefox: live, and after the page is loaded again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.runner import Local, Sessions, WidgetPanel
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND
from tests.page import firefox as fox
from tests.page.firefox import Firefox, firefox
from tests.page.host import Host
from tests.page.zoo import ANIMALS, Animal

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not fox.path(), reason=f"{fox.NAME} is not installed"),
]

# What the page holds, shadow trees included.
DEEP = """
(selector, text, root) => {
  const all = (node) => [node, ...[...node.querySelectorAll("*")].flatMap(
    (each) => each.shadowRoot ? all(each.shadowRoot) : [])];
  return all(root).some((node) => [...node.querySelectorAll(selector)].some(
    (each) => each.textContent.includes(text) && each.getClientRects().length > 0));
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Firefox]:
    with firefox() as browser:
        yield browser


def see(browser: Firefox, cell: str, animal: Animal) -> None:
    browser.says(f"document.querySelector('#cr-{cell}').scrollIntoView() ?? true")
    selector, _, _which = animal.selector.partition(" >> ")
    wanted = f"{json.dumps(selector)}, {json.dumps(animal.text)}"
    root = "document" if animal.framed else f"document.querySelector('#cr-{cell}').shadowRoot ?? document"
    browser.until(f"({DEEP})({wanted}, {root})", framed=animal.framed)


@behaviour("page:zoo:firefox")
def test_each_kind_is_shown_in_firefox_too(browser: Firefox, host: Host, tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    session = sessions.get("zoo", Local())
    try:
        panels = {name: WidgetPanel() for name in ANIMALS}
        results = {
            name: session.begin(animal.code, panel=panels[name]).wait(BOUND)
            for name, animal in ANIMALS.items()
        }
    finally:
        sessions.io_thread.call(sessions.close_all(), BOUND)
    cells = {
        name: host.show(name, result.outputs, panel=panels[name])
        for name, result in results.items()
        if result
    }
    browser.open(host.address)
    for name, cell in cells.items():
        see(browser, cell, ANIMALS[name])
    browser.reload()
    for name, cell in cells.items():
        see(browser, cell, ANIMALS[name])
    assert host.asked == []
