"""What one block loads, later blocks of its conversation find.

Small stand-ins, of the forms in which libraries load themselves and draw.
"""

import json

import httpx
import pytest
from playwright.sync_api import Browser, expect

from coderunner.outputs import DisplayData, ExecuteResult, Output, Stream
from coderunner.page.loaders.loaded_before import MOST, WHOLE, loaded
from coderunner.page.loaders.loaders_of_output import Loader, loaders
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, opened

pytestmark = [*MARKS, pytest.mark.timeout(240)]


def html(source: str) -> DisplayData:
    return DisplayData({"text/html": source, "text/plain": "plain"})


def script(source: str) -> DisplayData:
    return DisplayData({"application/javascript": source, "text/plain": "plain"})


def loading(source: str) -> DisplayData:
    return DisplayData({"application/javascript": "ours()", "application/vnd.bokehjs_load.v0+json": source})


def drawing(source: str) -> DisplayData:
    kind = "application/vnd.bokehjs_exec.v0+json"
    return DisplayData({"application/javascript": source, kind: ""}, {kind: {"id": "p1"}})


def drawing_in_html(source: str) -> ExecuteResult:
    return ExecuteResult({"text/html": source, "application/vnd.holoviews_exec.v0+json": ""})


UMD = '!function(e,t){"object"==typeof exports?module.exports=t():e.Lib=t()}(this,function(){return {}})'

LOADERS = {
    "a global": html("<script>window.Lib = {}</script>"),
    "a declaration": html("<script>\nfunction lib() { return 1; }\n</script>"),
    "UMD": html(f"<script type='text/javascript'>{UMD}</script>"),
    "AMD": html("<script>require.config({paths: {lib: 'https://cdn.example/lib'}})</script>"),
    "a module": html(
        "<SCRIPT TYPE=module>\nimport 'data:text/javascript,1'; globalThis.Lib = {}\n</SCRIPT >"
    ),
    "an address": html("<script src='https://cdn.example/lib.js'></script>"),
    "an element of its own kind": html("<script>customElements.define('x-lib', class {})</script>"),
    "beside a picture": html('<div align="center"><img src="data:,"></div><script>var Lib = {}</script>'),
    "beside a place of its own": html(
        '<script>window.Lib = {}</script><div id="place"></div><script>Lib.draw("place")</script>'
    ),
    "a script alone": script("window.Lib = {}"),
    "what says that it loads": loading("document.write(1)"),
}

OTHERS = {
    "nothing of a script": html("<table><tr><td>1</td></tr></table>"),
    "text": Stream("stdout", "<script>window.Lib = {}</script>"),
    "what draws in its place": html('<div id="place"></div><script>window.x = place.id</script>'),
    "what draws where it stands": html("<script>window.x = document.currentScript.before('x')</script>"),
    "what writes": html("<script>window.x = 1; document.write('x')</script>"),
    "what leaves nothing": html("<script>Lib.draw()</script>"),
    "a comment": html("<!-- <script>window.Lib = {}</script> -->"),
    "data": html('<script type="application/json">{"a": "window.Lib = 1"}</script>'),
    "a script alone that draws": script("window.x = element.append('x')"),
    "what runs with others": drawing("window.x = 1"),
    "a chart": DisplayData(
        {"application/vnd.plotly.v1+json": {}, "text/html": "<script>window.Lib={}</script>"}
    ),
}


@behaviour("page:loaders:what")
@pytest.mark.parametrize("output", LOADERS.values(), ids=LOADERS)
def test_a_script_that_leaves_something_and_draws_nothing_is_a_loader(output: Output) -> None:
    assert len(loaders(output)) == 1


@behaviour("page:loaders:what")
@pytest.mark.parametrize("output", OTHERS.values(), ids=OTHERS)
def test_what_draws_or_leaves_nothing_is_none(output: Output) -> None:
    assert loaders(output) == ()


@behaviour("page:loaders:what")
def test_styles_count_where_nothing_is_drawn_beside_them() -> None:
    style, lib = "<style>p { color: red }</style>", "<script>window.Lib = {}</script>"
    assert [each.content for each in loaders(html(f"{style}<div></div>{lib}"))] == [style, lib]
    assert [each.content for each in loaders(html(f"{style}<p>x</p>{lib}"))] == [lib]


@behaviour("page:loaders:bounded")
@pytest.mark.parametrize(
    "start", ["<script ", "<script>", "<!--", "<style", '<script a="', "<script id='", "<p id=a "]
)
def test_hostile_html_is_read_once(start: str) -> None:
    assert len(loaders(html(start * 200_000))) <= 1


def lib(name: str, size: int = 10) -> Loader:
    return Loader(name, "x" * size, 0, size)


