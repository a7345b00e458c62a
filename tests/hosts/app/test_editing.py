"""A person changes code and runs it, at the page: one page, one story in several chapters."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor, served
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    home = tmp_path_factory.mktemp("home")
    return App(
        load({"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto", "data_dir": str(home)})
    )


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat, app: App) -> Iterator[Visitor]:
    app.choices.deadline = 30.0
    app.choices.choose_approval("auto")
    with seat.taken() as somebody:
        yield somebody


def editor(somebody: Visitor) -> Locator:
    """The editor that is open."""
    found = somebody.page.locator(".cm-content")
    expect(found).to_be_visible()
    return found


def rewrite(somebody: Visitor, code: str, key: str = "Control+Enter") -> None:
    """Put other code into the editor that is open, and have it run."""
    expect(editor(somebody)).to_be_focused()
    somebody.page.keyboard.press("Control+a")
    somebody.page.keyboard.insert_text(code)
    somebody.page.keyboard.press(key)
    expect(somebody.page.locator(".cm-content")).to_have_count(0)


@behaviour("app:edit:beside")
def test_code_is_edited_and_run_and_edited_and_run(somebody: Visitor) -> None:
    assert somebody.run("a = 3\nb = 4\nprint(a + b)") == "7"
    block, again = somebody.blocks.last, somebody.blocks.last.locator(".cr-again")
    somebody.press("Edit")
    rewrite(somebody, "a = 30\nb = 4\nprint(a + b)")
    expect(again.locator(".cr-out")).to_have_text("34\n")
    expect(again.locator(".cr-diff summary")).to_have_text("Edited · +1 −1 lines")
    expect(again.locator(".cr-diff .cr-new").last).to_contain_text("a = 30")
    expect(again.locator(".cr-state")).to_contain_text("Edited: Done")
    expect(block.locator(".cr-outs").first).to_have_text("7\n")
    again.get_by_role("button", name="Edit").click()
    rewrite(somebody, "a = 30\nb = 40\nprint(a + b)", "Shift+Enter")
    expect(again.locator(".cr-out")).to_have_text("70\n")
    expect(again.locator(".cr-diff summary")).to_have_text("Edited · +2 −2 lines")
    expect(somebody.page.locator(".cr-cell:focus")).to_have_count(1)


@behaviour("app:edit:beside")
def test_a_long_diff_is_bounded_and_leaves_no_blank_space_below_the_reply(somebody: Visitor) -> None:
    somebody.run("print(1)")
    again = somebody.blocks.last.locator(".cr-again")
    somebody.press("Edit")
    rewrite(somebody, "\n".join(f"n = {number}" for number in range(499)) + "\nprint(n)")
    expect(again.locator(".cr-out")).to_have_text("498\n")
    expect(again.locator(".cr-state")).to_be_in_viewport()
    rows = again.locator(".cr-diff pre > span")
    expect(rows).to_have_count(401)
    expect(rows.nth(300)).to_contain_text("101 lines left out")
    blank = "at => at.scrollHeight - at.firstElementChild.offsetHeight"
    assert somebody.page.locator("#cr-chat .bubble-wrap").evaluate(blank) < 100


@behaviour("app:edit:beside")
def test_the_editor_opens_in_view_though_its_code_is_far_above_the_bar(somebody: Visitor) -> None:
    assert "99" in somebody.run("for n in range(100): print(n)\nfor n in range(100): print(n)").split()
    expect(somebody.blocks.last.locator(".cr-state")).to_be_in_viewport()
    somebody.press("Edit")
    expect(editor(somebody)).to_be_in_viewport(ratio=1)
    rewrite(somebody, "print('edited')")
    expect(somebody.blocks.last.locator(".cr-again .cr-out")).to_be_in_viewport(ratio=1)
    expect(somebody.blocks.last.locator(".cr-again .cr-state")).to_be_in_viewport()


@behaviour("app:edit:before")
def test_code_that_waits_is_edited_and_what_runs_is_what_is_shown(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str]
) -> None:
    app.choices.choose_approval("ask")
    somebody.say("```python\nprint('as written')\n```\n")
    somebody.press("Edit")
    expect(somebody.blocks.get_by_role("button", name="Run", exact=True)).to_have_count(1)
    rewrite(somebody, "print('as changed')")
    expect(somebody.feet).to_have_count(1)
    block = somebody.blocks.last
    expect(block.locator(".cr-out")).to_have_text("as changed\n")
    expect(block.locator(".cr-at-code > .cr-code")).to_have_text("print('as changed')\n")
    expect(block.locator(".cr-diff summary")).to_have_text("Edited before it ran · +1 −1 lines")
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert "The user changed this block before it ran:" in told


@behaviour("app:edit:drafts")
def test_a_draft_outlives_a_reload_and_escape_asks_before_it_is_lost(somebody: Visitor) -> None:
    somebody.run("print(1)")
    somebody.press("Edit")
    editor(somebody)
    somebody.page.keyboard.press("Escape")
    expect(somebody.page.locator(".cm-content")).to_have_count(0)
    expect(somebody.blocks.get_by_role("button", name="Edit")).to_be_focused()
    somebody.page.keyboard.press("Enter")
    expect(editor(somebody)).to_be_focused()
    somebody.page.keyboard.press("Control+Home")
    somebody.page.keyboard.type("# mine")
    somebody.page.keyboard.press("Escape")
    expect(somebody.blocks.last.locator(".cr-hint")).to_have_text("Discard your changes?")
    somebody.press("Keep editing")
    somebody.page.reload()
    expect(editor(somebody)).to_contain_text("# mineprint(1)")
    somebody.complaints.clear()  # a page that is left says so
    editor(somebody).click()
    somebody.page.keyboard.press("Escape")
    somebody.press("Discard")
    expect(somebody.page.locator(".cm-content")).to_have_count(0)
    expect(somebody.blocks.last.locator(".cr-at-code .cr-code")).to_have_text("print(1)\n")


@behaviour("app:edit:names")
def test_the_kernel_completes_names_and_says_what_they_are(somebody: Visitor) -> None:
    # What completes code is loaded with its first use, which may take seconds.
    warm = "from IPython.core.completer import provisionalcompleter as p\n"
    warm += "with p(): list(get_ipython().Completer.completions('p', 1))"
    somebody.run(f"def much_ado():\n    'About <b>nothing</b>.'\n{warm}")
    somebody.press("Edit")
    expect(editor(somebody)).to_be_focused()
    somebody.page.keyboard.press("Control+a")
    somebody.page.keyboard.type("print(much_")
    offered = somebody.page.locator(".cm-tooltip-autocomplete li")
    expect(offered).to_have_text("much_adofunction")
    offered.click()
    expect(editor(somebody)).to_contain_text("print(much_ado)")
    line = somebody.page.locator(".cm-line", has_text="much_ado").bounding_box()
    assert line is not None
    somebody.page.mouse.move(line["x"] + 100, line["y"] + 10)
    expect(somebody.page.locator(".cr-hover")).to_contain_text("About <b>nothing</b>.")
    somebody.page.keyboard.press("Escape")
    somebody.press("Discard")


@behaviour("app:keys")
def test_code_is_approved_and_skipped_by_keys(somebody: Visitor, app: App) -> None:
    keys = somebody.page.keyboard
    app.choices.choose_approval("ask")
    somebody.say("```python\nprint('one')\n```\n")
    expect(somebody.blocks.get_by_role("button", name="Run", exact=True)).to_be_visible()
    somebody.box.fill("half a thought")
    keys.press("Alt+Enter")
    keys.press("Alt+Backspace")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Run this code?")
    somebody.box.fill("")
    # A field that was emptied a moment ago is still being typed in.
    keys.press("Alt+Backspace")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Run this code?")
    now = somebody.page.evaluate("performance.now()")
    somebody.page.wait_for_function("now => performance.now() > now + 1100", arg=now)
    expect(somebody.box).to_be_focused()
    # What a script of the page asks for is not what a person types.
    somebody.page.evaluate("coderunner.tell('cr-look', 'again')")
    keys.press("Alt+Enter")
    expect(somebody.blocks.last.locator(".cr-out")).to_have_text("one\n")
    expect(somebody.feet).to_have_count(1)
    somebody.say("```python\nprint('two')\n```\n")
    expect(somebody.blocks.last.get_by_role("button", name="Run", exact=True)).to_be_visible()
    somebody.page.evaluate("document.activeElement.blur()")
    keys.press("Alt+Backspace")
    expect(somebody.blocks.last.locator(".cr-state")).to_contain_text("Not run")
    expect(somebody.feet).to_have_count(2)


@behaviour("app:keys")
def test_a_block_is_stopped_by_a_key_and_the_reply_goes_on(somebody: Visitor) -> None:
    somebody.say("```python\nimport time\nprint('begun')\ntime.sleep(60)\n```\n")
    expect(somebody.blocks.last.locator(".cr-out")).to_contain_text("begun")
    # Whoever has just typed is typing still.
    somebody.page.evaluate("document.activeElement.blur()")
    somebody.page.keyboard.press("Alt+.")
    expect(somebody.feet).to_have_count(1)
    expect(somebody.replies.last).to_contain_text("Seen.")
    expect(somebody.blocks.last.locator(".cr-state")).to_contain_text("Stopped")


@behaviour("app:keys")
def test_a_question_mark_lists_the_keys_but_not_for_who_types(somebody: Visitor) -> None:
    listed = somebody.page.get_by_role("dialog", name="Keyboard shortcuts")
    somebody.box.focus()
    somebody.page.keyboard.type("why?")
    expect(somebody.box).to_have_value("why?")
    expect(listed).to_have_count(0)
    somebody.page.evaluate("document.activeElement.blur()")
    somebody.page.keyboard.press("?")
    expect(listed).to_contain_text("Run the code that waits for your approval")
    expect(listed).to_contain_text("Send the message")
    somebody.page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    somebody.run("print(1)")
    somebody.press("Edit")
    editor(somebody)
    somebody.page.keyboard.type("?")
    expect(editor(somebody)).to_contain_text("?print(1)")
    expect(listed).to_have_count(0)
    somebody.page.keyboard.press("Control+z")
    somebody.page.keyboard.press("Escape")


@behaviour("app:folded")
def test_long_code_and_long_outputs_are_folded_and_open_by_the_keyboard(somebody: Visitor) -> None:
    lines = "\n".join(f"print({number})" for number in range(60))
    somebody.ask(f"```python\n{lines}\n```\n")
    block = somebody.blocks.last
    code, out = block.locator(".cr-code"), block.locator(".cr-out")
    more = block.get_by_role("button", name="more lines")
    expect(more).to_have_count(2)
    assert "print(30)" not in code.inner_text()
    assert "print(59)" in code.inner_text()
    assert "30" not in out.inner_text().split()
    more.first.focus()
    somebody.page.keyboard.press("Enter")
    assert "print(30)" in code.inner_text()
    # One at each end of what was hidden.
    expect(block.get_by_role("button", name="Show fewer lines")).to_have_count(2)
    more.last.focus()
    somebody.page.keyboard.press("Space")
    assert "30" in out.inner_text().split()
    expect(block.get_by_role("button", name="Show fewer lines")).to_have_count(4)
    somebody.ask("and now")
    assert "print(30)" in code.inner_text()
    block.get_by_role("button", name="Show fewer lines").first.click()
    assert "print(30)" not in code.inner_text()


@behaviour("app:own:fence")
def test_a_fence_of_ones_own_runs_below_it_and_the_model_reads_the_result(
    somebody: Visitor, parrot: tuple[Parrot, str]
) -> None:
    somebody.ask("think: look\n```python\nprint(6 * 7)\n```\n```text\nno code\n```")
    own = somebody.page.locator("#cr-chat .cr-own .cr-fence")
    expect(own.get_by_role("button", name="Run")).to_have_count(1)
    own.get_by_role("button", name="Run").click()
    expect(own.first.locator(".cr-out")).to_have_text("42\n")
    expect(own.first.locator(".cr-state")).to_contain_text("Done")
    somebody.ask("well")
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert told.startswith(
        "The user ran the code of their message that starts with: print(6 * 7)\nResult: 42\n"
    )


@behaviour("app:own:scratch")
def test_the_scratch_cell_runs_in_the_chats_kernel_and_the_model_hears_of_it_only_if_told(
    somebody: Visitor, parrot: tuple[Parrot, str]
) -> None:
    somebody.run("n = 41")
    somebody.page.get_by_role("button", name="Scratch", exact=True).click()
    cell = somebody.page.locator("code-runner-scratch")
    expect(editor(somebody)).to_be_focused()
    somebody.page.keyboard.insert_text("print(n + 1)")
    somebody.page.keyboard.press("Shift+Enter")
    expect(cell.locator(".cr-out")).to_have_text("42\n")
    somebody.ask("well")
    assert "42" not in str(parrot[0].asked[-1]["messages"])
    cell.get_by_role("button", name="Tell the model").click()
    expect(cell.get_by_role("status").first).to_have_text("The model reads it with your next message.")
    somebody.ask("and now")
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert told.startswith("The user ran code of their own:\n```code\nprint(n + 1)\n```\nResult: 42\n")
    somebody.page.reload()
    somebody.page.get_by_role("button", name="Scratch", exact=True).click()
    expect(cell.locator(".cr-out")).to_have_text("42\n")
    expect(editor(somebody)).to_contain_text("print(n + 1)")
    somebody.complaints.clear()  # a page that is left says so
    somebody.page.keyboard.press("Escape")
    expect(somebody.page.locator(".cm-content")).to_have_count(0)
