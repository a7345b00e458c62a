"""The rows of the list, and what becomes of titles in them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import gradio as gr
import pytest

from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.page.conversation_list import LONGEST, listing, section
from coderunner.hosts.app.page.list_updates import ListUpdates, zone_of
from coderunner.hosts.app.server import App
from coderunner.runner import ConversationList, ConversationSummary
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND

HOSTILE = '"><img src=x onerror="hack()">'
NOW = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
CARDS = [
    ConversationSummary(f"id{number}", f"Talk {number}", NOW.timestamp()) for number in range(LONGEST + 5)
]


def known_of(*cards: ConversationSummary) -> ConversationList:
    return ConversationList(cards, len(cards), cards[0])


@behaviour("app:list:rows")
def test_the_pages_own_row_is_marked_and_older_ones_are_counted() -> None:
    known = ConversationList(tuple(CARDS[:LONGEST]), len(CARDS), CARDS[1])
    shown = listing(known, {"id0": "writing", "id2": "asking"}, NOW)
    assert shown.startswith(
        '<nav aria-label="Conversations" data-cr-current="id1" data-cr-title="Talk 1">'
        '<h4 class="cr-when">Today</h4><ul aria-label="Today">'
        '<li class="cr-run" data-cr-chat="id0" data-cr-name="Talk 0">'
        '<a href="?c=id0" title="Talk 0&#10;Thursday, 5 March 2026, 09:30">'
    )
    assert '<a href="?c=id1" title="Talk 1&#10;Thursday, 5 March 2026, 09:30" aria-current=page>' in shown
    assert 'title="Waiting for you"' in shown
    assert 'title="Download as a notebook" aria-label="Download as a notebook: Talk 0"' in shown
    assert "5 older conversations: use search to find them." in shown
    assert shown.count("<li") == LONGEST
    found = listing(known, {}, NOW, found=CARDS[: LONGEST + 1])
    assert "More than 200 found, the latest are listed: add a word to find others." in found
    assert found.count("<li") == LONGEST


@behaviour("app:list:address")
async def test_a_list_that_was_asked_for_elsewhere_names_the_conversation_that_the_page_was_given_last(
    tmp_path: Path,
) -> None:
    app = App(load({"demo": True, "data_dir": tmp_path}))
    for name in ("before", "now"):
        app.archive.keep(name, [Message("user", name)])
    assert app.records.settle(BOUND)
    updates = ListUpdates(app.conversations, app.archive, {"page": "now"}.get)
    shown = [await updates.update("before", "", page) for page in ("page", "one that was given none")]
    app.records.close()
    assert ['data-cr-current="now"' in each for each in shown] == [True, False]
    assert ['data-cr-current="before"' in each for each in shown] == [False, True]


@behaviour("app:list:order")
async def test_a_page_that_shows_an_older_list_than_it_was_sent_last_is_sent_it_again(tmp_path: Path) -> None:
    app = App(load({"demo": True, "data_dir": tmp_path}))
    updates = ListUpdates(app.conversations, app.archive, lambda _: None)
    marks: list[str] = []
    for name in ("before", "now"):
        app.archive.keep(name, [Message("user", name)])
        assert app.records.settle(BOUND)
        sent = await updates.update("", "", "page", *marks)
        marks = [str(sent.rpartition('="')[2].partition('"')[0])]
        if name == "before":
            (older,) = marks
    assert await updates.update("", "", "page", older) == sent
    for shown in (marks, []):
        assert await updates.update("", "", "page", *shown) == gr.skip()
    app.records.close()


@behaviour("app:list:search")
def test_a_search_without_success_says_so_and_the_page_stays_where_it_is() -> None:
    shown = listing(known_of(*CARDS), {}, NOW, found=[])
    assert "No conversations found." in shown
    assert 'data-cr-current="id0"' in shown


@behaviour("app:list:escaped")
def test_no_title_becomes_part_of_the_page() -> None:
    summary = ConversationSummary("id", HOSTILE, 0.0)
    shown = listing(known_of(summary), {}, NOW)
    assert "<img" not in shown
    assert '"hack' not in shown


@behaviour("app:list:dates")
@pytest.mark.parametrize(
    ("ago", "heading"),
    [
        (timedelta(hours=-1), "Today"),
        (timedelta(hours=9), "Today"),
        (timedelta(hours=10), "Yesterday"),
        (timedelta(days=2), "Previous 7 days"),
        (timedelta(days=7), "Previous 7 days"),
        (timedelta(days=8), "February"),
        (timedelta(days=70), "December 2025"),
    ],
)
def test_conversations_stand_below_the_day_or_month_of_their_last_words(ago: timedelta, heading: str) -> None:
    summary = ConversationSummary("id", "Talk", (NOW - ago).timestamp())
    assert section(summary, NOW) == heading


@behaviour("app:list:dates")
def test_a_day_begins_where_the_reader_is() -> None:
    summary = ConversationSummary("id", "Talk", NOW.timestamp())
    tomorrow = (NOW + timedelta(hours=13)).astimezone(zone_of("Asia/Tokyo"))
    assert section(summary, tomorrow) == "Yesterday"
    assert "Thursday, 5 March 2026, 18:30" in listing(known_of(summary), {}, tomorrow)
    assert zone_of("Asia/Tokyo") == ZoneInfo("Asia/Tokyo")
    for nonsense in ("", "../../etc/passwd", "/etc/passwd", "Nowhere/Else", "x" * 9999, "a\0b", "Europe"):
        assert zone_of(nonsense) is None


@behaviour("app:list:pinned")
def test_pinned_conversations_stand_above_all_dates() -> None:
    pinned = ConversationSummary("old", "Old", 0.0, pinned=True)
    shown = listing(ConversationList((pinned, *CARDS[:2]), 3), {}, NOW)
    assert shown.index("Pinned") < shown.index("Old") < shown.index("Today") < shown.index("Talk 0")
    assert (shown.count('aria-label="Unpin Old"'), shown.count('aria-label="Pin Talk')) == (1, 2)
