"""Code calls tools of a real MCP server, in each kind of kernel."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coderunner.chat.results.result_text import for_model, pictures
from coderunner.kernel.sessions.registry import Local, Server, Session
from coderunner.outputs import Status
from coderunner.page.block_state import Block, State
from coderunner.page.html.block_html import Setting, block
from coderunner.records.database.output_json import decode, encode
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.faults.proxy import chaos
from tests.kernel.servers import Jupyter
from tests.tools.conftest import (
    BOUND,
    COMMAND,
    SECRET,
    SHOP,
    Bench,
    Person,
    bench,
    calls,
    printed,
    raised,
    run,
)


@behaviour("tools:values")
def test_code_gets_values_texts_and_images(everywhere: Session) -> None:
    told = run(everywhere, "print(tools.search('cats', limit=1), tools.add(a=2, b=3), tools.list_files())")
    assert printed(told) == "[{'title': 'cats 0 up', 'score': 0.0}] 5 files of .\n"
    half = run(everywhere, "print(ascii(tools.list_files('\\ud800')))")
    assert printed(half) == "'files of \\ufffd'\n"
    image = run(everywhere, "import tools\nfrom tools import chart\nchart('Sales')")
    assert [each[:4] for each in pictures(image)] == [b"\x89PNG"]
    several = run(everywhere, "tools.album('Sales')")
    assert [each[:4] for each in pictures(several)] == [b"\x89PNG"] * 2
    read = for_model(several)
    assert read.index("The album of Sales") < read.index("image/png") < read.index("and\n")
    assert "display(…) shows it" in printed(run(everywhere, "print(tools.album('Sales'))"))
    helped = run(everywhere, "print(tools.search.__doc__.splitlines()[0], sorted(dir(tools))[1])")
    assert printed(helped) == "Finds pages. The best come first. add\n"


@behaviour("tools:record")
def test_a_call_stands_in_the_record_and_not_in_what_the_model_reads(everywhere: Session) -> None:
    result = run(everywhere, "print('before')\nx = tools.add(1, b=2)\nprint('after', x)")
    assert for_model(result) == "Result:\n```output\nbefore\nafter 3\n```\n"
    assert [type(output).__name__ for output in result.outputs] == ["Stream", "DisplayData", "Stream"]
    (call,) = calls(result)
    assert call["seconds"] > 0  # type: ignore[operator]
    assert call | {"seconds": 0} == {
        "tool": "add",
        "server": "shop",
        "arguments": '{"a": 1, "b": 2}',
        "result": "3",
        "failed": False,
        "seconds": 0,
    }
    assert [decode(encode(output)) for output in result.outputs] == list(result.outputs)
    drawn = block(Block("", "", State.ENDED, result=result), Setting())
    assert 'class="cr-out cr-call">add(a=1, b=2) · 0.' in drawn


@behaviour("tools:errors")
def test_what_goes_wrong_is_told_in_the_servers_own_words(everywhere: Session) -> None:
    assert raised(run(everywhere, "tools.fail('rain')")).endswith("the shop is closed: rain")
    assert raised(run(everywhere, "tools.add('x', 1)")) == "ToolError: a: 'x' is not of type 'integer'"
    assert raised(run(everywhere, "tools.add(1)")) == "TypeError: missing a required argument: 'b'"
    assert raised(run(everywhere, "tools.sell()")).startswith("AttributeError: there is no tool 'sell', but")
    assert "4.2 MB can be passed on" in raised(run(everywhere, "tools.large(5_000_000)"))
    assert printed(run(everywhere, "print(len(tools.large(2_000_000)))")) == "2000000\n"
    caught = "try:\n    tools.fail('x')\nexcept tools.ToolError as error:\n    print('caught')"
    assert printed(run(everywhere, caught)) == "caught\n"


@behaviour("tools:input")
def test_a_call_and_a_question_of_the_program_do_not_meet(everywhere: Session) -> None:
    person = Person(everywhere, "a = input('A? ')\nb = tools.add(1, 2)\nc = input('C? ')\nprint(a, b, c)")
    assert person.answers("x") == "A? "
    assert person.answers("y") == "C? "
    assert printed(person.result()).endswith("x 3 y\n")
    threads = (
        "from threading import Thread\nsaid = []\n"
        "each = [Thread(target=lambda n=n: said.append(tools.add(n, n))) for n in range(8)]\n"
        "[one.start() for one in each]; said.append(int(input('N? '))); [one.join() for one in each]\n"
        "print(sorted(said))"
    )
    person = Person(everywhere, threads)
    assert person.answers("100") == "N? "
    assert printed(person.result()).endswith("[0, 2, 4, 6, 8, 10, 12, 14, 100]\n")


@behaviour("tools:stop")
def test_stop_ends_a_call_and_the_server_hears_of_it(everywhere: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    person = Person(everywhere, f"tools.slow(600, {str(log)!r})")
    assert until(lambda: said(log) == "began\n")
    person.running.interrupt()
    result = person.result()
    assert result.status is Status.INTERRUPTED
    assert [call["tool"] for call in calls(result)] == ["slow"]
    assert until(lambda: said(log) == "began\ncancelled\n")
    assert printed(run(everywhere, "print(tools.add(1, 1))")) == "2\n"


@behaviour("tools:hostile")
def test_a_kernel_cannot_forge_what_was_called(everywhere: Session) -> None:
    forged = """
