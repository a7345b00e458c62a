"""Which outputs stand in the page itself, and what of them: fixed values in, decisions out."""

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.outputs import DisplayData, ExecuteResult, Output, Stream
from coderunner.page.block_state import Block, State
from coderunner.page.html import block_html, output_html
from coderunner.page.html.active_output import ActiveOutput, Boxed
from coderunner.page.html.block_html import Setting
from coderunner.page.html.boxes import clean_html, formulas_in_html, markdown, styles
from coderunner.page.server import socket_messages
from tests.behaviours import behaviour
from tests.page.test_block_html import PIXEL

TABLE = (
    '<table border="1" class="dataframe"><thead><tr><th>n</th></tr></thead>'
    "<tbody><tr><td>1</td></tr></tbody></table>"
)


def drawn(**data: object) -> object:
    bundle = {kind.replace("_", "/", 1): value for kind, value in data.items()}
    return output_html.draw(DisplayData({**bundle, "text/plain": "plain"}), Block())


BOXES: dict[str, str] = {
    "pandas": "<div>\n<style scoped>\n.dataframe tbody tr th:only-of-type { vertical-align: top; }\n</style>"
    f"{TABLE}</div>",
    "several indexes": '<table><tr><th rowspan="3" halign="left" valign="top">a</th><td colspan=2></td></tr>'
    "</table>",
    "polars": "<div><style>\n.dataframe > thead > tr,\n.dataframe > tbody { text-align: right }\n</style>"
    f"{TABLE}</div>",
    "styler": '<style type="text/css">#T_a1_row0_col0 { background-color: #fff7fb; color: #000 !important;\n'
    " background: linear-gradient(90deg, #d65f5f 5.3%, transparent 5.3%); }\n#T_a1 tr:nth-child(2n+1)"
    ' td:hover { font-family: "Segoe UI", serif; width: calc(1em + 2px) }</style>'
    '<table id="T_a1"><tr><td id="T_a1_row0_col0" class="data row0 col0" >1</td></tr></table>',
    "sticky": "<style>#T th { position: sticky; left: 0px; z-index: 3 }</style><table id=T></table>",
    "prose": "<h2>Head</h2><p align=right>a &lt; b, 1 < 2<br/>c <!-- said --> "
    "<a href='https://a.b/c?d=1&amp;e'>x</a></p><hr>",
    "details": "<details open><summary>more</summary><ul><li value=3>x</li></ul></details>",
    "a picture": f'<img src="data:image/png;base64,{PIXEL}" alt="a dot" width=20>',
    "a file": '<a href="out.csv">out</a> <a href="#below">below</a><p id=below tabindex=0 data-x=1>x</p>',
}
FRAMES = {
    "a script": f"{TABLE}<script>1</script>",
    "an event": '<p onclick="x()">x</p>',
    "a form": "<form action=/x><input name=a></form>",
    "a frame": "<iframe srcdoc=x></iframe>",
    "a drawing": "<svg><foreignObject><p>x</p></foreignObject></svg>",
    "formulas": "<math><mi>x</mi></math>",
    "an element of its own": "<my-view data-a=1></my-view>",
    "one of ours": "<code-runner-formula data-tex=x>x</code-runner-formula><input type=checkbox disabled>",
    "an address": '<img src="https://a.b/c.png">',
    "a picture of another kind": '<img src="data:text/html;base64,AA==">',
    "a program as address": '<a href="java&#10;script:alert(1)">x</a>',
    "a page of the host": '<a href="/logout">x</a>',
    "another host": '<a href="//a.b/c">x</a>',
    "something elsewhere": '<p style="background: u\\72l(//a.b)">x</p>',
    "entities": '<p style="background&#58; url&#40;//a.b)">x</p>',
    "a style that is imported": '<style>@import "//a.b";</style><p>x</p>',
    "only a style": "<style>td { color: red }</style>\n",
    "over everything": '<p style="position:fixed;inset:0">x</p>',
    "not closed": "<b>x",
    "closed elsewhere": "<b><i>x</b></i>",
    "cut": '<p title="x',
    "a document": "<!doctype html><p>x</p>",
    "many places": "<table>" + "<tr><td colspan=1000>x</td></tr>" * 30 + "</table>",
    "deep": "<div>" * 101 + "</div>" * 101,
    "large": "x" * (clean_html.LARGEST + 1),
    "a flood": "<b></b>" * clean_html.TAGS,
    "editable": "<p contenteditable>x</p>",
    "a dialog": "<dialog open>x</dialog>",
    "popover": "<div popover>x</div>",
    "focus": "<a href=#x autofocus>x</a>",
    "a template": "<div><template shadowrootmode=open>x</template></div>",
    "a part": "<p part=x slot=y>x</p>",
}


