"""Replies that are kept beyond their end: those that were cut short, and those that clients refer to."""

import time

from coderunner.records.database import kept_reply_queries
from coderunner.records.database.connection import Database
from tests.behaviours import behaviour

from .conftest import Open

HOSTILE = 'nul \0, half \ud83d, "quoted", ümlaut'


@behaviour("records:responses")
def test_a_response_is_its_owners_alone_in_every_process_until_it_is_deleted(replica: Open) -> None:
    one, other = replica(), replica()
    one.note_response("resp_a", "alice", "first")
    one.note_response("resp_a", "alice", HOSTILE)  # a retry ends as well
    assert other.response("resp_a", "alice") == HOSTILE
    assert other.response("resp_a", "bob") == ""
    assert not other.delete_response("resp_a", "bob")
    assert other.delete_response("resp_a", "alice")
    assert not one.delete_response("resp_a", "alice")
    assert one.response("resp_a", "alice") == ""


@behaviour("records:responses")
def test_what_is_older_than_the_records_are_kept_is_forgotten(replica: Open, address: str) -> None:
    records = replica()
    records.note_response("resp_a", "alice", "content")
    records.note_cut("request", "so far", within=60)
    store = Database(address)
    try:
        store.write(kept_reply_queries.forget, time.time() - 60)
        assert records.response("resp_a", "alice") == "content"
        store.write(kept_reply_queries.forget, time.time() + 60)
    finally:
        store.close()
    assert records.response("resp_a", "alice") == ""
    assert records.take_cut("request", within=60) == ""
