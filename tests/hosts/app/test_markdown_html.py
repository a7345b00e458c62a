"""What was written, as HTML: whatever it is, it can be read and does nothing."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coderunner.hosts.app.markdown import markdown_html
from tests.behaviours import behaviour
from tests.page.test_block_html import Reading

FORMULAS = json.loads((Path(__file__).parents[2] / "corpora" / "formulas.json").read_text(encoding="utf-8"))

MARKS = (
    *"*_`~#>|-+=:.!()[]$\\<&;^",
    *(
        "\n",
        "\n\n",
        "    ",
        "- ",
        "1. ",
        "12) ",
        "- [x] ",
        "> ",
        "```",
        "~~~",
        "| a | b |\n|--|--|\n",
        "$$",
        "\\[",
        "\\(",
    ),
    *(
        "[^1]",
        "[^1]: ",
        "[b]: ",
        "[b]",
        "](http://x.y/",
        "<https://x.y/",
        "https://x.y/",
        "![",
        "<br>",
        "<div>",
        "</details>",
    ),
    *(
        "<!-- ",
        "-->",
        "<?php ",
        "<![CDATA[",
        "<script>",
        "</script>",
        "<think>",
        "javascript:",
        'onerror="',
        "data:image/png;base64,",
    ),
)
markdown = st.lists(st.sampled_from(MARKS) | st.from_regex(r"[a-z]{2,6} ?", fullmatch=True), max_size=40).map(
    "".join
)

ALLOWED = {
    "a": {"href", "title", "target", "rel"},
    "img": {"src", "alt"},
    "div": {"class", "tabindex"},
    "ol": {"start", "style"},
    "li": {"class", "value"},
    "input": {"type", "disabled", "checked", "aria-label"},
    "pre": {"tabindex", "class"},
    "span": {"class"},
    "button": {"type", "data-cr"},
    "th": {"style"},
    "td": {"style"},
    "code-runner-formula": {"data-tex", "data-display"},
} | {
    name: set[str]()
    for name in (
        *(
            "p",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "br",
            "ul",
            "blockquote",
            "strong",
            "em",
            "s",
            "code",
            "sup",
        ),
        *("table", "thead", "tbody", "tr"),
    )
}


class Shown(Reading):
    """What some prose shows, and where its links lead."""

    def __init__(self, html: str) -> None:
        self.links: list[str] = []
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if not names <= ALLOWED.get(tag, set()) or tag not in ALLOWED:
            self.foreign.append(f"{tag} {sorted(names)}")
        self.images += [value or "" for name, value in attrs if name == "src"]
        self.links += [value or "" for name, value in attrs if name == "href"]


def shown(text: str) -> Shown:
    return Shown("".join(markdown_html.whole(text)))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text)


@behaviour("app:prose:read")
@pytest.mark.parametrize(
    "text",
    [
        "What is List<int> and <your name here> in C++",
        "Run it with <port> set, then go",
        "a < b > c",
        "<script>alert(1)</script>",
        "<!-- a note -->",
        "<div>\nin a block\n</div>",
        "</details>",
        "<details><summary>More</summary>less</details>",
        "use <br> or <BR/>",
        "an <unclosed tag",
        "<math><mi>x</mi></math>",
        "<![CDATA[ x ]]>",
        "<?php echo 1; ?>",
        "> <b>in a quote",
        "<think>",
        "sandbox:/mnt/data/x.csv",
    ],
)
def test_tags_are_text_in_what_a_model_and_in_what_a_person_wrote(text: str) -> None:
    bare = text.removeprefix("> ")
    assert shown(text).text.strip() == bare
    assert Shown(markdown_html.typed(text)).text.strip() == text


@behaviour("app:prose:typed")
def test_what_a_person_typed_stands_as_it_was_typed() -> None:
    text = "What does __init__ do in 2*3*4 &lt; $5?\n- [x] # no <list>\n\n1. $a$ [b](c) https://x.y/z."
    seen = Shown(markdown_html.typed(text))
    assert re.sub(r"\n+", "\n", seen.text).strip() == text.replace("\n\n", "\n")
    assert seen.links == ["https://x.y/z"]
    code = markdown_html.typed("So `a<b>`:\n```py\nx <y>\n```")
    assert "<code>a&lt;b&gt;</code>" in code
    assert Shown(code).text.split() == ["So", "a<b>:", "pyCopyx", "<y>"]


@behaviour("app:prose:read")
@settings(max_examples=150)
@given(markdown)
@example("- [x] done")
def test_no_word_vanishes_and_nothing_acts(text: str) -> None:
    html = "".join(markdown_html.whole(text))
    seen = Shown(html)
    assert seen.foreign == []
    assert all(re.match(r"https?://|mailto:|coderunner/file\?path=", link) for link in seen.links)
    assert all(image.startswith("data:image/png;base64,") for image in seen.images)
    letters = iter(unescape(html))
    assert [each for each in text if each.isalpha() and each not in letters] == []


@behaviour("app:prose:grows")
@settings(max_examples=60)
@given(markdown, st.integers(1, 7))
def test_what_grows_is_drawn_as_it_is_in_the_end(text: str, step: int) -> None:
    drawn = markdown_html.Growing()
    for end in range(0, len(text) + step, step):
        drawn = markdown_html.grown(drawn, text[:end])
        assert Shown("".join(drawn.all)).foreign == []
    if "]:" not in text:
        seen = Shown("".join(drawn.all)).text
        assert words(seen) == words(shown(markdown_html.UNSURE.sub("", text)).text)


@behaviour("app:prose:grows")
def test_only_the_last_piece_of_a_long_text_changes_while_it_grows() -> None:
    text = "A paragraph of some **length**.\n\n- one\n- two\n\n" * 100
    before, sent = markdown_html.Growing(), 0
    for end in range(0, len(text), 40):
        now = markdown_html.grown(before, text[:end])
        assert now.pieces[: len(before.pieces)] == before.pieces
        sent += len(now.all[-1])
        before = now
    assert markdown_html.grown(before, text).all == markdown_html.whole(text)
    assert max(map(len, before.all)) < 5 * markdown_html.PIECE


@behaviour("app:prose:kinds")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "- [x] done\n- [ ] not",
            '<li class="cr-task"><input type="checkbox" aria-label="Task" disabled checked> done</li>',
        ),
        ("9. a\n10. b", '<ol start="9" style="--cr-digits:2">\n<li>a</li>'),
        ("1. a\n1. b", '<ol style="--cr-digits:1">\n<li>a</li>\n<li>b</li>'),
        ("3. a\n7. b", '<ol start="3" style="--cr-digits:1">\n<li value="3">a</li>\n<li value="7">b</li>'),
        ("1000. a", '<ol start="1000" style="--cr-digits:4">'),
        ("a[^1]\n\n[^1]: Why <b>", "<p>a<sup>1</sup></p>\n<p><sup>1</sup> Why &lt;b&gt;</p>"),
        ("`[^a-z]` and [^a-z]", "<code>[^a-z]</code> and [^a-z]"),
        ("~~gone~~ ~5 :smile:", "<s>gone</s> ~5 :smile:"),
        ("| a |\n|---|\n| b<br>c |", "<td>b<br />\nc</td>"),
        ("| a |\n|---|\n| b | c |", "<td>b</td>\n<td>c</td>"),
        (
            "<https://x.y/z>",
            '<a href="https://x.y/z" target="_blank" rel="noopener noreferrer">https://x.y/z</a>',
        ),
        ("(https://x.y/a_(b)).", '(<a href="https://x.y/a_(b)" target="_blank" rel="noopener noreferrer">'),
        ("![A chart](https://x.y/z.png)", ">A chart</a> (image, not loaded)"),
        (
            "![A chart](chart.png)",
            '?path=chart.png" target="_blank" rel="noopener noreferrer">A chart</a> (image)',
        ),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("[the file](<a b.csv>)", '<a data-cr-file href="coderunner/file?path=a%20b.csv" target="_blank"'),
        ("[the file](sandbox:/mnt/data/report.csv)", 'href="coderunner/file?path=report.csv"'),
        ("[the file](file:report.csv)", "<p>[the file](file:report.csv)</p>"),
        ("[above](#top)", "<p>[above](#top)</p>"),
        ("[1]: https://x.y", ">1</a>: <a href="),
        ("See [it][1].\n\n[1]: https://x.y", '<p>See <a href="https://x.y"'),
        ("> ```c\n> a<b\n> ```", "<span>c</span>"),
        ("Term\n: definition", "<p>Term<br />\n: definition</p>"),
        ("> " * 100 + "deep", "&gt; deep</pre>"),
    ],
)
def test_each_kind_of_markdown_is_drawn(text: str, html: str) -> None:
    assert html in "".join(markdown_html.whole(text))


@behaviour("app:prose:kinds")
def test_a_picture_within_the_text_is_seen_however_large() -> None:
    data = f"data:image/png;base64,{'A' * 4 * markdown_html.LONGEST}"
    assert shown(f"See ![this]({data}).").images == [data]
    assert shown(f"See [this]({data[:50]}).").links == []


@behaviour("app:prose:formulas")
@pytest.mark.parametrize(("text", "found"), FORMULAS)
def test_formulas_are_told_from_prices_variables_and_brackets(text: str, found: list[str]) -> None:
    html = "".join(markdown_html.whole(text))
    assert [unescape(each) for each in re.findall(r'data-tex="([^"]*)"', html)] == found
