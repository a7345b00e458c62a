"""The rows of the list, and what becomes of titles in them."""

from coderunner.hosts.app.page.conversation_list import LONGEST, listing
from coderunner.runner import ConversationSummary
from tests.behaviours import behaviour

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
