"""Formulas in Markdown that programs show: the same ones as in what a model writes."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from coderunner.hosts.app.markdown import markdown_html
from coderunner.page.html.boxes.formulas import MARKS as MOST_MARKS
from coderunner.page.html.boxes.formulas import Formula, Reader
from coderunner.page.server import static_files
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS
from tests.page.host import Host, opened

pytestmark = MARKS

CORPUS: list[tuple[str, list[str]]] = json.loads(
    (Path(__file__).parents[1] / "corpora" / "formulas.json").read_text(encoding="utf-8")
)
PARTS = (
    *("$", "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\$", "`", "\n", "\n\n", " ", " ", "|", "*", "_"),
    *("{", "}", "x", "5", "10", "a+b", "^2", "\\alpha", "word", " and ", "th", ".", "- ", "1. ", "> "),
    *("    ", "$5", "$HOME"),
)
"""What texts are put together of that have formulas, and what looks like them."""

DRAWN = """
texts => texts.map(text => {
  const inert = new DOMParser().parseFromString(set(coderunner.text.markdown(text)), "text/html");
  const drawn = inert.querySelectorAll("annotation[encoding='application/x-tex'], .katex-error");
  return [...drawn].map(each => each.textContent.trim());
})
"""
"""The formulas of each text: KaTeX keeps the source beside what it draws, or shows it as an error."""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page with the engine for texts, and nothing else."""
    page = browser.new_page()
    page.add_script_tag(content=static_files.content("text.js").decode())
    page.evaluate(SET)
    yield page
    page.close()


SET = """
() => {
  const place = /<span data-cr-formula="(\\d+)">[^<]*<\\/span>/g;
  window.set = ({ html, formulas }) => html.replace(place, (_, at) => formulas[at]());
}
"""
"""A text with each of its formulas in its place."""


def drawn(page: Page, texts: Sequence[str]) -> list[list[str]]:
    found: list[list[str]] = page.evaluate(DRAWN, list(texts))
    return found


def of_a_model(text: str) -> list[str]:
    """The formulas of what a model writes."""
    html = "".join(markdown_html.whole(text))
    return [unescape(each).strip() for each in re.findall(r'data-tex="([^"]*)"', html)]


@behaviour("page:looks:formulas")
def test_formulas_are_told_from_prices_variables_and_brackets_in_outputs_too(page: Page) -> None:
    assert drawn(page, [text for text, _ in CORPUS]) == [found for _, found in CORPUS]


@behaviour("page:looks:formulas")
def test_what_is_a_formula_in_a_reply_is_one_in_an_output_and_nothing_else_is(page: Page) -> None:
    chance = random.Random(1)
    texts = ["".join(chance.choices(PARTS, k=chance.randint(2, 14))) for _ in range(600)]
    told = [of_a_model(text) for text in texts]
    assert sum(map(bool, told)) > 30
    found = dict(zip(texts, drawn(page, texts), strict=True))
    assert found == dict(zip(texts, told, strict=True))


ALIGNED = "\\begin{align}\na &= b \\\\\n+ c\n\\end{align}"
BARE = {
    ALIGNED: [ALIGNED],
    f"before\n\n{ALIGNED}\n\nafter": [ALIGNED],
    "in \\begin{cases} 1 \\\\ 2 \\end{cases} a line": ["\\begin{cases} 1 \\\\ 2 \\end{cases}"],
    "- \\begin{pmatrix}1\\end{pmatrix}": ["\\begin{pmatrix}1\\end{pmatrix}"],
    "\\begin{equation*}\\begin{split}a\\end{split}\\end{equation*}": [
        "\\begin{equation*}\\begin{split}a\\end{split}\\end{equation*}"
    ],
    f"`{ALIGNED}`": [],
    f"```\n{ALIGNED}\n```": [],
    "\\begin{align} a": [],
    "\\begin{foo}x\\end{foo}": [],
    "\\begin{align}" * 2000: [],
}


@behaviour("page:looks:formulas:bare")
def test_an_environment_without_marks_is_a_formula_in_outputs_as_in_replies(page: Page) -> None:
    starred = [
        [re.sub(r"(begin|end)\{(align|equation)\*?\}", r"\1{\2*}", each) for each in found]
        for found in BARE.values()
    ]
    assert drawn(page, list(BARE)) == starred
    assert [of_a_model(text) for text in BARE] == list(BARE.values())


