"""What comes to a page while a reply is written: counted in bytes, by a real browser."""

from collections.abc import Iterator

import pytest
from bench.traffic import size, steady, traffic_of
from playwright.sync_api import Browser

from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS

pytestmark = MARKS


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with steady(pace=4.0) as address:
        yield address


@behaviour("app:traffic:linear")
@pytest.mark.parametrize("what", ["a block of code", "prose", "a thought", "what a program prints"])
def test_a_reply_costs_its_page_no_more_than_eight_times_its_text(
    browser: Browser, address: str, what: str
) -> None:
    traffic = traffic_of(browser, address, what)
    assert traffic.whole <= 8 * size(what), traffic
