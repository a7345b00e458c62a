"""The parts of a reply, written as places in its text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from coderunner.outputs import Aftermath, Result, Status
from coderunner.records.database.message_json import Kind, MessagePart, decode, encode
from tests.behaviours import behaviour

REPLY = "Let me see.\n```python\n1 / 0\n```\nResult: (not run: it was declined)\nAs you like."
PIECES = (
    MessagePart(Kind.THOUGHT, "They want to see it."),
    MessagePart(Kind.PROSE, "Let me see.\n"),
    MessagePart(
        Kind.BLOCK,
        "```python\n1 / 0\n```\n",
        "Result: (not run: it was declined)\n",
        0,
        Result(status=Status.DECLINED),
    ),
    MessagePart(Kind.PROSE, "As you like."),
)

TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
ENDS = st.builds(
    Result, status=st.sampled_from(Status), aftermath=st.sampled_from(Aftermath), detail=st.text(max_size=5)
)
FILES = st.builds(
    MessagePart, st.just(Kind.FILE), TEXT, size=st.integers(0, 10**15), facts=st.none() | st.text(max_size=5)
)
ANY = (
    st.builds(MessagePart, st.sampled_from([Kind.PROSE, Kind.THOUGHT, Kind.NOTICE]), TEXT)
    | FILES
    | st.builds(MessagePart, st.just(Kind.BLOCK), TEXT, TEXT, st.none() | st.integers(0, 9), st.none() | ENDS)
)


@behaviour("records:chats:once")
def test_what_stands_in_the_reply_is_kept_as_its_place_there() -> None:
    kept = json.loads(encode(PIECES, REPLY))
    assert [piece["text"] for piece in kept] == ["They want to see it.", [0, 12], [12, 32], [67, 79]]
    assert kept[2]["read"] == [32, 67]
    assert decode(json.dumps(kept), REPLY) == PIECES


@behaviour("records:chats:exact")
@given(st.lists(ANY, max_size=6), st.data())
def test_pieces_are_read_as_they_were_written_whatever_the_reply_says(
    pieces: list[MessagePart], data: st.DataObject
) -> None:
    shown = "".join(piece.text + piece.read for piece in pieces)
    text = data.draw(st.sampled_from(["", shown, shown[1:], shown * 2]) | TEXT)
    assert decode(encode(pieces, text), text) == tuple(pieces)