@behaviour("page:loaders:bounded")
def test_of_too_much_the_latest_stay_in_the_order_in_which_they_were_first_loaded() -> None:
    base, *more = [lib(str(number)) for number in range(MOST + 1)]
    assert loaded([[base], [*more]], ()).loaders == tuple(more)
    again = loaded([[base], [*more], [base]], ())
    assert (again.loaders[0], len(again.loaders), again.omitted) == (base, MOST, True)
    large = [lib("a", WHOLE), lib("b", WHOLE)]
    assert loaded([large], ()).loaders == (large[1],)
    assert loaded([[base], [base]], [more[0]]) == loaded([[base]], ())
    assert loaded([[base]], [base]).loaders == ()


LOGO = '<img alt="logo" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'
SETS = "{draw(id, text) { document.getElementById(id).textContent = text; }}"
STYLE = "<style>.drawn { color: rgb(1, 2, 3) }</style>"
LOADED: list[Output] = [
    html(f"{STYLE}<script>{UMD.replace('{}', SETS)}</script>"),
    html(f"<div>{LOGO}</div><script>window.Logo = 'logo'</script>"),
    loading(f"window.Bokeh = {SETS}"),
    html("<script type='module'>window.ready = Promise.resolve('ready')</script>"),
]
DRAWN: list[Output] = [
    html('<div id="one" class="drawn">Loading…</div><script>Lib.draw("one", Logo)</script>'),
    html('<div id="two"></div>'),
    drawing('Bokeh.draw("two", "embedded")'),
    drawing_in_html('<div id="three"></div><script>Bokeh.draw("three", "inside")</script>'),
    html('<p id="four">Loading…</p><script type="module">four.textContent = await window.ready</script>'),
]
TEXTS = {"#one": "logo", "#two": "embedded", "#three": "inside", "#four": "ready"}


PLOTLY = "https://cdn.plot.ly/plotly-4.1.1.min"
HASH = 'integrity="sha256-AAAA" crossorigin="anonymous"'
MAP = {"type": "choropleth", "locations": ["FRA", "USA"], "z": [1, 2]}
ELSEWHERE = [
    html(
        f'<script src="{PLOTLY}.js" {HASH}></script><p id="one"></p>'
        "<script>one.append(typeof Plotly)</script>"
    ),
    html(
        f"""<p id="two"></p><script type="module">import "{PLOTLY}"; import * as it from '{PLOTLY}.js';
        import embed from "https://cdn.jsdelivr.net/npm/vega-embed@7/+esm";
        two.append(typeof Plotly.newPlot, " ", typeof it.default.newPlot, " ", typeof embed)</script>"""
    ),
    html(
        f"""<p id="three"></p><script>require.config({{paths: {{it: "{PLOTLY}"}}}});
        require(["it"], (it) => three.append(typeof it.newPlot))</script>"""
    ),
    html(
        """<p id="four"></p><script>const script = document.createElement("script");
        script.setAttribute("src", "//unpkg.com/plotly.js-dist-min@3"); script.integrity = "sha256-AAAA";
        script.onload = () => four.append("loaded"); document.head.append(script)</script>"""
    ),
    html("<p id='five'></p><script>five.attachShadow({mode: 'open'}).innerHTML = 'shadow'</script>"),
    html("<link rel='stylesheet' href='data:text/css,%23six{color:rgb(4, 5, 6)}'><p id='six'>styled</p>"),
    html(
        "<link rel='stylesheet' href='https://use.example/font-awesome/4.7.0/css/font-awesome.min.css' "
        f"{HASH}><i id='seven' class='fa fa-star'></i> starred"
    ),
    DisplayData({"application/vnd.plotly.v1+json": {"data": [MAP], "layout": {"height": 300}}}),
]
SAID = {
    "#one": "object",
    "#two": "function function function",
    "#three": "function",
    "#four": "loaded",
    "#five": "shadow",
}


@behaviour("page:frames:elsewhere")
def test_what_is_ours_comes_from_here_whatever_address_it_is_asked_at(browser: Browser, host: Host) -> None:
    cell = host.show("elsewhere", ELSEWHERE, chat="elsewhere")
    with opened(browser, host) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        block_of(page, cell).scroll_into_view_if_needed()
        for place, text in SAID.items():
            expect(frame_of(page, cell).locator(place)).to_have_text(text, timeout=60_000)
        expect(frame_of(page, cell).locator("#six")).to_have_css("color", "rgb(4, 5, 6)")
        expect(frame_of(page, cell).locator("#seven")).to_have_css("font-family", "FontAwesome")
        # The countries: each that has a value, on the land and the coasts of all.
        expect(frame_of(page, cell).locator(".choroplethlayer path")).to_have_count(2, timeout=60_000)
        expect(block_of(page, cell)).not_to_contain_text("cannot be shown")
        expect(block_of(page, cell)).not_to_contain_text("shows nothing")
        elsewhere = [each for each in asked if not each.startswith((host.address, "blob:", "data:"))]
    assert elsewhere == []


