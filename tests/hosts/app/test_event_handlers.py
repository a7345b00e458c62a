"""The page with a model that says what the test wants, so that the test decides what is run."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Browser, Locator, Route, expect

from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App
from coderunner.page.server.routes import LARGEST_ACT
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, SIZE, Seat, Visitor, client, number, served, visitor
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS

HACK = "window.hacked = true"
HOSTILE_CODE = f"""\
from IPython.display import HTML, SVG, Markdown, Javascript, display
print('<script>{HACK}</script><img src=x onerror="{HACK}">')
display(HTML('<script>{HACK}</script><img src=x onerror="{HACK}">'))
display(SVG('<svg xmlns="http://www.w3.org/2000/svg" onload="{HACK}"><script>{HACK}</script></svg>'))
display(Markdown('<img src=x onerror="{HACK}">[x](javascript:{HACK})'))
display(Javascript('{HACK}'))
raise ValueError('<script>{HACK}</script><img src=x onerror="{HACK}">')"""
HOSTILE_PROSE = (
    f'<script>{HACK}</script>\n\n<img src=x onerror="{HACK}">\n\n[click](javascript:{HACK})\n\n'
    '![](http://127.0.0.1:9/secret.png)\n\n<button data-cr="run" data-cr-ticket="x">Run</button>\n\n'
    '<div id="cr-goto" class="cr-html" style="position:fixed;inset:0;z-index:9999" data-cr-do="delete">'
    "<textarea>x</textarea><code-runner-output></code-runner-output></div>\n"
)


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str]) -> App:
    return App(load({"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto"}))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat, app: App) -> Iterator[Visitor]:
    app.choices.approve, app.choices.deadline, app.choices.on_timeout = "auto", 30.0, "detach"
    with seat.taken() as somebody:
        yield somebody


# --- stopping


@behaviour("app:stop:generation")
def test_stop_ends_the_model_and_keeps_what_it_said(somebody: Visitor, parrot: tuple[Parrot, str]) -> None:
    parrot[0].left.clear()
    somebody.say("endless")
    expect(somebody.replies).to_contain_text("tick3 ")
    somebody.stop()
    expect(somebody.feet).to_have_count(1)
    assert parrot[0].left.wait(BOUND)
    expect(somebody.page.locator("#cr-box button.submit-button")).to_be_visible()
    assert "tick" in somebody.replies.inner_text()


@behaviour("app:stop:execution")
@pytest.mark.parametrize("by", ["bar", "box"])
def test_stop_ends_the_program_and_the_kernel_keeps_its_variables(somebody: Visitor, by: str) -> None:
    somebody.say("```python\nimport time\nn = 7\nprint('on')\ntime.sleep(60)\n```\n")
    expect(somebody.blocks.locator(".cr-out")).to_have_text("on\n")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("s of 30")
    somebody.press("Stop") if by == "bar" else somebody.stop()
    expect(somebody.feet).to_have_count(1)
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Stopped")
    assert somebody.run("print(n)") == "7"


@behaviour("app:stop:deadline")
def test_a_program_that_takes_too_long_is_stopped_and_the_model_hears_of_it(
    somebody: Visitor, app: App
) -> None:
    app.choices.deadline, app.choices.on_timeout = 1.0, "interrupt"
    somebody.run("import time\ntime.sleep(60)")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Stopped at the time limit")
    assert "Seen." in somebody.replies.inner_text()


def attempts(app: App) -> list[tuple[int, str]]:
    """The runs of the last conversation as they are written down, each with its end."""
    assert app.records.settle()
    conversation = kernel_label([*app.conversations._all][-1])
    return [(run.attempt, run.result.status) for run in app.records.of(conversation) if run.result]


@behaviour("app:rebuild:again")
def test_restart_and_run_all_brings_the_variables_back_and_tells_the_model(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    somebody.run("x = 41")
    somebody.run("1 / 0")
    somebody.run("x += 1\nprint(x)")
    somebody.page.locator("#cr-rerun").click()
    expect(somebody.page.locator(".toast-body")).to_contain_text("ran all 2 blocks")
    assert attempts(app) == [(1, "ok"), (1, "error"), (1, "ok"), (2, "ok"), (2, "ok")]
    assert somebody.run("print(x)") == "42"
    told = parrot[0].asked[-2]["messages"][-1]["content"]
    assert told.startswith(
        "The kernel was restarted and reran all 2 blocks of this conversation. Its variables now: x"
    )


@behaviour("app:again:beside")
def test_a_block_that_a_person_runs_again_shows_both_results_and_the_model_is_told(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str]
) -> None:
    somebody.run("n = globals().get('n', 0) + 1\nprint('run', n)")
    again = somebody.blocks.locator(".cr-again")
    somebody.press("Run again")
    expect(again.locator(".cr-out")).to_have_text("run 2\n")
    expect(again.locator(".cr-state")).to_contain_text("Again: Done")
    somebody.press("Run again")
    expect(again.locator(".cr-out")).to_have_text("run 3\n")
    expect(somebody.blocks.locator(".cr-outs").first).to_have_text("run 1\n")
    somebody.ask("And now?")
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    which = "The user reran the block of this conversation that starts with: n = globals()"
    assert told.count(which) == 2
    assert "Result: run 2\n" in told
    assert "Result: run 3\n" in told
    assert attempts(app) == [(1, "ok"), (2, "ok"), (3, "ok")]


@behaviour("app:again:asks")
def test_a_block_that_runs_again_can_ask_and_be_stopped(somebody: Visitor) -> None:
    somebody.say("```python\nprint('Hello', input('Name? '))\n```\n")
    somebody.blocks.get_by_label("Name?", exact=True).fill("Ann")
    somebody.press("Send")
    expect(somebody.feet).to_have_count(1)
    somebody.press("Run again")
    again = somebody.blocks.locator(".cr-again")
    again.get_by_label("Name?", exact=True).fill("Bob")
    somebody.press("Send")
    expect(again.locator(".cr-out")).to_contain_text("Hello Bob")
    somebody.press("Run again")
    expect(again.get_by_label("Name?", exact=True)).to_be_visible()
    somebody.press("Stop")
    expect(again.locator(".cr-state")).to_contain_text("Stopped")


@behaviour("app:late:goes-on")
def test_a_program_that_goes_on_is_followed_in_its_block_and_its_result_in_the_next_message(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    app.choices.deadline = 1.0
    news, end = tmp_path / "news", tmp_path / "end"
    wait = "while not os.path.exists({!r}): time.sleep(0.01)".format
    somebody.run(f"import os, time\n{wait(str(news))}\nprint('news')\n{wait(str(end))}\nprint(41)")
    state = somebody.blocks.locator(".cr-state")
    expect(state).to_contain_text("Still running")
    assert "Seen." in somebody.replies.inner_text()
    news.touch()
    expect(somebody.blocks.locator(".cr-out")).to_have_text("news\n")
    somebody.open()
    expect(somebody.blocks.locator(".cr-out")).to_have_text("news\n")
    end.touch()
    expect(state).to_contain_text("Done")
    expect(somebody.blocks.locator(".cr-out")).to_have_text("news\n41\n")
    somebody.ask("And now?")
    late = "Result of the block that was still running:\n```output\nnews\n41\n```\n"
    assert parrot[0].asked[-1]["messages"][-1]["content"] == f"{late}\nAnd now?"
    expect(somebody.page.locator("#cr-chat .user-row .cr-read")).to_contain_text("still running")
    somebody.ask("Thank you.")
    assert parrot[0].asked[-1]["messages"][-1]["content"] == "Thank you."


@behaviour("app:late:fits")
def test_what_the_model_saw_before_a_message_wraps_and_scrolls_in_small_type(somebody: Visitor) -> None:
    somebody.run("print('a word ' * 100, 'w' * 500, *range(100), sep='\\n')")
    somebody.press("Run again")
    expect(somebody.blocks.locator(".cr-again .cr-state")).to_contain_text("Done")
    somebody.ask("And now?")
    panel = somebody.page.locator("#cr-chat .user-row .cr-read")
    text = panel.locator("pre")
    for width in (1280, 390):
        somebody.page.set_viewport_size({"width": width, "height": 800})
        somebody.open()
        panel.locator("summary").click()
        text.scroll_into_view_if_needed()
        for each in (panel.locator("summary"), text):
            assert each.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") < 13
        assert text.evaluate("node => node.scrollWidth <= node.clientWidth")
        assert text.evaluate("node => node.scrollHeight > node.clientHeight && node.clientHeight <= 300")
        box = text.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= width


@behaviour("app:late:queue")
def test_the_next_block_waits_in_line_until_the_late_one_ends(
    somebody: Visitor, app: App, tmp_path: Path
) -> None:
    app.choices.deadline = 1.0
    end = tmp_path / "end"
    somebody.run(f"import os, time\nwhile not os.path.exists({str(end)!r}): time.sleep(0.01)\nx = 41")
    somebody.say("```python\nprint(x + 1)\n```\n")
    expect(somebody.blocks.last.locator(".cr-state")).to_contain_text("Queued")
    end.touch()
    expect(somebody.blocks.last.locator(".cr-out")).to_have_text("42\n")
    expect(somebody.blocks.first.locator(".cr-state")).to_contain_text("Done")


@behaviour("app:late:stop")
def test_a_late_block_has_a_stop_of_its_own(somebody: Visitor, app: App) -> None:
    app.choices.deadline = 1.0
    somebody.run("n = 7\nwhile True: pass")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Still running")
    somebody.press("Stop")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Stopped")
    assert somebody.run("print(n)") == "7"


@behaviour("app:later:its-block")
def test_what_a_thread_shows_after_its_block_stands_in_that_block_and_in_no_other(
    somebody: Visitor, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    work = f"def work():\n    while not os.path.exists({str(gate)!r}): time.sleep(0.01)\n    print('later')"
    somebody.run(f"import os, threading, time\n{work}\nthreading.Thread(target=work).start()")
    assert somebody.run(f"open({str(gate)!r}, 'w').close()\ntime.sleep(0.5)\nprint('other')") == "other"
    expect(somebody.blocks.first.locator(".cr-after")).to_have_text("Output after the block ended")
    expect(somebody.blocks.first.locator(".cr-out")).to_have_text("later\n")
    expect(somebody.blocks.last.locator(".cr-after")).to_have_count(0)
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert "Later output of an earlier block: later\n\nResult: other" in told


@behaviour("app:stop:interrupt")
def test_interrupt_ends_the_program_and_the_reply_goes_on(somebody: Visitor) -> None:
    somebody.say("```python\nimport time\nprint('on')\ntime.sleep(60)\n```\n")
    expect(somebody.blocks.locator(".cr-out")).to_have_text("on\n")
    somebody.page.locator("#cr-interrupt").click()
    expect(somebody.replies).to_contain_text("Seen.")


PATIENCE = 5.0
"""Seconds within which a page on a busy machine has begun to follow the reply that it asked for."""


@behaviour("app:stop:closed-page")
def test_closing_the_last_page_stops_the_model(
    browser: Browser, app: App, parrot: tuple[Parrot, str]
) -> None:
    parrot[0].left.clear()
    with served(App(app.settings, patience=PATIENCE).asgi) as address, visitor(browser, address) as somebody:
        somebody.say("endless")
        expect(somebody.replies).to_contain_text("tick3 ")
        somebody.page.close()
        assert parrot[0].left.wait(BOUND)


@behaviour("app:stop:stays")
def test_what_an_earlier_reply_left_on_its_way_takes_no_stop_and_no_foot_away(somebody: Visitor) -> None:
    somebody.ask("first")
    held: list[tuple[Route, APIResponse]] = []
    slow = True

    def hold(route: Route) -> None:
        held.append((route, route.fetch())) if slow else route.continue_()

    somebody.page.route("**/gradio_api/run/predict*", hold)
    somebody.ask("second")
    somebody.say("endless")
    expect(somebody.replies.last).to_contain_text("tick3 ")
    slow = False
    for route, response in held:
        route.fulfill(response=response)
    before = number(somebody.replies.last.inner_text())
    # By now the page has been told much more than what was held.
    expect(somebody.replies.last).to_contain_text(f"tick{before + 50} ")
    expect(somebody.page.locator("#cr-box button.stop-button")).to_be_visible(timeout=1)
    somebody.stop()
    expect(somebody.feet).to_have_count(3)


# --- reload, tabs


@behaviour("app:reload:middle")
def test_a_reload_in_the_middle_finds_the_reply_going_on(somebody: Visitor) -> None:
    somebody.say("endless")
    expect(somebody.replies).to_contain_text("tick3 ")
    somebody.open()
    expect(somebody.replies).to_contain_text("tick3 ")
    before = number(somebody.replies.inner_text())
    expect(somebody.replies).to_contain_text(f"tick{before + 20} ")
    somebody.stop()
    expect(somebody.feet).to_have_count(1)


@behaviour("app:reload:after")
def test_a_reload_shows_the_conversation_again_and_runs_nothing(somebody: Visitor) -> None:
    assert somebody.run("n = globals().get('n', 0) + 1\nprint(n)") == "1"
    somebody.open()
    expect(somebody.blocks.locator(".cr-out")).to_have_text("1\n")
    assert somebody.run("print(n)") == "1"


@behaviour("app:tabs:both")
def test_two_tabs_show_the_same_conversation(somebody: Visitor) -> None:
    somebody.run("print(15)")
    other = Visitor(somebody.context, somebody.address).open()
    expect(other.blocks.locator(".cr-out")).to_have_text("15\n")
    assert other.run("print(16)") == "16"
    expect(somebody.blocks).to_have_count(2)
    expect(somebody.blocks.last.locator(".cr-out")).to_have_text("16\n")


@behaviour("app:tabs:busy")
def test_a_second_tab_cannot_send_while_a_reply_is_written_and_keeps_its_text(somebody: Visitor) -> None:
    other = Visitor(somebody.context, somebody.address).open()
    somebody.say("endless")
    expect(somebody.replies).to_contain_text("tick3 ")
    other.say("me too")
    expect(other.page.get_by_text("A reply is still being written.")).to_be_visible()
    expect(other.box).to_have_value("me too")
    somebody.stop()
    expect(somebody.feet).to_have_count(1)


@behaviour("app:tabs:stays")
def test_a_message_that_is_not_taken_leaves_the_conversation_where_it_is(somebody: Visitor) -> None:
    somebody.say("endless")
    expect(somebody.replies).to_contain_text("tick3 ")
    somebody.open()
    expect(somebody.replies).to_contain_text("tick3 ")
    watch = """() => {
        window.emptied = 0;
        const empty = () => { window.emptied += !document.querySelector("#cr-chat .bot-row"); };
        new MutationObserver(empty).observe(document.body, { childList: true, subtree: true });
    }"""
    somebody.page.evaluate(watch)
    somebody.say("me too")
    expect(somebody.page.get_by_text("A reply is still being written.")).to_be_visible()
    far = re.compile(rf"tick{number(somebody.replies.inner_text()) + 50} ")
    expect(somebody.replies).to_contain_text(far)
    assert somebody.page.evaluate("window.emptied") == 0
    somebody.stop()
    expect(somebody.feet).to_have_count(1)


@behaviour("app:conversations:early")
def test_somebody_who_is_quicker_than_the_page_has_one_conversation(browser: Browser, address: str) -> None:
    with visitor(browser, "about:blank") as somebody:
        held: list[Route] = []

        def hold_the_first(route: Route) -> None:
            if held:
                route.continue_()
            else:
                held.append(route)

        somebody.come_in(address)
        somebody.page.route("**/gradio_api/run/predict*", hold_the_first)
        somebody.page.goto(address)
        somebody.say("endless")
        expect(somebody.replies).to_contain_text("tick3 ")
        held[0].continue_()
        expect(somebody.page.locator("#cr-kernel .cr-kernel-status")).to_be_visible()
        somebody.stop()
        expect(somebody.feet).to_have_count(1)


@behaviour("app:conversations:apart")
def test_a_new_chat_has_a_kernel_of_its_own(somebody: Visitor) -> None:
    assert somebody.run("secret = 15\nprint(secret)") == "15"
    somebody.page.get_by_role("button", name="New chat").click()
    expect(somebody.blocks).to_have_count(0)
    assert somebody.run("print('secret' in globals())") == "False"


@behaviour("app:opens:end")
def test_a_long_conversation_opens_at_its_end_and_stays_where_a_person_scrolls(somebody: Visitor) -> None:
    for turn in range(3):
        somebody.run(f"for line in range(30): print(line, {turn})")
    somebody.open()
    expect(somebody.feet).to_have_count(3)
    expect(somebody.blocks.locator(".cr-out")).to_contain_text([f"29 {turn}" for turn in range(3)])
    # Of an empty page, too, one could say that it stands at its end.
    whether = """place => place.scrollHeight > 2 * place.clientHeight
        && place.scrollHeight - place.scrollTop - place.clientHeight < 2"""
    place = somebody.page.locator("#cr-chat .bubble-wrap")
    at_the_end = f"({whether})(document.querySelector('#cr-chat .bubble-wrap'))"
    somebody.page.wait_for_function(at_the_end)
    place.hover()
    somebody.page.mouse.wheel(0, -500)
    somebody.page.wait_for_function(f"!({at_the_end})")
    somebody.page.locator("#cr-new").click()
    expect(somebody.blocks).to_have_count(0)
    somebody.page.locator("#cr-list a").first.click()
    somebody.page.wait_for_function(at_the_end)


@behaviour("app:opens:own")
@pytest.mark.parametrize("how", ["enter", "button", "edit"])
def test_what_a_person_asks_is_scrolled_to_and_what_is_asked_elsewhere_is_not(
    somebody: Visitor, how: str
) -> None:
    for turn in range(3):
        somebody.run(f"for line in range(30): print(line, {turn})")
    page = somebody.page
    place = "document.querySelector('#cr-chat .bubble-wrap')"
    end = f"{place}.scrollHeight - {place}.scrollTop - {place}.clientHeight < 2"
    page.locator("#cr-chat .bubble-wrap").hover()
    page.mouse.wheel(0, -6000)
    page.wait_for_function(f"{place}.scrollTop === 0")
    # As from another tab: nothing is pressed here.
    page.evaluate("""() => {
        const box = document.querySelector("#cr-box textarea");
        box.value = "elsewhere";
        box.dispatchEvent(new Event("input", { bubbles: true }));
        box.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", bubbles: true }));
    }""")
    expect(somebody.feet).to_have_count(4)
    assert page.evaluate(f"{place}.scrollTop === 0")
    if how == "edit":
        page.locator("#cr-chat .cr-own").first.hover()
        page.locator("#cr-chat .cr-own [data-cr=edit]").first.click()
        page.locator(".cr-edit textarea").fill("```python\nprint(*range(90), sep='\\n')\n```\n")
        page.locator(".cr-edit button[type=submit]").click()
    elif how == "button":
        somebody.box.fill("Where am I?")
        page.locator("#cr-box button.submit-button").click()
    else:
        somebody.say("Where am I?")
    expect(somebody.feet).to_have_count(1 if how == "edit" else 5)
    page.wait_for_function(end)


@behaviour("app:copy:word")
def test_a_button_that_is_pressed_twice_finds_its_word_again(somebody: Visitor) -> None:
    somebody.run("print(15)")
    for button in (somebody.feet.get_by_role("button"), somebody.blocks.locator("[data-cr=copy]")):
        button.click()
        expect(button).not_to_have_text("Copy")
        button.click()
        expect(button).to_have_text("Copy")


# --- retry, edit, what the model gets


@behaviour("app:again:quick")
def test_messages_sent_the_moment_a_reply_ends_all_arrive(somebody: Visitor) -> None:
    # In the page itself: the moment in which a message used to be lost takes milliseconds.
    somebody.page.evaluate(
        """count => {
        const feet = () => document.querySelectorAll("#cr-chat .cr-foot").length;
        const box = document.querySelector("#cr-box textarea");
        const enter = () => new KeyboardEvent("keypress", { key: "Enter", bubbles: true, cancelable: true });
        let sent = 0;
        setInterval(() => {
            if (feet() < sent || sent === count) return;
            box.value = `message ${++sent}`;
            box.dispatchEvent(new Event("input", { bubbles: true }));
            box.dispatchEvent(enter());
        }, 3);
    }""",
        8,
    )
    expect(somebody.feet).to_have_count(8)


def edited(somebody: Visitor) -> Locator:
    """Begin to edit the first message; gives the field."""
    row = somebody.page.locator("#cr-chat .user-row").first
    row.hover()
    row.get_by_role("button", name="Edit", exact=True).click()
    return row.get_by_label("Edit the message")


@behaviour("app:again:edit")
def test_an_edit_that_is_cancelled_or_left_changes_nothing(somebody: Visitor) -> None:
    somebody.ask("first words")
    edited(somebody).fill("other words")
    somebody.page.keyboard.press("Escape")
    expect(somebody.page.locator("#cr-chat .cr-said")).to_have_text("first words")
    edited(somebody).fill("other words")
    somebody.page.locator("#cr-new").click()
    expect(somebody.feet).to_have_count(0)
    somebody.ask("a new one")
    expect(somebody.page.get_by_label("Edit the message")).to_have_count(0)
    expect(somebody.page.locator("#cr-chat .cr-said")).to_have_text("a new one")


@behaviour("app:again:edit")
def test_an_edited_message_is_answered_anew_from_there(somebody: Visitor, parrot: tuple[Parrot, str]) -> None:
    somebody.ask("first <words> & __more__")
    somebody.ask("second words")
    field = edited(somebody)
    expect(field).to_have_value("first <words> & __more__")
    assert field.evaluate("field => field.offsetWidth") > 500
    field.fill("other words")
    somebody.page.locator(".cr-edit").get_by_role("button", name="Send").click()
    expect(somebody.replies).to_have_count(1)
    expect(somebody.replies).to_contain_text("other words")
    said = [message["content"] for message in parrot[0].asked[-1]["messages"] if message["role"] == "user"]
    assert said == ["other words"]


@behaviour("app:again:retry")
def test_retry_writes_the_last_reply_anew_and_keeps_the_variables(somebody: Visitor) -> None:
    assert somebody.run("n = globals().get('n', 0) + 1\nprint(n)") == "1"
    somebody.page.get_by_label("Retry").click()
    expect(somebody.blocks.locator(".cr-out")).to_have_text("2\n")
    expect(somebody.feet).to_have_count(1)


@behaviour("app:model:history")
def test_the_model_gets_the_reply_with_its_result_as_plain_text(
    somebody: Visitor, parrot: tuple[Parrot, str]
) -> None:
    somebody.run("print(10 + 5)")
    somebody.ask("and now?")
    system, first, reply, second = parrot[0].asked[-1]["messages"]
    assert system["role"] == "system"
    assert first["content"] == second["content"].replace("and now?", "```python\nprint(10 + 5)\n```\n")
    assert reply == {"role": "assistant", "content": "```python\nprint(10 + 5)\n```\nResult: 15\nSeen.\n"}


@behaviour("app:model:thought")
def test_reasoning_is_folded_and_never_runs(somebody: Visitor) -> None:
    somebody.ask("think: ```python\nprint(1)\n```\n|Done thinking.")
    expect(somebody.blocks).to_have_count(0)
    expect(somebody.page.locator(".cr-thought div")).to_be_hidden()
    somebody.page.get_by_text("Thought").click()
    expect(somebody.page.locator(".cr-thought div")).to_be_visible()


@behaviour("app:model:gone")
def test_a_model_that_does_not_answer_is_named_in_a_sentence(somebody: Visitor, app: App) -> None:
    kept = app.choices.choice
    app.choices.choice = app.model_choices.named("http://127.0.0.1:9/v1", "parrot")
    try:
        said = somebody.ask("hello")
    finally:
        app.choices.choice = kept
    assert "127.0.0.1:9" in said
    assert "Seen" not in said


# --- consent


@behaviour("app:consent:skip")
def test_a_skipped_block_does_not_run_and_the_model_goes_on(somebody: Visitor, app: App) -> None:
    app.choices.approve = "ask"
    somebody.say("```python\nran = True\n```\n")
    somebody.press("Skip")
    expect(somebody.replies).to_contain_text("Not run · it was declined")
    expect(somebody.replies).to_contain_text("Seen.")
    app.choices.approve = "auto"
    assert somebody.run("print('ran' in globals())") == "False"


@behaviour("app:consent:run")
def test_a_block_that_may_run_does_and_the_next_one_asks_again(somebody: Visitor, app: App) -> None:
    app.choices.approve = "ask"
    somebody.say("```python\nprint(1)\n```\n")
    somebody.press("Run")
    expect(somebody.feet).to_have_count(1)
    somebody.say("```python\nprint(2)\n```\n")
    expect(somebody.blocks.last).to_contain_text("Run this code?")
    somebody.stop()
    expect(somebody.feet).to_have_count(2)


@behaviour("app:consent:off")
def test_nothing_runs_where_running_is_switched_off(somebody: Visitor) -> None:
    somebody.settings("Kernel")
    somebody.page.get_by_label("Never", exact=True).click()
    expect(somebody.page.locator("#cr-bottom")).to_contain_text("turned off")
    assert somebody.run("print(1)") == ""
    expect(somebody.replies).to_contain_text("Not run · running code is turned off in the settings")
    expect(somebody.replies).not_to_contain_text("declined")


# --- safety


@behaviour("app:safety:hostile-output")
def test_hostile_output_does_nothing(somebody: Visitor) -> None:
    somebody.run(HOSTILE_CODE)
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Error")
    # The frame's policy stops the picture before it is asked for, and says so on the console.
    expect(somebody.page.frame_locator("iframe").frame_locator("iframe").locator(".cr-error")).to_be_visible()
    assert all("Content Security Policy" in each for each in somebody.complaints)
    somebody.complaints.clear()
    assert somebody.page.evaluate("window.hacked") is None
    assert somebody.page.locator("#cr-chat script").count() == 0


@behaviour("app:safety:hostile-prose")
def test_hostile_markdown_does_nothing_and_fetches_nothing(browser: Browser, address: str) -> None:
    with visitor(browser, address) as somebody:
        somebody.ask(HOSTILE_PROSE)
        assert somebody.page.evaluate("window.hacked") is None
        prose = somebody.page.locator("#cr-chat .bot-row .cr-prose")
        acting = "a[href^='javascript'], [data-cr-do], [data-cr-ticket], code-runner-output, img, #cr-goto"
        assert prose.locator(acting).count() == 0
        shown = " ".join(prose.all_inner_texts())
        for line in filter(None, HOSTILE_PROSE.split("\n")):
            assert line in shown or line.startswith("![]")


@behaviour("app:prose:read")
def test_text_in_angle_brackets_is_read_while_it_streams_and_after_a_reload(somebody: Visitor) -> None:
    text = "What is List<int> and <your name here> in C++? Run it with <port> set, then go."
    row = f"think: <think>hm <x></think>|{text}"
    somebody.ask(row)
    for _ in range(2):
        expect(somebody.page.locator("#cr-chat .cr-said")).to_have_text(row)
        expect(somebody.replies.locator(".cr-prose")).to_have_text(text)
        expect(somebody.page.locator(".cr-thought div")).to_have_text("hm <x>")
        expect(somebody.rows.first).to_contain_text("<think>hm <x></think>")
        somebody.open()


@behaviour("app:prose:looks")
@pytest.mark.parametrize("width", [390, 800])
def test_formulas_numbers_boxes_and_wide_tables_are_seen_whole(
    browser: Browser, address: str, width: int
) -> None:
    numbers = "\n".join(f"{number}. item" for number in range(1, 13))
    table = "| Manufacturer | Availability | Certification | Responsibility |\n|-|-|-|-|\n| a | b | c | d |"
    with visitor(browser, address, viewport={"width": width, "height": 800}) as somebody:
        somebody.ask(f"{numbers}\n\n- [x] done\n\nSo $a^2$ and $5 and $10.\n\n{table}")
        prose = somebody.replies.locator(".cr-prose")
        expect(prose.locator("code-runner-formula .katex")).to_have_count(1)
        expect(prose.get_by_role("checkbox")).to_be_checked()
        expect(prose).to_contain_text("and $5 and $10.")
        room = prose.locator("ol").evaluate(
            """list => { const range = document.createRange();
                range.selectNodeContents(list.lastElementChild);
                return range.getBoundingClientRect().left - list.getBoundingClientRect().left; }"""
        )
        assert room > 24  # as wide as `12. ` is
        heads = prose.locator("th").evaluate_all("heads => heads.map(head => head.offsetHeight)")
        assert max(heads) < 40  # one line
        assert prose.locator(".cr-table").evaluate("box => box.offsetWidth <= box.parentElement.offsetWidth")
        assert somebody.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@behaviour("app:safety:routes")
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/config", {"Host": "evil.example"}, 403),
        ("GET", "/config", {"Origin": "null"}, 403),
        ("POST", "/gradio_api/queue/join", {"Origin": "http://evil.example"}, 403),
        ("POST", "/gradio_api/queue/join", {"Origin": "http://127.0.0.1:1"}, 403),
        ("POST", "/gradio_api/run/predict", {"Origin": "null"}, 403),
        ("POST", "/coderunner/act", {"Origin": "null"}, 403),
        ("POST", "/coderunner/news", {"Origin": "null"}, 403),
        ("POST", "/coderunner/act", {"Content-Type": "text/plain"}, 415),
        ("POST", "/coderunner/act", {"Content-Type": "application/json"}, 404),
        ("GET", "/coderunner/public/host.js", {"Origin": "null"}, 200),
        ("GET", "/coderunner/public/host.js", {"Host": "evil.example"}, 403),
        ("GET", "/coderunner/act", {}, 404),
        ("GET", "/gradio_api/file=/etc/passwd", {}, 403),
        ("GET", "/gradio_api/proxy=http://127.0.0.1:9/", {}, 400),
        ("GET", "/docs", {}, 404),
        ("GET", "/openapi.json", {}, 404),
    ],
)
def test_each_route_answers_its_own_page_only(
    address: str, app: App, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    headers = headers | {"X-CodeRunner-Token": app.rights.token}
    content = b'{"ticket": "guess", "act": "run"}' if method == "POST" else None
    with client(address) as page:
        assert page.request(method, path, headers=headers, content=content).status_code == status


@behaviour("app:traffic:copies")
def test_no_event_has_the_page_copy_the_conversation_for_a_progress_that_nobody_sees(address: str) -> None:
    with client(address) as one:
        events = one.get("/config").json()["dependencies"]
    shown = [each["show_progress_on"] for each in events if each["backend_fn"]]
    assert shown == [[]] * len(shown)
    assert shown


@behaviour("app:safety:routes")
def test_a_button_sends_little_so_much_is_refused(address: str, app: App) -> None:
    headers = {"Content-Type": "application/json", "X-CodeRunner-Token": app.rights.token}
    with client(address) as page:
        assert (
            page.post("/coderunner/act", headers=headers, content=b" " * (LARGEST_ACT + 1)).status_code == 413
        )


# --- looks


@behaviour("app:looks:narrow")
def test_a_narrow_screen_never_scrolls_sideways(browser: Browser, address: str) -> None:
    with visitor(browser, address, viewport={"width": 360, "height": 700}) as somebody:
        somebody.run(f"print('{'wide' * 60}')")
        somebody.ask(f"A long word: {'wide' * 60}")
        width, inner = somebody.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner
        expect(somebody.page.locator("#cr-left.open")).to_have_count(0)
        assert somebody.blocks.first.evaluate("block => block.getBoundingClientRect().right") <= 360
        # Nor does the list cover the chat of a page that becomes narrow; it is back when there is room again.
        shown = somebody.page.locator("#cr-left.open")
        somebody.page.set_viewport_size(SIZE)
        somebody.page.locator("#cr-left .toggle-button").click()
        expect(shown).to_have_count(1)
        somebody.page.set_viewport_size({"width": 390, "height": 700})
        expect(shown).to_have_count(0)
        somebody.page.set_viewport_size(SIZE)
        expect(shown).to_have_count(1)


ARROW_DOWN = """() => {
    // As by a person's wheel, and again where the page has gone back to its end.
    const chat = document.querySelector("#cr-chat .bubble-wrap");
    chat.dispatchEvent(new WheelEvent("wheel", { bubbles: true }));
    chat.scrollTo(0, 0);
    return document.querySelector("#cr-chat .scroll-down-button-container");
}"""
"""The button that leads down a long conversation, which is there while its end is not in sight."""


@behaviour("app:looks:covered")
def test_nothing_of_the_chat_lies_over_a_button(browser: Browser, address: str, app: App) -> None:
    with visitor(browser, address, viewport={"width": 390, "height": 700}) as somebody:
        somebody.ask("one\n\n" * 40)
        app.choices.approve = "ask"
        somebody.say("```python\nprint(15)\n```\n")
        expect(somebody.blocks.last).to_contain_text("Run this code?")
        expect(somebody.page.locator("#cr-chat .message-buttons").last).to_be_hidden()
        somebody.press("Skip")
        expect(somebody.feet).to_have_count(2)
        expect(somebody.page.locator("#cr-chat .message-buttons").last).to_be_visible()
        somebody.page.wait_for_function(f"() => !!({ARROW_DOWN})()")
        somebody.page.locator("#cr-left .toggle-button").click()
        # The menu takes its time to open.
        somebody.page.wait_for_function(
            f"() => {{ const at = ({ARROW_DOWN})()?.getBoundingClientRect();"
            " return at && !!document.elementFromPoint(at.x + at.width / 2, at.y + 9)?.closest('.sidebar') }"
        )


@behaviour("app:looks:dark")
def test_dark_follows_the_system_and_the_button(browser: Browser, address: str) -> None:
    with visitor(browser, address, color_scheme="dark") as somebody:
        ground = "getComputedStyle(document.body).backgroundColor"
        assert somebody.page.evaluate(ground) == "rgb(28, 29, 32)"
        somebody.page.locator("#cr-shade").click()
        assert somebody.page.evaluate(ground) == "rgb(255, 255, 255)"
        somebody.open()
        somebody.page.wait_for_function(f"{ground} === 'rgb(255, 255, 255)'")


@behaviour("app:looks:steady")
def test_a_block_stays_the_same_element_from_its_first_line_to_its_end(
    somebody: Visitor, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    wait = f"while not os.path.exists({str(gate)!r}): time.sleep(.02)"
    somebody.say(f"```python\nimport os, time\nprint('on')\n{wait}\nprint('off')\n```\n")
    expect(somebody.blocks.locator(".cr-out")).to_have_text("on\n")
    somebody.blocks.evaluate("block => { block.mark = 15 }")
    gate.touch()
    expect(somebody.blocks.locator(".cr-out")).to_have_text("on\noff\n")
    expect(somebody.feet).to_have_count(1)
    assert somebody.blocks.evaluate("block => block.mark") == 15
