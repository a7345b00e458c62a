import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.chat.results.edited_code import ran_edited
from coderunner.chat.results.result_text import Heading, for_model, images, ran_again
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import Local
from coderunner.kernel.sessions.registry import Session, Sessions
from coderunner.models.continuation.strategies import GO_ON, NEXT, Message, Round
from coderunner.models.demo.arithmetic import expression
from coderunner.models.demo.demo_replies import EXAMPLES, HELP, LABEL, REPEAT, speak
from coderunner.outputs import Aftermath, Error, Result, Status, Stream
from tests.behaviours import behaviour

WAIT = 60.0


def user(text: str) -> Message:
    return {"role": "user", "content": text}


@dataclass
class Chat:
    """A conversation whose blocks run in a real kernel."""

    session: Session
    pictures: bool = False
    history: list[Message] = field(default_factory=list)

    def ask(self, question: str) -> str:
        """Give the whole reply, with the results in it."""
        messages, reply = [*self.history, user(question)], ""
        for _ in range(5):
            reply += speak(messages, reply)
            if not reply.endswith("```\n"):
                break
            code = reply.rpartition("```python\n")[2].removesuffix("```\n")
            result = self.session.begin(code).wait(WAIT)
            assert result
            shown = [f"![{image.mime}](data:)" for image in images(result)] if self.pictures else []
            reply += for_model(result, pictures=shown)
        self.history = [*messages, {"role": "assistant", "content": reply}]
        return reply


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    registry = Sessions(tmp_path_factory.mktemp("work"))
    yield registry.get("demo", Local())
    io_thread().call(registry.close_all(keep=False), WAIT)


CLEANS = 'import pandas as pd\n\ntable = pd.read_csv("sales.csv")\nprint(len(table), "rows")\n'


@behaviour("models:demo:own-words")
@pytest.mark.parametrize(
    "note",
    [
        ran_edited(
            CLEANS, CLEANS.replace("rows", "lines"), Result((Stream("stdout", "6 lines\n\nsales.csv\n"),))
        ),
        ran_again(CLEANS, Result((Stream("stdout", "read sales.csv"),))),
        for_model(Result((Stream("stdout", "sales.csv\n\nsales.csv"),)), heading=Heading.LATE),
        for_model(Result((Stream("stdout", "draw sales.csv"),)), heading=Heading.AFTERWARDS),
        "Variable complete (DataFrame 3 × 2): sales.csv\nIts first rows:\nsales.csv\n",
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_what_the_model_is_told_in_front_of_a_question_is_not_the_question(note: str, times: int) -> None:
    for question in ("What is 10 + 5?", "Clean my file\n\nFiles of this message:\n- `other.csv`"):
        assert speak([user(f"{note * times}\n{question}")]) == speak([user(question)])


@behaviour("models:demo:mission")
def test_ten_and_five_are_added_by_python(session: Session) -> None:
    assert Chat(session).ask("What is 10 + 5?") == (
        f"{LABEL}```python\nprint(10 + 5)\n```\nResult: 15\nIf you add 10 and 5 the result is 15.\n"
    )


@behaviour("models:demo:honest")
@pytest.mark.parametrize("question", [*EXAMPLES, "Hello", "Who are you?", ""])
def test_a_conversation_begins_with_what_it_is(question: str) -> None:
    assert speak([{"role": "system", "content": "You are wise."}, user(question)]).startswith(LABEL)


@behaviour("models:demo:honest")
def test_it_says_so_once(session: Session) -> None:
    chat = Chat(session)
    chat.ask("What is 10 + 5?")
    assert "script" not in chat.ask("And 3 * 4?")


@behaviour("models:demo:sums")
@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("What is 10 + 5?", "10 + 5"),
        ("10x5", "10 * 5"),
        ("What's 3 times 4, please", "3 * 4"),
        ("what is 2^10 - 1?", "2 ** 10 - 1"),
        ("-3 + 5.", "-3 + 5"),
        ("(1+2)*3=?", "(1 + 2) * 3"),
        ("1,000,000 ÷ 4", "1000000 / 4"),
        ("What is 20% of 50?", "20 / 100 * 50"),
        ("17 mod 5", "17 % 5"),
        ("square root of 2", "2 ** 0.5"),
        ("3 squared", "3 ** 2"),
        ("7 minus 9", "7 - 9"),
        ("2 to the power of 0.5", "2 ** 0.5"),
        ("In 2024 there were 7 of them", None),
        ("4 (", None),
        ("", None),
    ],
)
def test_sums_are_read_as_people_write_them(question: str, read: str | None) -> None:
    assert expression(question) == read


