"""What becomes of a block that takes longer than its reply waits."""

from typing import Any

import pytest

from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import RUNS, Open
from tests.models.conftest import Scripted, Serve, listening

SLOWLY: Any = {"role": "user", "content": "Count slowly to 3"}


@behaviour("proxy:late:next-request")
def test_the_result_of_a_block_that_went_on_comes_with_the_next_request(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    proxied = opened(served.url, timeout=1.0)

    def say(*messages: Any) -> str:
        reply = proxied.client().chat.completions.create(model=RUNS, messages=messages)
        return str(reply.choices[0].message.content)

    first = say(SLOWLY)
    assert "still running" in first
    (session,) = proxied.proxy.sessions.all()
    waited = session.begin("print('done')", deadline=30.0).wait(30.0)
    assert waited is not None
    again = say(
        SLOWLY, {"role": "assistant", "content": first}, {"role": "user", "content": "What is 10 + 5?"}
    )
    assert again.startswith(
        "Result of the block that was still running:\n```output\n1 of 3\n2 of 3\n3 of 3\n```"
    )
    assert "Result: 15" in again
    question = served.chats[-2].body["messages"][-1]["content"]
    assert question.startswith("Result of the block that was still running:")
    assert question.endswith("\nWhat is 10 + 5?")


@behaviour("proxy:late:afterwards")
@pytest.mark.parametrize("then", ["Bye.", "So:\n```python\nprint(2)\n```\n"], ids=["message", "block"])
def test_what_a_thread_prints_after_its_block_comes_with_the_next_request(opened: Open, then: str) -> None:
    thread = 'import threading\nthreading.Timer(0.3, print, ["from " + "afar"]).start()'
    upstream = Scripted([f"```python\n{thread}\n```\n", "Started.", then, "Bye."])
    with listening(upstream) as url:
        proxied = opened(url, continuations="*=next-turn")

        def say(*messages: Any) -> str:
            reply = proxied.client().chat.completions.create(model=RUNS, messages=messages)
            return str(reply.choices[0].message.content)

        question: Any = {"role": "user", "content": "Start it"}
        first = say(question)
        (session,) = proxied.proxy.sessions.all()
        timers = "[each.join() for each in threading.enumerate() if isinstance(each, threading.Timer)]"
        assert session.begin(timers, deadline=30.0).wait(30.0) is not None
        history = (question, {"role": "assistant", "content": first})
        again = say(*history, {"role": "user", "content": "And?"})
        third = say(*history, {"role": "user", "content": "Once more?"})
    assert "from afar" not in first
    assert again.count("from afar") == 1
    assert again.index("from afar") < again.index(then)
    assert "from afar" not in third
    assert b"from afar" in upstream.asked[2]
