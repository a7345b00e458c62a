import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.models.continuation.echo_removal import RESTART_CHARACTERS, EchoGuard, without_thoughts
from tests.behaviours import behaviour
from tests.models.cost import LINEAR, growth

REPLY = "Let me compute that.\n\n```python\nprint(6 * 7)\n```\nResult: 42\n"
FRESH = "The answer is 42.\n\n```python\nprint('new')\n```\n"

line = st.text(st.sampled_from("ab `~\n\t:é"), max_size=12)
block = st.builds("{}```python\nprint({})\n```\n".format, line, st.integers(0, 99))
reply = st.builds(
    "{}\n{}Result: {}\n{}".format, line, block, st.integers(0, 99), st.lists(block, max_size=2).map("".join)
)
text = st.one_of(line, block, st.just(""), st.just(FRESH))


def guarded(reply: str, said: str, cuts: set[int]) -> tuple[str, bool]:
    guard = EchoGuard(reply)
    places = [0, *sorted(cut for cut in cuts if cut < len(said)), len(said)]
    told = "".join(guard.receive(said[start:end]) for start, end in pairwise(places))
    return told + guard.close(), guard.restarted


anywhere = st.sets(st.integers(0, 400), max_size=30)


@behaviour("models:echo:dropped")
@given(reply, text, anywhere)
def test_an_echo_is_dropped_wherever_it_is_cut(reply: str, new: str, cuts: set[int]) -> None:
    told, restarted = guarded(reply, reply + new, cuts)
    assert not restarted
    assert told == new or told.strip() == new.strip()


@behaviour("models:echo:dropped")
@given(reply, st.one_of(text, reply, st.tuples(reply, text).map("".join)), anywhere)
def test_cutting_what_the_server_sends_changes_nothing(reply: str, said: str, cuts: set[int]) -> None:
    assert guarded(reply, said, cuts) == guarded(reply, said, set())


@behaviour("models:echo:whitespace")
@pytest.mark.parametrize("echoed", [REPLY, REPLY.rstrip(), f"{REPLY}\n", f" {REPLY}", f"\n{REPLY.strip()}"])
def test_an_echo_may_differ_in_the_white_space_at_its_ends(echoed: str) -> None:
    told, restarted = guarded(REPLY, echoed + FRESH, set(range(400)))
    assert (told.strip(), restarted) == (FRESH.strip(), False)


@behaviour("models:echo:whitespace")
def test_an_echo_with_nothing_after_it_is_nothing() -> None:
    assert guarded(REPLY, REPLY.rstrip(), {5, 30}) == ("", False)


@behaviour("models:echo:thoughts")
@pytest.mark.parametrize(
    "thought",
    ["<think>\nHm.\n</think>\n\n", "Hm.\n</think>\n", "[THINK]Hm.[/THINK]", "<seed:think>Hm</seed:think>"],
)
@given(anywhere)
def test_an_echo_may_have_lost_the_thoughts(thought: str, cuts: set[int]) -> None:
    ours = f"{thought}{REPLY}<think>So.</think>{REPLY}"
    for echoed in (ours, REPLY + REPLY):
        assert guarded(ours, echoed + FRESH, cuts) == (FRESH, False)
    assert guarded(ours, f"{REPLY}Something else", cuts) == ("", True)


@behaviour("models:echo:real-text")
@given(anywhere)
def test_text_that_begins_like_our_reply_comes_through_whole(cuts: set[int]) -> None:
    said = "Let me compute the next one too."
    assert guarded(REPLY, said, cuts) == (said, False)


@behaviour("models:echo:real-text")
def test_text_that_is_a_short_beginning_of_our_reply_comes_through_at_the_end() -> None:
    assert guarded(REPLY, "Let me", {3}) == ("Let me", False)


@behaviour("models:echo:real-text")
def test_nothing_is_held_where_there_is_nothing_to_repeat() -> None:
    assert [EchoGuard("").receive("Let"), EchoGuard("\n").receive("Let")] == ["Let", "Let"]


@behaviour("models:echo:restart")
@given(st.integers(RESTART_CHARACTERS, len(REPLY) - 3), anywhere)
def test_a_reply_that_is_begun_anew_and_diverges_is_a_restart(common: int, cuts: set[int]) -> None:
    assert guarded(REPLY, REPLY[:common] + "§ something else", cuts) == ("", True)


@behaviour("models:echo:restart")
@given(anywhere)
def test_a_reply_that_is_begun_anew_and_ends_is_a_restart(cuts: set[int]) -> None:
    assert guarded(REPLY, REPLY[: REPLY.index("Result")], cuts) == ("", True)


@behaviour("models:echo:restart")
def test_a_short_block_that_comes_again_is_a_restart() -> None:
    assert guarded("```py\n1\n```\nResult: 1\n", "```py\n1\n```\nResult: 2\n", set()) == ("", True)


@behaviour("models:echo:never-again")
@given(reply, st.data(), text, anywhere)
def test_a_block_of_ours_never_comes_out(reply: str, data: st.DataObject, new: str, cuts: set[int]) -> None:
    """Whatever part of our reply the server repeats before it says something new."""
    repeated = reply.strip()[: data.draw(st.integers(0, len(reply)))]
    told, _ = guarded(reply, repeated + new, cuts)
    start = reply.index("```python")
    ours = reply[start : reply.index("```\n", start) + 4]
    assert ours not in told or ours in new


TAGS = ["<think>", "</think>", "<reason>", "</reason>", "[THINK]", "[/THINK]", " ", "\n", "a", "b"]
SPANS = re.compile(
    r"<(think|thinking|thought|reason|reasoning|seed:think)>.*?</\1>\s*"
    r"|\[THINK\].*?\[/THINK\]\s*"
    r"|\A(?:(?!<think>).)*?</think>\s*",
    re.DOTALL,
)


@behaviour("models:echo:thoughts")
@given(st.lists(st.sampled_from(TAGS), max_size=12).map("".join))
def test_the_same_is_taken_out_as_by_the_rule_in_one_line(text: str) -> None:
    assert without_thoughts(text) == SPANS.sub("", text)


@behaviour("models:echo:linear")
@pytest.mark.parametrize("shape", ["It is so. ", "<think>", "<think>a</think>", " \n"])
def test_looking_for_an_echo_costs_the_same_for_each_character(shape: str) -> None:
    def work(times: int) -> object:
        reply = shape * times
        return guarded(f"a{reply}b", f"a{reply}b", set(range(0, len(reply), 4)))

    assert growth(work, 2_000) < LINEAR
