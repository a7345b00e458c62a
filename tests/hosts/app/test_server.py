"""The app as a program: how it starts, where it listens, how it ends."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.errors import SettingsError
from coderunner.hosts.app.conversation.message_parts import Part
from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App, listen
from coderunner.outputs import Stream
from coderunner.page.block_state import Block
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import EXTENSION, address_of, client, served, started

BOUND = 60
"""Seconds for a start: the import of Gradio takes fifteen on a busy machine."""


@behaviour("app:start:address")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_its_address_once_it_answers_and_ends_quietly(how: signal.Signals) -> None:
    with started("--demo", "--port", "0") as process:
        with client(address_of(process)) as page:
            assert page.get("/").status_code == 200
        process.send_signal(how)
        rest, errors = process.communicate(timeout=BOUND)
        assert (rest, errors) == ("", "")
        assert process.returncode in (0, -how, 130)


IMPORT = """
import sys
opened = []
sys.addaudithook(lambda event, told: event == "open" and opened.append(str(told[0])))
import inspect
import coderunner.hosts.app
import gradio
assert inspect.getfile(gradio.Textbox).endswith("textbox.py")
print([name for name in opened if name.endswith(".pyi")], "mcp" in sys.modules)
import mcp
"""


@behaviour("app:start:import")
def test_its_start_waits_for_no_stubs_and_no_sdk_that_it_does_not_use() -> None:
    environment = {**os.environ, "PYTHONPATH": str(EXTENSION)}
    done = subprocess.run([sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[] False\n", "")


@behaviour("app:start:told")
def test_what_keeps_it_from_starting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_MODEL_KEY", "“quoted”")
    with started("--model-url", "http://127.0.0.1:9/v1", "--port", "0") as process:
        _, errors = process.communicate(timeout=BOUND)
    assert re.fullmatch(r"coderunner: .*key.*\n", errors), errors
    assert process.returncode == 2


@behaviour("app:start:loopback")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_it_refuses_to_listen_for_others_since_nothing_is_encrypted(host: str) -> None:
    with pytest.raises(SettingsError, match=r"not encrypted.*ssh -L"):
        listen(load({"host": host}))


@behaviour("app:start:port")
def test_a_port_that_nobody_asked_for_may_be_the_next_one() -> None:
    settings = load()
    with listen(settings) as first, listen(settings) as second:
        assert first.getsockname()[1] >= settings.port
        assert second.getsockname()[1] > first.getsockname()[1]


@behaviour("app:start:port")
def test_a_port_that_was_asked_for_and_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}"):
            listen(load({"port": port}))


@behaviour("app:start:kernels-end")
def test_kernels_of_this_machine_end_with_the_app() -> None:
    app, ours = App(load({"demo": True})), psutil.Process()
    before = set(ours.children(recursive=True))
    with served(app.asgi):
        result = app.writer.session("somebody").begin("1").wait(BOUND)
        assert result is not None
        begun = set(ours.children(recursive=True)) - before
        # What kernels are forked from stays: it is held for all hosts of these tests.
        kernels = {one for one in begun if one.children() or "kernel.template" not in " ".join(one.cmdline())}
        assert kernels
    assert psutil.wait_procs(kernels, timeout=BOUND)[1] == []


@behaviour("app:records:written")
async def test_what_a_reply_runs_is_written_down(tmp_path: Path) -> None:
    app = App(load({"demo": True, "approve": "auto", "data_dir": tmp_path}))
    app.choices.choice = await app.model_choices.start()
    conversation = app.conversations.new()
    conversation.say("What is 10 + 5?")
    async with asyncio.timeout(BOUND):
        async for _ in conversation.follow():
            pass
    await app.sessions.close_all()
    await app.model_choices.stop()
    app.records.settle()
    (record,) = app.records.of(kernel_label(conversation.id))
    app.records.close()
    assert record.result is not None
    assert record.result.outputs == (Stream("stdout", "15\n"),)
    # This is what a Jupyter server shows to all who use it.
    assert kernel_label(conversation.id) not in conversation.id


def lasting(part: Part) -> Part:
    """What of a part is to be the same after a new start: a block's names are others."""
    if not isinstance(part, Block):
        return part
    result, source, read, ordinal, state = part.result, part.source, part.read, part.ordinal, part.state
    return Block(part.written, source, state, outputs=part.outputs, result=result, read=read, ordinal=ordinal)


@behaviour("app:kept:whole")
async def test_the_next_start_shows_a_conversation_as_it_was(tmp_path: Path) -> None:
    chosen = {"demo": True, "approve": "auto", "data_dir": tmp_path}
    before, after = App(load(chosen)), App(load(chosen))
    before.choices.choice = await before.model_choices.start()
    conversation = before.conversations.new()
    conversation.say("Make a mistake and correct it")
    assert conversation.writing is not None
    await conversation.writing
    await before.sessions.close_all()
    await before.model_choices.stop()
    before.records.close()
    found = await after.conversations.find(conversation.id)
    after.records.close()
    assert found is not None
    assert [(each.role, each.text, each.tokens) for each in found.messages] == [
        (each.role, each.text, each.tokens) for each in conversation.messages
    ]
    parts = [[lasting(part) for part in each.messages[-1].parts] for each in (conversation, found)]
    assert parts[0] == parts[1]
    assert sum(isinstance(part, Block) for part in parts[0]) == 2
