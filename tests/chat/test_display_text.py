"""What the model reads of what a program displays: each kind by what is in it, and no more than is true."""

import base64
import json
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coderunner.chat.display_text import text
from coderunner.chat.display_text.html import MOST
from coderunner.chat.results.result_text import Image, for_model, for_tool, images, pictures
from coderunner.outputs import DisplayData, Result
from tests.behaviours import behaviour
from tests.chat.reading import cells
from tests.pictures import png
from tests.pictures import text as encoded

VEGA = (
    "<VegaLite 6 object>\n\nIf you see this message, it means the renderer has not been properly enabled\n"
    "for the frontend that you are using. For more information, see\nhttps://altair-viz.github.io/x.html\n"
)


SPANS = (
    "<table><tr><th colspan=2>ab<th>c<tr><th>a<th>b<th><tr><td rowspan=2>x<td>1<td>2<tr><td>3<td>4</table>"
)


def html(source: str) -> str:
    return text({"text/html": source, "text/plain": "<IPython.core.display.HTML object>"})


def rows(count: int, columns: int = 2) -> str:
    line = "".join(f"<td>{{0}}.{column}</td>" for column in range(columns))
    heads = "".join(f"<th>c{column}</th>" for column in range(columns))
    body = "".join(f"<tr>{line.format(number)}</tr>" for number in range(count))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


@behaviour("shown:tables:markdown")
def test_a_table_is_told_in_markdown_with_its_head_its_tail_and_its_size() -> None:
    assert html(rows(2)) == "| c0 | c1 |\n|---|---|\n| 0.0 | 0.1 |\n| 1.0 | 1.1 |"
    long = html(rows(500)).split("\n")
    assert (long[2], long[13]) == ("| 0.0 | 0.1 |", "| 11.0 | 11.1 |")
    assert long[14:16] == ["| … 482 rows left out … |", "| 494.0 | 494.1 |"]
    assert long[-1] == "[500 rows × 2 columns]"
    wide = html(rows(1, 40))
    assert wide.startswith("| c0 | c1 |")
    assert wide.endswith("| 0.37 | 0.38 | 0.39 |\n[1 rows × 40 columns]")


@behaviour("shown:tables:markdown")
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 | 2\n3"),
        ("<table><tr><th>a|b<th>c<tr><td>1</table>", "| a\\|b | c |\n|---|---|\n| 1 |"),
        (
            (
                "<table><thead><tr><th>a<th>b</thead><tr><th colspan=2>g<tr><td>1<td>2"
                "<tr><th colspan=2>h<tr><td>3<td>4<tr><td colspan=2>note</table>"
            ),
            "| a | b |\n|---|---|\n| g |\n| 1 | 2 |\n| h |\n| 3 | 4 |\nnote",
        ),
        ("<table><caption>T</caption><tr><th>a<tr><td>1</table>", "T\n| a |\n|---|\n| 1 |"),
        (
            SPANS,
            "| ab / a | ab / b | c |\n|---|---|---|\n| x | 1 | 2 |\n| x | 3 | 4 |",
        ),
        (
            "<table><tr><th>a<tr><td><table><tr><td>1<td>2<tr><td>3</table></table>",
            "| a |\n|---|\n| 1, 2; 3 |",
        ),
        ("<table><tr><th>a<tr><td><script>x</script><style>y</style>1</table>", "| a |\n|---|\n| 1 |"),
        (f"<table><tr><th>a<tr><td>{'x' * 200}</table>", f"| a |\n|---|\n| {'x' * 79}… |"),
        ("<p>before</p><table><tr><td>1</table>after", "before\n1\nafter"),
        ("<table><tr><th>a<th>b", "| a | b |\n|---|---|"),
        ("<table></table>", ""),
    ],
)
def test_spans_nested_tables_and_what_is_left_open_are_told_as_they_look(source: str, said: str) -> None:
    assert html(source) == said


@behaviour("shown:tables:markdown")
def test_a_plain_text_that_is_the_same_simple_table_is_taken_as_it_is() -> None:
    plain = "   n\n0  1\n1  2"
    table = "<table><thead><tr><th></th><th>n</th></tr></thead><tr><th>0<td>1<tr><th>1<td>2</table>"
    assert text({"text/html": table, "text/plain": plain}) == plain
    drawn = "┌───┐\n│ n │\n└───┘"
    assert text({"text/html": table, "text/plain": drawn}).startswith("|  | n |")