@behaviour("models:demo:sums")
@given(st.text(st.sampled_from("0123456789.+-*/%^() x,:"), max_size=30))
def test_whatever_is_read_is_python_and_nothing_but_numbers(question: str) -> None:
    read = expression(question)
    assert read is None or not set(read) - set("0123456789.+-*/%() e")


@behaviour("models:demo:code")
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How much is 7 times 6?", "If you multiply 7 and 6 the result is 42."),
        ("What is 1 + 2 * 3?", "1 + 2 * 3 is 7."),
        ("What is 17 % 5?", "If you divide 17 by 5 the remainder is 2."),
        ("What is 10 / 0?", "The block raised ZeroDivisionError (division by zero), so I have no answer."),
        ("What is the average of 3, 4 and 8?", "The average of 3, 4 and 8 is 5.0."),
        ("What is the median of 3, 4, 8 and 100?", "The median of 3, 4, 8 and 100 is 6.0."),
        ("Sum of the numbers 1 to 100", "The sum of 1 to 100 is 5050."),
        ("The largest of 3, 14 and 8", "The largest of 3, 14 and 8 is 14."),
        ("Which numbers below 50 are prime?", "The last of these 15 primes is 47."),
        ("The first 10 primes", "The last of these 10 primes is 29."),
        ("Ten Fibonacci numbers", "The last of these 10 Fibonacci numbers is 34."),
        ("Show a table of the planets", "Sorted by size, Jupiter is the largest and Mercury the smallest."),
        (
            "Make a mistake and correct it",
            "Now it works: the total is 1.2, because the plum has no price.",
        ),
        ("Plot a sine wave", "Here it is: sin(x). As a script, I cannot see it, but you can."),
        ("Draw x^2 from -3 to 3", "Here it is: x². As a script, I cannot see it, but you can."),
        ("Draw a wave with sliders", "Move the sliders: the kernel redraws the wave each time."),
        ("Count slowly to 1", "It counted to 1, one number per second."),
    ],
)
@pytest.mark.parametrize("pictures", [False, True])
def test_what_a_scene_answers_is_what_its_block_gave(
    session: Session, question: str, answer: str, pictures: bool
) -> None:
    assert Chat(session, pictures).ask(question).endswith(f"\n{answer}\n")


@behaviour("models:demo:code")
def test_an_answer_is_known_to_the_result_of_each_example(session: Session) -> None:
    chat = Chat(session)
    replies = [chat.ask(example.replace("Count slowly to 10", "Count slowly to 1")) for example in EXAMPLES]
    assert not [reply for reply in replies if "so I say nothing" in reply or "no answer" in reply]


@behaviour("models:demo:code")
@pytest.mark.parametrize("pictures", [False, True])
def test_dice_are_really_rolled(session: Session, pictures: bool) -> None:
    reply = Chat(session, pictures).ask("Roll 1000 dice")
    most = re.search(r"most often: (\d)", reply)
    assert most
    assert reply.endswith(f"This time {most[1]} came up most often.\n")


@behaviour("models:demo:state")
def test_the_next_turn_uses_what_the_one_before_has_kept(session: Session) -> None:
    chat = Chat(session)
    chat.ask("Remember x = 21")
    assert "print(x)" in chat.ask("Now double it")
    assert chat.ask("What is x?").endswith("`x` is 42.\n")
    assert chat.ask("multiply it by 3").endswith("Now `x` is 126.\n")
    assert "y = x * np.sin(x)" not in chat.ask("Now plot a sine")


@behaviour("models:demo:state")
def test_what_was_only_printed_is_kept_from_then_on(session: Session) -> None:
    chat = Chat(session)
    chat.ask("What is 10 + 5?")
    assert chat.ask("Now double it").endswith("Now `result` is 30.\n")
    second = chat.ask("Add 12 to it")
    assert "```python\nresult = result + 12\nprint(result)\n```\nResult: 42\n" in second
    assert "y = result * np.sin(x)" in chat.ask("Now plot it as a wave")


@behaviour("models:demo:state")
def test_a_kernel_that_has_forgotten_is_told_as_that(session: Session) -> None:
    chat = Chat(session)
    chat.ask("Remember gone = 1")
    Chat(session).session.begin("del gone").wait(WAIT)
    assert chat.ask("Double it").endswith("so I have no answer. Has the kernel been restarted?\n")


@behaviour("models:demo:state")
def test_without_a_past_there_is_nothing_to_double() -> None:
    assert "no result to continue from yet" in speak([user("Now double it")])


