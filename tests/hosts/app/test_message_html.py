"""What a message shows: fixed values in, HTML out."""

from dataclasses import replace

from hypothesis import given

from coderunner.hosts.app.conversation.message_parts import Message, Notice, Prose, Thought
from coderunner.hosts.app.page import message_html
from coderunner.hosts.app.page.message_html import Drawing, Html
from coderunner.outputs import Stream
from coderunner.runner import without_tags
from tests.behaviours import behaviour
from tests.page.test_block_html import HOSTILE, Reading, ended, texts


@behaviour("app:view:text")
@given(texts, texts)
def test_thoughts_and_notices_are_text(thought: str, notice: str) -> None:
    message = Message("assistant", HOSTILE, (Thought(thought), Notice(notice)), tokens=7)
    parts = Drawing().contents(message)
    assert [Reading(part.html).foreign for part in parts] == [[], [], []]


@behaviour("app:view:order")
def test_a_reply_shows_its_parts_in_order_and_a_foot_when_it_is_finished() -> None:
    block = replace(ended(Stream("stdout", "15\n")), id="its-unguessable-id")
    message = Message("assistant", "…", (Prose("Let me see."), block, Prose("It is 15.")))
    parts = Drawing().contents(message)
    assert len(parts) == 4
    assert parts[0] == Html('<div class="cr-prose"><p>Let me see.</p>\n</div>')
    assert parts[1] == Html(
        '<code-runner-output id="cr-its-unguessable-id" data-cr="its-unguessable-id"></code-runner-output>'
    )


@behaviour("app:view:order")
def test_a_reply_that_has_nothing_to_show_yet_shows_that_it_is_being_written() -> None:
    waiting = Message("assistant", "", finished=False)
    thinking = replace(waiting, parts=(Thought("hm"),))
    writing = replace(waiting, parts=(Prose("So"),))
    dots = Html(message_html.DOTS)
    assert [Drawing().contents(each)[-1] == dots for each in (waiting, thinking, writing)] == [
        True,
        True,
        False,
    ]


@behaviour("app:view:thought")
def test_a_thought_is_shown_without_the_tags_that_it_came_in() -> None:
    thought = Message("assistant", "", (Thought("<think>\nis <x> a tag?\n</think>\n"),))
    shown = Drawing(without_tags).contents(thought)
    assert Reading(shown[0].html).text == "Thoughtis <x> a tag?"


@behaviour("app:view:kept")
def test_a_part_that_stays_the_same_is_drawn_once() -> None:
    drawing, block = Drawing(), ended()
    first = drawing.contents(Message("assistant", "", (block,)))
    second = drawing.contents(Message("assistant", "", (block, Prose("more"))))
    assert first[0] is second[0]
