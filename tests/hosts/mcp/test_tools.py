"""The tools, as the SDK's own client meets them: a real server, real kernels."""

import asyncio
import base64
import contextlib
import io
import json
import sys
import uuid
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from mcp import Client
from mcp.types import (
    ElicitRequestParams,
    ElicitResult,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)
from PIL import Image

from coderunner.access.api_keys import owner
from coderunner.runner import open_records
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.mcp.clients import ALICE, MODES, call, http_server, over_http, over_stdio, stands, texts
from tests.kernel.servers import jupyter_server
from tests.tools.conftest import SHOP

PICTURE = """\
import base64
from IPython.display import Image, display
print("before")
display(Image(base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAADUlEQVR4nGNgGAWkAwABMgABn5GIfgAAAABJRU5ErkJggg=="
)))
print("after")
"""
SLEEPS = """\
import time
from pathlib import Path
try:
    print("sleeps")
    time.sleep(600)
finally:
    Path({path!r}).write_text("interrupted")
"""
UNTOLD = """\
import os, time
print("loading", flush=True)
while not os.path.exists({gate!r}): time.sleep(0.01)
{ends}
"""
BREAKS = "open('made.csv', 'w').write('x')\nraise ValueError('the table is broken')"
NOTHING = "(nothing is running in this session, and the call had no code to run)"
BOUND = 30.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mcp")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with http_server(folder, "--approve", "auto") as address:
        yield address


@contextlib.asynccontextmanager
async def connected(transport: str, mode: str, url: str, folder: Path) -> AsyncGenerator[Client]:
    way = (
        over_http(url, mode=mode)
        if transport == "http"
        else over_stdio(folder, "--approve", "auto", mode=mode)
    )
    async with way as client:
        yield client


@behaviour("mcp:run:in-order")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_a_client_gets_what_code_shows_in_order_and_variables_are_kept(
    transport: str, mode: str, url: str, folder: Path
) -> None:
    async with connected(transport, mode, url, folder) as client:
        assert (client.protocol_version == "2026-07-28") == (mode == "auto")
        plain = await call(client, "run_python", code="x = 10 + 5\nprint(x)")
        session = stands(plain, "session")
        shown = await call(client, "run_python", code=PICTURE, session=session)
        failed = await call(client, "run_python", code="1 / (x - 15)", session=session)
        silent = await call(client, "run_python", code="y = x", session=session)
    assert [texts(each) for each in (plain, shown, failed, silent)] == [
        ["15"],
        ["before", "image/png", "after"],
        ["ZeroDivisionError: division by zero\n  line 1: 1 / (x - 15)"],
        ["(no output)"],
    ]
    assert [(each.is_error, stands(each, "state"), stands(each, "status")) for each in (plain, failed)] == [
        (False, "done", "ok"),
        (True, "done", "error"),
    ]


@behaviour("mcp:run:packages")
async def test_a_client_that_can_be_asked_nothing_is_not_sent_to_a_pip_that_is_refused(
    url: str, folder: Path
) -> None:
    setting = "Neither CodeRunner nor pip installs what is missing unless packages = auto is set.)"
    needs = f"(This block needs not-there-1, which is not installed. {setting}"
    async with connected("http", "auto", url, folder) as client:
        imported = await call(client, "run_python", code="import not_there_1")
        piped = await call(client, "run_python", code="%pip install not-there-1")
        mistaken = await call(client, "run_python", code="import helper")
    error, told = texts(imported)
    assert error == "ModuleNotFoundError: No module named 'not_there_1'\n  line 1: import not_there_1"
    assert told == needs.replace("not-there-1", "not_there_1")
    why = "pip installed nothing, because CodeRunner installs packages itself: not-there-1"
    assert texts(piped) == [f"PackagesNotInstalled: {why}", needs]
    assert "Hint: there is no file helper.py here" in texts(mistaken)[0]


