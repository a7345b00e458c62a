"""What an output cannot show in its frame is said in a sentence, with what can be done instead."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import pytest
from playwright.sync_api import Browser, Page, expect

from coderunner.outputs import DisplayData, Output
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, block_of, frame_of, hosted, opened
from tests.page.test_block_html import PIXEL

pytestmark = [*MARKS, pytest.mark.timeout(240)]


@dataclass(frozen=True, slots=True)
class Case:
    """HTML that needs what no frame has, and what is said of it; nothing where `says` is empty."""

    source: str
    says: str = ""
    hollow: bool = False
    """Nothing of it is seen."""
    plain: str = "<lib.Thing object at 0x7f00>"
    link: str = ""
    beside: str = ""
    """What came with it as another type, and is shown instead."""
    instead: str = ""
    """What of that is to be seen."""


def _within(source: str) -> str:
    return f'<iframe srcdoc="{escape(source)}" style="width:100%;height:300px;border:0"></iframe>'


OFFLINE = "outputs have no access to the network."
_MAP = (
    "<!doctype html><html><head><script src='https://cdn.example/leaflet.js'></script></head>"
    "<body><div id=m style='height:300px'></div></body>"
)

CASES = {
    "map": Case(
        "<div style='position:relative;height:0;padding-bottom:60%'>"
        f"<span>Make this Notebook Trusted to load map: File -> Trust Notebook</span>{_within(_MAP)}</div>",
        f"This output cannot be shown: it needs programs from cdn.example, and {OFFLINE}",
        hollow=True,
    ),
    "page": Case(
        "<iframe width=400 height=300 src='https://video.example/embed/x'></iframe>",
        f"This output shows a page of video.example, which is not loaded: {OFFLINE}",
        hollow=True,
        link="https://video.example/embed/x",
    ),
    "page beside text": Case(
        "<p>text</p><iframe width=400 height=300 src='http://localhost:6006/'></iframe>",
        f"This output shows a page of localhost:6006, which is not loaded: {OFFLINE}",
        link="http://localhost:6006/",
    ),
    "picture": Case(
        "<img src='https://pictures.example/a.png' alt='A cat'>",
        f"A picture from pictures.example is not loaded: {OFFLINE}",
        link="https://pictures.example/a.png",
    ),
    "picture in a link": Case(
        "<a href='https://web.example:80/x'>words</a><img src='https://pictures.example/b.png'>",
        f"A picture from pictures.example is not loaded: {OFFLINE}",
        link="https://pictures.example/b.png",
    ),
    "shadow": Case(
        "<div id=s></div><img src='https://pictures.example/c.png'><script>"
        "s.attachShadow({mode: 'open'}).innerHTML = 'words <a href=/x>of a link</a>'</script>",
        f"A picture from pictures.example is not loaded: {OFFLINE}",
        link="https://pictures.example/c.png",
    ),
    "file": Case(
        "<iframe width=400 height=300 src='figures/my%20net.html'></iframe>",
        "This output shows the file figures/my net.html, which outputs cannot read.",
        hollow=True,
    ),
    "player": Case(
        "<video src='clip.mp4' controls></video>",
        "This output shows the file clip.mp4, which outputs cannot read.",
        hollow=True,
    ),
    "program": Case(
        "<div id=c style='height:400px'></div><script src='https://cdn.example/a.js'></script>"
        "<script src='https://other.example/b.js'></script><script>draw()</script>",
        f"This output cannot be shown: it needs programs from cdn.example and other.example, and {OFFLINE}",
        hollow=True,
        plain="Chart(3 series)",
    ),
    "program with a picture": Case(
        "<div style='height:400px'></div><script src='https://cdn.example/chart.js'></script>",
        f"This output cannot be shown: it needs programs from cdn.example, and {OFFLINE}",
        hollow=True,
        plain="Chart(3 series)",
        beside="image/png",
        instead="img[alt='Chart(3 series)']",
    ),
    "page with a drawing": Case(
        "<iframe width=400 height=300 src='https://draw.example/x'></iframe>",
        f"This output shows a page of draw.example, which is not loaded: {OFFLINE}",
        hollow=True,
        link="https://draw.example/x",
        beside="image/svg+xml",
        instead="img",
    ),
    "program with a table": Case(
        "<div style='height:400px'></div><script src='https://cdn.example/table.js'></script>",
        f"This output cannot be shown: it needs programs from cdn.example, and {OFFLINE}",
        hollow=True,
        beside="text/markdown",
        instead="td",
    ),
    "icons": Case(
        "<link rel=stylesheet href='https://cdn.example/npm/@mdi/font/css/materialdesignicons.min.css'>"
        "<p>Home <i class='mdi mdi-home'></i></p>",
        f"The icons of this output are not shown: they come from cdn.example, and {OFFLINE}",
    ),
    "part": Case(
        "<p>text</p><script src='https://cdn.example/a.js'></script>",
        f"A part of this output may be missing: it needs programs from cdn.example, and {OFFLINE}",
    ),
    "tiles": Case(
        "<div>+ −</div>"
        + "".join(f"<img class=leaflet-tile src='https://tile.example/{n}.png'>" for n in range(9)),
        f"The background of this map is not loaded: it comes from tile.example, and {OFFLINE}",
    ),
    "data": Case(
        "<div style='height:99px'></div><script>fetch('https://data.example/x').catch(() => {})</script>",
        f"This output cannot be shown: it needs data from data.example, and {OFFLINE}",
        hollow=True,
    ),
    "module": Case(
        "<div style='height:99px'></div><script type=module>import 'https://esm.example/x'</script>",
        f"This output cannot be shown: it needs programs from esm.example, and {OFFLINE}",
        hollow=True,
    ),
    "error": Case(
        "<div style='height:99px'></div><script>undefinedThing.draw()</script>",
        "This output shows nothing: its script failed (undefinedThing is not defined).",
        hollow=True,
    ),
    "nothing": Case(
        "<div style='height:300px'></div><script>1</script>", "This output shows nothing.", hollow=True
    ),
    "broken": Case(
        "<img alt='A plot' src='data:image/png;base64,AAAA'>", "A picture of this output cannot be read."
    ),
    "many hosts": Case(
        "".join(f"<script src='https://{n}.example/a.js'></script>" for n in "abcde"),
        "This output cannot be shown: it needs programs from a.example, b.example, c.example and 2 more, "
        f"and {OFFLINE}",
        hollow=True,
    ),
    "hostile name": Case(
        "<p>text</p><img src='https://x.example/<b>bold</b>?\u202e'>",
        f"A picture from x.example is not loaded: {OFFLINE}",
        link="https://x.example/%3Cb%3Ebold%3C/b%3E?%E2%80%AE",
    ),
    "import": Case(
        "<link rel=import href='https://cdn.example/view.html'><a-view></a-view>",
        f"This output cannot be shown: it needs programs from cdn.example, and {OFFLINE}",
        hollow=True,
    ),
    "advice": Case(
        "<div style='height:99px'>Could not load assets. Please refresh the page.</div>"
        "<link rel=stylesheet href='https://fonts.example/b.css'>",
        f"This output cannot be shown: it needs styles from fonts.example, and {OFFLINE}",
        hollow=True,
    ),
    "around": Case(
        _within("<h3>Loading the view...</h3><p>Else, upgrade.</p><script>parent.location.host</script>"),
        "This output cannot be shown: its script reaches for the page around it, which outputs cannot.",
        hollow=True,
    ),
    # Of these nothing is missed.
    "counter": Case("<p>text</p><script async src='https://www.googletagmanager.com/gtag/js'></script>"),
    "failure": Case("<p>Could not load the file data.csv.</p>"),
    "text": Case("<p>text</p>"),
    "loader": Case("<script>window.loaded = 1</script><style>p { color: red }</style>"),
    "styles": Case("<p>text</p><link rel=stylesheet href='https://fonts.example/a.css'>"),
    "handler": Case("<img src=data: onerror=\"this.outerHTML='<i>own</i>'\">"),
    "swatch": Case("<div style='width:40px;height:40px;background:tomato'></div>"),
    "late": Case("<div id=l></div><script>setTimeout(() => { l.textContent = 'there' }, 900)</script>"),
    "within": Case(_within("<p>seen</p>")),
    "no icons": Case("<p>text</p><link rel=stylesheet href='https://cdn.example/bootstrap-icons.css'>"),
    "shown beside a picture": Case("<p>text</p><script>1</script>", beside="image/png"),
}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosted() as host:
        yield host


def bundle(case: Case) -> Output:
    beside = {case.beside: BESIDE[case.beside]} if case.beside else {}
    return DisplayData({"text/html": case.source, "text/plain": case.plain, **beside})


BESIDE = {
    "image/png": PIXEL,
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9z"/></svg>',
    "text/markdown": "| a |\n|---|\n| 1 |\n",
}


APART = ("data", "module", "error", "nothing")
"""What says nothing of the output whose script it was, or what is known late: each in a block of its own."""


def see(page: Page, cell: str, names: list[str]) -> None:
    """What a block says of its outputs, and which boxes that show nothing are gone."""
    block = block_of(page, cell)
    block.scroll_into_view_if_needed()
    cases = [CASES[name] for name in names]
    said = [f"Output {at}: {case.says}" if len(cases) > 1 else case.says for at, case in enumerate(cases, 1)]
    rows = block.get_by_role("note")
    expect(rows).to_contain_text([each for each, case in zip(said, cases, strict=True) if case.says])
    links = [case.link for case in cases if case.link]
    assert [each.get_attribute("href") for each in rows.get_by_role("link").all()] == links
    pieces = frame_of(page, cell).locator(".cr-piece")
    for at, case in enumerate(cases):
        expect(pieces.nth(at).locator(".cr-void")).to_have_count(1 if case.hollow else 0)
        told = case.hollow and not case.plain.startswith("<") and not case.instead
        if case.instead:
            expect(pieces.nth(at).locator(f".cr-instead {case.instead}")).to_be_visible()
        else:
            expect(pieces.nth(at).locator(".cr-instead")).to_have_text([case.plain] if told else [])


@behaviour("page:missing:said")
def test_what_an_output_cannot_show_is_said_live_and_after_a_reload(browser: Browser, host: Host) -> None:
    together = [name for name in CASES if name not in APART]
    blocks = [together, *([name] for name in APART)]
    cells = [host.show(f"missing {names[0]}", [bundle(CASES[name]) for name in names]) for names in blocks]
    with opened(browser, host, complains=True) as page:
        answered: list[str] = []
        page.on("response", lambda response: answered.append(response.url))
        for _ in range(2):
            for names, cell in zip(blocks, cells, strict=True):
                see(page, cell, names)
            # What is known last is known, so whatever would be said of others has been.
            see(page, cells[0], together)
            page.reload()
        assert [url for url in answered if not re.match(f"{host.address}|data:|blob:", url)] == []
        assert host.asked == []


@behaviour("page:missing:file")
def test_a_file_is_offered_where_the_page_can_give_it_and_one_that_is_not_there_is_told(
    browser: Browser,
) -> None:
    with hosted() as host:
        cell = host.show("files", ())
        with opened(browser, host, complains=True) as page:
            page.evaluate("window.coderunner = {file: path => `coderunner/public/${path}`}")
            shown = [
                DisplayData({"text/html": f"<p>words</p><img src='{name}'>"}) for name in ("host.js", "x")
            ]
            host.show("files", shown)
            rows = block_of(page, cell).get_by_role("note")
            expect(rows).to_have_text(
                [
                    "Output 1: This output shows the file host.js, which outputs cannot read. Download it",
                    "Output 2: This output shows the file x, which is not in the chat's folder.",
                ]
            )
            expect(rows.get_by_role("link")).to_have_count(1)
            page.reload()
            alone = "which outputs cannot read. Look for it in the folder of the kernel."
            expect(rows).to_contain_text([alone, alone])