@behaviour("shown:html:readable")
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<h1>T</h1><p>a &lt; b<br>c", "T\na < b\nc"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("<style>p{}</style><script>x</script><template>t</template>a<noscript>n</noscript>", "a"),
        ("a<div style='color:red; display : none'>b<div>c</div>d</div>e", "ae"),
        ("a<p hidden>b<p>c", "a\nc"),
        ("a<span style='visibility:hidden'>b</span>", "a"),
        ("<video src=x.mp4>Your browser does not support the video tag.</video>", "[film x.mp4]"),
        ("<audio controls><source src='data:audio/ogg;base64,AAAA'>no</audio>!", "[audio/ogg, 3 bytes] !"),
        ("<iframe srcdoc='<title>A page</title>'></iframe>", "[page in a frame: A page]"),
        (
            "<iframe srcdoc='<title>Report</title><style>p {}</style><p>12 &amp;lt;rows></p>'></iframe>",
            "[page in a frame: Report: 12 <rows>]",
        ),
        ("<svg><text>31</text><text>12</text></svg>", "31 12"),
        ("<img src=cat.png alt='a cat'>", "[image cat.png: a cat]"),
        ("<!-- a --><b>c</b><!-- never closed <p>d", "c"),
        ("<a href='never closed", ""),
        ("<b>x</b><![bad<p>y", "x y"),
    ],
)
def test_html_is_told_as_it_reads(source: str, said: str) -> None:
    assert html(source) == said


@behaviour("shown:html:readable")
def test_a_long_page_within_is_told_by_its_first_words_and_is_not_too_much_to_be_read() -> None:
    page = f"<title>Report</title><style>{'p {} ' * 80_000}</style><p>{'word ' * 2_000}</p>"
    said = html(f"<p>before</p><iframe srcdoc='{page}'></iframe><p>after</p>")
    assert said.startswith("before\n[page in a frame: Report: word word")
    assert said.endswith("word …]\nafter")
    assert len(said) < 700


@behaviour("shown:html:readable")
def test_html_that_shows_nothing_is_not_told() -> None:
    assert html("<style>p { color: red }</style>") == ""
    assert html("<div id='a'></div>") == ""
    assert html("<script>draw()</script>") == "[text/html]"


@behaviour("shown:html:bounded")
@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 100_000 + "deep",
        "<table><tr><td>" * 100_000 + "deep",
        "<!--" * 500,
        "<a x='" * 500,
        "<td colspan=999999 rowspan=999999>" * 500,
        "<table>" + "<tr><td colspan=1000 rowspan=1000>x" * 500,
        "&" * 300_000,
        "<p hidden>" * 100_000,
    ],
)
def test_html_of_any_depth_and_size_is_read_to_an_end(source: str) -> None:
    assert len(for_model(Result((DisplayData({"text/html": source}),)))) < 5_000


@behaviour("shown:html:bounded")
def test_what_is_too_much_to_be_read_is_counted() -> None:
    said = html(rows(40_000))
    assert said.startswith("| c0 | c1 |")
    assert "more characters of HTML with " in said
    assert len(said) < 2_000
    assert html("x" * (MOST + 7)).endswith("[… 7 more characters of HTML, which were too many to be read]")


WRITTEN = (
    *(
        "<table>",
        "<tr>",
        "<td>",
        "<th>",
        "</table>",
        "<pre>",
        "</pre>",
        "<li>",
        "<p hidden>",
        "<video>",
        "<!--",
        "-->",
    ),
    *(
        "```",
        "\n",
        "Result: 1",
        "&lt;|im_end|&gt;",
        "<|im_end|>",
        "[INST]",
        "&#96;&#96;&#96;python\n",
        "| --- |",
        "x",
    ),
    *(
        "<think>",
        "&lt;think&gt;",
        "\x1f",
        "&#x202e;",
        "&#8203;",
        "&#0;",
        "STOP",
        "<img alt='```'>",
        "<iframe srcdoc='",
    ),
)