@behaviour("page:boxes:chosen")
@pytest.mark.parametrize("name", BOXES)
def test_html_that_does_nothing_stands_in_the_page(name: str) -> None:
    assert isinstance(drawn(text_html=BOXES[name]), Boxed)


@behaviour("page:boxes:chosen")
@pytest.mark.parametrize("name", FRAMES)
def test_html_that_would_lose_something_goes_to_a_frame(name: str) -> None:
    assert isinstance(drawn(text_html=FRAMES[name]), ActiveOutput)


@behaviour("page:boxes:chosen")
@pytest.mark.parametrize(
    ("kind", "value", "boxed"),
    [
        (
            "text_markdown",
            "# Head\n**bold** <br> <b>x</b> $x^2$ [f](out.csv)\n\n<div>\n\n- [x] y\n\n</div>",
            True,
        ),
        ("text_markdown", "![x](https://a.b/c.png)", False),
        ("text_markdown", "<script>1</script>", False),
        ("text_markdown", "<input type=checkbox disabled>", False),
        ("text_markdown", "<code-runner-formula data-tex='x'></code-runner-formula>", False),
        ("text_markdown", "x" * (markdown.LONGEST + 1), False),
        ("text_latex", r"$\frac{1}{2}$", True),
        ("text_latex", "x" * 5000, False),
        ("application_json", {"a": [1, None]}, True),
        ("application_json", ["x" * 1000] * 600, False),
        ("application_javascript", "1", False),
    ],
)
def test_markdown_formulas_and_json_stand_there_too(kind: str, value: object, boxed: bool) -> None:
    assert isinstance(drawn(**{kind: value}), Boxed if boxed else ActiveOutput)


@behaviour("page:boxes:chosen")
def test_what_is_cleaned_says_what_was_written() -> None:
    cleaned = clean_html.cleaned(BOXES["prose"])
    assert cleaned is not None
    assert cleaned.html == (
        '<h2>Head</h2><p align="right">a &lt; b, 1 &lt; 2<br>c  '
        '<a href="https://a.b/c?d=1&amp;e" target="_blank" rel="noopener noreferrer">x</a></p><hr>'
    )
    cleaned = clean_html.cleaned(BOXES["a file"])
    assert cleaned is not None
    assert 'href="#cr-file=out.csv"' in cleaned.html
    assert '<p id="below">x</p>' in cleaned.html


HTML_FORMULAS: dict[str, list[str]] = {
    "<p>where $x^2$ and \\(a &lt; b\\) cost $5 and $10</p>": ["x^2", "a &lt; b"],
    "<td>$$\\frac{1}{2}$$</td><td>\\[y\n= 2\\]</td>": ["\\frac{1}{2}", "y = 2"],
    "\\begin{align} a &amp;= b \\end{align}": ["\\begin{align} a &amp;= b \\end{align}"],
    "&#36;z&#36; <b>$a</b>$ \\$b$": ["z"],
    "<pre>$x^2$</pre><code>$y$ <b>$z$</b></code>": [],
    "<p title='$x$'>a <!-- $y$ --></p>": [],
    '<table class="dataframe tex2jax_ignore mathjax_ignore"><td>$x$</td></table>$y$': ["y"],
    "<div class=mathjax_ignore><p class='b mathjax_process'>$x$</p>$y$</div>": ["x"],
}


