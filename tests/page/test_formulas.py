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
from coderunner.page.server import static_files
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS

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
  const inert = new DOMParser().parseFromString(coderunner.text.markdown(text), "text/html");
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
    yield page
    page.close()


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
