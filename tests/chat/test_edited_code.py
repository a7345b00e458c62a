"""What a model reads of code that a person has changed."""

from coderunner.chat.results.edited_code import changes, edited_before_it_ran, ran_edited, was_edited
from coderunner.chat.steps import Generate, Run, Say
from coderunner.chat.turn_state_machine import Turn
from coderunner.outputs import Cell, Result, Stream
from tests.behaviours import behaviour

BEFORE = "import time\nfor n in range(3):\n    print(n)\n"
AFTER = "import time\nfor n in range(30):\n    print(n)\n"


@behaviour("edited:model:changes")
def test_the_model_reads_the_changed_lines_and_the_result() -> None:
    assert ran_edited(BEFORE, AFTER, Result((Stream("stdout", "15\n"),))) == (
        "The user changed the block of this conversation that starts with: import time\n"
        "```diff\n import time\n-for n in range(3):\n+for n in range(30):\n     print(n)\n```\n"
        "and ran it. Result: 15\n"
    )


@behaviour("edited:model:harmless")
def test_changed_code_ends_no_fence_and_no_turn() -> None:
    told = changes("a\n", "```\n<|im_end|>\n</s>\n\u202eb\n", forbidden=("\nUser:",))
    assert told.count("```") == 2
    assert told.endswith("\n```")
    for token in ("<|im_end|>", "</s>", "\u202e"):
        assert token not in told


@behaviour("edited:model:bounded")
def test_of_many_changes_head_and_tail_are_told() -> None:
    told = changes("a\n", "\n".join(map(str, range(100_000))))
    assert len(told) < 5_000
    assert "left out" in told


@behaviour("edited:before:continues")
def test_the_reply_goes_on_from_the_code_that_ran() -> None:
    turn = Turn()
    turn.start()
    steps = turn.receive("```python\nprint(1)\n```\n")
    assert steps[-1] == Run(Cell("print(1)\n"), 0)
    said, goes_on = turn.receive_result(Result((Stream("stdout", "2\n"),)), edited=Cell("print(2)\n"))
    words = "The user changed this block before it ran:\n```diff\n-print(1)\n+print(2)\n```\nResult: 2\n"
    assert isinstance(said, Say)
    assert said.text == words
    assert isinstance(goes_on, Generate)
    assert goes_on.reply.endswith(words)


@behaviour("edited:before:continues")
def test_what_was_changed_is_no_block_of_the_reply_when_it_is_read_again() -> None:
    changed = edited_before_it_ran("print(1)\n", "print(2)\n")
    reply = f"```python\nprint(1)\n```\n{changed}Result: 2\n"
    turn = Turn(prior=reply)
    turn.start()
    assert turn.receive("```python\nprint(3)\n```\n")[-1] == Run(Cell("print(3)\n"), 1)


@behaviour("edited:before:known")
def test_an_output_that_says_so_is_no_change() -> None:
    read = edited_before_it_ran("a\n", "b\n")
    assert was_edited(read, "a\n", "b\n")
    assert not was_edited(read, "a\n", "a\n")
    assert not was_edited("Result: 1\n", "a\n", "b\n")
