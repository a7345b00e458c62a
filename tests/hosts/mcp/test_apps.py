"""MCP Apps: a host shows the outputs of our tool live, as a person sees them there."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.server.apps import EXTENSION_ID
from mcp.types import CallToolResult
from playwright.async_api import FrameLocator, expect

from coderunner.hosts.mcp.apps import app_lines, app_page
from coderunner.hosts.mcp.apps.app_blocks import MOST, AppBlocks
from coderunner.hosts.mcp.apps.app_lines import Told, ToolLine
from coderunner.outputs import Result, Status, Stream
from coderunner.page.html.block_html import Setting
from coderunner.runner import Change, Ended, Shown
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS
from tests.hosts.mcp.app_host import DECLARED, SANDBOX, app_host, browser, dumped
from tests.hosts.mcp.clients import BOB, MODES, call, http_server, over_http, stands
from tests.hosts.proxy.test_live_pages import CHART, LOADS, LONG, SLIDER, USES
from tests.page.test_attacks import ATTACKS, CONTROL, LEFT, UNHARMED, bundle

expect.set_options(timeout=BOUND * 1000)

pytestmark = [*MARKS, pytest.mark.timeout(240)]

TABLE = "from IPython.display import HTML\nHTML('<table><tr><td>Berlin</td></tr></table>')"
FORMULA = "from IPython.display import Latex\nLatex('$x^2$')"
LINK = """\
from IPython.display import HTML
HTML("<a href='https://a.test/'>away</a><script>0</script>")
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with http_server(tmp_path_factory.mktemp("apps"), "--approve", "auto") as address:
        yield address


def inside(page: FrameLocator) -> FrameLocator:
    """The closed frame of a block."""
    return page.frame_locator("code-runner-output iframe")


@behaviour("mcp:apps:live")
async def test_a_person_sees_outputs_live_in_a_host(url: str) -> None:
    async with (
        over_http(url, extensions=[DECLARED]) as client,
        browser() as opened,
        app_host(opened, client) as host,
    ):
        await expect((await host.run("10 + 5", session="a")).locator(".cr-outs")).to_have_text("15")
        await expect((await host.run(TABLE, session="a")).locator("td")).to_have_text("Berlin")
        await expect((await host.run(FORMULA, session="a")).locator(".katex").first).to_be_visible()
        # A chart, also without the scripts of outputs.
        page = await host.run(CHART, session="a")
        await expect(inside(page).locator(".gtitle")).to_have_text("Sales")
        await page.locator(".cr-cell summary").last.click()
        await page.get_by_role("button", name="Disable scripts").click()
        await expect(inside(page).locator("body[data-level=still] .gtitle")).to_have_text("Sales")
        # A slider.
        page = await host.run(SLIDER, session="a")
        await inside(page).get_by_role("slider").press("ArrowRight")
        await expect(inside(page).locator("body")).to_contain_text("4 squared is 16")
        # What an earlier block loaded.
        await host.run(LOADS, session="a")
        await expect(inside(await host.run(USES, session="a")).locator("#place")).to_have_text(
            "hello from a library"
        )
        # The host is asked to open what an output links to.
        page = await host.run(LINK, session="a")
        await inside(page).get_by_text("away").click()
        await page.get_by_role("link", name="Open").click()
        await expect(page.locator("main")).to_be_visible()
        assert await host.said("ui/open-link") == [{"url": "https://a.test/"}]
        # Code that runs on.
        result = await call(client, "run_python", code=LONG, session="a", wait=0.5)
        assert stands(result, "state") == "running"
        page = await host.show(result, "dark")
        await expect(page.locator(".cr-outs")).to_contain_text("begun")
        await expect(page.locator("html.dark")).to_have_count(1)
        await call(client, "upload", name="go-on", content="x", session="a")
        await expect(page.locator(".cr-outs")).to_contain_text("and ended")
        await call(client, "run_python", session="a")
        # A block that nobody has any more.
        known = dumped(await call(client, "run_python", code="print('kept')", session="a"))
        gone = CallToolResult.model_validate(known | {"_meta": {"coderunner/block": "a" * 24}})
        await expect((await host.show(gone)).locator("main pre").first).to_have_text("kept")
        assert host.asked == []
        assert {params["name"] for params in await host.said("tools/call")} == {"block_page"}
        # Its icons, which the policy keeps out.
        assert [each for each in host.complaints if "Loading the font" not in each] == []


@behaviour("mcp:apps:hostile")
@pytest.mark.parametrize("leaves", [False, True])
async def test_no_output_reaches_the_host_or_any_server_even_where_the_host_has_no_policy(
    url: str, leaves: bool
) -> None:
    pieces = [
        bundle(attack.kind, attack.source.replace("HIT/", "https://elsewhere.test/hit/")).data
        for attack in ATTACKS
        if (attack.group in LEFT["scripts"]) == leaves
    ]
    shows = [*pieces, bundle("text/html", CONTROL).data]
    code = f"import json\nfor each in json.loads({json.dumps(shows)!r}):\n    display(each, raw=True)"
    async with (
        over_http(url, extensions=[DECLARED]) as client,
        browser() as opened,
        app_host(opened, client, policy="") as host,
    ):
        popups: list[str] = []
        host.page.context.on("page", lambda popup: popups.append(popup.url))
        host.page.on("dialog", lambda dialog: popups.append(dialog.message))
        page = await host.run(code, session="a")
        await page.locator("main").wait_for(state="attached")
        app = next(each for each in host.page.frames if each.url == SANDBOX)
        before = await app.evaluate(UNHARMED)
        if leaves:
            await expect(page.locator("main")).to_contain_text("Output stopped.")
        else:
            await expect(inside(page).locator(".control")).to_have_text("control ran")
        # Long enough for what comes late: a refresh, a worker, a frame in a frame.
        await host.page.evaluate("new Promise((done) => setTimeout(done, 1500))")
        assert await app.evaluate(UNHARMED) == before
        assert (popups, host.asked) == ([], [])
        assert {params["name"] for params in await host.said("tools/call")} == {"block_page"}
        assert await host.said("ui/open-link") == []
        assert await page.locator("code-runner-output").count() == 1


