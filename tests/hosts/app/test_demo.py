"""The app as somebody meets it first: with the demo model and a kernel on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from coderunner.hosts.app.page import html_fragments
from coderunner.hosts.app.server import App
from coderunner.models.demo import demo_replies
from coderunner.sandbox.backends import available
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor, served, visitor

pytestmark = MARKS


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app where there is no sandbox."""
    chosen = {"demo": True, "sandbox": "off", "data_dir": tmp_path_factory.mktemp("asking")}
    with served(App(load(chosen)).asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


@pytest.fixture
def newcomer(browser: Browser, tmp_path: Path) -> Iterator[Visitor]:
    app = App(load({"demo": True, "data_dir": tmp_path}))
    with served(app.asgi) as address, visitor(browser, address) as somebody:
        yield somebody


@behaviour("app:first:sum")
@pytest.mark.skipif(not available(), reason=available().why)
def test_in_a_sandbox_a_newcomers_first_question_is_answered_without_a_click(newcomer: Visitor) -> None:
    newcomer.page.get_by_role("button", name="What is 10 + 5?").click()
    expect(newcomer.feet).to_have_count(1)
    expect(newcomer.blocks.locator(".cr-out")).to_have_text("15\n")
    expect(newcomer.page.locator("#cr-bottom")).to_contain_text("Python in a sandbox · runs automatically")


@behaviour("app:first:sum")
def test_without_one_a_sum_is_asked_about_and_ends_in_a_sentence_with_its_number(
    somebody: Visitor,
) -> None:
    somebody.page.get_by_role("button", name="What is 10 + 5?").click()
    expect(somebody.blocks).to_contain_text("Run this code? It runs on your computer without a sandbox.")
    expect(somebody.blocks.locator(".cr-out")).to_have_count(0)
    somebody.press("Run")
    expect(somebody.feet).to_have_count(1)
    expect(somebody.blocks.locator(".cr-out")).to_have_text("15\n")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("[1]")
    assert "15" in somebody.replies.inner_text().rpartition("Done")[2]


@behaviour("app:first:unsaid")
def test_a_page_that_opens_says_nothing_of_its_model_that_is_not_so(browser: Browser, address: str) -> None:
    watch = """
        window.said = new Set();
        new MutationObserver(() => {
            for (const each of document.querySelectorAll(".cr-banner, .cr-footnote")) {
                window.said.add(each.innerText.trim());
            }
        }).observe(document, {subtree: true, childList: true, characterData: true});
    """
    with visitor(browser, address) as somebody:
        said = somebody.page.locator(".cr-banner"), somebody.page.locator(".cr-footnote")
        expect(said[1]).to_contain_text("demo")
        in_the_end = {each.inner_text().strip() for each in said}
        somebody.page.add_init_script(watch)
        somebody.open()
        expect(said[1]).to_contain_text("demo")
        assert set(somebody.page.evaluate("[...window.said]")) == {"", *in_the_end}


@behaviour("app:first:labelled")
def test_the_demo_model_says_that_it_is_none(somebody: Visitor) -> None:
    expect(somebody.page.locator("#cr-top")).to_contain_text("a script, not an AI")
    expect(somebody.page.locator("#cr-bottom")).to_contain_text("demo (scripted, not an AI)")
    somebody.page.get_by_role("button", name="Connect a model").click()
    expect(somebody.page.get_by_role("button", name="Find models")).to_be_visible()


@behaviour("app:first:whole")
def test_the_line_below_the_message_box_is_never_cut_off(somebody: Visitor) -> None:
    fits = """line => {
        line.lastElementChild.textContent = 'Python on a Jupyter server, no sandbox · '.repeat(6);
        return line.scrollWidth <= line.clientWidth && line.scrollHeight <= line.clientHeight;
    }"""
    for width in (390, 800, 1280):
        somebody.page.set_viewport_size({"width": width, "height": 720})
        assert somebody.page.locator(".cr-footnote").evaluate(fits), width


@behaviour("app:first:examples")
def test_the_demo_has_a_scene_for_each_example_of_the_empty_page() -> None:
    assert set(html_fragments.EXAMPLES) <= set(demo_replies.EXAMPLES)


@behaviour("app:first:state")
def test_the_next_turn_still_knows_the_variables_and_always_here_asks_no_more(somebody: Visitor) -> None:
    somebody.say("What is 10 + 5?")
    somebody.press("Always allow in this chat")
    expect(somebody.feet).to_have_count(1)
    assert "30" in somebody.ask("Now double it")
    expect(somebody.page.locator("#cr-bottom")).to_contain_text("allowed in this chat")


@behaviour("app:first:plot")
def test_a_plot_is_seen(somebody: Visitor) -> None:
    somebody.say("Plot a sine wave")
    somebody.press("Run")
    expect(somebody.feet).to_have_count(1)
    width = somebody.blocks.locator("img").evaluate("image => image.naturalWidth")
    assert width > 300


@behaviour("app:first:error")
def test_an_error_is_seen_by_the_model_which_corrects_it(somebody: Visitor) -> None:
    somebody.say("Make a mistake and correct it")
    somebody.press("Always allow in this chat")
    expect(somebody.feet).to_have_count(1)
    moods = ["cr-bad" in (block.get_attribute("class") or "") for block in somebody.blocks.all()]
    assert moods == [True, False]