STRANGE = """
import base64, io
from PIL import Image
from IPython.display import display

def show(content):
    display({"image/png": base64.b64encode(content).decode()}, raw=True)

def drawn(kind, size=(60, 40), mode="RGB"):
    kept = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(kept, kind)
    return kept.getvalue()

show(drawn("JPEG"))
show(drawn("GIF"))
show(drawn("PNG", (9000, 60)))
show(drawn("PNG", (3000, 2000)))
show(b"<!doctype html>")
show(drawn("PNG")[:-30])
"""


@behaviour("mcp:run:images")
async def test_a_client_gets_images_that_every_model_takes_and_a_line_for_the_rest(
    url: str, folder: Path
) -> None:
    async with connected("http", "auto", url, folder) as client:
        shown = await call(client, "run_python", code=STRANGE)
    words = shown.content[-1]
    images = [each for each in shown.content if isinstance(each, ImageContent)]
    assert [each.mime_type for each in images] == ["image/jpeg", "image/png", "image/png", "image/png"]
    sizes = [Image.open(io.BytesIO(base64.b64decode(each.data))).size for each in images]
    assert sizes == [(60, 40), (60, 40), (1568, 28), (1568, 1045)]
    assert isinstance(words, TextContent)
    assert words.text == (
        "[unreadable image: declared as image/png, is HTML]\n"
        "[unreadable image: declared as image/png, is cut off]"
    )


@behaviour("mcp:cancel:interrupts")
@pytest.mark.parametrize(("transport", "mode"), [("http", "auto"), ("http", "legacy"), ("stdio", "auto")])
async def test_a_call_that_is_taken_back_is_interrupted(
    transport: str, mode: str, url: str, folder: Path, tmp_path: Path
) -> None:
    sleeps = asyncio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        if "sleeps" in (message or ""):
            sleeps.set()

    session = uuid.uuid4().hex
    code = SLEEPS.format(path=str(tmp_path / "end"))
    async with connected(transport, mode, url, folder) as client:
        arguments = {"code": code, "session": session, "wait": 600}
        running = asyncio.create_task(client.call_tool("run_python", arguments, progress_callback=hear))
        async with asyncio.timeout(BOUND):
            await sleeps.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        ended = await call(client, "run_python", code="", session=session, wait=BOUND)
    assert (stands(ended, "status"), (tmp_path / "end").read_text()) == ("interrupted", "interrupted")


