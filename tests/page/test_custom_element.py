"""The element that stands for a block: what a person does with it, and what it does by itself."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from coderunner.outputs import DisplayData, Output, Refusal, Remedy, Result, Status, Stream
from coderunner.page.html.block_html import Setting
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, opened

pytestmark = [*MARKS, pytest.mark.timeout(240)]

# With a script, so that a frame draws it.
TABLE = DisplayData(
    {"text/html": "<table><tr><td>15</td></tr></table><script></script>", "text/plain": "fifteen"}
)
COUNT = "<p id=n></p><script>n.textContent = window.count = (window.count ?? 0) + 1</script>"
ENDLESS = DisplayData({"text/html": "<p>endless</p><script>for (;;);</script>"})


@behaviour("page:element:tools")
def test_what_a_block_shows_can_be_copied_kept_and_seen_large(
    browser: Browser, host: Host, tmp_path: Path
) -> None:
    cell = host.show("tools", [Stream("stdout", "line\n" * 80), TABLE])
    with opened(browser, host, permissions=["clipboard-read", "clipboard-write"]) as page:
        block = block_of(page, cell)
        expect(frame_of(page, cell).locator("td")).to_have_text("15")
        frame_of(page, cell).locator("td").evaluate("cell => { cell.mark = 1 }")
        block.get_by_label("More", exact=True).focus()
        page.keyboard.press("Enter")
        block.get_by_role("button", name="Copy output").click()
        expect(block.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "line\n" * 80 + "\nfifteen"
        with page.expect_download() as download:
            block.get_by_role("button", name="Download").click()
        download.value.save_as(tmp_path / "it")
        assert download.value.suggested_filename == "output.html"
        assert "<td>15</td>" in (tmp_path / "it").read_text()
        low = block.bounding_box()
        block.get_by_role("button", name="Expand").click()
        high = block.bounding_box()
        assert low is not None
        assert high is not None
        assert high["height"] > low["height"] + 500
        block.get_by_role("button", name="Pop out").click()
        expect(block.get_by_role("button", name="Close")).to_be_visible()
        page.keyboard.press("Escape")
        expect(block.get_by_role("button", name="Pop out")).to_be_visible()
        assert frame_of(page, cell).locator("td").evaluate("cell => cell.mark") == 1


@behaviour("page:element:whole")
@pytest.mark.parametrize("before", [[], [TABLE]], ids=["in the page", "in a frame"])
def test_a_long_text_is_whole_where_its_block_is_expanded(
    browser: Browser, host: Host, before: list[Output]
) -> None:
    text = "".join(f"{number:05}\n" for number in range(20_000))
    cell = host.show("long", [*before, Stream("stdout", text)])
    with opened(browser, host, permissions=["clipboard-read", "clipboard-write"]) as page:
        block = block_of(page, cell)
        shown = (frame_of(page, cell) if before else block).locator(".cr-text")
        expect(shown).to_contain_text("10,000 lines, 60,000 characters left out; Expand shows more")
        block.get_by_label("More", exact=True).click()
        block.get_by_role("button", name="Expand").click()
        expect(shown).to_have_text(text)
        block.get_by_role("button", name="Copy output").click()
        expect(block.get_by_role("button", name="Copied")).to_be_visible()
        assert text.strip() in page.evaluate("navigator.clipboard.readText()")
        block.get_by_role("button", name="Collapse").click()
        expect(shown).to_contain_text("characters left out")


AT_THE_END = (
    "box => box.scrollHeight > box.clientHeight && box.scrollHeight - box.scrollTop - box.clientHeight < 2"
)


@behaviour("page:folded:end")
def test_the_text_of_a_block_that_runs_stays_at_its_end_until_somebody_scrolls_up(
    browser: Browser, host: Host
) -> None:
    wide, narrow = "x" * 900, "".join(f"{number}\n" for number in range(80))
    cell = host.show("end", [Stream("stdout", narrow)], ended=False)
    with opened(browser, host) as page:
        block = block_of(page, cell)
        text = block.locator(".cr-text")
        expect(text).to_contain_text("79")
        # What is folded needs no scroll bar.
        assert text.evaluate("box => box.scrollHeight === box.clientHeight")
        block.get_by_role("button", name="more lines").click()
        fewer = block.get_by_role("button", name="Show fewer lines")
        expect(fewer).to_have_count(2)
        fewer.first.click()
        expect(block.get_by_role("button", name="more lines")).to_be_focused()

        def say(lines: int) -> None:
            host.show("end", [Stream("stdout", "".join(f"{n}{wide}\n" for n in range(lines)))], ended=False)
            expect(text).to_contain_text(f"{lines - 1}x")

        for lines in (20, 21):
            say(lines)
            page.wait_for_function(AT_THE_END, arg=text.element_handle())
        text.hover()
        page.mouse.wheel(0, -300)
        page.wait_for_function(f"box => !({AT_THE_END})(box)", arg=text.element_handle())
        before = text.evaluate("box => box.scrollTop")
        say(22)
        page.evaluate(
            "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
        )
        assert text.evaluate("box => box.scrollTop") == before
        text.evaluate("box => { box.scrollTop = box.scrollHeight }")
        page.wait_for_function(AT_THE_END, arg=text.element_handle())
        say(23)
        page.wait_for_function(AT_THE_END, arg=text.element_handle())


@behaviour("page:element:later")
def test_a_card_that_is_put_off_does_not_come_back_when_it_is_drawn_anew(
    browser: Browser, host: Host
) -> None:
    lacked = [Refusal("package", name, Remedy.INSTALL, name, name) for name in ("seaborn", "plotly")]
    cell = host.show("later", [])

    def refuse(*refusals: Refusal) -> None:
        result = Result((), Status.ERROR, refusals=refusals)
        host.change(cell, lambda block: replace(block, ticket="t", result=result))

    refuse(lacked[0])
    with opened(browser, host) as page:
        cards = block_of(page, cell).locator(".cr-packages")
        cards.get_by_role("button", name="Not now").click()
        expect(cards).to_be_hidden()
        refuse(*lacked)
        expect(cards).to_have_count(2)
        expect(cards.filter(visible=True)).to_contain_text("plotly")
        page.reload()
        expect(cards.filter(visible=True)).to_have_count(2)


@behaviour("page:element:scripts")
def test_scripts_can_be_switched_off_for_one_block(browser: Browser, host: Host) -> None:
    cell = host.show("switch", [DisplayData({"text/html": COUNT})])
    with opened(browser, host) as page:
        expect(frame_of(page, cell).locator("#n")).to_have_text("1")
        block_of(page, cell).get_by_label("More", exact=True).click()
        block_of(page, cell).get_by_role("button", name="Disable scripts").click()
        expect(frame_of(page, cell).locator("#n")).to_have_text("")
        block_of(page, cell).get_by_role("button", name="Enable scripts").click()
        expect(frame_of(page, cell).locator("#n")).to_have_text("1")


@behaviour("page:element:once")
def test_an_output_is_drawn_once_while_others_come_and_only_anew_when_it_changes(
    browser: Browser, host: Host
) -> None:
    first = DisplayData({"text/html": COUNT})
    cell = host.show("once", [first], ended=False)
    with opened(browser, host) as page, opened(browser, host) as other:
        expect(frame_of(page, cell).locator("#n")).to_have_text("1")
        for number in range(5):
            host.show("once", [first, Stream("stdout", f"{number}\n")], ended=number == 4)
            for each in (page, other):
                expect(frame_of(each, cell).locator(".cr-text")).to_have_text(f"{number}\n")
        for each in (page, other):
            expect(frame_of(each, cell).locator("#n")).to_have_text("1")
            expect(block_of(each, cell)).to_contain_text("Done")
        # A second place for the same block: the page is told all of it again, as after a cut.
        page.evaluate("document.body.append(document.querySelector('code-runner-output').cloneNode())")
        expect(page.locator("code-runner-output").nth(1)).to_contain_text("Done")
        first_place = page.locator("code-runner-output").first
        expect(first_place.frame_locator("iframe").frame_locator("iframe").locator("#n")).to_have_text("1")


@behaviour("page:element:failing")
def test_an_output_that_cannot_be_drawn_says_so_and_holds_up_no_other(browser: Browser, host: Host) -> None:
    raises: dict[str, object] = {
        "application/javascript": "throw new Error('no luck')",
        "text/plain": "a script",
    }
    mistaken: dict[str, object] = {
        "application/vnd.vegalite.v5+json": {"mark": "nonsense"},
        "text/plain": "a chart",
    }
    never = (
        "<p>loaded</p><script nomodule src=old.js></script><script type=text/x-template src=part></script>"
    )
    deep: object = float("inf")
    for _ in range(600):
        deep = [deep]
    outputs: list[dict[str, object]] = [raises, mistaken, {"text/html": never}, {"application/json": deep}]
    cell = host.show("failing", [*[DisplayData(each) for each in outputs], TABLE])
    with opened(browser, host) as page:
        expect(frame_of(page, cell).locator("td")).to_have_text("15", timeout=60_000)
        expect(frame_of(page, cell).locator("pre").first).to_have_text("a script\n(Error: no luck)")
        expect(frame_of(page, cell).locator("pre").nth(1)).to_contain_text("a chart")
        expect(frame_of(page, cell).get_by_text("loaded")).to_be_visible()


WRITES = """<b>bold</b><script>
document.write("<table><tr>"); document.write("<td id=cut>cut</td></tr>"); document.writeln("</table>");
document.write("<script>cut.append(' ran')</" + "script>");
</script>"""
REPLACES = {
    "write": WRITES,
    "write later": "<b>bold</b><script>setTimeout(() => document.write('<i id=cut>cut ran</i>'))</script>",
    "open": "<b>bold</b><script>document.open().write('<i id=cut>cut ran</i>'); document.close()</script>",
    "body": "<script>document.body.innerHTML = '<b>bold</b><i id=cut>cut ran</i>'</script>",
    "page": "<script>document.documentElement.innerHTML = '<b>bold</b><i id=cut>cut ran</i>'</script>",
    "nodes": "<script>document.replaceChildren()</script><b>bold</b><i id=cut>cut ran</i>",
    "root": "<script>root.replaceChildren()</script><b>bold</b><i id=cut>cut ran</i>",
}
PICTURE = DisplayData({"text/html": "<svg width=20 height=50><rect width=20 height=50 /></svg>"})


@behaviour("page:element:together")
@pytest.mark.parametrize("how", REPLACES)
def test_an_output_that_writes_over_everything_leaves_the_others_of_its_block(
    browser: Browser, host: Host, how: str
) -> None:
    replaces, printed = DisplayData({"text/html": REPLACES[how]}), Stream("stdout", "printed\n")
    cell = host.show("together", [PICTURE, replaces, TABLE, printed])
    with opened(browser, host) as page:
        frame = frame_of(page, cell)
        for words in ("bold", "cut ran", "15", "printed"):
            expect(frame.get_by_text(words)).to_be_visible()
        expect(frame.locator("rect")).to_be_visible()
        expect(frame.locator(".cr-piece")).to_have_count(4)
        names = "[...document.querySelectorAll('rect, b, .cr-text')].map((each) => each.localName)"
        assert page.frames[-1].evaluate(names) == ["rect", "b", "div"]
        page.frames[-1].wait_for_function("document.documentElement.scrollHeight <= innerHeight")


LEAVES = {
    "script": ("<b>bold</b><script>location.replace('about:blank')</script>", "bold"),
    "refresh": ("<b>bold</b><meta http-equiv=refresh content='0; url=about:blank'>", "a leaving text"),
}


@behaviour("page:element:together")
@pytest.mark.parametrize("how", LEAVES)
def test_the_others_of_a_block_are_shown_where_one_was_stopped(
    browser: Browser, host: Host, how: str
) -> None:
    source, rest = LEAVES[how]
    host.setting = Setting(scripts=how == "script")
    leaves = DisplayData({"text/html": source, "text/plain": "a leaving text"})
    cell = host.show("left", [leaves, Stream("stdout", "printed\n")])
    with opened(browser, host) as page:
        expect(block_of(page, cell)).to_contain_text("Output stopped. It tried to navigate.")
        expect(frame_of(page, cell).get_by_text("printed")).to_be_visible()
        expect(frame_of(page, cell).get_by_text(rest)).to_be_visible()
        expect(block_of(page, cell).get_by_role("button", name="Reload")).to_be_visible()


@behaviour("page:element:away")
def test_a_block_counts_no_seconds_while_its_page_is_not_connected(browser: Browser, host: Host) -> None:
    cell = host.show("away", [], ended=False)
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        if not sockets:
            socket.connect_to_server()
        else:
            socket.close()
        sockets.append(socket)

    with opened(browser, host) as page:
        page.clock.install()
        page.route_web_socket("**/socket", connect)
        page.reload()
        clock = block_of(page, cell).locator("[data-cr-clock]")
        # Where a host shows how long its kernel has run.
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<p data-cr-clock=k data-cr-elapsed=600></p>')"
        )
        expect(clock).to_contain_text("s")
        page.clock.run_for(3000)
        expect(page.locator("p[data-cr-clock]")).to_contain_text("10 min")
        counted = clock.inner_text()
        page.clock.run_for(3000)
        expect(clock).not_to_have_text(counted)
        sockets[0].close()
        expect(block_of(page, cell).locator(".cr-away")).to_have_count(1)
        counted = clock.inner_text()
        page.clock.run_for(9000)
        expect(clock).to_have_text(counted)


@behaviour("page:element:endless")
def test_a_script_that_never_ends_is_stopped_and_the_other_outputs_come_back(
    browser: Browser, host: Host
) -> None:
    good = host.show("good", [TABLE])
    bad = host.show("bad", [], ended=False)
    with opened(browser, host) as page:
        expect(frame_of(page, good).locator("td")).to_have_text("15", timeout=60_000)
        host.show("bad", [ENDLESS])
        expect(block_of(page, bad)).to_contain_text("Its script did not finish", timeout=90_000)
        expect(frame_of(page, good).locator("td")).to_have_text("15", timeout=60_000)
        expect(block_of(page, bad).get_by_role("button", name="Reload")).to_be_visible()


@behaviour("page:element:narrow")
def test_where_a_block_is_narrow_its_state_stands_in_one_line_above_the_buttons(
    browser: Browser, host: Host
) -> None:
    cell = host.show("narrow", [Stream("stdout", "15\n")])
    # As wide as a chat is on a phone, beside a menu.
    with opened(browser, host, viewport={"width": 260, "height": 600}) as page:
        state = block_of(page, cell).locator(".cr-state")
        expect(state).to_contain_text("Done")
        lines = state.evaluate("it => it.offsetHeight / parseFloat(getComputedStyle(it).lineHeight)")
        assert round(lines) == 1
        expect(block_of(page, cell).get_by_role("button", name="Copy", exact=True)).to_be_in_viewport()


@behaviour("page:element:narrow")
@pytest.mark.parametrize("width", [260, 330, 390, 600])
def test_the_buttons_of_a_block_stand_in_one_line_on_a_phone(
    browser: Browser, host: Host, width: int
) -> None:
    cell = host.show(f"buttons-{width}", [Stream("stdout", "15\n")])
    host.change(cell, lambda block: replace(block, ticket="t"))
    with opened(browser, host, viewport={"width": width, "height": 600}) as page:
        buttons = block_of(page, cell).locator(".cr-bar button")
        expect(buttons).to_have_text(["Run again", "Edit", "Copy"])
        tops = buttons.evaluate_all("them => them.map(it => it.getBoundingClientRect().top)")
        assert len(set(tops)) == 1
