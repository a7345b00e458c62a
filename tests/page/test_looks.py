"""How large and in which colours outputs are shown."""

import re
from collections.abc import Iterator
from html import escape

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from coderunner.hosts.app.markdown import markdown_html
from coderunner.outputs import DisplayData, Output
from coderunner.page.html import image_html
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, hosted, opened
from tests.page.stage import Stage
from tests.page.test_block_html import PIXEL

pytestmark = MARKS

PLOTLY = "application/vnd.plotly.v1+json"
BARS = {"data": [{"type": "bar", "x": ["a", "b"], "y": [1, 2]}], "layout": {}}
VEGA = "application/vnd.vegalite.v6+json"
NEARLY = (
    """([id, room]) => Math.abs(document.getElementById(id).getBoundingClientRect().height - room) < 150"""
)
AUTOSIZED = BARS | {"layout": {"autosize": True, "template": {"layout": {"font": {"size": 9}}}}}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosted() as host:
        yield host


def html(source: str) -> DisplayData:
    return DisplayData({"text/html": source, "text/plain": "plain"})


def shown(page: Page, host: Host, name: str, outputs: list[Output]) -> str:
    """A block with these outputs, alone in the page: what grows above it would move it out of sight."""
    host.cells.clear()
    cell = host.show(name, outputs)
    page.reload()
    block_of(page, cell).scroll_into_view_if_needed()
    return cell


def height(locator: Locator) -> float:
    return float(locator.evaluate("node => node.getBoundingClientRect().height"))