@behaviour("mcp:run:live")
@pytest.mark.parametrize("mode", MODES)
async def test_a_client_hears_what_is_printed_while_the_program_runs(
    mode: str, url: str, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    code = (
        f"import time\nfrom pathlib import Path\nprint('one')\n"
        f"while not Path({str(seen)!r}).exists(): time.sleep(0.01)\nprint('two')"
    )

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        if message == "one\n":
            seen.touch()

    async with over_http(url, mode=mode) as client:
        arguments = {"code": code, "wait": BOUND}
        result = await client.call_tool("run_python", arguments, progress_callback=hear)
    assert texts(result) == ["one\ntwo"]


@behaviour("mcp:run:polled")
async def test_a_call_that_has_waited_long_enough_leaves_the_code_running(url: str, tmp_path: Path) -> None:
    go = tmp_path / "go"
    code = (
        f"import time\nfrom pathlib import Path\nprint('one')\n"
        f"while not Path({str(go)!r}).exists(): time.sleep(0.01)\nprint('two')"
    )
    async with over_http(url) as client:
        early = await call(client, "run_python", code="import sys")
        session = stands(early, "session")
        early = await call(client, "run_python", code=code, session=session, wait=1)
        go.touch()
        late = await call(client, "run_python", code="", session=session, wait=BOUND)
    assert [stands(each, "state") for each in (early, late)] == ["running", "done"]
    assert (texts(early)[0], texts(late)) == ("one", ["two"])
    assert "still running after 1 s" in texts(early)[1]


async def ended_unseen(client: Client, session: str, gate: Path, ends: str) -> None:
    """Run code that ends in that way after the call that has told what it printed."""
    told = await call(
        client, "run_python", code=UNTOLD.format(gate=str(gate), ends=ends), session=session, wait=0.1
    )
    async with asyncio.timeout(2 * BOUND):
        while "loading" not in texts(told):
            told = await call(client, "run_python", session=session, wait=0.1)
        await asyncio.to_thread(gate.touch)
        while {"session": session, "state": "idle", "kernel": "python3"} not in stands(
            await call(client, "list_sessions"), "result"
        ):
            pass


@behaviour("mcp:run:ended-untold")
async def test_the_end_of_a_block_that_outlived_its_call_is_told_once_with_the_next(
    url: str, tmp_path: Path
) -> None:
    async with over_http(url) as client:
        session = stands(await call(client, "run_python", code="x = 15"), "session")
        await ended_unseen(client, session, tmp_path / "broken", BREAKS)
        broken = await call(client, "run_python", code="print('new')", session=session)
        again = await call(client, "run_python", session=session)
        await ended_unseen(client, session, tmp_path / "died", "os._exit(1)")
        died = await call(client, "run_python", code="y = 'x' in globals(); print(y)", session=session)
    late, result = "Result of the block that was still running:\n", "Result:\n"
    error = f"{late}ValueError: the table is broken\n  line 5: raise ValueError('the table is broken')"
    assert texts(broken) == [error, "(Files: `made.csv` (1 byte, new))", "resource_link", f"{result}new"]
    assert (broken.is_error, stands(broken, "status"), stands(broken, "files")) == (False, "ok", [])
    assert (texts(again), again.is_error, stands(again, "status")) == ([NOTHING], False, "")
    assert stands(again, "seconds") == 0
    ending = "(the kernel died while the code ran; variables are gone"
    assert texts(died)[0].startswith(f"{late}{ending}")
    assert (texts(died)[1:], died.is_error) == ([f"{result}False"], False)


@behaviour("mcp:run:afterwards")
async def test_what_a_thread_prints_after_its_block_is_told_once_with_the_next_call(
    url: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    thread = (
        "import os, threading, time\n"
        f"def work():\n    while not os.path.exists({str(gate)!r}): time.sleep(0.01)\n    print('x' * 3)\n"
        "thread = threading.Thread(target=work); thread.start()"
    )
    async with over_http(url) as client:
        first = await call(client, "run_python", code=thread)
        session = stands(first, "session")
        gate.touch()
        joined = await call(client, "run_python", code="thread.join(); print('joined')", session=session)
        again = await call(client, "run_python", code="", session=session)
    assert texts(first) == ["(no output)"]
    assert texts(joined) == ["Later output of an earlier block:\nxxx", "joined"]
    assert texts(again) == [NOTHING]


@behaviour("mcp:run:afterwards")
async def test_a_call_without_code_tells_what_threads_printed_since(url: str) -> None:
    async with over_http(url) as client:
        first = await call(
            client, "run_python", code="import threading; threading.Timer(0.3, print, ['x']).start()"
        )
        session = stands(first, "session")
        async with asyncio.timeout(BOUND):
            while texts(heard := await call(client, "run_python", code="", session=session)) == [NOTHING]:
                pass
        again = await call(client, "run_python", code="", session=session)
        following = await call(client, "run_python", code="print(1)", session=session)
    assert texts(heard) == ["Later output of an earlier block:\nx"]
    assert [texts(again), texts(following)] == [[NOTHING], ["1"]]


@behaviour("mcp:arguments:null")
async def test_null_is_an_argument_that_is_not_there(url: str) -> None:
    async with over_http(url) as client:
        first = await call(client, "run_python", code="x = input('? ')", session=None, wait=None)
        session = stands(first, "session")
        answered = await call(client, "send_input", text="15", session=session, wait=None)
        again = await call(client, "run_python", code=None, session=session, wait=None)
        without = await call(client, "run_python", session=session, wait="")
        for tool in ("interrupt", "reset"):
            told = await call(client, tool, session=None)
            assert (told.is_error, "there is no session" in texts(told)[0]) == (True, True)
    assert [each.is_error for each in (first, answered, again, without)] == [False] * 4


@behaviour("mcp:arguments:unfit")
async def test_arguments_that_are_missing_or_of_another_type_are_told_in_one_sentence(url: str) -> None:
    async with over_http(url) as client:
        missing = await call(client, "send_input", session="s")
        other = await call(client, "run_python", code=["x"], session="s", wait=-1)
    assert (missing.is_error, other.is_error) == (True, True)
    assert texts(missing) == [
        "send_input was not called: the argument text is missing; it takes text, session, wait"
    ]
    whys = "code should be a valid string, wait should be greater than or equal to 0"
    assert texts(other) == [f"run_python was not called: {whys}; it takes code, session, wait"]


@behaviour("mcp:arguments:unknown")
async def test_an_argument_that_a_tool_does_not_have_is_refused_with_those_it_has(url: str) -> None:
    async with over_http(url) as client:
        session = stands(await call(client, "run_python", code="1 / 0"), "session")
        unknown = await call(client, "run_python", script="print(5)", session=session)
        several = await call(client, "reset", name="a", which="b")
    assert (unknown.is_error, several.is_error) == (True, True)
    assert texts(unknown) == ["run_python has no argument script; it takes code, session, wait"]
    assert texts(several) == ["reset has no arguments name, which; it takes session"]


@behaviour("mcp:run:fenced")
@pytest.mark.parametrize("mode", MODES)
async def test_code_that_is_a_fence_is_run_without_it(mode: str, url: str) -> None:
    holds = "print(QQQ\n```\nx\n```QQQ)".replace("QQQ", 3 * "'")
    async with over_http(url, mode=mode) as client:
        told = await call(client, "run_python", code="\n```python title=a\nprint(10 + 5)\n```\n\n")
        session = stands(told, "session")
        plain = await call(client, "run_python", code=holds, session=session)
        words = "Here it is:\n```python\nprint(15)\n```\nIt prints 15."
        around = await call(client, "run_python", code=words, session=session)
    assert (texts(told), texts(plain)[0].count("x"), texts(around)) == (["15"], 1, ["15"])
    assert not plain.is_error


@behaviour("mcp:run:fenced")
async def test_a_person_is_asked_about_what_runs(tmp_path: Path) -> None:
    asked: list[str] = []

    async def ask(_context: object, parameters: ElicitRequestParams) -> ElicitResult:
        asked.append(parameters.message)
        return ElicitResult(action="decline")

    async with over_stdio(tmp_path, "--approve", "ask", elicitation_callback=ask) as client:
        await call(client, "run_python", code="~~~\nprint(1)\n~~~")
    assert asked == ["Run this code?\n\nprint(1)\n"]


@behaviour("mcp:run:busy")
async def test_code_is_not_queued_behind_code_that_runs(url: str) -> None:
    async with over_http(url) as client:
        first = await call(client, "run_python", code="input()")
        session = stands(first, "session")
        second = await call(client, "run_python", code="print(1)", session=session)
        await call(client, "reset", session=session)
    assert (second.is_error, "still running code" in texts(second)[0]) == (True, True)


@behaviour("mcp:run:bounded")
async def test_a_long_output_is_an_excerpt_with_the_whole_as_a_resource(url: str) -> None:
    async with over_http(url) as client:
        result = await call(client, "run_python", code="for number in range(5000): print(number)")
        link = result.content[1]
        assert isinstance(link, ResourceLink)
        (whole,) = (await client.read_resource(link.uri)).contents
    assert isinstance(whole, TextResourceContents)
    assert whole.text.splitlines() == [str(number) for number in range(5000)]
    assert len(texts(result)[0]) < 5000
    assert "4,9" in texts(result)[0]


@behaviour("mcp:input:answered")
async def test_a_program_that_asks_is_answered_by_a_call(url: str) -> None:
    code = "from getpass import getpass\nprint('Hello', input('Name? '), len(getpass('Key? ')))"
    async with over_http(url) as client:
        asks = await call(client, "run_python", code=code)
        session = stands(asks, "session")
        listed = await call(client, "list_sessions")
        asks_on = await call(client, "send_input", text="Ada", session=session)
        done = await call(client, "send_input", text="canary", session=session)
        nothing = await call(client, "send_input", text="more", session=session)
    assert [stands(each, "state") for each in (asks, asks_on, done)] == [
        "waiting_for_input",
        "waiting_for_input",
        "done",
    ]
    assert (stands(asks, "prompt"), stands(asks_on, "prompt")) == ("Name? ", "Key? ")
    assert {"session": session, "state": "waiting_for_input", "kernel": "python3"} in stands(listed, "result")
    assert texts(done)[-1].endswith("Hello Ada 6")
    assert (nothing.is_error, "is waiting for input" in texts(nothing)[0]) == (True, True)
    assert "canary" not in f"{asks_on}{done}"


@behaviour("mcp:variables")
async def test_variables_are_listed_also_while_code_runs(url: str, tmp_path: Path) -> None:
    async with over_http(url) as client:
        session = stands(await call(client, "run_python", code="x, text = 42, 'a'\ndel text"), "session")
        waits = SLEEPS.format(path=str(tmp_path / "end"))
        running = await call(client, "run_python", code=waits, session=session, wait=0.5)
        listed = await call(client, "variables", session=session, match="INT")
        nobody = await call(client, "variables", session="nobody")
        await call(client, "interrupt", session=session)
    assert stands(running, "state") == "running"
    assert stands(listed, "variables") == [
        {"name": "x", "type": "int", "shape": "", "size": None, "value": "42"}
    ]
    assert stands(listed, "more") == 0
    assert (nobody.is_error, "there is no session 'nobody'" in texts(nobody)[0]) == (True, True)


@behaviour("mcp:interrupt")
async def test_code_is_interrupted_and_its_variables_are_kept(url: str) -> None:
    async with over_http(url) as client:
        first = await call(client, "run_python", code="x = 15")
        session = stands(first, "session")
        await call(client, "run_python", code="import time\ntime.sleep(600)", session=session, wait=0.1)
        stopped = await call(client, "interrupt", session=session)
        kept = await call(client, "run_python", code="print(x)", session=session)
    assert (stopped.is_error, stands(stopped, "status"), texts(kept)) == (False, "interrupted", ["15"])


@behaviour("mcp:reset")
async def test_a_session_that_is_reset_begins_anew(url: str) -> None:
    async with over_http(url) as client:
        first = await call(client, "run_python", code="x = 15")
        session = stands(first, "session")
        await call(client, "reset", session=session)
        gone = await call(client, "reset", session=session)
        anew = await call(client, "run_python", code="print(x)", session=session)
    assert "NameError" in texts(anew)[0]
    assert (gone.is_error, f"there is no session {session!r}" in texts(gone)[0]) == (True, True)


@behaviour("mcp:approve:asked")
@pytest.mark.parametrize("mode", MODES)
async def test_a_person_allows_code_or_declines_it(mode: str, tmp_path: Path) -> None:
    asked: list[str] = []

    async def ask(_context: object, parameters: ElicitRequestParams) -> ElicitResult:
        asked.append(parameters.message)
        if len(asked) == 1:
            return ElicitResult(action="accept", content={"run": True})
        return ElicitResult(action="decline")

    flags = ("--sandbox", "off")
    async with over_stdio(tmp_path, *flags, mode=mode, elicitation_callback=ask) as client:
        allowed = await call(client, "run_python", code="print(1)")
        declined = await call(client, "run_python", code="print(2)")
    assert asked == ["Run this code?\n\nprint(1)", "Run this code?\n\nprint(2)"]
    assert (texts(allowed), declined.is_error) == (["1"], True)
    assert "the code was not run: the user declined it" in texts(declined)[0]


@behaviour("mcp:approve:no-face")
async def test_a_client_that_can_ask_nobody_is_told_what_to_set(tmp_path: Path) -> None:
    async with over_stdio(tmp_path, "--sandbox", "off") as client:
        refused = await call(client, "run_python", code="print(1)")
    assert refused.is_error
    assert "was not run" in texts(refused)[0]
    assert "--approve auto" in texts(refused)[0]


@behaviour("mcp:run:written")
async def test_what_runs_is_written_down(url: str, folder: Path) -> None:
    async with over_http(url) as client:
        told = await call(client, "run_python", code="print(10 + 5)")
    records = open_records("", folder)
    written = [each.code for each in records.of(f"mcp {owner(Secret(ALICE))} {stands(told, 'session')}")]
    records.close()
    assert written == ["print(10 + 5)"]


@behaviour("mcp:end:stdio")
async def test_the_kernels_of_a_client_that_started_us_end_with_it(tmp_path: Path) -> None:
    with jupyter_server(tmp_path, token="token") as jupyter:
        variables = {"CODERUNNER_SERVER": jupyter.url, "CODERUNNER_TOKEN": "token"}
        async with over_stdio(tmp_path / "data", variables=variables) as client:
            told = await call(client, "run_python", code="print(10 + 5)")
            during = len(jupyter.kernels())
        after = len(jupyter.kernels())
    assert (texts(told), during, after) == (["15"], 1, 0)


@behaviour("mcp:sessions:kernels")
async def test_the_notebooks_of_this_machine_are_listed_and_one_is_attached_to(tmp_path: Path) -> None:
    with jupyter_server(tmp_path, token="canary-token") as jupyter:
        told = {"url": f"{jupyter.url}/", "token": jupyter.token, "pid": jupyter.process.pid}
        file = tmp_path / "jpserver-1.json"
        file.write_text(json.dumps(told))
        file.chmod(0o600)
        wanted = {"path": "data.ipynb", "name": "data", "type": "notebook", "kernel": {"name": "python3"}}
        notebook = jupyter.ask("api/sessions", "POST", wanted)
        here = {"JUPYTER_RUNTIME_DIR": str(tmp_path)}
        flags = ("--attach", "data.ipynb", "--approve", "auto")
        async with over_stdio(tmp_path / "data", *flags, variables=here) as client:
            ran = await call(client, "run_python", code="x = 15; print(x)")
            listed = await call(client, "list_sessions")
        assert jupyter.kernels() == [notebook["kernel"]["id"]]
    assert texts(ran)[-1].endswith("15")
    (kernel,) = stands(listed, "kernels")
    assert (kernel["notebook"], kernel["server"]) == ("data.ipynb", jupyter.url)
    assert stands(listed, "problem") == ""
    assert jupyter.token not in str(listed)


@behaviour("mcp:sessions:kernels")
async def test_clients_with_keys_are_told_of_no_kernels_but_theirs(url: str) -> None:
    async with over_http(url) as client:
        listed = await call(client, "list_sessions")
    assert stands(listed, "kernels") == []


@behaviour("mcp:tools:servers")
async def test_code_calls_the_tools_of_other_servers_where_the_settings_allow_it(tmp_path: Path) -> None:
    servers = ("--tools", f"shop={sys.executable} {SHOP}", "--tools-approve", "auto")
    async with over_stdio(tmp_path, "--approve", "auto", *servers) as client:
        (run,) = (tool for tool in (await client.list_tools()).tools if tool.name == "run_python")
        result = await call(client, "run_python", code="print(tools.add(1, 2))", wait=BOUND)
    assert "functions of `tools`" in (run.description or "")
    assert texts(result)[0] == "3"
