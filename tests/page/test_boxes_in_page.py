"""What stands in the page itself, in a real browser: it is used like anything else there."""

from playwright.sync_api import Browser, Page, expect

from coderunner.outputs import DisplayData, Output, Stream
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, opened

pytestmark = MARKS


def shown(kind: str, value: object) -> DisplayData:
    return DisplayData({kind: value, "text/plain": "plain"})


def table(cell: str, more: str = "") -> DisplayData:
    return shown("text/html", f"<style>#t {{ color: #000080 }}</style><p id=t>{cell}</p>{more}")


PROSE = (
    "# Head\n\n[web](https://a.b/c) [file](out%20put.csv) <a href='#end'>end</a> $x^2$\n\n"
    + "more\n\n" * 300
    + "<p id='end'>the end</p>\n"
)
PLAIN = Stream("stdout", "plain text\n")

FOUND = "words => { getSelection().removeAllRanges(); return window.find(words, false, false, true); }"
LOADED = (
    "() => performance.getEntriesByType('resource').map(({ name }) => name.split('/').pop().split('?')[0])"
)
OURS = {
    "white-space": "pre-line",
    "overflow-wrap": "anywhere",
    "word-break": "break-all",
    "text-align": "right",
    "text-indent": "3px",
    "text-transform": "uppercase",
    "letter-spacing": "2px",
    "word-spacing": "2px",
    "font-weight": "700",
    "font-style": "italic",
}
"""What a page may say of its own text, all of which is inherited."""
STYLE = "(its, name) => getComputedStyle(its).getPropertyValue(name)"
SET = "styles => Object.entries(styles).forEach(each => document.body.style.setProperty(...each))"


def links(page: Page, cell: str) -> None:
    block = block_of(page, cell)
    block.get_by_text("web", exact=True).click()
    expect(block.locator(".cr-at-note")).to_have_text("The output links to https://a.b/c Open")
    open_it = block.get_by_role("link", name="Open")
    assert [open_it.get_attribute(each) for each in ("href", "target", "rel")] == [
        *("https://a.b/c", "_blank", "noopener noreferrer")
    ]
    block.get_by_text("file", exact=True).press("Enter")
    expect(block.locator(".cr-at-note")).to_contain_text("The output links to the file out put.csv")
    block.get_by_text("end", exact=True).click()
    expect(block.get_by_text("the end")).to_be_in_viewport()


@behaviour("page:boxes:used")
def test_what_stands_in_the_page_is_used_like_anything_else_there(browser: Browser, host: Host) -> None:
    first: list[Output] = [PLAIN, table("navy text"), PLAIN]
    cell = host.show("mixed", first, ended=False)
    prose = host.show("prose", [shown("text/markdown", PROSE)])
    tree = host.show("tree", [shown("application/json", {"a": [1, {"b": "two"}]})])
    formula = host.show("formula", [shown("text/latex", r"$\displaystyle \frac{1}{2}$")])
    with opened(browser, host, viewport={"width": 900, "height": 700}) as page:
        for _ in range(2):
            box = block_of(page, cell).locator("#t")
            expect(box).to_have_css("color", "rgb(0, 0, 128)")
            expect(block_of(page, formula).locator(".katex-display .mfrac")).to_be_visible()
            expect(block_of(page, prose).locator(".katex")).to_be_visible()
            expect(block_of(page, tree).locator(".cr-json .cr-s")).to_have_text('"two"')
            expect(page.locator("iframe")).to_have_count(0)
            assert {"frame.js", "widgets.js"}.isdisjoint(page.evaluate(LOADED))
            page.reload()
        # How the page sets its own text is no concern of it.
        own = {name: box.evaluate(STYLE, name) for name in OURS}
        page.evaluate(SET, OURS)
        assert {name: box.evaluate(STYLE, name) for name in OURS} == own
        page.evaluate("document.body.removeAttribute('style')")
        expect(block_of(page, prose).get_by_text("the end")).to_be_attached()
        expect(box).to_be_visible()
        assert [page.evaluate(FOUND, words) for words in ("navy text", "the end", "not there")] == [
            *(True, True, False)
        ]
        links(page, prose)
        assert page.evaluate("location.hash") == ""
        # By keys alone: a tree unfolds.
        summary = block_of(page, tree).locator(".cr-json summary").first
        summary.press("Enter")
        expect(block_of(page, tree).locator(".cr-json .cr-s")).to_be_hidden()
        # It can be read on a dark page, and is as it was on a light one.
        expect(box).to_have_css("color", "rgb(0, 0, 128)")
        page.evaluate("document.body.classList.add('dark')")
        expect(box).not_to_have_css("color", "rgb(0, 0, 128)")
        page.evaluate("document.body.classList.remove('dark')")
        expect(box).to_have_css("color", "rgb(0, 0, 128)")
        # The same place shows what comes instead, text too.
        unfolded = table("new text", "<details><summary>more</summary>unfolded</details>")
        host.show("mixed", [PLAIN, unfolded, PLAIN], ended=False)
        expect(box).to_have_text("new text")
        host.show("mixed", [PLAIN, PLAIN, unfolded], ended=False)
        expect(block_of(page, cell).locator(".cr-box")).to_have_count(1)
        expect(block_of(page, cell).locator(".cr-text")).to_have_count(2)
        # A script may be meant for it, and finds it.
        finds = shown("text/html", "<script>document.querySelector('#t').append(' found')</script>")
        host.show("mixed", [PLAIN, unfolded, finds], ended=True)
        block_of(page, cell).scroll_into_view_if_needed()
        expect(frame_of(page, cell).locator("#t")).to_have_text("new text found")
        expect(block_of(page, cell).locator(".cr-box")).to_have_count(0)
        host.show("mixed", [PLAIN, unfolded, PLAIN], ended=True)
        expect(box).to_have_text("new text")
        expect(page.locator("iframe")).to_have_count(0)
    assert host.asked == []


FORMULAS = (
    "<p class=set>where $x^2$ is</p><pre>$y$</pre><p class=mathjax_ignore>$z$</p>"
    "<textarea>$t$</textarea><p>it costs $5 or $6</p>"
)
WRITES = "<p id=made></p><script>document.querySelector('#made').append('$m$')</script>"


@behaviour("page:looks:formulas:html")
def test_formulas_of_html_are_set_in_the_page_and_in_frames(browser: Browser, host: Host) -> None:
    boxed = host.show("boxed", [shown("text/html", FORMULAS.replace("<textarea>$t$</textarea>", ""))])
    framed = host.show("framed", [shown("text/html", FORMULAS + WRITES)])
    with opened(browser, host, viewport={"width": 900, "height": 700}) as page:
        for _ in range(2):
            frame = frame_of(page, framed)
            block_of(page, framed).scroll_into_view_if_needed()
            expect(frame.locator(".set .katex")).to_be_visible()
            expect(frame.locator("#made")).to_have_text("$m$")
            expect(frame.locator(".katex")).to_have_count(1)
            expect(block_of(page, boxed).locator(".set .katex")).to_be_visible()
            expect(block_of(page, boxed).locator(".katex")).to_have_count(1)
            expect(block_of(page, boxed).locator("iframe")).to_have_count(0)
            page.reload()
    assert host.asked == []
