"""The turn: what it says, when it runs, how it ends."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coderunner.chat.steps import Finish, Generate, Part, Prepare, Run, Say, Step, TurnResult
from coderunner.chat.turn_state_machine import State, Turn
from coderunner.languages import language_of
from coderunner.outputs import Cell, Error, Result, Status, Stream
from tests.behaviours import behaviour

BLOCK = "```python\nprint(1)\n```\n"
ONE = Result((Stream("stdout", "1\n"),))


def hear(turn: Turn, deltas: Iterable[str]) -> list[Step]:
    return merged(step for delta in deltas for step in turn.receive(delta))


def merged(steps: Iterable[Step]) -> list[Step]:
    """The steps with neighbouring texts of the same part joined."""
    whole: list[Step] = []
    for step in steps:
        match whole[-1:], step:
            case [Say(before, part)], Say(text, same) if part is same:
                whole[-1] = Say(before + text, part)
            case _:
                whole.append(step)
    return whole


def spoken(steps: Iterable[Step]) -> str:
    return "".join(step.text for step in steps if isinstance(step, Say))


def whole(turn: Turn, said: Sequence[Sequence[str]]) -> tuple[list[Step], str]:
    """All steps of a turn whose model says one list of deltas after each Generate, and the reply."""
    steps, rounds = turn.start(), iter(said)
    for step in steps:
        if isinstance(step, Run):
            steps += turn.receive_result(ONE)
        elif isinstance(step, Generate):
            for delta in next(rounds, ()):
                steps += turn.receive(delta)
            steps += turn.close()
    return merged(steps), turn.reply


@behaviour("turn:run:at-closing-line")
def test_a_closed_block_runs_and_its_result_goes_into_the_same_reply() -> None:
    turn = Turn()
    assert turn.start() == [Generate("", "")]
    assert hear(turn, ["Let ", "me see.\n", "```py", "thon\npr", "int(1)\n``", "`\n"]) == [
        Say("Let me see.\n"),
        Say("```python\n", Part.CODE),
        Prepare(),
        Say("print(1)\n```\n", Part.CODE),
        Run(Cell("print(1)\n"), 0),
    ]
    assert turn.state is State.RUNNING
    reply = f"Let me see.\n{BLOCK}Result: 1\n"
    assert turn.receive_result(ONE) == [Say("Result: 1\n", Part.RESULT), Generate(reply, "Result: 1\n")]
    assert turn.receive("It is 1.") == [Say("It is 1.")]
    assert turn.close() == [Finish("end")]
    assert turn.reply == reply + "It is 1."


@behaviour("turn:run:language")
def test_a_block_in_the_kernels_language_runs() -> None:
    steps = hear(Turn(language=language_of("R")), ["```{r, echo=FALSE}\n1 + 1\n```\n"])
    assert steps[-1] == Run(Cell("1 + 1\n", "r"), 0)


@behaviour("turn:run:language")
def test_a_block_in_another_language_is_not_to_run_and_the_model_goes_on_knowing_why() -> None:
    turn = Turn(language=language_of("R"))
    steps = hear(turn, [BLOCK, "more"])
    assert steps[-1] == Run(Cell("print(1)\n", "python"), 0, "this kernel speaks R")
    unfit = Result(status=Status.UNFIT, detail="this kernel speaks R")
    said = "Result: (not run: this kernel speaks R)\n"
    assert turn.receive_result(unfit) == [Say(said, Part.RESULT), Generate(BLOCK + said, said)]
    assert hear(turn, ["```r\n1 + 1\n```\n"])[-1] == Run(Cell("1 + 1\n", "r"), 1)


@behaviour("turn:run:language")
@pytest.mark.parametrize("info", ["", "json", "text", "html", "console", "output"])
def test_what_no_kernel_runs_is_for_reading_in_every_language(info: str) -> None:
    steps = hear(Turn(language=language_of("R")), [f"```{info}\n1\n```\n"])
    assert {type(step) for step in steps} == {Say}


@behaviour("turn:run:nothing-beyond")
def test_what_the_model_says_beyond_the_closing_line_is_dropped() -> None:
    turn = Turn()
    steps = hear(turn, ["```python\nprint(1)\n```\n\nResult: 41\n```python\n2\n```\n", "more"])
    assert steps[-1] == Run(Cell("print(1)\n"), 0)
    assert turn.reply == BLOCK
    assert turn.receive("late") == []


@behaviour("turn:run:nothing-beyond")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \t\n"])
def test_a_delta_that_holds_the_closing_line_and_more_is_cut_after_the_line(end: str) -> None:
    turn = Turn()
    steps = hear(turn, [f"```python\n1\n```{end}text"])
    assert steps[-1] == Run(Cell("1\n"), 0)
    assert turn.reply == f"```python\n1\n```{end}"


@behaviour("turn:run:at-end")
def test_a_closing_line_without_a_line_end_runs_when_the_reply_ends() -> None:
    turn = Turn()
    hear(turn, ["```python\n1\n```"])
    assert turn.close() == [Say("```", Part.CODE), Run(Cell("1\n"), 0)]
    assert turn.receive_result(ONE)[0] == Say("\nResult: 1\n", Part.RESULT)
    assert turn.reply == "```python\n1\n```\nResult: 1\n"


@behaviour("turn:run:several")
def test_blocks_are_counted_and_the_kernel_is_prepared_once() -> None:
    steps, reply = whole(Turn(), [[f"a\n{BLOCK}x"], [f"b\n{BLOCK}"], ["c"]])
    assert [step.ordinal for step in steps if isinstance(step, Run)] == [0, 1]
    assert steps.count(Prepare()) == 1
    assert reply == f"a\n{BLOCK}Result: 1\nb\n{BLOCK}Result: 1\nc"
    assert steps[-1] == Finish("end")


@behaviour("turn:run:never")
@pytest.mark.parametrize(
    "reply",
    [
        "```python\n1\n",
        "```python\n\n \t\n```\n",
        "```bash\nls\n```\n",
        "> ```python\n> 1\n> ```\n",
        "`python`",
    ],
)
def test_unclosed_empty_foreign_and_quoted_blocks_do_not_run(reply: str) -> None:
    steps, said = whole(Turn(), [[reply]])
    assert (steps[-1], said) == (Finish("end"), reply)
    assert not [step for step in steps if isinstance(step, Run)]


@behaviour("turn:parts:thought")
def test_thought_is_said_as_thought_and_runs_nothing() -> None:
    turn = Turn()
    assert hear(turn, ["<thi", f"nk>a\n{BLOCK}</think", ">\nb ", "<", " c"]) == [
        Say(f"<think>a\n{BLOCK}</think>", Part.THOUGHT),
        Say("\nb < c"),
    ]


@behaviour("turn:parts:order")
def test_text_that_may_become_a_fence_is_said_before_a_thought_on_its_line() -> None:
    turn = Turn()
    steps = hear(turn, ["- <think>a</think>```python\n  1\n  ```\n"])
    assert spoken(steps) == turn.reply == "- <think>a</think>```python\n  1\n  ```\n"
    assert steps[-1] == Run(Cell("1\n"), 0)


@behaviour("turn:thinking:prompted")
def test_when_the_prompt_has_opened_a_thought_the_reply_begins_inside() -> None:
    turn = Turn(thinking=True)
    assert hear(turn, [BLOCK, "</think>\n", BLOCK])[:2] == [
        Say(f"{BLOCK}</think>", Part.THOUGHT),
        Say("\n"),
    ]
    assert turn.state is State.RUNNING


@behaviour("turn:limit:blocks")
def test_the_block_beyond_the_limit_does_not_run_and_ends_the_turn() -> None:
    steps, reply = whole(Turn(max_cells=2), [[BLOCK], [BLOCK], [BLOCK, "never"]])
    notice = "Result: (not run: this reply has already run 2 blocks)\n"
    assert steps[-2:] == [Say(notice, Part.RESULT), Finish("limit")]
    assert reply == f"{BLOCK}Result: 1\n" * 2 + BLOCK + notice


@behaviour("turn:limit:exceeded")
def test_a_reply_that_has_had_enough_says_why_and_runs_nothing_more() -> None:
    writing, waiting, done = Turn(), Turn(), Turn()
    hear(writing, ["```python\n1\n```"])
    stopped = Say("\n(stopped: enough)\n")
    assert writing.exceed("enough") == [Say("```", Part.CODE), stopped, Finish("limit")]
    hear(waiting, [BLOCK])
    assert waiting.exceed("enough") == [Say("Result: (not run: enough)\n", Part.RESULT), Finish("limit")]
    done.close()
    assert (done.exceed("enough"), Turn().exceed("enough")[0]) == ([], Say("(stopped: enough)\n"))


FAILED = Result((Error("ValueError", "no"),), Status.ERROR)
AGAIN = "(the same block failed the same way before; it will not be run a third time)\n"


def answered(turn: Turn, block: str, result: Result) -> list[Step]:
    hear(turn, [block])
    return turn.receive_result(result)


@behaviour("turn:limit:repeats")
def test_the_same_block_that_fails_the_same_way_has_one_more_chance() -> None:
    turn = Turn()
    assert AGAIN not in spoken(answered(turn, BLOCK, FAILED))
    assert spoken(answered(turn, BLOCK.replace(")\n", ")  \n\n"), FAILED)).endswith(f"\n{AGAIN}")
    steps = hear(turn, [BLOCK, "never"])
    notice = "Result: (not run: the same block failed the same way twice)\n"
    assert steps[-2:] == [Say(notice, Part.RESULT), Finish("limit")]
    assert turn.reply.endswith(BLOCK + notice)


@behaviour("turn:limit:repeats")
def test_other_code_another_error_and_success_are_no_repetition() -> None:
    turn = Turn()
    other = Result((Error("ValueError", "yes"),), Status.ERROR)
    for block, result in (
        (BLOCK, FAILED),
        (BLOCK, other),
        (BLOCK.replace("1", "2"), FAILED),
        (BLOCK, ONE),
        (BLOCK, ONE),
        (BLOCK, ONE),
    ):
        assert AGAIN not in spoken(answered(turn, block, result))
    assert isinstance(hear(turn, [BLOCK])[-1], Run)


@behaviour("turn:stop:generating")
def test_stopping_says_what_was_held_back_and_runs_nothing() -> None:
    turn = Turn()
    hear(turn, ["```python\n1\n```"])
    assert turn.stop() == [Say("```", Part.CODE), Finish("stop")]
    assert (turn.state, turn.stop(), turn.close(), turn.receive("x")) == (State.DONE, [], [], [])


@behaviour("turn:stop:running")
def test_stopping_while_a_cell_runs_ends_the_turn_and_a_late_result_is_dropped() -> None:
    turn = Turn()
    hear(turn, [BLOCK])
    assert turn.stop() == [Finish("stop")]
    assert turn.receive_result(ONE) == []
    assert turn.reply == BLOCK


@behaviour("turn:stop:running")
def test_a_result_that_is_given_before_stopping_is_kept() -> None:
    turn = Turn()
    hear(turn, [BLOCK])
    turn.receive_result(Result(status=Status.INTERRUPTED))
    assert turn.stop() == [Finish("stop")]
    assert turn.reply == f"{BLOCK}Result: (stopped; variables are kept)\n"


@behaviour("turn:prior:never-runs")
@pytest.mark.parametrize("prior", [BLOCK, BLOCK[:-1], f"a\n{BLOCK}b", f"{BLOCK}Result: 1\n"])
def test_a_block_of_the_prior_text_never_runs(prior: str) -> None:
    steps, reply = whole(Turn(prior=prior), [["\nmore\n"]])
    assert not [step for step in steps if isinstance(step, Run)]
    assert (spoken(steps), reply) == ("\nmore\n", f"{prior}\nmore\n")


@behaviour("turn:prior:opened")
@pytest.mark.parametrize("cut", range(len("```python\n"), len(BLOCK) - 1))
def test_a_block_that_the_prior_text_opened_runs_whole(cut: int) -> None:
    if BLOCK[:cut].endswith("```"):
        return  # closed in the prior text
    turn = Turn(prior=BLOCK[:cut])
    assert turn.start() == [Prepare(), Generate(BLOCK[:cut], "")]
    steps = hear(turn, [BLOCK[cut:]])
    assert (spoken(steps), steps[-1]) == (BLOCK[cut:], Run(Cell("print(1)\n"), 0))


@behaviour("turn:prior:opened")
@pytest.mark.parametrize("cut", range(len("```python\n")))
def test_a_fence_whose_opening_line_began_in_the_prior_text_runs(cut: int) -> None:
    turn = Turn(prior=BLOCK[:cut])
    turn.start()
    steps = hear(turn, list(BLOCK[cut:]))
    assert (spoken(steps), steps[-1]) == (BLOCK[cut:], Run(Cell("print(1)\n"), 0))


@behaviour("turn:prior:resume")
@pytest.mark.parametrize("space", ["", "\n", " \n\n"])
def test_a_block_that_ends_the_prior_text_runs_first_when_resumed(space: str) -> None:
    prior = f"a\n{BLOCK.rstrip()}{space}"
    turn = Turn(prior=prior, resume=True)
    assert turn.start() == [Run(Cell("print(1)\n"), 0)]
    said, go_on = turn.receive_result(ONE)
    assert isinstance(said, Say)
    assert said.text.lstrip("\n") == "Result: 1\n"
    assert go_on == Generate(prior + said.text, "Result: 1\n")
    assert merged(turn.receive(BLOCK))[-1] == Run(Cell("print(1)\n"), 1)


@behaviour("turn:prior:resume")
@pytest.mark.parametrize(
    "prior", ["", "a", f"{BLOCK}Result: 1\n", "```python\n1\n", f"<think>{BLOCK}", "```py\n```\n"]
)
def test_resuming_runs_nothing_where_no_block_waits(prior: str) -> None:
    assert Turn(prior=prior, resume=True).start()[-1] == Generate(prior, "")


@behaviour("turn:result:below")
@pytest.mark.parametrize("result", [ONE, Result(), Result((Stream("stdout", "a\n```python\n1\n```\n"),))])
def test_a_result_is_read_as_the_page_reads_it_and_never_runs(result: Result) -> None:
    turn = Turn()
    hear(turn, [BLOCK])
    turn.receive_result(result)
    assert hear(turn, ["text\n", BLOCK])[-1] == Run(Cell("print(1)\n"), 1)


@behaviour("turn:result:pictures")
def test_the_hosts_pictures_stand_below_the_result() -> None:
    turn = Turn()
    hear(turn, [BLOCK])
    said = turn.receive_result(ONE, pictures=["![plot](a.png)"])[0]
    assert said == Say("Result: 1\n![plot](a.png)\n", Part.RESULT)


@behaviour("turn:result:late")
def test_what_came_late_of_an_earlier_cell_is_said_before_the_result() -> None:
    turn = Turn()
    hear(turn, [BLOCK])
    late = TurnResult(Result((Stream("stdout", "42\n"),)), ["![plot](a.png)"])
    text = "Result of the block that was still running: 42\n![plot](a.png)\n\nResult: 1\n"
    assert turn.receive_result(ONE, late=[late]) == [Say(text, Part.RESULT), Generate(BLOCK + text, text)]
    assert hear(turn, [BLOCK])[-1] == Run(Cell("print(1)\n"), 1)


@behaviour("turn:table:misuse")
def test_a_driver_that_gives_a_result_nobody_asked_for_is_told() -> None:
    with pytest.raises(RuntimeError, match="no cell waits"):
        Turn().receive_result(ONE)


@behaviour("turn:table:misuse")
def test_a_driver_that_starts_a_running_turn_is_told() -> None:
    turn = Turn()
    hear(turn, [BLOCK])
    with pytest.raises(RuntimeError, match="started already"):
        turn.start()


PIECES = (
    *(
        "```python\n",
        "```\n",
        "```",
        "~~~py\n",
        "~~~\n",
        "print(1)\n",
        "x",
        "\n",
        " ",
        "  ",
        "    ",
        "- ",
        "> ",
    ),
    *("<think>", "</think>", "<", "</thi", "nk>", "[THINK]", "[/THINK]", "`", "\r", "\r\n", "<!--", "-->"),
    *("< [", "<|end|>", "<|chan", "nel|>analysis", "a<", "``<think>", "  - ", "x [y](z) "),
)


@behaviour("turn:cuts:nothing-changes")
@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    st.integers(0, 30),
    st.booleans(),
    st.integers(1, 9),
)
def test_cutting_the_deltas_or_the_prior_text_changes_nothing(
    text: str, cut: int, thinking: bool, size: int
) -> None:
    deltas = [text[place : place + size] for place in range(0, len(text), size)]
    once, reply = whole(Turn(thinking=thinking), [[text]])
    assert whole(Turn(thinking=thinking), [deltas]) == (once, reply)
    assert spoken(once) == reply
    after, continued = whole(Turn(thinking=thinking, prior=text[:cut]), [[text[cut:]]])
    assert text[:cut] + spoken(after) == continued