@behaviour("page:loaders:later")
def test_later_blocks_find_what_earlier_ones_loaded_live_and_after_a_reload(
    browser: Browser, host: Host
) -> None:
    host.show("loading block", LOADED, chat="loads")
    elsewhere = host.show(
        "other chat", [html("<p id=x></p><script>x.append(typeof Lib)</script>")], chat="else"
    )
    table = host.show("plain table", [html("<table><tr><td>15</td></tr></table>")], chat="loads")
    drawn = host.show("drawing block", [], ended=False, chat="loads")
    with opened(browser, host) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        block_of(page, drawn).scroll_into_view_if_needed()
        host.show("drawing block", DRAWN, chat="loads")
        for _each in ("live", "reloaded"):
            for place, text in TEXTS.items():
                block_of(page, drawn).scroll_into_view_if_needed()
                expect(frame_of(page, drawn).locator(place)).to_have_text(text)
            expect(frame_of(page, drawn).locator("#one")).to_have_css("color", "rgb(1, 2, 3)")
            assert frame_of(page, drawn).get_by_alt_text("logo").count() == 0
            expect(frame_of(page, elsewhere).locator("#x")).to_have_text("undefined")
            expect(block_of(page, table).locator("td")).to_have_text("15")
            expect(block_of(page, table).locator("iframe")).to_have_count(0)
            page.reload()
        # The block that loads needs nothing, each script is asked for once, and kept.
        names = {each.rpartition("/")[2] for each in asked if "/loaders/" in each}
        assert len(names) == 5


REFUSED: list[Output] = [
    html(
        "<script>window.Late = {}; setTimeout(() => document.head.append(Object.assign("
        "document.createElement('script'), {src: 'https://cdn.example/late.js'})))</script>"
    ),
]


@behaviour("page:loaders:refused")
def test_what_an_earlier_block_could_not_load_is_said_where_nothing_is_shown_for_it(
    browser: Browser, host: Host
) -> None:
    host.show("refused load", REFUSED, chat="refused")
    whole = host.show(
        "whole block", [html("<p id=x></p><script>x.append(typeof Late, ' whole')</script>")], chat="refused"
    )
    empty = host.show(
        "empty block", [html("<div id=y></div><script>addEventListener('never', y)</script>")], chat="refused"
    )
    with opened(browser, host) as page:
        for _each in ("live", "reloaded"):
            block_of(page, empty).scroll_into_view_if_needed()
            expect(block_of(page, empty).get_by_role("note")).to_contain_text("cdn.example")
            block_of(page, whole).scroll_into_view_if_needed()
            expect(frame_of(page, whole).locator("#x")).to_have_text("object whole")
            expect(block_of(page, whole).get_by_role("note")).to_have_count(0)
            page.reload()


@behaviour("page:loaders:closed")
def test_only_who_may_see_the_block_gets_what_it_loaded(host: Host) -> None:
    host.show("closed loading", [html("<script>window.Closed = 1</script>")], chat="closed")
    host.show("closed drawing", [html("<script>Closed</script>")], chat="closed")
    look = host.subscriptions.look("closed-drawing-block-of-a-test", "")
    assert look is not None
    [name] = look.loaders
    address, token = f"{host.address}/coderunner/loaders/{name}", {"X-CodeRunner-Token": host.rights.token}

    def ask(headers: dict[str, str], at: str = address) -> httpx.Response:
        return httpx.get(at, headers=headers, trust_env=False)

    given = ask(token)
    assert (given.status_code, given.text) == (200, "<script>window.Closed = 1</script>")
    assert given.headers["content-type"] == "application/octet-stream"
    assert given.headers["cache-control"].startswith("private")
    refused = [
        {},
        {"X-CodeRunner-Token": "another"},
        token | {"Origin": "null"},
        token | {"Host": "evil.example"},
    ]
    assert [ask(each).status_code for each in refused] == [403] * 4
    assert ask(token, address[:-1]).status_code == 404
    host.subscriptions.show([host.block("closed-loading-block-of-a-test")], "her", chat="closed")
    assert host.subscriptions.loader(name, "her") is None
    assert host.subscriptions.loader(name, "me") is None


@behaviour("page:loaders:omitted")
def test_a_block_says_that_something_was_left_out(host: Host) -> None:
    many = [html(f"<script>window.x{number} = 1</script>") for number in range(MOST + 1)]
    host.show("many", many, chat="many")
    cell = host.show("after many", [html("<script>x0</script>")], chat="many")
    look = host.subscriptions.look(cell, "")
    assert look is not None
    assert len(look.loaders) == MOST
    assert "load it again in this block" in look.omitted
    assert json.dumps(look.loaders)
