"""The rows of the list, and what becomes of titles in them."""

from pathlib import Path

from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.page.conversation_list import LONGEST, listing
from coderunner.hosts.app.page.list_updates import ListUpdates
from coderunner.hosts.app.server import App
from coderunner.runner import ConversationSummary
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND

HOSTILE = '"><img src=x onerror="hack()">'
CARDS = [ConversationSummary(f"id{number}", f"Talk {number}", 0.0) for number in range(LONGEST + 5)]


@behaviour("app:list:rows")
def test_the_pages_own_row_is_marked_and_older_ones_are_counted() -> None:
    shown = listing(CARDS, CARDS[1], {"id0": "writing", "id2": "asking"})
    assert shown.startswith(
        '<nav aria-label="Conversations" data-cr-current="id1" data-cr-title="Talk 1"><ul>'
        '<li class="cr-run" data-cr-chat="id0"><a href="?c=id0" title="Talk 0">'
    )
    assert (
        '<li class="cr-here" data-cr-chat="id1"><a href="?c=id1" title="Talk 1" aria-current=page>' in shown
    )
    assert 'title="Waiting for you"' in shown
    assert "5 older conversations: use search to find them." in shown
    assert shown.count("<li") == LONGEST


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


@behaviour("app:list:search")
def test_a_search_without_success_says_so_and_the_page_stays_where_it_is() -> None:
    shown = listing([], CARDS[0], {}, searched=True)
    assert "No conversations found." in shown
    assert 'data-cr-current="id0"' in shown


@behaviour("app:list:escaped")
def test_no_title_becomes_part_of_the_page() -> None:
    summary = ConversationSummary("id", HOSTILE, 0.0)
    shown = listing([summary], summary, {})
    assert "<img" not in shown
    assert '"hack' not in shown
