"""Clients that leave before their reply is complete, and what their next request finds."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, RUNS, SHARED, WAIT, Open, Proxied
from tests.models.conftest import Scripted, listening

WARM = ("```python\nprint('warm')\n```\n", "Ready.")
"""The first reply: a kernel may take longer to start than a client waits."""
NEXT = "```python\nprint('next')\n```\n"
GO: Any = [{"role": "user", "content": "Go"}]
LEAVES = 3.0
"""Seconds after which a client leaves: its block has begun, also on a busy machine."""
APIS = ("chat", "responses", "messages")


class Endless:
    """A block that runs until its file is there, and notes in another how it ended."""

    def __init__(self, folder: Path, name: str) -> None:
        self.gate, self.noted = folder / f"{name}-gate", folder / f"{name}-noted"

    @property
    def block(self) -> str:
        code = (
            "import os, time\n"
            f"noted = {str(self.noted)!r}\n"
            "open(noted, 'w').write('runs')\n"
            "try:\n"
            f"    while not os.path.exists({str(self.gate)!r}): time.sleep(0.01)\n"
            "    open(noted, 'w').write('ended')\n"
            "except KeyboardInterrupt:\n"
            "    open(noted, 'w').write('stopped')\n"
            "    raise\n"
            "print('the gate is open')"
        )
        return f"```python\n{code}\n```\n"

    @property
    def state(self) -> str:
        return self.noted.read_text() if self.noted.exists() else ""


def until(happened: Callable[[], bool]) -> None:
    last = time.monotonic() + WAIT
    while not happened():
        assert time.monotonic() < last, "it did not happen in time"
        time.sleep(0.01)


def ask(proxied: Proxied, api: str, messages: Any, *, timeout: float = WAIT, retries: int = 0) -> str:
    """The whole text of a reply, by the API's official client."""
    options: Any = {"api_key": ALICE, "timeout": timeout, "max_retries": retries, "default_headers": SHARED}
    if api == "messages":
        with anthropic.Anthropic(base_url=proxied.url, **options) as client:
            return client.messages.create(model=RUNS, max_tokens=999, messages=messages).to_json()
    with openai.OpenAI(base_url=f"{proxied.url}/v1", **options) as client:
        if api == "responses":
            return client.responses.create(model=RUNS, input=messages).to_json()
        return str(client.chat.completions.create(model=RUNS, messages=messages).choices[0].message.content)


@behaviour("proxy:leaving:stops")
def test_what_a_client_left_at_its_timeout_ends_once_it_asks_something_else(
    opened: Open, tmp_path: Path
) -> None:
    blocks = {api: Endless(tmp_path, api) for api in APIS}
    answers = [said for api in APIS for said in (blocks[api].block, "It still runs.", NEXT, "Done.")]
    upstream = Scripted([*WARM, *answers])
    with listening(upstream) as url:
        proxied = opened(url, continuations="*=next-turn", upstream_api="chat", timeout=5.0)
        ask(proxied, "chat", GO)
        for api, block in blocks.items():
            asked = len(upstream.asked)
            with pytest.raises((openai.APITimeoutError, anthropic.APITimeoutError)):
                ask(proxied, api, GO, timeout=LEAVES)
            # Its block runs on after its deadline, and the reply is complete, though nobody reads it.
            until(lambda: len(upstream.asked) == asked + 2)  # noqa: B023 - called here
            assert block.state == "runs"
            said = ask(proxied, api, [{"role": "user", "content": "Something else"}])
            assert (block.state, "Done." in said, "next" in said) == ("stopped", True, True)


@behaviour("proxy:leaving:stops")
def test_a_client_that_does_not_come_back_has_its_block_stopped(opened: Open, tmp_path: Path) -> None:
    block = Endless(tmp_path, "gone")
    with listening(Scripted([*WARM, block.block, "It still runs."])) as url:
        proxied = opened(url, continuations="*=next-turn", grace=3.0, timeout=5.0)
        ask(proxied, "chat", GO)
        with pytest.raises(openai.APITimeoutError):
            ask(proxied, "chat", GO, timeout=LEAVES)
        until(lambda: block.state == "stopped")


@behaviour("proxy:leaving:comes-back")
def test_a_block_that_runs_on_is_left_alone_where_its_client_comes_back(opened: Open, tmp_path: Path) -> None:
    block = Endless(tmp_path, "back")
    with listening(Scripted([*WARM, block.block, "It still runs.", "All done."])) as url:
        proxied = opened(url, continuations="*=next-turn", grace=6.0, timeout=3.0)
        ask(proxied, "chat", GO)
        came = time.monotonic()
        assert "It still runs." in ask(proxied, "chat", GO, timeout=2.0, retries=9)
        until(lambda: time.monotonic() > came + 2.0 + 6.0 + 0.5)  # when it would have been stopped
        assert block.state == "runs"
        block.gate.touch()
        until(lambda: block.state == "ended" and not any(each.busy for each in proxied.proxy.sessions.all()))
        assert "the gate is open" in ask(proxied, "chat", [{"role": "user", "content": "And now?"}])


@behaviour("proxy:leaving:busy")
def test_a_block_that_waits_for_an_earlier_one_says_so_in_time(opened: Open, tmp_path: Path) -> None:
    block = Endless(tmp_path, "busy")
    upstream = Scripted([block.block, "It still runs.", NEXT, "I wait.", NEXT, "Done."])
    with listening(upstream) as url:
        proxied = opened(url, continuations="*=next-turn", timeout=1.0)
        assert "It still runs." in ask(proxied, "chat", GO)
        stream = proxied.client().chat.completions.create(model=RUNS, messages=GO, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        told = (
            "Result: (not run: the kernel is busy with an earlier block; waited 1 s for it; "
            "run this again when that has ended)"
        )
        assert told in text
        assert text.endswith("I wait.")
        block.gate.touch()
        until(lambda: block.state == "ended" and not any(each.busy for each in proxied.proxy.sessions.all()))
        again = ask(proxied, "chat", GO)
    assert again.startswith("Result of the block that was still running: the gate is open")
    assert "Result: next" in again