ENDS = [
    (Status.DECLINED, Aftermath.READY, "The block did not run, and I do not guess."),
    (Status.REFUSED, Aftermath.FRESH, "The block did not run, and I do not guess."),
    (Status.ABORTED, Aftermath.READY, "The block did not run, and I do not guess."),
    (Status.TIMEOUT, Aftermath.READY, "The block did not finish in time, so I have no answer."),
    (Status.TIMEOUT, Aftermath.BUSY, "The block is still running, so I have no answer yet."),
    (Status.INTERRUPTED, Aftermath.BUSY, "The block is still running, so I have no answer yet."),
    (Status.INTERRUPTED, Aftermath.READY, "The block was stopped, so I have no answer."),
    (Status.DIED, Aftermath.FRESH, "The kernel ended while the block ran, so I have no answer."),
    (Status.REPLACED, Aftermath.FRESH, "The kernel ended while the block ran, so I have no answer."),
    (Status.LOST, Aftermath.READY, "I do not know how the block ended, so I have no answer."),
    (Status.LOST, Aftermath.BUSY, "I do not know how the block ended, so I have no answer."),
]


@behaviour("models:demo:truth")
@pytest.mark.parametrize(("status", "aftermath", "truth"), ENDS)
@pytest.mark.parametrize("outputs", [(), (Stream("stdout", "15\n"),)])
def test_a_block_that_did_not_end_well_gives_no_answer(
    status: Status, aftermath: Aftermath, truth: str, outputs: tuple[Stream, ...]
) -> None:
    first = speak([user("What is 10 + 5?")])
    result = for_model(Result(outputs, status, aftermath))
    assert speak([user("What is 10 + 5?")], first + result) == f"{truth}\n"


@behaviour("models:demo:truth")
def test_a_count_that_was_stopped_is_told_with_how_far_it_came() -> None:
    asked = [user("Count slowly to 10")]
    outputs = (Stream("stdout", "1 of 10\n2 of 10\n"), Error("KeyboardInterrupt", ""))
    result = for_model(Result(outputs, Status.INTERRUPTED))
    told = speak(asked, speak(asked) + result)
    assert told == "It reached 2 of 10. The block was stopped, so I have no answer.\n"


@behaviour("models:demo:truth")
@pytest.mark.parametrize("question", EXAMPLES)
def test_a_result_that_is_no_answer_is_not_made_one(question: str) -> None:
    past = [
        user("Remember x = 1"),
        {"role": "assistant", "content": "```python\nx = 1\nprint(x)\n```\nResult: 1\n"},
    ]
    told = speak([*past, user(question)], speak([*past, user(question)]) + "Result: something else\n")
    assert told == "My script does not expect this result, so I say nothing about it.\n"


@behaviour("models:demo:exact")
@given(st.sampled_from([*EXAMPLES, "Hello"]), st.data())
def test_it_goes_on_exactly_where_it_was_cut(question: str, data: st.DataObject) -> None:
    whole = speak([user(question)])
    cut = data.draw(st.integers(1, len(whole) - 1))
    assert whole[:cut] + speak([user(question)], whole[:cut]) == whole


@behaviour("models:demo:exact")
@given(st.data())
def test_it_goes_on_exactly_after_a_result_too(data: st.DataObject) -> None:
    asked = [user("Make a mistake")]
    whole = speak(asked) + "Result:\n```output\nKeyError: 'plum'\n  line 2: total = …\n```\n"
    told = speak(asked, whole)
    cut = data.draw(st.integers(1, len(told) - 1))
    assert told[:cut] + speak(asked, whole + told[:cut]) == told


@behaviour("models:demo:exact")
def test_it_repeats_what_it_is_asked_to_and_goes_on_with_it() -> None:
    assert speak([user(f"{REPEAT}alpha bravo charlie delta")], "alpha bravo charlie") == " delta"


@behaviour("models:demo:next-turn")
@pytest.mark.parametrize("result", ["Result: 15\n", "Result:\n```output\n15\n```\n(The kernel was new.)\n"])
def test_a_result_may_come_as_a_message_of_the_user(result: str) -> None:
    asked = [user("What is 10 + 5?")]
    first = speak(asked)
    sent = NEXT.again(asked, reply=first + result, rounds=[Round(first, result)])
    assert speak(sent) == "If you add 10 and 5 the result is 15.\n"


@behaviour("models:demo:next-turn")
def test_a_reply_that_was_cut_is_gone_on_with_when_asked_to() -> None:
    asked = [user("What is 10 + 5?")]
    sent: list[Message] = [*asked, {"role": "assistant", "content": speak(asked)[:20]}, user(GO_ON)]
    assert speak(asked)[:20] + speak(sent) == speak(asked)


@behaviour("models:demo:help")
def test_what_it_has_no_scene_for_is_answered_with_what_it_can_show() -> None:
    parts = [{"type": "text", "text": "Who wrote"}, {"type": "text", "text": "Faust?"}]
    assert speak([{"role": "user", "content": parts}]) == LABEL + HELP
    assert all(example in HELP for example in EXAMPLES)
