"""Pages that show the outputs of one block live, as a person sees them who follows the link of a reply."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from coderunner.access.api_keys import ApiKeys, owner
from coderunner.errors import NotAnswered
from coderunner.hosts.proxy.charts import chart_pictures
from coderunner.hosts.proxy.client_api.reply_parts import result_text
from coderunner.hosts.proxy.files.album import DAY
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.live import live_app, live_words
from coderunner.hosts.proxy.live.live_blocks import LiveBlocks, Place
from coderunner.hosts.proxy.live.live_links import Link, below
from coderunner.hosts.proxy.routes import Proxy
from coderunner.hosts.proxy.server import guarded
from coderunner.models.endpoint.client import Endpoint
from coderunner.outputs import DisplayData, Output, Result, Stream
from coderunner.page.html.block_html import Setting
from coderunner.runner import Cell, Ended
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, chromium, served
from tests.hosts.proxy.conftest import ALICE, BOB, RUNS
from tests.models.conftest import Scripted, listening
from tests.page.test_attacks import ATTACKS, CONTROL, LEFT, UNHARMED, bundle

pytestmark = MARKS

PLOTLY = "application/vnd.plotly.v1+json"
CHART = f"""\
from IPython.display import display
bars = {{"type": "bar", "x": ["a", "b"], "y": [3, 1]}}
figure = {{"data": [bars], "layout": {{"title": {{"text": "Sales"}}}}}}
display({{"{PLOTLY}": figure, "text/plain": "Figure()"}}, raw=True)
"""
SLIDER = """\
import ipywidgets as w
slider, label = w.IntSlider(value=3), w.Label("3 squared is 9")
def moved(change):
    label.value = f"{change['new']} squared is {change['new'] ** 2}"
    print("moved to", change["new"])
slider.observe(moved, "value")
w.VBox([slider, label])
"""
LOADS = """\
from IPython.display import HTML
HTML("<script>window.greeting = () => 'hello from a library'</script>")
"""
USES = """\
HTML("<p id=place></p><script>document.getElementById('place').textContent = greeting()</script>")
"""
LONG = """\
import time, pathlib
print("begun", flush=True)
while not pathlib.Path("go-on").exists():
    time.sleep(0.05)
print("and ended")
"""
GONE = "This page does not exist or has expired."


@dataclass
class House:
    """A proxy whose model writes what a test wants."""

    url: str
    proxy: Proxy
    upstream: Scripted
    api_keys: ApiKeys
    folder: Path

    def openai(self, key: str = ALICE) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, timeout=BOUND, max_retries=0)

    def write(self, code: str) -> str:
        """Have the model write a block next; gives a question that is no other test's."""
        self.upstream.answers[:] = [f"Look:\n\n```python\n{code}```\n", "There it is."]
        return f"Please show {len(self.upstream.asked)}."

    def say(self, code: str, chat: str = "shared") -> str:
        """The reply to somebody who has the code run."""
        with self.openai() as client:
            reply = client.chat.completions.create(
                model=RUNS,
                messages=[{"role": "user", "content": self.write(code)}],
                extra_headers={"x-coderunner-session": chat},
            )
        return str(reply.choices[0].message.content)

    def link(self, code: str, chat: str = "shared") -> str:
        """The link in it."""
        return link_in(self.say(code, chat))[1]

    def get(self, link: str, **headers: str) -> tuple[int, str]:
        answer = httpx.get(link, headers=headers, timeout=BOUND, trust_env=False)
        return answer.status_code, " ".join(re.findall(r"<p>(.*?)</p>|<title>", answer.text)).strip()

    def end_kernels(self) -> None:
        proxy = self.proxy
        for session in proxy.sessions.all():
            proxy.sessions.io_thread.call(proxy.sessions.close(session.conversation), BOUND)


def link_in(text: str) -> tuple[str, str]:
    """The words and the address of the one link to a live page in a text."""
    ((words, address),) = re.findall(r"\[([^\]]*)\]\((http[^)]*/coderunner/live/[0-9a-f]{32})\)", text)
    return words, address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, upstream = tmp_path_factory.mktemp("live"), Scripted(["Hello."])
    api_keys = ApiKeys([Secret(ALICE), Secret(BOB)])
    with ExitStack() as servers:
        proxy = proxy_in(folder, servers.enter_context(listening(upstream)))
        url = servers.enter_context(served(lambda: guarded(proxy, api_keys)))
        yield House(url, proxy, upstream, api_keys, folder)


