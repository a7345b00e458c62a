"""What real libraries display, in a real browser: run by `make test-libraries`, which installs them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from coderunner.runner import Sessions
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, chromium
from tests.libraries.displays import Display, displays
from tests.libraries.environments import PLACE
from tests.libraries.looking import look_at
from tests.page.host import Host, hosted

pytestmark = [*MARKS, pytest.mark.timeout(600)]

ABSENT = pytest.mark.skip(reason="`make test-libraries` installs the libraries")
DISPLAYS = displays() if PLACE else [pytest.param(None, marks=ABSENT, id="all")]
LONGEST = 4_500
"""Characters that a model reads of one display at most: what it is given of any output."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def host() -> Iterator[Host]:
    with hosted() as host:
        yield host


@behaviour("libraries:shown")
@pytest.mark.parametrize("display", DISPLAYS, ids=lambda each: each.name)
def test_a_display_is_shown_live_and_after_a_reload_and_asks_nobody(
    display: Display, browser: Browser, host: Host, tmp_path: Path
) -> None:
    sessions = Sessions(tmp_path)
    try:
        look = look_at(display, browser, host, sessions)
    finally:
        sessions.io_thread.call(sessions.close_all(), BOUND)
    assert (look.live.outcome, look.reloaded.outcome) == (display.expect, display.expect), look.live.words
    if look.dark:
        assert (look.dark.outcome, look.dark.pale) == (display.expect, 0)
    assert look.asked == ()
    assert look.read.strip()
    assert re.search(display.reads, look.read), look.read