@behaviour("shown:html:harmless")
@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(WRITTEN), max_size=30).map("".join))
@example("<table><tr><th>```python<tr><td>&#10;```</table>")
def test_nothing_in_html_leaves_its_fence_or_has_a_meaning(source: str) -> None:
    said = for_model(Result((DisplayData({"text/html": source}),)), forbidden=["STOP"])
    assert cells([f"{said}\n```python\nlast\n```"]) == ["last\n"]
    tokens = ("<|im_end|>", "[INST]", "<think>", "```python", "\u202e", "\u200b\u200b", "\x00", "STOP")
    assert [token for token in tokens if token in said.removeprefix("Result:")] == []


@behaviour("shown:fallbacks:dropped")
@pytest.mark.parametrize(
    "sentence",
    [
        "Your browser does not support the video tag.",
        "Your browser does not support the audio element.",
        "Cannot show ipywidgets in text",
        "Loading BokehJS ...",
        VEGA,
        "Make this Notebook Trusted to load map: File -> Trust Notebook",
    ],
)
def test_a_sentence_for_those_who_do_not_see_it_is_no_fact(sentence: str) -> None:
    assert text({"text/plain": sentence}) == ""
    assert html(f"<p>{sentence.replace('<', '&lt;')}</p><p>15") == "15"
    assert text({"text/plain": sentence, "text/html": "<b>15</b>"}) == "15"
    assert text({"text/plain": f"{sentence}\n15"}) == "15"


@behaviour("shown:formulas:latex")
def test_a_formula_that_is_drawn_in_plain_text_is_told_as_latex() -> None:
    bundle = {"text/plain": "⌠\n⎮ x dx\n⌡", "text/latex": "$\\int x$", "image/png": encoded(png())}
    result = Result((DisplayData(bundle),))
    assert for_model(result) == "Result:\n```output\n$\\int x$\n```\n"
    # A page may still show it as a picture; nobody need be told of it twice.
    assert [image.mime for image in images(result)] == ["image/png"]
    assert for_model(result, pictures=["![](1)"]) == "Result:\n```output\n$\\int x$\n```\n![](1)\n"
    assert (pictures(result), for_tool(result.outputs)) == ((), ["$\\int x$"])
    simple = {**bundle, "text/plain": "x + 1"}
    assert isinstance(for_tool([DisplayData(simple)])[0], Image)


@behaviour("shown:charts:plotly")
def test_a_figure_is_told_by_kind_title_axes_and_traces() -> None:
    numbers = {
        "dtype": "f8",
        "bdata": base64.b64encode(struct.pack("<4d", 1, 2.5, float("nan"), -3)).decode(),
    }
    grid = {"dtype": "i1", "bdata": "AQIDBAUG", "shape": "2, 3"}
    figure = {
        "data": [
            {"type": "bar", "name": "<b>new</b>", "x": ["a", "b"], "y": [1, None]},
            {"y": numbers, "x": ["2024-01-01T00:00:00", "2024-02-01T12:00:00"]},
            {"type": "heatmap", "z": grid},
            {"type": "pie", "labels": [f"n{n}" for n in range(9)], "values": [1] * 9},
            {"type": "scatter"},
            "no trace",
        ],
        "layout": {"title": {"text": "T<br>U"}, "xaxis": {"title": "time"}, "yaxis2": {"type": "log"}},
    }
    assert text({"application/vnd.plotly.v1+json": figure}) == (
        "Plotly chart: T U\nx: time; y2: (log)\n- bar new: 2 points, x a, b, y 1\n"
        "- scatter: 4 points, x 2024-01-01 to 2024-02-01T12:00:00, y -3 to 2.5\n"
        "- heatmap: 2×3, z 1 to 6\n"
        "- pie: 9 points, labels n0, n1, n2, n3, n4, n5 and 3 more, values 1\n- scatter: no data"
    )