def proxy_in(folder: Path, upstream: str) -> Proxy:
    settings = load(
        {"allow_local_kernel": True, "data_dir": folder, "continuation": "next-turn", "timeout": 3.0}
    )
    return Proxy(settings, Endpoint(upstream), quiet=0.2, spare=False)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that never complains."""
    context = browser.new_context()
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert complaints == []


def frame_of(page: Page) -> FrameLocator:
    """The inside of the closed frame."""
    return page.frame_locator("code-runner-output iframe").frame_locator("iframe")


# --- which outputs have a page --------------------------------------------------------------------------


def shows(data: dict[str, Any]) -> DisplayData:
    return DisplayData(data)


FIGURE = shows({PLOTLY: {"data": []}, "text/plain": "Figure()"})
VIEW = shows({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider()"})
BOKEH = shows({"application/vnd.bokehjs_exec.v0+json": "draw()", "text/html": "<div></div>"})
STYLED = shows({"text/html": "<i>x</i>", "text/plain": "<pandas.io.formats.style.Styler at 0x7f>"})
DRAWS = """<div id="vis"></div><script>
(function(spec) { vegaEmbed("#vis", spec) })({"$schema": "https://vega.github.io/schema/vega-lite/v6.json"})
</script>"""
ALTAIR = shows({"text/html": DRAWS, "text/plain": "alt.Chart(...)"})
SCRIPT = shows({"text/html": "<b id=a></b><script>a.textContent = 1</script>", "text/plain": "<HTML object>"})


@behaviour("proxy:live:linked")
@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([FIGURE], "Open the live chart"),
        ([shows({"application/vnd.vegalite.v5+json": {"mark": "bar"}})], "Open the live chart"),
        ([BOKEH], "Open the live chart"),
        ([ALTAIR], "Open the live chart"),
        ([FIGURE, FIGURE, Stream("stdout", "drawn")], "Open the live chart"),
        ([VIEW], "Open the live widgets"),
        ([SCRIPT], "Open the page"),
        ([shows({"application/javascript": "alert(1)"})], "Open the page"),
        ([STYLED], "Open the page"),
        ([FIGURE, VIEW], "Open the live outputs"),
        ([shows({"application/vnd.bokehjs_load.v0+json": "window.Bokeh = {}"})], ""),
        ([shows({"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "   a\n0  1"})], ""),
        ([shows({"text/latex": "$x$", "text/plain": "x"})], ""),
        ([shows({"text/markdown": "**x**"})], ""),
        ([shows({"application/json": {"a": 1}})], ""),
        ([Stream("stdout", "<script>alert(1)</script>")], ""),
        ([], ""),
    ],
)  # fmt: skip
def test_a_link_says_what_it_leads_to(outputs: list[Output], words: str) -> None:
    assert live_words.words(Result(tuple(outputs)), goes_on=False) == words
    assert live_words.words(Result(tuple(outputs)), goes_on=True) == "Watch it run"


LINK = "[Open the live chart](http://127.0.0.1:7862/coderunner/live/0123456789abcdef0123456789abcdef)"


@behaviour("proxy:live:untold")
def test_the_model_reads_nothing_of_the_link() -> None:
    result = "Result:\n```output\nPlotly chart: Sales\n```\n"
    for pictures in ([], ["![image/png, 4×3](http://127.0.0.1:7862/coderunner/pictures/1.png)"]):
        told = "".join(f"{each}\n" for each in pictures)
        said = "".join(f"{each}\n" for each in below(pictures, LINK))
        assert for_the_model(f"{result}{said}\nThere.") == f"{result}{told}\nThere."
    assert below(["![a](b)"], "") == ["![a](b)"]


@behaviour("proxy:live:linked")
def test_a_line_with_a_link_is_told_apart_from_what_the_program_said() -> None:
    told = result_text(
        f"Result:\n```output\nSales\n```\n![a](http://b)\n\n{LINK}\n\n", ["![a](http://b)", LINK]
    )
    assert (told.logs, told.images, told.files) == ("Sales\n", ["![a](http://b)"], LINK)


# --- the picture of a chart in the reply ----------------------------------------------------------------

BARS = """\
import json
from IPython.display import display
rows = [{"a": "A", "b": 28}, {"a": "B", "b": 55}]
drawn = {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}}
chart = {"data": {"values": rows}, "mark": "bar", "encoding": drawn}
display({"application/vnd.vegalite.v6+json": chart, "text/plain": "alt.Chart(...)"}, raw=True)
chart |= {"mark": "point", "$schema": "https://vega.github.io/schema/vega-lite/v6.4.1.json"}
page = f"<div></div><script>(function(spec, embedOpt){{}})({json.dumps(chart)}, {{}});</script>"
display({"text/html": page, "text/plain": "alt.Chart(...)"}, raw=True)
"""


@behaviour("proxy:charts:drawn")
def test_a_chart_without_a_picture_is_drawn_in_the_reply(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chart_pictures, "PATIENCE", BOUND)
    said = house.say(BARS)
    drawn = re.findall(r"!\[image/png, \d+×\d+\]\((http[^)]*)\)", said)
    assert len(drawn) == 2, said  # by its own type, and in a page of Altair's
    for address in drawn:
        assert httpx.get(address, timeout=BOUND, trust_env=False).content.startswith(b"\x89PNG")
    assert link_in(said)[0] == "Open the live chart"
    assert "vl_convert" not in house.say("import sys\nprint(sorted(sys.modules))\n")


VEGA = shows({"application/vnd.vegalite.v5+json": {"mark": "bar"}, "text/plain": "a chart"})


@behaviour("proxy:charts:undrawn")
@pytest.mark.parametrize("answer", [{}, {"printed": ""}, {"printed": "no"}, {"printed": '["", 7]'}, None])
async def test_a_chart_that_cannot_be_drawn_in_time_stays_as_it_is(
    answer: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(_question: str, _told: object, _patience: float) -> dict[str, object]:
        if answer is None:
            raise NotAnswered("no kernel")
        return answer

    monkeypatch.setattr(chart_pictures, "PATIENCE", 0.2)
    result = Result((VEGA, FIGURE, shows({**VEGA.data, "image/png": "aGk="})))
    assert await chart_pictures.with_pictures(result, ask, lambda: False) is result


# --- a person at the page -------------------------------------------------------------------------------


@behaviour("proxy:live:linked")
def test_a_chart_is_linked_in_every_api_and_shown_live(house: House, page: Page) -> None:
    said = house.say(CHART)
    words, link = link_in(said)
    assert words == "Open the live chart"
    assert "Plotly chart: Sales" in said
    with house.openai() as client:
        response = client.responses.create(model=RUNS, input=house.write(CHART))
        assert link_in(response.output_text)[0] == words
        stream = client.chat.completions.create(
            model=RUNS, messages=[{"role": "user", "content": house.write(CHART)}], stream=True
        )
        pieces = [choice.delta.content or "" for chunk in stream for choice in chunk.choices]
        assert link_in("".join(pieces))[0] == words
    with anthropic.Anthropic(base_url=house.url, api_key=ALICE, timeout=BOUND, max_retries=0) as client:
        asked: Any = [{"role": "user", "content": house.write(CHART)}]
        message = client.messages.create(model=RUNS, max_tokens=900, messages=asked)
        text = "".join(block.text for block in message.content if block.type == "text")
        assert link_in(text)[0] == words
    assert b"/coderunner/live/" not in b"".join(house.upstream.asked)
    page.goto(link)
    expect(frame_of(page).locator(".gtitle")).to_have_text("Sales")
    expect(page.get_by_role("button", name="Copy code")).to_be_visible()
    for verb in ("Run again", "Edit", "Stop"):
        expect(page.get_by_role("button", name=verb, exact=True)).to_have_count(0)
    page.get_by_text("Code", exact=True).click()
    expect(page.locator(".cr-code")).to_contain_text("IPython.display")


@behaviour("proxy:live:shown")
def test_a_slider_moves_until_its_kernel_ends_and_then_shows_its_last_state(house: House, page: Page) -> None:
    link = house.link(SLIDER, "slider")
    page.goto(link)
    inside = frame_of(page)
    inside.get_by_role("slider").press("ArrowRight")
    expect(inside.get_by_text("4 squared is 16")).to_be_visible()
    expect(inside.get_by_text("moved to 4")).to_be_visible()
    house.end_kernels()
    page.reload()
    expect(inside.get_by_text("4 squared is 16")).to_be_visible()
    expect(inside.get_by_text("moved to 4")).to_be_visible()
    # Another process of the proxy has nothing of it in memory.
    after = proxy_in(house.folder, "http://127.0.0.1:9/v1")
    with served(lambda: guarded(after, house.api_keys)) as url:
        page.goto(link.replace(house.url, url))
        expect(inside.get_by_text("4 squared is 16")).to_be_visible()
        expect(inside.get_by_text("moved to 4")).to_be_visible()


@behaviour("proxy:live:loaded")
def test_a_page_has_what_an_earlier_block_loaded(house: House, page: Page) -> None:
    house.say(LOADS)
    page.goto(house.link(USES))
    expect(frame_of(page).get_by_text("hello from a library")).to_be_visible()


@behaviour("proxy:live:goes-on")
def test_a_block_that_runs_on_is_watched_to_its_end(house: House, page: Page) -> None:
    words, link = link_in(house.say(LONG, "long"))
    assert words == "Watch it run"
    page.goto(link)
    expect(page.locator(".cr-outs")).to_have_text("begun")
    expect(page.locator(".cr-state")).to_contain_text("Still running")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    (session,) = [each for each in house.proxy.sessions.all() if each.busy]
    (house.proxy.sessions.folder(session.conversation, session.where) / "go-on").touch()
    expect(page.locator(".cr-outs")).to_contain_text("and ended")
    expect(page.locator(".cr-state")).to_contain_text("Done")


# --- who may see it -------------------------------------------------------------------------------------


@behaviour("proxy:live:expired")
def test_a_link_gives_one_sentence_where_it_may_not_be_seen(house: House) -> None:
    link = house.link(CHART)
    name = link.rpartition("/")[2]
    assert house.get(link) == (200, "")
    assert house.get(link, Authorization=f"Bearer {ALICE}") == (200, "")
    assert house.get(link, Authorization=f"Bearer {BOB}") == (404, GONE)
    assert house.get(f"{house.url}/coderunner/live/{'0' * 32}") == (404, GONE)
    house.api_keys.replace(ApiKeys([Secret(BOB)]))
    try:
        assert house.get(link) == (404, GONE)
    finally:
        house.api_keys.replace(ApiKeys([Secret(ALICE), Secret(BOB)]))
    stored = house.proxy._live_links
    found = stored.find(name, house.api_keys, None)
    assert found is not None
    before = replace(stored, days=2, clock=lambda: time.time() - 3 * DAY)
    old = before.put(found)
    assert before.find(old, house.api_keys, None) == found
    assert replace(before, clock=time.time).find(old, house.api_keys, None) is None
    stored.drop(name)
    assert house.get(link) == (404, GONE)


def socket_of(address: str, token: str, **headers: str) -> ClientConnection:
    """The socket of a page with that token; raises InvalidStatus where none is opened."""
    return connect(
        address.replace("http", "ws") + "/coderunner/socket",
        subprotocols=[Subprotocol("coderunner"), Subprotocol(token)],
        additional_headers=headers,
        open_timeout=BOUND,
        proxy=None,
    )


def told(socket: ClientConnection, watched: str) -> dict[str, Any]:
    """What a page is told that watches a block."""
    socket.send(json.dumps({"t": "watch", "cell": watched}))
    answer: dict[str, Any] = json.loads(socket.recv(BOUND))
    return answer


@behaviour("proxy:live:closed")
def test_a_page_sees_its_own_block_alone(house: House) -> None:
    mine, other = (house.link(code).rpartition("/")[2] for code in (CHART, SLIDER))
    with socket_of(house.url, mine) as socket:
        assert told(socket, mine)["t"] == "draw"
        assert told(socket, other) == {"t": "gone", "cell": other}


EVIL: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "iframe"},
]


@behaviour("proxy:live:closed")
def test_every_route_of_a_page_checks_where_a_request_comes_from(house: House) -> None:
    link = house.link(CHART)
    name = link.rpartition("/")[2]
    token = {"X-CodeRunner-Token": name}
    with httpx.Client(base_url=house.url, trust_env=False, timeout=BOUND) as client:
        assert client.get("/coderunner/loaders/html-1", headers=token).status_code == 404
        for headers in EVIL:
            assert client.get(link, headers=headers).status_code == 403
            assert client.get("/coderunner/loaders/html-1", headers=headers | token).status_code == 403
            with pytest.raises(InvalidStatus):
                socket_of(house.url, name, **headers)
        for wrong in ("0" * 32, "guess"):
            with pytest.raises(InvalidStatus):
                socket_of(house.url, wrong)
        # A person who follows the link in a chat program comes from another site.
        follows = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        opened = client.get(link, headers=follows)
        assert opened.status_code == 200
        assert opened.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in opened.headers["content-security-policy"]
        assert ALICE not in opened.text


@behaviour("proxy:live:closed")
def test_nothing_is_run_from_a_page(house: House) -> None:
    link = house.link(CHART)
    name = link.rpartition("/")[2]
    with httpx.Client(base_url=house.url, trust_env=False, timeout=BOUND) as client:
        for path in ("act", "look-up", "files", "previews"):
            asks, headers = {"ticket": name, "act": "run"}, {"X-CodeRunner-Token": name}
            assert client.post(f"/coderunner/{path}", headers=headers, json=asks).status_code == 401
        assert client.post(link, json={}).status_code == 405


@behaviour("proxy:live:attacked")
@pytest.mark.parametrize("leaves", [False, True])
def test_no_hostile_output_reaches_more_from_a_page_than_from_the_app(
    house: House, browser: Browser, leaves: bool
) -> None:
    asked: list[str] = []
    place, stored = Place("chat", "reply", 0), house.proxy._live_links
    name = stored.put(Link(owner(Secret(ALICE)), place))
    blocks = LiveBlocks(house.proxy.records, lambda *_: house.proxy.sessions.all()[0], Setting(alone=True))
    app = live_app.LiveApp(stored, house.api_keys, blocks, {"127.0.0.1"})

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        own = (f"/coderunner/live/{name}", "/coderunner/public/", "/coderunner/socket")
        asked.extend([scope["path"]] if not scope.get("path", own[0]).startswith(own) else [])
        await app(scope, receive, send)

    with served(lambda: noted) as url, closing(browser.new_context()) as context:
        asked.clear()
        pieces = [
            bundle(attack.kind, attack.source.replace("HIT/", f"{url}/hit/"))
            for attack in ATTACKS
            if (attack.group in LEFT["scripts"]) == leaves
        ]
        ended = Ended(Result((*pieces, bundle("text/html", CONTROL))), 0)
        blocks.hold(name, place, Cell("x = 1\n"), None, ended)
        page, popups = context.new_page(), []
        context.on("page", lambda popup: popups.append(popup.url))
        page.on("dialog", lambda dialog: popups.append(dialog.message))
        page.goto(f"{url}/coderunner/live/{name}")
        popups.clear()
        before = page.evaluate(UNHARMED)
        if leaves:
            expect(page.locator("code-runner-output")).to_contain_text("Output stopped.")
        else:
            expect(frame_of(page).locator(".control")).to_have_text("control ran")
        # Long enough for what comes late: a refresh, a worker, a frame in a frame.
        page.evaluate("new Promise((done) => setTimeout(done, 1500))")
        assert page.evaluate(UNHARMED) == before
        assert (popups, asked) == ([], [])


@behaviour("proxy:live:expired")
def test_a_page_that_is_open_is_cut_off_when_its_link_expires(house: House) -> None:
    name = house.link(SLIDER).rpartition("/")[2]
    stored = house.proxy._live_links
    blocks = LiveBlocks(house.proxy.records, lambda _, label: house.proxy.sessions.all()[0], Setting())
    app = live_app.LiveApp(stored, house.api_keys, blocks, {"127.0.0.1"}, look=0.05)
    with served(lambda: app) as url:
        with socket_of(url, name) as socket:
            assert told(socket, name)["t"] == "draw"
            stored.drop(name)
            with pytest.raises(ConnectionClosed):
                socket.recv(BOUND)
        with pytest.raises(InvalidStatus):
            socket_of(url, name)