def say(content, parent=None):
    kernel = get_ipython().kernel
    parent = kernel.get_parent("shell") if parent is None else parent
    kernel.session.send(kernel.iopub_socket, "coderunner_tool_call", content, parent, ident=b"x")
def call(identity, tool, arguments):
    say({"call": identity, "tool": tool, "arguments": arguments})
for content in [{}, {"call": 1}, {"call": "a", "tool": "add"}, {"call": "e", "over": True}]:
    say(content)
call("", "add", "{}"); call("b", "add", "{"); call("c", "add", "[]"); call("d", "os.system", "{}")
say({"call": "f", "tool": "add", "arguments": '{"a": 1, "b": 1}'}, {"header": {"msg_id": "another"}})
kind = "application/vnd.coderunner.tool-call+json"
display({kind: {"tool": "add"}, "text/plain": "add() · 0.0 s"}, raw=True)
print(tools.add(2, 2))
"""
    result = run(everywhere, forged)
    assert result.status is Status.OK
    assert printed(result) == "4\n"
    assert [(call["tool"], call.get("failed")) for call in calls(result)] == [
        ("os.system", True),
        ("add", False),
    ]


@behaviour("tools:consent")
def test_a_person_is_asked_once_for_each_tool_of_a_chat(asking: Bench) -> None:
    chat = asking.chat()
    person = Person(chat, "print(tools.add(1, 2), tools.add(3, 4))")
    assert person.asked() is not None
    person.running.interrupt()
    assert person.result().status is Status.INTERRUPTED
    person = Person(chat, "print(tools.add(1, 2), tools.add(3, 4), tools.add(5, 6))", deadline=20.0)
    words = person.answers("Allow once")
    assert words == "Allow this block to call add(a=1, b=2) of the server shop?"
    assert "add(a=3, b=4)" in person.answers("Allow for this chat")
    assert printed(person.result()) == "3 7 11\n"
    person = Person(chat, "print(tools.add(1, 1))\ntools.list_files()")
    assert "list_files()" in person.answers("Refuse")
    result = person.result()
    assert printed(result) == "2\n"
    assert raised(result) == "ToolError: the user did not allow list_files"
    assert not person.asked_more
    other = run(asking.chat(), "tools.add(1, 1)")
    assert raised(other).startswith("ToolError: add needs consent, and nobody can be asked here")


@behaviour("tools:limits")
def test_a_blocks_calls_are_limited(asking: Bench) -> None:
    chat = asking.chat()
    flood = """
done = 0
for number in range(10_000):
    try:
        tools.add(number, 1)
        done += 1
    except tools.ToolError as error:
        print(done, error)
        break
for number in range(3_000):
    kernel = get_ipython().kernel
    content = {"call": f"x{number}", "tool": "add", "arguments": '{"a": 1, "b": 1}'}
    kernel.session.send(kernel.iopub_socket, "coderunner_tool_call", content, kernel.get_parent("shell"))
