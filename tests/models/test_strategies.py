import pytest

from coderunner.models.continuation.strategies import (
    FLAGS,
    GO_ON,
    NEXT,
    PARTIAL,
    PREFIX,
    PREFIX_BETA,
    RESULT_NOTE,
    TGW,
    TOOLS,
    TRAIL,
    Message,
    Round,
    Strategy,
    hosted,
)
from coderunner.models.continuation.tool_calls import called
from tests.behaviours import behaviour

ASKED: Message = {"role": "user", "content": "What is 10 + 5?"}
ROUNDS = [
    Round("Let me see.\n```python\nprint(10 + 5)\n```\n", "Result: 15\n"),
    Round("Once more.\n```python\nprint(15)\n```\n", "Result: 15\n"),
]
REPLY = "".join(each.said + each.result for each in ROUNDS)


@behaviour("models:strategies:hosts")
@pytest.mark.parametrize(
    ("host", "strategy"),
    [
        ("api.mistral.ai", PREFIX),
        ("api.deepseek.com", PREFIX_BETA),
        ("api.moonshot.ai", PARTIAL),
        ("dashscope-intl.aliyuncs.com", PARTIAL),
        ("api.anthropic.com", TOOLS),
        ("generativelanguage.googleapis.com", TOOLS),
        ("api.openai.com", TOOLS),
        ("mine.openai.azure.com", TOOLS),
        ("openrouter.ai", NEXT),
        ("127.0.0.1", None),
        ("api.openai.com.example", None),
    ],
)
def test_hosted_apis_are_known_by_their_names(host: str, strategy: Strategy | None) -> None:
    assert hosted(host) == strategy


@behaviour("models:strategies:prefill")
@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (FLAGS, {"reasoning_content": "hm"}),
        (TRAIL, {"reasoning_content": "hm"}),
        (TGW, {"reasoning_content": "hm"}),
        (PREFIX_BETA, {"reasoning_content": "hm", "prefix": True}),
        (PREFIX, {"prefix": True}),
        (PARTIAL, {"partial": True}),
    ],
)
def test_a_prefill_sends_the_reply_so_far_as_a_trailing_message(strategy: Strategy, message: Message) -> None:
    sent = strategy.again([ASKED], reply=REPLY, rounds=ROUNDS, reasoning="hm")
    assert sent == [ASKED, {"role": "assistant", "content": REPLY, **message}]


@behaviour("models:strategies:prefill")
def test_the_prompt_of_each_request_begins_with_the_one_before() -> None:
    first, second = (
        FLAGS.again([ASKED], reply=REPLY[:end], rounds=ROUNDS) for end in (len(REPLY) // 2, len(REPLY))
    )
    assert str(second[-1]["content"]).startswith(str(first[-1]["content"]))
    assert (FLAGS.first([ASKED]), first[:-1], second[:-1]) == ([ASKED], [ASKED], [ASKED])


@behaviour("models:strategies:next-turn")
def test_the_next_turn_sends_each_round_and_its_result_as_messages() -> None:
    assert NEXT.again([ASKED], reply=REPLY, rounds=ROUNDS, reasoning="hm") == [
        {"role": "system", "content": RESULT_NOTE},
        ASKED,
        {"role": "assistant", "content": "Let me see.\n```python\nprint(10 + 5)\n```"},
        {"role": "user", "content": "Result: 15"},
        {"role": "assistant", "content": "Once more.\n```python\nprint(15)\n```"},
        {"role": "user", "content": "Result: 15"},
    ]


@behaviour("models:strategies:next-turn")
@pytest.mark.parametrize(
    ("content", "noted"),
    [
        ("Be kind.", f"Be kind.\n\n{RESULT_NOTE}"),
        (None, RESULT_NOTE),
        (
            [{"type": "text", "text": "Be kind."}],
            [{"type": "text", "text": "Be kind."}, {"type": "text", "text": RESULT_NOTE}],
        ),
    ],
)
@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_note_is_added_to_the_system_message_once(role: str, content: object, noted: object) -> None:
    base: list[Message] = [{"role": role, "content": content}, ASKED]
    assert NEXT.first(base) == [{"role": role, "content": noted}, ASKED]
    assert NEXT.again(base, reply="", rounds=[])[0] == {"role": role, "content": noted}


@behaviour("models:strategies:tools")
def test_a_call_goes_back_as_it_came_and_its_result_as_that_of_the_tool() -> None:
    call = called(
        [
            {"index": 0, "id": "call_7", "function": {"name": "run_python", "arguments": '{"code": '}},
            {"index": 0, "function": {"arguments": '"print(15)"}'}, "extra_content": {"signature": "s"}},
        ]
    )
    assert call
    rounds = [ROUNDS[0], Round(f"Once more.\n\n{call.block}", "Result: 15\n", call)]
    reply = "".join(each.said + each.result for each in rounds)
    system, asked, *told = TOOLS.again([ASKED], reply=reply, rounds=rounds)
    function = {"name": "run_python", "arguments": '{"code": "print(15)"}'}
    extra = {"extra_content": {"signature": "s"}}
    assert (system["role"], asked) == ("system", ASKED)
    assert told == [
        {"role": "assistant", "content": "Let me see.\n```python\nprint(10 + 5)\n```"},
        {"role": "user", "content": "Result: 15"},
        {
            "role": "assistant",
            "content": "Once more.",
            "tool_calls": [{"id": "call_7", "type": "function", "function": function, **extra}],
        },
        {"role": "tool", "tool_call_id": "call_7", "content": "Result: 15"},
    ]
    # To whoever has no such tool it is told as the reader sees it.
    assert NEXT.again([ASKED], reply=reply, rounds=rounds)[4] == {
        "role": "assistant",
        "content": "Once more.\n\n```python\nprint(15)\n```",
    }


@behaviour("models:strategies:next-turn-continue")
def test_where_there_is_no_result_the_next_turn_asks_to_go_on() -> None:
    sent = NEXT.again([ASKED], reply=f"{REPLY}And now \n", rounds=ROUNDS)
    assert sent[-2:] == [{"role": "assistant", "content": "And now"}, {"role": "user", "content": GO_ON}]


@behaviour("models:strategies:next-turn-continue")
def test_no_empty_message_is_sent() -> None:
    sent = NEXT.again([ASKED], reply="Result: 15\n", rounds=[Round("", "Result: 15\n")])
    assert sent[1:] == [ASKED, {"role": "user", "content": "Result: 15"}]
