"""What becomes of a block that takes longer than its reply waits."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import RUNS, WAIT, Open
from tests.hosts.proxy.test_leaving import until
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
    until(lambda: not session.busy)
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


@behaviour("proxy:late:linked")
def test_a_chart_that_comes_late_has_its_link_in_the_next_reply(opened: Open, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    chart = {"application/vnd.plotly.v1+json": {"data": [], "layout": {}}, "text/plain": "Figure()"}
    code = (
        f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
        f"display({chart!r}, raw=True)"
    )
    with listening(Scripted([f"```python\n{code}\n```\n", "It runs.", "Here it is."])) as url:
        proxied = opened(url, timeout=1.0, continuations="*=next-turn")

        def say(question: str) -> str:
            messages: Any = [{"role": "user", "content": question}]
            reply = proxied.client().chat.completions.create(model=RUNS, messages=messages)
            return str(reply.choices[0].message.content)

        assert "[Watch it run](" in say("Draw it")
        gate.touch()
        until(lambda: not any(each.busy for each in proxied.proxy.sessions.all()))
        again = say("Is it there?")
        assert again.startswith("Result of the block that was still running:")
        link = re.search(r"\[Open the live chart\]\((\S+)\)", again)
        assert link is not None
        assert httpx.get(link[1], timeout=WAIT).status_code == 200
        assert "Open the live" not in say("And now?")


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