LATEX = {
    "$x^2$": (["x^2"], 0, ""),
    "$$x^2$$": (["x^2"], 1, ""),
    "\\(x\\)": (["x"], 0, ""),
    "\\[x\\]": (["x"], 1, ""),
    "x^2": (["x^2"], 1, ""),
    "$\\displaystyle \\int x$": (["\\int x"], 1, ""),
    "\\begin{align} a &= b \\end{align}": (["\\begin{align*} a &= b \\end{align*}"], 1, ""),
    "\\begin{eqnarray} a &=& b \\end{eqnarray}": (["\\begin{align*} a &= b \\end{align*}"], 1, ""),
    "\\begin{pmatrix}1\\\\[2pt]2\\end{pmatrix}": (["\\begin{pmatrix}1\\\\[2pt]2\\end{pmatrix}"], 1, ""),
    "Let $a$, \\(b\\) and $$c$$ cost \\$5": (["a", "b", "c"], 1, "Let ,  and  cost $5"),
    "<b>$x$</b> \\begin{equation}\\label{e}y\\end{equation}": (
        ["x", "\\begin{equation*}y\\end{equation*}"],
        1,
        "<b></b>",
    ),
    "\\begin{tabular}{l}a\\end{tabular}": ([], 0, "\\begin{tabular}{l}a\\end{tabular}"),
}

READ = """
texts => texts.map(text => {
  const inert = new DOMParser().parseFromString(set(coderunner.text.latex(text)), "text/html");
  const found = [...inert.querySelectorAll("annotation")].map(each => each.textContent);
  const displayed = inert.querySelectorAll(".katex-display").length;
  for (const each of inert.querySelectorAll(".katex")) each.remove();
  return [found, displayed, inert.body.textContent.trim()];
})
"""


@behaviour("page:looks:formulas:latex")
def test_latex_is_read_in_every_mark_that_notebooks_take(page: Page) -> None:
    assert page.evaluate(READ, list(LATEX)) == [list(each) for each in LATEX.values()]


WORDS = """
texts => texts.map(text => coderunner.text.reader()(text).filter(each => each !== ""))
    .map(parts => parts.map(each => each.written ?? [each]))
"""
"""Of each text that is no Markdown its formulas as they are written, and the words between in brackets."""


def read(text: str) -> list[object]:
    parts = [each for each in Reader().parts(text) if each != ""]
    return [each.written if isinstance(each, Formula) else [each] for each in parts]


@behaviour("page:looks:formulas:html")
def test_texts_of_html_have_the_same_formulas_in_the_page_and_in_frames(page: Page) -> None:
    chance = random.Random(2)
    texts = [text for text, _ in CORPUS] + [
        "".join(chance.choices((*PARTS, "\\\\", "\\begin{align}", "\\end{align}"), k=chance.randint(2, 14)))
        for _ in range(600)
    ]
    told = [read(text) for text in texts]
    assert sum(any(isinstance(each, str) for each in parts) for parts in told) > 60
    assert page.evaluate(WORDS, texts) == told


@behaviour("page:looks:formulas:html")
def test_of_countless_marks_some_are_looked_at(page: Page) -> None:
    text = "$5 " * MOST_MARKS + "$x^2$"
    assert read(text) == page.evaluate(WORDS, [text])[0] == [[text]]
    assert read("\\( " * 2000 + "\\(x\\)") == page.evaluate(WORDS, ["\\( " * 2000 + "\\(x\\)"])[0]


IN_TURNS = """
async address => {
  const formulas = await import(address), drawn = [], tasks = [];
  let open = false;
  const formula = (tex) => {
    if (!open) setTimeout(() => { open = false; });
    if (!open) tasks.push(0);
    open = true;
    tasks[tasks.length - 1] += 1;
    drawn.push(tex);
    for (const end = performance.now() + 30; performance.now() < end;);
    return tex;
  };
  globalThis.coderunner = { text: { formula } };
  const pictures = async () => { for (let n = 0; n < 3; n += 1) await new Promise(requestAnimationFrame); };
  formulas.readBy(async () => { await pictures(); return ""; });
  const one = (tex) => `<code-runner-formula data-tex="${tex}">$x$</code-runner-formula>`;
  const ten = (name) => Array.from({ length: 10 }, (_, at) => one(`${name} ${at}`)).join("");
  const place = (top, name) => `<div style="position: absolute; top: ${top}px">${ten(name)}</div>`;
  document.body.innerHTML = place(9000, "far") + place(0, "near");
  while (drawn.length < 20) await new Promise((done) => { setTimeout(done, 10); });
  return [drawn, tasks];
}
"""
"""Twenty formulas, of which half are out of sight and come first; to set one takes 30 ms."""


@behaviour("page:looks:formulas:turns")
def test_many_formulas_are_drawn_in_short_tasks_and_first_what_is_seen(browser: Browser, host: Host) -> None:
    with opened(browser, host) as page:
        drawn, tasks = page.evaluate(IN_TURNS, f"{static_files.PUBLIC}formula.js")
    assert drawn == [f"{where} {number}" for where in ("near", "far") for number in range(10)]
    # A timer of the test's ends a task; another task may have begun by then.
    assert max(tasks) <= 2