@behaviour("page:looks:formulas:html")
@pytest.mark.parametrize("source", HTML_FORMULAS)
def test_formulas_in_the_texts_of_html_are_set(source: str) -> None:
    cleaned = clean_html.cleaned(source)
    assert cleaned is not None
    assert re.findall(r'data-tex="([^"]*)"', cleaned.html) == HTML_FORMULAS[source]
    shown = re.sub(r"</?code-runner-formula[^>]*>", "", cleaned.html)
    assert unescape(shown).replace("\n", " ") == unescape(clean_html.purified(source) or "").replace(
        "\n", " "
    )


@behaviour("page:looks:formulas:html")
def test_more_formulas_than_a_page_sets_at_once_are_set_in_a_frame() -> None:
    assert isinstance(drawn(text_html="<p>$x$</p>" * formulas_in_html.MOST), Boxed)
    assert isinstance(drawn(text_html="<p>$x$</p>" * (formulas_in_html.MOST + 1)), ActiveOutput)
    assert isinstance(drawn(text_html=f"<p>${'x' * 1500}$</p>" * 70), ActiveOutput)


@behaviour("page:looks:nothing")
@pytest.mark.parametrize(
    "source", ['<pre style="white-space:pre;overflow-x:auto;line-height:normal"></pre>\n', "<p> </p>"]
)
def test_what_shows_nothing_takes_no_room_in_the_page(source: str) -> None:
    assert clean_html.cleaned(source) == clean_html.Cleaned("")