@behaviour("shown:charts:plotly")
@pytest.mark.parametrize(
    ("trace", "said"),
    [
        ({"type": "indicator", "value": 5, "delta": {"reference": 4}}, "value 5, delta reference 4"),
        (
            {"type": "sankey", "node": {"label": ["a", "b"]}, "link": {"source": [0], "value": [3]}},
            "2 points, node label a, b, link source 0, link value 3",
        ),
        (
            {"type": "table", "header": {"values": ["n", "m"]}, "cells": {"values": [[1, 2], [3, 4]]}},
            "2×2, header values n, m, cells values 1 to 4",
        ),
        ({"type": "splom", "dimensions": [{"label": "w", "values": [1, 2]}]}, "2 points, w 1 to 2"),
        ({"type": "scatter", "y": [1]}, "1 point, y 1"),
        ({"type": "made-up", "beads": [1]}, ""),
    ],
)
def test_data_that_stand_elsewhere_in_a_trace_are_told_and_not_denied(
    trace: dict[str, object], said: str
) -> None:
    told = text({"application/vnd.plotly.v1+json": {"data": [trace]}})
    assert told == f"Plotly chart\n- {trace['type']}{f': {said}' if said else ''}"


@behaviour("shown:charts:plotly")
def test_what_is_written_in_a_figure_is_told() -> None:
    layout = {"annotations": [{"text": "<b>left</b>"}, {"text": "right"}, 7, {}]}
    told = text({"application/vnd.plotly.v1+json": {"data": [], "layout": layout}})
    assert told == "Plotly chart\nwritten in it: left, right\n(no traces)"


@behaviour("shown:plain:coloured")
def test_a_plain_text_in_colours_is_read_without_them() -> None:
    opaque = "\x1b[1m<\x1b[0m\x1b[1;95mIPython.core.display.HTML\x1b[0m\x1b[39m object\x1b[0m\x1b[1m>\x1b[0m"
    assert text({"text/html": "<b>bold</b>", "text/plain": opaque}) == "bold"
    shown = DisplayData({"image/png": encoded(png(4, 2)), "text/plain": "\x1b[1;95mFigure\x1b[0m of 1"})
    assert ": Figure of 1]" in for_model(Result((shown,)))


KEYS = (
    *("data", "layout", "title", "text", "type", "x", "y", "z", "bdata", "dtype", "shape", "marks", "mark"),
    *(
        "encoding",
        "field",
        "layer",
        "values",
        "datasets",
        "features",
        "geometry",
        "coordinates",
        "properties",
    ),
    *("roots", "attributes", "renderers", "name", "id"),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)


@behaviour("shown:charts:any")
@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(
        [
            "application/vnd.plotly.v1+json",
            "application/vnd.vegalite.v6+json",
            "application/vnd.vega.v6.json",
            "application/geo+json",
            "application/json",
        ]
    ),
    VALUES,
)
def test_a_chart_of_any_shape_is_told_somehow(kind: str, value: object) -> None:
    assert for_model(Result((DisplayData({kind: value}),))).startswith("Result:")
    script = f"docs_json = {json.dumps(value)}; Plotly.newPlot('a', [{json.dumps(value)}])"
    assert for_model(Result((DisplayData({"application/javascript": script}),))).startswith("Result:")


@behaviour("shown:json:structure")
def test_json_is_told_whole_where_it_is_short_and_else_by_its_structure() -> None:
    assert text({"application/json": {"a": 1}}) == '{"a": 1}'
    large = {"items": [{"id": n} for n in range(500)], "numbers": list(range(900)), "on": True}
    assert text({"application/json": large}) == (
        "JSON: {items: [500 items, the first: {id: 0}], numbers: [900 items, 0 to 899], on: true}"
    )


@behaviour("shown:files:size")
def test_a_file_is_told_by_its_type_and_size() -> None:
    wave = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + struct.pack("<IIHH", 8000, 16000, 2, 16)
    sound = wave + b"data" + struct.pack("<I", 24_000) + bytes(24_000)
    assert text({"audio/wav": encoded(sound)}) == "[audio/wav, 24 kB, 1.5 s]"
    assert text({"application/pdf": encoded(bytes(5_000))}) == "[application/pdf, 5 kB]"


@behaviour("shown:images:unreadable")
def test_an_image_that_cannot_be_read_is_told_before_what_stands_beside_it() -> None:
    bundle = {"image/png": encoded(b"<!doctype html>"), "text/plain": "<IPython.core.display.Image object>"}
    assert text(bundle) == "[unreadable image: declared as image/png, is HTML]"
    assert for_tool([DisplayData(bundle)]) == ["[unreadable image: declared as image/png, is HTML]"]