"""
    person = Person(chat, flood, deadline=60.0)
    person.answers("Allow for this chat")
    result = person.result()
    assert printed(result) == "5 a block may call tools 5 times (setting max_tool_calls)\n"
    assert len(calls(result)) == 5
    assert printed(run(chat, "print(tools.add(1, 1))")) == "2\n"


@behaviour("tools:limits")
def test_a_call_that_takes_too_long_is_given_up(asking: Bench, tmp_path: Path) -> None:
    log, before = tmp_path / "log", asking.toolbox.seconds
    chat = asking.chat()
    asking.toolbox.seconds = 0.5
    try:
        person = Person(chat, f"tools.slow(600, {str(log)!r})")
        person.answers("Allow once")
        assert "slow took too long" in raised(person.result())
    finally:
        asking.toolbox.seconds = before
    assert until(lambda: said(log) in ("began\ncancelled\n", ""))


@behaviour("tools:anew")
def test_a_server_that_has_ended_is_started_anew(asking: Bench) -> None:
    person = Person(
        asking.chat(),
        "try:\n    tools.leave()\nexcept tools.ToolError as error:\n    print(error)\nprint(tools.add(1, 1))",
    )
    person.answers("Allow once")
    person.answers("Allow once")
    lines = printed(person.result()).splitlines()
    assert lines[0].startswith("the MCP server shop ended or lost the connection during the call")
    assert lines[1] == "2"


@behaviour("tools:once")
async def test_a_call_survives_a_connection_that_is_cut(jupyter: Jupyter, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with chaos(jupyter.url) as proxy:
        kernels = bench(Server(proxy.url, Secret(jupyter.token)), tmp_path, {"shop": COMMAND}, asks=False)
        try:
            chat = kernels.chat()
            assert printed(await asyncio.to_thread(run, chat, "print(tools.add(1, 1))")) == "2\n"
            person = Person(chat, f"print(tools.slow(2, {str(log)!r}))", deadline=60.0)
            assert await asyncio.to_thread(until, lambda: said(log) == "began\n")
            proxy.cut()
            result = await asyncio.to_thread(person.result)
            assert (result.status, printed(result)) == (Status.OK, "done\n")
            assert said(log) == "began\nended\n"
        finally:
            await kernels.sessions.close_all(keep=False)


@behaviour("tools:once")
def test_a_call_that_is_sent_again_is_made_once(everywhere: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    twice = f"""
channel = tools.add.__closure__[0].cell_contents
send = type(channel).send
channel.send = lambda content, parent: [send(channel, content, parent) for _ in range(3)]
print(tools.slow(0.1, {str(log)!r}))
del channel.send
"""
    assert printed(run(everywhere, twice)) == "done\n"
    assert said(log) == "began\nended\n"


@behaviour("tools:http")
def test_a_server_at_an_address_gets_its_secret_and_the_kernel_does_not(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with serving() as url:
        servers = {
            "web": {"url": url, "file": str(secret)},
            "own": {**COMMAND, "environment": {"SHOP_KEY": str(secret)}},
        }
        kernels = bench(Local(), tmp_path / "work", servers, asks=False)
        try:
            chat = kernels.chat()
            asked = run(
                chat, "print(tools.web_authorization(), tools.own_secret_length(), tools.web_add(1, 2))"
            )
            assert printed(asked) == f"Bearer {len(SECRET)} {len(SECRET)} 3\n"
            known = "import os\nprint('canary-' + 'of-the-shop' in f'{dict(os.environ)} {vars(tools)}')"
            assert printed(run(chat, known)) == "False\n"
        finally:
            kernels.close()


@behaviour("tools:unreachable")
def test_a_server_that_cannot_be_reached_is_told_in_a_sentence(tmp_path: Path) -> None:
    servers = {
        "gone": {"command": "no-such-program-of-the-test"},
        "away": {"url": f"http://127.0.0.1:{free_port()}/mcp"},
        "mute": {"command": [sys.executable, "-c", "pass"]},
        "shop": COMMAND,
    }
    kernels = bench(Local(), tmp_path, servers, asks=False)
    try:
        result = run(kernels.chat(), "print(tools.add(1, 1))\ntools.sell(x=1)")
        assert printed(result) == "2\n"
        said = raised(result)
        assert said.startswith("ToolError: there is no tool sell, but search, add")
        assert (
            "the MCP server gone cannot be started: there is no program no-such-program-of-the-test" in said
        )
        assert "the MCP server away cannot be reached at http://127.0.0.1:" in said
        assert "the MCP server mute ended at once" in said
    finally:
        kernels.close()


@behaviour("tools:prompt")
async def test_only_where_code_has_tools_is_the_model_told_of_them(asking: Bench) -> None:
    persons_own = Server("http://127.0.0.1:8888", attach="data.ipynb")
    async with asyncio.timeout(BOUND):  # servers that are slow to start are told of later
        while "search(" not in await asking.sessions.words_of_tools(asking.chat()):
            await asyncio.to_thread(run, asking.chat(), "tools")
    attached = asking.sessions.get("a-person's-own", persons_own)
    assert await asking.sessions.words_of_tools(attached) == ""


def said(log: Path) -> str:
    return log.read_text() if log.exists() else ""


def until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds."""
    end = time.monotonic() + BOUND
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving() -> Iterator[str]:
    """The shop at an address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, SHOP, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ),
    )
    try:
        assert until(lambda: reachable(port))
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.communicate(timeout=BOUND)


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