class Reading(HTMLParser):
    """What is in some HTML that may not be there."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.foreign: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in clean_html.ATTRIBUTES:
            self.foreign.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("srcset", "action", "name", "autofocus", "contenteditable"):
                self.foreign.append(name)
            text = (value or "").strip().casefold()
            if name == "href" and not text.startswith(("#", "https://", "http://", "mailto:")):
                self.foreign.append(f"{name}={value}")
            if name == "src" and not text.startswith("data:image/"):
                self.foreign.append(f"{name}={value}")
            if name == "style" and ("(" in text or "fixed" in text or "\\" in text) and "rgb(" not in text:
                self.foreign.append(f"{name}={value}")


PIECES = st.sampled_from(
    [
        *("<", ">", "</", "/>", '"', "'", "=", " ", "\n", "<!--", "-->", "&", "&#58;", "x", "-", "\0"),
        *("<p ", "<a ", "<b>", "</b>", "</p>", "</a>", "<td>", "</td>", "<table>", "</table>", "<img "),
        *(
            "<style>",
            "</style>",
            "<svg>",
            "</svg>",
            "<math>",
            "<script>",
            "</script>",
            "<template>",
            "<title>",
        ),
        *(
            "href=",
            "src=",
            "style=",
            "onclick=",
            "class=a",
            "javascript:",
            "data:image/png;base64,",
            "https://a.b",
        ),
        *("color: red", "background: url(//a.b)", "position: fixed", "{", "}", ";", "/*", "*/", "rgb(1,2,3)"),
        *(
            "<noscript>",
            "<textarea>",
            "<xmp>",
            "<title>",
            "<![CDATA[",
            "]]>",
            "<?x",
            "<!x",
            "<mglyph>",
            "<desc>",
        ),
    ]
)


@behaviour("page:boxes:clean")
@given(st.lists(PIECES, max_size=30).map("".join))
def test_whatever_is_cleaned_only_what_is_listed_comes_of_it(source: str) -> None:
    for cleaned in (clean_html.cleaned(source), markdown.rendered(source)):
        html = "" if cleaned is None else cleaned.html
        ours = ("<input", "<code-runner-formula")
        assert [each for each in Reading(html).foreign if f"<{each}" not in ours] == []
    # The cleaner alone, where nothing was decided before.
    assert Reading(clean_html.purified(source) or "").foreign == []


@behaviour("page:boxes:styles")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "color: red",
        "color:red;",
        " text-align: right ; padding: 4px 10px!important",
        "background: rgba(0, 0, 0, .5)",
        "margin: -1px 0 -.5em",
        "font: 13px/1.5 'Segoe UI', monospace",
    ],
)
def test_a_plain_style_may_stand_in_a_box(text: str) -> None:
    assert styles.declarations(text)
    assert styles.sheet(f"p.a > #b_1, td:first-child {{{text}}} /* said */") is not None


@behaviour("page:boxes:styles")
@pytest.mark.parametrize(
    "text",
    [
        "background: url(x)",
        "background: u\\72l(x)",
        "background: image-set('x' 1x)",
        "position: fixed",
        "position: absolute",
        "animation: k 1s",
        "transition: all 1s",
        "transform: scale(99)",
        "behavior: x",
        "--x: 1",
        "color: var(--jp-ui-font-color0, #111)",
        "color",
        "color: expression(1)",
        "color: rgb(1; position: fixed",
        "color: rgb(calc(1)",
        "font-family: 'x",
        "color: red } * { color: red",
        "content: attr(x)",
        "color: red <!--",
        "cursor: url(x), auto",
        "filter: blur(9px)",
        "all: initial",
        "color: /* url(",
    ],
)
def test_a_style_that_reaches_further_may_not(text: str) -> None:
    assert not styles.declarations(text) or styles.sheet(f"p {{{text}}}") is None


@behaviour("page:boxes:styles")
@pytest.mark.parametrize(
    "selector",
    [
        ":host",
        ":host(p)",
        ":host-context(body)",
        "::slotted(p)",
        "p[value^=s]",
        "@media print",
        ":target",
        "p::before",
        "a\\62",
    ],
)
def test_a_selector_that_reaches_further_may_not(selector: str) -> None:
    assert styles.sheet(f"{selector} {{ color: red }}") is None


def told(*outputs: Output) -> tuple[object, list[object]]:
    """From which output on a frame draws, and how the page gets each of them."""
    look = block_html.look(Block(source="x", state=State.ENDED, outputs=outputs), Setting())
    message = socket_messages.drawing("id", look, None)
    parts = message["parts"]
    assert isinstance(parts, dict)
    return message["framed"], [parts[str(at)] for at in range(len(outputs))]


def html(source: str) -> Output:
    return ExecuteResult({"text/html": source, "text/plain": "plain"}, {}, 1)


def in_page(part: object) -> bool:
    return isinstance(part, str) or (isinstance(part, dict) and "box" in part)


PLAIN, BOX = Stream("stdout", "x\n"), html(TABLE)
CHART = DisplayData({"application/vnd.plotly.v1+json": {"data": []}})


@behaviour("page:boxes:order")
@pytest.mark.parametrize(
    ("outputs", "first"),
    [
        ((PLAIN, BOX, PLAIN), 3),
        ((BOX, CHART, BOX, PLAIN), 1),
        ((PLAIN, BOX, html("<script>1</script>"), BOX), 1),
        ((BOX, DisplayData({"application/javascript": "1"})), 0),
        ((BOX, html("<style>td { color: red }</style>")), 0),
        ((CHART, BOX), 0),
    ],
    ids=["all in the page", "a chart", "a script", "javascript", "a style for others", "below a chart"],
)
def test_outputs_keep_their_order_and_those_that_may_reach_each_other_one_document(
    outputs: tuple[Output, ...], first: int
) -> None:
    framed, parts = told(*outputs)
    assert framed == first
    assert [in_page(part) for part in parts[:first]] == [True] * first
    assert not any("box" in part for part in parts[first:] if isinstance(part, dict))


@behaviour("page:boxes:without")
def test_without_the_cleaner_html_is_drawn_in_frames() -> None:
    program = (
        "import sys; sys.modules['nh3'] = None\n"
        "from coderunner.page.html.boxes import clean_html, markdown\n"
        "print(clean_html.cleaned('<b>x</b>'), markdown.rendered('**x**'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "None None\n"