@behaviour("mcp:apps:unseen")
@pytest.mark.parametrize("mode", MODES)
async def test_a_client_without_the_extension_sees_nothing_of_it(url: str, mode: str) -> None:
    async with over_http(url, mode=mode) as plain, over_http(url, mode=mode, extensions=[DECLARED]) as host:
        seen, listed = dumped(await plain.list_tools()), dumped(await host.list_tools())
        ours = {each["name"]: each.pop("_meta")["ui"] for each in listed["tools"]}
        assert ours.pop("block_page") == {"visibility": ["app"]}
        assert ours.pop("run_python") == {"resourceUri": app_page.PAGE, "visibility": ["model"]}
        assert all(each == {"visibility": ["model"]} for each in ours.values())
        assert seen["tools"] == [each for each in listed["tools"] if each["name"] != "block_page"]
        assert dumped(await plain.list_resources()) == dumped(await host.list_resources())
        assert EXTENSION_ID in (host.server_capabilities.extensions or {})
        assert not plain.server_capabilities.extensions
        results = [dumped(await call(each, "run_python", code=CHART, session=mode)) for each in (plain, host)]
        assert results[1].setdefault("_meta", {}).pop("coderunner/block")
        assert "coderunner/block" not in results[0].setdefault("_meta", {})
        for result in results:
            result["structuredContent"].pop("seconds")
        assert results[0] == results[1]
        # As a tool and a resource that there are not.
        assert await refused(plain, "block_page") == await refused(plain, "no_tool")
        with pytest.raises(MCPError, match=re.escape(app_page.PAGE)):
            await plain.read_resource(app_page.PAGE)


async def refused(client: Client, tool: str) -> str:
    return json.dumps(dumped(await call(client, tool))).replace(tool, "")


@behaviour("mcp:apps:apart")
async def test_no_page_reaches_a_line_or_a_block_of_another_key(url: str) -> None:
    async with (
        over_http(url, extensions=[DECLARED]) as alice,
        over_http(url, BOB, extensions=[DECLARED]) as bob,
    ):
        result = await call(alice, "run_python", code="print('secret')", session="a")
        block = (result.meta or {})["coderunner/block"]
        watch = [{"text": json.dumps({"t": "watch", "cell": block})}]
        hers = stands(await call(alice, "block_page", say=watch), "line")
        told = stands(await call(alice, "block_page", line=hers, wait=block), "messages")
        assert "secret" in told[0]["text"]
        assert (await call(bob, "block_page", line=hers, wait=block)).is_error
        his = stands(await call(bob, "block_page", say=watch), "line")
        (gone,) = stands(await call(bob, "block_page", line=his, wait=block), "messages")
        assert json.loads(gone["text"]) == {"t": "gone", "cell": block}
        # What no page says closes its line.
        await call(bob, "block_page", line=his, say=[{"text": "{}"}])
        async with asyncio.timeout(BOUND):
            while not (await call(bob, "block_page", line=his, wait=block)).is_error:
                pass
        assert (await call(bob, "block_page", say=[{"bytes": "!"}])).is_error


# --- lines and blocks by themselves ---------------------------------------------------------------------


def blocks_of(code: str, *outputs: Stream) -> tuple[AppBlocks, str]:
    blocks = AppBlocks(Setting())
    name, hear = blocks.follow("alice", "chat", code)
    for index, output in enumerate(outputs):
        hear(Shown(Change(index, output)))
    hear(Ended(Result(outputs, Status.OK), 0))
    return blocks, name


@behaviour("mcp:apps:lines")
async def test_a_line_tells_what_there_is_and_waits_for_a_page_that_reads_nothing() -> None:
    blocks, name = blocks_of("1", Stream("stdout", "told"))
    line = ToolLine(blocks.subscriptions, "alice")
    assert await line.take(0) == []
    line.hear([Told(text=json.dumps({"t": "watch", "cell": name}))])
    (drawn,) = await line.take(BOUND)
    assert "told" in drawn.text
    # A page that reads nothing holds the sender, not the memory.
    sending = asyncio.create_task(sent(line))
    taken: list[Any] = []
    while len(taken) < 4:
        taken += await line.take(BOUND)
    assert await sending == 4
    line.leave()
    async with asyncio.timeout(BOUND):
        await line.serving


async def sent(line: ToolLine) -> int:
    for _ in range(4):
        await line.send_text("x" * app_lines.AT_ONCE)
    return 4


@behaviour("mcp:apps:lines")
def test_the_oldest_blocks_of_a_client_are_dropped() -> None:
    blocks, first = blocks_of("1")
    assert blocks.rests("alice", first)
    assert blocks.subscriptions.look(first, "alice") is not None
    assert blocks.subscriptions.look(first, "bob") is None
    for _ in range(MOST):
        last, _ = blocks.follow("alice", "chat", "2")
    assert blocks.subscriptions.look(first, "alice") is None
    assert not blocks.rests("alice", last)


@behaviour("mcp:apps:small")
def test_the_page_is_small_enough_to_be_sent_for_each_result() -> None:
    assert len(app_page.page()) < 250_000
    assert Path(app_page.PAGE).suffix == ".html"
