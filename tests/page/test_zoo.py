"""Everything that a program can show, in a real browser: live, and after the page is loaded again."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Browser, Page, expect

from coderunner.outputs import Output
from coderunner.runner import Local, Sessions, WidgetPanel
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS
from tests.page.host import Host, block_of, frame_of, opened
from tests.page.zoo import ANIMALS

pytestmark = [*MARKS, pytest.mark.timeout(240)]

Shown = Mapping[str, tuple[tuple[Output, ...], WidgetPanel]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What each of them gives in one kernel, which is gone by then: widgets stand still."""
    sessions = Sessions(tmp_path_factory.mktemp("zoo"))
    session = sessions.get("zoo", Local())
    try:
        panels = {name: WidgetPanel() for name in ANIMALS}
        results = {
            name: session.begin(animal.code, panel=panels[name]).wait(BOUND)
            for name, animal in ANIMALS.items()
        }
        return {name: (result.outputs, panels[name]) for name, result in results.items() if result}
    finally:
        sessions.io_thread.call(sessions.close_all(), BOUND)


def see_all(page: Page, cells: Mapping[str, str]) -> None:
    """Look at every block, and see in it what is to be seen."""
    for name, cell in cells.items():
        animal = ANIMALS[name]
        block_of(page, cell).scroll_into_view_if_needed()
        place = frame_of(page, cell).locator("#root") if animal.framed else block_of(page, cell)
        what = place.locator(animal.selector).first
        expect(what).to_be_visible()
        expect(what).to_contain_text(animal.text)


@behaviour("page:zoo:shown")
def test_each_kind_is_shown_live_and_the_same_after_a_reload(
    browser: Browser, host: Host, shown: Shown
) -> None:
    assert shown.keys() == ANIMALS.keys()
    cells = {name: host.show(name, (), ended=False) for name in ANIMALS}
    with opened(browser, host) as page:
        for name in ANIMALS:
            outputs, panel = shown[name]
            host.show(name, outputs, panel=panel)
        see_all(page, cells)
        page.reload()
        see_all(page, cells)
    assert host.asked == []