@behaviour("page:looks:foretold")
def test_charts_have_the_room_that_they_will_take_before_they_are_drawn(
    browser: Browser, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = BARS | {"layout": {"height": 320}}
    plot = {"mark": "bar", "data": {"values": [{"a": 1}]}, "encoding": {"x": {"field": "a"}}, "height": 200}
    charts: list[Output] = [
        DisplayData({PLOTLY: figure}),
        DisplayData({VEGA: plot}),
        DisplayData({PLOTLY: BARS}),
    ]
    with opened(browser, host, viewport={"width": 900, "height": 700}) as page:
        monkeypatch.setattr(host, "above", 6000)
        host.cells.clear()
        cell = host.show("foretold", charts)
        page.reload()
        block = block_of(page, cell)
        expect(block.locator(".cr-state")).to_contain_text("Done")
        expect(block.locator("iframe")).to_have_count(0)
        room = height(block)
        assert room > 320 + 200 + 450
        block.scroll_into_view_if_needed()
        expect(frame_of(page, cell).locator(".barlayer")).to_have_count(2)
        expect(frame_of(page, cell).locator("canvas, svg.marks")).not_to_have_count(0)
        page.wait_for_function(NEARLY, arg=[f"cr-{cell}", room])


@behaviour("page:looks:figures")
def test_a_figure_without_a_height_is_seen_live_and_after_a_reload(browser: Browser, host: Host) -> None:
    with opened(browser, host, viewport={"width": 900, "height": 700}) as page:
        cell = shown(page, host, "figures", [DisplayData({PLOTLY: BARS}), DisplayData({PLOTLY: AUTOSIZED})])
        for _ in range(2):
            figures = frame_of(page, cell).locator(".js-plotly-plot")
            expect(figures.locator(".barlayer")).to_have_count(2)
            for each in figures.all():
                expect(each).to_have_css("height", "450px")
            expect(frame_of(page, cell).get_by_role("figure", name="Chart: bar, 1 series")).to_have_count(2)
            page.reload()
            block_of(page, cell).scroll_into_view_if_needed()
        page.set_viewport_size({"width": 500, "height": 700})
        frame = block_of(page, cell).locator("iframe").element_handle()
        page.wait_for_function("node => node.offsetHeight > 900", arg=frame)
        plot = frame_of(page, cell).locator(".main-svg").first
        expect(plot).to_have_attribute("width", re.compile(r"^4\d\d(\.\d+)?$"))


@behaviour("page:looks:json")
def test_json_is_unfolded_as_far_as_there_is_room(browser: Browser, host: Host) -> None:
    value = {"name": "x", "list": [1, {"deep": {"er": [2]}}], "many": list(range(300))}
    output = DisplayData(
        {"application/json": value}, {"application/json": {"expanded": False, "root": "root"}}
    )
    with opened(browser, host) as page:
        cell = shown(page, host, "json", [output])
        shown_json = block_of(page, cell).locator(".cr-box")
        expect(shown_json.locator("details[open]")).to_have_count(5)
        expect(shown_json.get_by_text("many: [300]")).to_be_visible()
        assert height(shown_json) < 480


@behaviour("page:looks:json:exact")
def test_what_json_shows_is_what_was_sent(browser: Browser, host: Host) -> None:
    value = {
        "id": 9007199254740993,
        "list": [2**64, -(10**30), 1.0, 1e300, 0.1, -0.0, True, None],
        "10": "9007199254740993",
        "2": "n1",
        "__proto__": {"": "s"},
        'say "\\n"': "a\nb",
    }
    shows = [
        *("id: 9007199254740993", "0: 18446744073709551616", f"1: -1{'0' * 30}", "2: 1.0", "3: 1e+300"),
        *("4: 0.1", "5: -0.0", "6: true", "7: null", '10: "9007199254740993"', '2: "n1"', '"s"'),
        'say "\\n": "a\\nb"',
    ]
    with opened(browser, host) as page:
        cell = shown(page, host, "exact", [DisplayData({"application/json": value})])
        leaves = block_of(page, cell).locator(".cr-json details div:not(:has(div))")
        expect(leaves).to_have_text(shows)
        cell = shown(page, host, "one", [DisplayData({"application/json": 2**53 + 1})])
        expect(block_of(page, cell).locator(".cr-json")).to_have_text("9007199254740993")


BOXES = {
    "- [x] done\n- [ ] open\n- [X] **done**\n  - [x] within": [True, False, True, True],
    "1. [x] one\n\n   more\n\n2. [ ]\ttwo": [True, False],
    "- [x]": [True],
    "- [x](https://a.b)\n- [y] c\n- [x]d\n- `[x]` e\n- [ x ] f\n- \\[x] g\n\n[x] none": [],
}


@behaviour("page:looks:boxes")
def test_a_box_in_a_list_is_ticked_in_markdown_of_programs_as_in_that_of_models(
    browser: Browser, host: Host
) -> None:
    outputs = [DisplayData({"text/markdown": source}) for source in BOXES]
    with opened(browser, host) as page:
        cell = shown(page, host, "boxes", list(outputs))
        for number, (source, ticked) in enumerate(BOXES.items()):
            of_model = re.findall(r"<input[^>]*?( checked)?>", "".join(markdown_html.whole(source)))
            assert [bool(each) for each in of_model] == ticked
            boxes = (
                block_of(page, cell).locator(".cr-piece").nth(number).locator("li.cr-task input[disabled]")
            )
            expect(boxes).to_have_count(len(ticked))
            assert [each.is_checked() for each in boxes.all()] == ticked


@behaviour("page:looks:sizes")
@pytest.mark.parametrize(
    ("metadata", "style"),
    [
        ({"width": 100}, "width:100px"),
        ({"width": "100"}, "width:100px"),
        ({"width": "50%"}, "width:50%"),
        ({"height": 40.5}, "width:40.5px"),
        ({"height": 40, "unconfined": True}, "width:40px;max-width:none"),
        ({"width": 320, "height": 240}, "width:320px;aspect-ratio:320/240"),
        ({"width": "100px; background: red"}, None),
        ({"width": True, "height": -1}, None),
        ({}, None),
    ],
)
def test_an_image_is_as_large_as_its_program_says(metadata: dict[str, object], style: str | None) -> None:
    drawn = image_html.drawn({"image/png": PIXEL}, {"image/png": metadata})
    assert (f'style="{style}"' in drawn) if style else ("style" not in drawn)


@behaviour("page:looks:sizes")
def test_a_sized_image_is_seen_so_and_never_wider_than_its_block(browser: Browser, host: Host) -> None:
    sizes: list[dict[str, object]] = [{"width": 100}, {"width": 120, "height": 60}, {"width": 4000}]
    with opened(browser, host, viewport={"width": 600, "height": 700}) as page:
        cell = shown(
            page, host, "sizes", [DisplayData({"image/png": PIXEL}, {"image/png": size}) for size in sizes]
        )
        images = block_of(page, cell).locator("img")
        expect(images).to_have_count(3)
        widths = images.evaluate_all("all => all.map(each => [each.offsetWidth, each.offsetHeight])")
        assert widths[:2] == [[100, 100], [120, 60]]
        assert widths[2][0] < 600


LEVEL_WITH_FRAME = """<p>above</p><script>
const made = document.createElement("div"), fit = () => {{ made.style.height = `${{innerHeight}}px`; }};
made.append("full");
document.body.append(made);
{};
</script>"""


@behaviour("page:looks:view")
@pytest.mark.parametrize(
    "source",
    [
        "<div style='height:100vh'>full</div><script></script>",
        "<style>.full { min-height: calc(100dvh - 10px) }</style><div class=full>full</div><script></script>",
        "<div id=f>full</div><script>document.querySelector('#f').style.height = '100vh'</script>",
        LEVEL_WITH_FRAME.format("made.style.height = '100vh'"),
        LEVEL_WITH_FRAME.format("addEventListener('resize', fit); fit()"),
    ],
)
def test_what_is_as_high_as_its_view_does_not_grow(browser: Browser, host: Host, source: str) -> None:
    with opened(browser, host, viewport={"width": 900, "height": 600}) as page:
        cell = shown(page, host, "view", [html(source)])
        expect(frame_of(page, cell).get_by_text("full")).to_be_visible()
        before = 0
        frame = block_of(page, cell).locator("iframe")
        while (now := height(frame)) != before:  # until it rests
            before = int(now)
            page.wait_for_timeout(300)
        assert now < 700


BESIDE = """<b>hi</b><script>
document.body.append("APPENDED");
window.made = document.body.appendChild(document.createElement("div"));
made.style = "height: 200px; background: red";
document.body.appendChild(made.cloneNode()).style = "position: absolute; height: 3000px";
</script>"""
WHOLE = """high => {
  const { height, bottom } = made.getBoundingClientRect();
  return height === high && bottom <= innerHeight && innerHeight < bottom + 10;
}"""


@behaviour("page:looks:beside")
def test_what_a_script_adds_to_the_body_is_seen_and_leaves_with_its_output(
    browser: Browser, host: Host
) -> None:
    first = html("<i>first</i><script></script>")
    with opened(browser, host, viewport={"width": 900, "height": 700}) as page:
        cell = shown(page, host, "beside", [first])
        expect(frame_of(page, cell).get_by_text("first")).to_be_visible()
        host.show("beside", [first, html(BESIDE)])
        for _ in range(2):
            expect(frame_of(page, cell).get_by_text("APPENDED")).to_be_visible()
            page.frames[-1].wait_for_function(WHOLE, arg=200)
            page.frames[-1].evaluate("made.style.height = '300px'")
            page.frames[-1].wait_for_function(WHOLE, arg=300)
            page.reload()
            block_of(page, cell).scroll_into_view_if_needed()
        expect(frame_of(page, cell).get_by_text("APPENDED")).to_be_visible()
        host.show("beside", [first, html("<u>another</u><script></script>")])
        expect(frame_of(page, cell).get_by_text("another")).to_be_visible()
        page.frames[-1].wait_for_function("!made.isConnected && innerHeight < 150")


@behaviour("page:looks:nothing")
def test_what_shows_nothing_takes_no_room(browser: Browser, host: Host) -> None:
    nothing: list[Output] = [
        html("<style>p { color: red }</style>"),
        html("<script>window.a = 1</script>"),
        html('<pre style="white-space:pre;overflow-x:auto"></pre>\n'),
        html("<div><pre><code>\n</code></pre></div>"),
    ]
    texts: list[Output] = [
        DisplayData({"text/html": "", "text/plain": ""}),
        DisplayData({"text/plain": ""}),
    ]
    something = html("<p>something</p><pre><img></pre><pre style='height:20px;background:red'></pre>")
    with opened(browser, host) as page:
        cell = shown(page, host, "nothing", [*texts, *nothing, something, *nothing, *texts])
        expect(frame_of(page, cell).get_by_text("something")).to_be_visible()
        expect(frame_of(page, cell).locator(".cr-empty")).to_have_count(8)
        heights = (
            frame_of(page, cell)
            .locator(".cr-empty")
            .evaluate_all("all => all.map(each => each.offsetHeight)")
        )
        assert heights == [0] * 8
        expect(frame_of(page, cell).locator("pre:visible")).to_have_count(2)
        expect(frame_of(page, cell).locator(".cr-out:not(.cr-empty)")).to_have_count(1)
        expect(block_of(page, cell).locator("> :not(iframe) .cr-out")).to_have_count(0)


@behaviour("page:looks:contrast")
def test_text_with_colours_of_its_own_can_be_read_in_both_themes(browser: Browser, host: Host) -> None:
    source = (
        "<style>.cell { background: yellow } [data-theme=dark] .known { color: rgb(1, 200, 3) }</style>"
        "<span class=navy style='color: #000080'>navy</span> <span class=cell>on yellow</span> "
        "<span class=known>knows the theme</span> <span class=plain>plain</span>"
    )
    with opened(browser, host) as page:
        cell = shown(page, host, "contrast", [html(source)])
        colours = lambda: {  # noqa: E731
            name: frame_of(page, cell).locator(f".{name}").evaluate("node => getComputedStyle(node).color")
            for name in ("navy", "cell", "known", "plain")
        }
        expect(frame_of(page, cell).locator(".navy")).to_have_css("color", "rgb(0, 0, 128)")
        light = colours()
        page.evaluate("document.body.classList.add('dark')")
        expect(frame_of(page, cell).locator(".plain")).to_have_css("color", "rgb(230, 230, 232)")
        # What has colours of its own is looked at when the theme is there.
        expect(frame_of(page, cell).locator(".navy")).not_to_have_css("color", light["navy"])
        dark = colours()
        assert dark["known"] == "rgb(1, 200, 3)"
        assert dark["navy"] != light["navy"]
        assert dark["cell"] != dark["plain"]
        page.evaluate("document.body.classList.remove('dark')")
        expect(frame_of(page, cell).locator(".navy")).to_have_css("color", "rgb(0, 0, 128)")
        assert colours() == light


ASKING = """
<style>
  .known { color: rgb(1, 1, 1); background: var(--jp-layout-color1) }
  @media screen and (prefers-color-scheme: dark) { .known { color: rgb(1, 200, 3) } }
  @supports (color: red) { @media (prefers-color-scheme: light) { .light { color: rgb(4, 5, 6) } } }
  .scheme { color: light-dark(rgb(7, 8, 9), rgb(200, 201, 202)) }
</style>
<p class=known>query</p><p class=light>light</p><p class=scheme>scheme</p><p class=told></p>
<script>
  const query = matchMedia("(prefers-color-scheme: dark)"), told = document.querySelector(".told");
  told.textContent = query.matches;
  query.addEventListener("change", ({ matches }) => { told.textContent = matches; });
  document.head.append(Object.assign(document.createElement("style"), {
    textContent: "@media (prefers-color-scheme: dark) { .told { font-style: italic } }" }));
</script>
"""


@behaviour("page:looks:scheme")
@pytest.mark.parametrize("system", ["light", "dark"])
def test_what_asks_for_a_theme_is_told_the_page_s_and_not_the_system_s(
    browser: Browser, host: Host, system: str
) -> None:
    with opened(browser, host, color_scheme=system) as page:
        cell = shown(page, host, "scheme", [html(ASKING)])
        frame = frame_of(page, cell)
        for dark in (False, True, False):
            page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
            expect(frame.locator(".told")).to_have_text(str(dark).lower())
            expect(frame.locator(".told")).to_have_css("font-style", "italic" if dark else "normal")
            expect(frame.locator(".known")).to_have_css("color", "rgb(1, 200, 3)" if dark else "rgb(1, 1, 1)")
            expect(frame.locator(".scheme")).to_have_css(
                "color", "rgb(200, 201, 202)" if dark else "rgb(7, 8, 9)"
            )
            assert (
                frame.locator(".light").evaluate("n => getComputedStyle(n).color") == "rgb(4, 5, 6)"
            ) != dark
            assert frame.locator("html").get_attribute("data-theme") == ("dark" if dark else "light")
            assert frame.locator("body").get_attribute("data-jp-theme-light") == str(not dark).lower()


NARROW = """
tab = w.Tab([w.VBox([w.IntSlider(description="a long description"), w.Text()])])
w.VBox([w.IntSlider(), w.SelectMultiple(options=["a"]), w.HBox([w.Button(), w.Button()]), tab])
"""
WIDE = "w.VBox([w.IntSlider(layout=w.Layout(width='500px'))])"
SCROLLERS = """() => [...document.querySelectorAll(".cr-widget, .cr-widget *")].filter((each) =>
    each.scrollWidth > each.clientWidth && /auto|scroll/.test(getComputedStyle(each).overflowX)).length"""


@behaviour("page:looks:narrow")
def test_widgets_take_the_room_that_there_is(browser: Browser, stage: Stage) -> None:
    blocks = [(stage.show("narrow", NARROW), 0), (stage.show("wide", WIDE), 1)]
    with opened(browser, stage.host, viewport={"width": 310, "height": 900}) as page:
        for block, scrollers in blocks:
            expect(block.in_frame(page).get_by_role("slider").first).to_be_visible()
            expect(block.in_frame(page).locator(".widget-inline-hbox").first).to_have_css("display", "flex")
            frame = block.in_frame(page).locator("body").element_handle().owner_frame()
            assert frame is not None
            frame.wait_for_function(f"count => ({SCROLLERS})() === count", arg=scrollers)


KEPT = """<p>-</p><script>
    localStorage.one = 1; localStorage.setItem("gone", 1); delete localStorage.gone;
    sessionStorage.setItem("one", 1);
    document.cookie = "a=1; path=/"; document.cookie = "b=2; max-age=0";
    document.cookie = "c=3; expires=Thu, 01 Jan 1970";
    document.querySelector("p").textContent = [
        localStorage.getItem("one"), localStorage.none, localStorage.getItem("none"),
        Object.keys(localStorage),
        sessionStorage.length, sessionStorage.key(0), "one" in sessionStorage, document.cookie];
</script>"""
SEEN = "1,,,one,1,one,true,a=1"
NONE = """<p>-</p><script>
    document.querySelector("p").textContent = [localStorage.length, document.cookie]
</script>"""


@behaviour("page:frames:kept")
def test_what_an_output_keeps_is_kept_in_its_frame_alone(browser: Browser, host: Host) -> None:
    host.cells.clear()
    first = host.show("keeps", [html(KEPT)])
    within = host.show("keeps within", [html(f'<div></div><iframe srcdoc="{escape(KEPT)}"></iframe>')])
    placed = f"document.querySelector('div').innerHTML = `<iframe srcdoc='{escape(KEPT)}'></iframe>`"
    later = host.show(
        "keeps within later",
        [html(f"<div></div><script>{placed.replace('</', '<' + chr(92) + '/')}</script>")],
    )
    other = host.show("keeps nothing", [html(NONE)])
    with opened(browser, host) as page:
        expect(frame_of(page, first).locator("p")).to_have_text(SEEN)
        for cell in (within, later):
            expect(frame_of(page, cell).frame_locator("iframe").locator("p")).to_have_text(SEEN)
        expect(frame_of(page, other).locator("p")).to_have_text("0,")
        assert page.evaluate("[localStorage.one, sessionStorage.one, document.cookie]") == [None, None, ""]
        page.reload()
        expect(frame_of(page, other).locator("p")).to_have_text("0,")
