"""A program that asks, at the page: the form below its block."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, Seat, Visitor, client, served
from tests.hosts.app.parrot import Parrot
from tests.tools.conftest import COMMAND

pytestmark = MARKS

CANARY = "canary-7f3a-never-seen"


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    home = tmp_path_factory.mktemp("home")
    model = {"model_url": f"{parrot[1]}/v1", "model": "parrot"}
    return App(load({**model, "approve": "auto", "data_dir": str(home), "tools": {"shop": COMMAND}}))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat, app: App) -> Iterator[Visitor]:
    app.choices.deadline = 30.0
    with seat.taken() as somebody:
        yield somebody


def begin(somebody: Visitor, code: str) -> None:
    somebody.say(f"```python\n{code}\n```\n")


def field(somebody: Visitor, prompt: str) -> Locator:
    """The field of the question with that prompt."""
    found = somebody.blocks.last.get_by_label(prompt, exact=True)
    expect(found).to_be_visible()
    return found


def outputs(somebody: Visitor) -> Locator:
    return somebody.blocks.last.locator(".cr-out")


@behaviour("app:asking:answer")
def test_a_program_that_asks_gets_what_a_person_types(somebody: Visitor, parrot: tuple[Parrot, str]) -> None:
    begin(somebody, "name = input('Your name? ')\nprint('Hello', name)")
    expect(field(somebody, "Your name?")).to_be_focused()
    expect(somebody.blocks.locator(".cr-state")).to_have_text("Waiting for input · the timer is paused")
    somebody.page.keyboard.type("Ann")
    somebody.page.keyboard.press("Enter")
    expect(somebody.feet).to_have_count(1)
    expect(outputs(somebody)).to_have_text("Your name? Ann\nHello Ann\n")
    expect(somebody.blocks.locator("form")).to_be_hidden()
    assert "Your name? Ann\nHello Ann" in str(parrot[0].asked[-1]["messages"][-1]["content"])


@behaviour("app:asking:answer")
def test_send_is_enter_and_each_question_has_an_empty_field(somebody: Visitor) -> None:
    begin(somebody, "print([input('a? '), input('b? '), input()])")
    field(somebody, "a?").fill("one")
    somebody.press("Send")
    expect(field(somebody, "b?")).to_have_value("")
    expect(field(somebody, "b?")).to_be_focused()
    field(somebody, "b?").fill("two")
    somebody.press("Send")
    field(somebody, "The program is asking for input").press("Enter")
    expect(outputs(somebody)).to_contain_text("['one', 'two', '']")


@behaviour("app:asking:answer")
def test_a_debugger_can_be_used_with_the_keyboard_alone(somebody: Visitor) -> None:
    begin(somebody, "import pdb\nx = 20\npdb.set_trace()\nx += 1\nprint('x', x)")
    for command in ("n", "p x * 2", "c"):
        expect(field(somebody, "ipdb>")).to_have_value("")
        expect(field(somebody, "ipdb>")).to_be_enabled()
        expect(field(somebody, "ipdb>")).to_be_focused()
        somebody.page.keyboard.type(command)
        somebody.page.keyboard.press("Enter")
        expect(outputs(somebody).first).to_contain_text(f"ipdb> {command}\n")
    expect(somebody.feet).to_have_count(1)
    expect(outputs(somebody).first).to_contain_text("x 21")


@behaviour("app:asking:tools")
def test_a_tool_is_allowed_below_the_block_that_calls_it(
    somebody: Visitor, parrot: tuple[Parrot, str]
) -> None:
    begin(somebody, "print(tools.add(1, 2), tools.add(3, 4))")
    asks = somebody.blocks.last.locator("form p")
    expect(asks).to_have_text("Allow this block to call add(a=1, b=2) of the server shop?")
    expect(somebody.blocks.last.locator(".cr-state")).to_have_text(
        "Waiting for your answer · the timer is paused"
    )
    somebody.press("Allow once")
    expect(asks).to_have_text("Allow this block to call add(a=3, b=4) of the server shop?")
    somebody.press("Allow for this chat")
    expect(somebody.feet).to_have_count(1)
    expect(outputs(somebody).last).to_have_text("3 7\n")
    expect(outputs(somebody).first).to_contain_text("add(a=1, b=2) · ")
    assert "tools.add(a: int, b: int) -> int: Adds two numbers." in str(parrot[0].asked[-1]["messages"][0])


@behaviour("app:asking:tools")
def test_what_a_chat_may_call_is_listed_and_taken_back_by_its_tick(somebody: Visitor) -> None:
    begin(somebody, "print(tools.add(1, 2))")
    somebody.press("Allow for this chat")
    expect(somebody.feet).to_have_count(1)
    somebody.settings("Kernel")
    tick = somebody.page.get_by_label("call the tool add")
    expect(tick).to_be_checked()
    tick.click()
    expect(tick).to_have_count(0)
    expect(somebody.page.locator(".toast-body")).to_contain_text("Taken back: call the tool add.")
    begin(somebody, "print(tools.add(5, 6))")
    expect(somebody.blocks.last.locator("form p")).to_have_text(
        "Allow this block to call add(a=5, b=6) of the server shop?"
    )
    somebody.press("Refuse")
    expect(somebody.feet).to_have_count(2)


@behaviour("app:asking:typing")
def test_what_is_being_typed_stays_while_the_program_prints(somebody: Visitor) -> None:
    printer = "[(print(n, flush=True), time.sleep(.1)) for n in range(8)]"
    begin(
        somebody,
        f"import threading, time\nthread = threading.Thread(target=lambda: {printer})\nthread.start()\n"
        "name = input('Name? ')\nthread.join()\nprint('Hello', name)",
    )
    field(somebody, "Name?").press_sequentially("Bob the builder", delay=50)
    expect(outputs(somebody)).to_contain_text("7")
    expect(field(somebody, "Name?")).to_have_value("Bob the builder")
    somebody.page.keyboard.press("Enter")
    expect(outputs(somebody)).to_contain_text("Hello Bob the builder")


@behaviour("app:asking:password")
def test_a_password_stands_nowhere(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str], caplog: pytest.LogCaptureFixture
) -> None:
    begin(somebody, "import getpass\nprint(len(getpass.getpass('Password: ')))")
    hidden = field(somebody, "Password:")
    expect(hidden).to_have_attribute("type", "password")
    hidden.fill(CANARY)
    hidden.press("Enter")
    expect(somebody.feet).to_have_count(1)
    expect(outputs(somebody)).to_have_text(f"Password: \n{len(CANARY)}\n")
    page = somebody.page
    inside = "[...document.querySelectorAll('code-runner-output')].map(each => each.shadowRoot)"
    fields = "[...root.querySelectorAll('input, textarea')].map(each => each.value)"
    typed = page.evaluate(f"[document, ...{inside}].flatMap(root => {fields})")
    drawn = page.evaluate(f"{inside}.map(root => root.innerHTML)")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    somebody.ask("And now?")
    seen = [page.content(), drawn, typed, stored, parrot[0].asked, caplog.text]
    assert CANARY not in repr(seen)
    kept = [path for path in app.settings.data_dir.rglob("*") if path.is_file()]
    assert any(b"getpass" in path.read_bytes() for path in kept)  # the records are among them
    assert not any(CANARY.encode() in path.read_bytes() for path in kept)


@behaviour("app:asking:cancel")
def test_cancel_interrupts_the_program_and_the_reply_goes_on(somebody: Visitor) -> None:
    begin(somebody, "n = 7\ninput('Name? ')")
    field(somebody, "Name?")
    somebody.press("Cancel")
    expect(somebody.feet).to_have_count(1)
    expect(somebody.replies).to_contain_text("Seen.")
    assert somebody.run("print(n)") == "7"


@behaviour("app:asking:cancel")
def test_stop_ends_a_program_that_asks_and_the_reply_goes_on(somebody: Visitor) -> None:
    begin(somebody, "while True:\n    input('Again? ')")
    field(somebody, "Again?").press("Enter")
    field(somebody, "Again?")
    somebody.press("Stop")
    expect(somebody.feet).to_have_count(1)
    expect(somebody.blocks.locator("form")).to_be_hidden()
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Stopped")
    assert somebody.run("print(15)") == "15"


@behaviour("app:asking:tabs")
def test_a_question_is_there_after_a_reload_and_in_each_tab_and_the_first_answer_counts(
    somebody: Visitor,
) -> None:
    begin(somebody, "print('Hello', input('Name? '))\nprint('Bye', input('Again? '))")
    field(somebody, "Name?")
    somebody.open()
    other = Visitor(somebody.context, somebody.address).open()
    field(other, "Name?").fill("half an ans")
    field(somebody, "Name?").fill("Ann")
    somebody.press("Send")
    expect(field(other, "Again?")).to_have_value("")
    field(other, "Again?").fill("Ben")
    other.press("Send")
    for each in (somebody, other):
        expect(each.feet).to_have_count(1)
        expect(outputs(each)).to_contain_text("Hello Ann\nAgain? Ben\nBye Ben")
        expect(each.blocks.locator("form")).to_be_hidden()


@behaviour("app:asking:clock")
def test_the_clock_does_not_run_while_a_person_is_asked(somebody: Visitor, app: App) -> None:
    app.choices.deadline = 2.0
    begin(somebody, "import time\ninput('Name? ')\ntime.sleep(.5)\nprint('in time')")
    waiting = field(somebody, "Name?")
    somebody.page.wait_for_function(
        f"performance.now() > {somebody.page.evaluate('performance.now()')} + 2500"
    )
    waiting.press("Enter")
    expect(outputs(somebody)).to_contain_text("in time")


@behaviour("app:asking:late")
def test_a_block_that_asks_when_the_reply_is_over_is_answered_in_its_form(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str]
) -> None:
    app.choices.deadline = 0.5
    begin(somebody, "import time\ntime.sleep(1.5)\nprint('Hello', input('Name? '))")
    expect(somebody.feet).to_have_count(1)
    late = field(somebody, "Name?")
    expect(somebody.blocks.locator(".cr-state")).to_have_text("Waiting for input · the timer is paused")
    late.fill("Ann")
    late.press("Enter")
    expect(outputs(somebody)).to_have_text("Name? Ann\nHello Ann\n")
    expect(somebody.blocks.locator("form")).to_be_hidden()
    somebody.ask("And now?")
    assert "Name? Ann\nHello Ann" in parrot[0].asked[-1]["messages"][-1]["content"]


@behaviour("app:asking:late")
def test_cancel_stops_a_block_that_asks_when_the_reply_is_over(somebody: Visitor, app: App) -> None:
    app.choices.deadline = 0.5
    begin(somebody, "import time\ntime.sleep(1.5)\ninput('Name? ')")
    expect(somebody.feet).to_have_count(1)
    field(somebody, "Name?")
    somebody.press("Cancel")
    expect(somebody.blocks.locator(".cr-state")).to_contain_text("Stopped")
    expect(somebody.blocks.locator("form")).to_be_hidden()
    app.choices.deadline = 30.0
    assert somebody.run("print(15)") == "15"


@behaviour("app:asking:hostile")
def test_a_hostile_prompt_does_nothing(somebody: Visitor) -> None:
    hack = "window.hacked = true"
    begin(somebody, f'input(\'<img src=x onerror="{hack}">"><script>{hack}</script>\\n\\u202etxt? \')')
    expect(somebody.blocks.locator("form label")).to_contain_text(
        '<img src=x onerror="window.hacked = true">'
    )
    expect(somebody.blocks.locator("form label")).to_contain_text("\\u202etxt?")
    assert somebody.page.evaluate("window.hacked") is None
    somebody.stop()
    expect(somebody.feet).to_have_count(1)


@behaviour("app:asking:ticket")
def test_only_the_page_of_the_question_can_answer(somebody: Visitor, app: App, address: str) -> None:
    begin(somebody, "print('Hello', input('Name? '))")
    ticket = somebody.blocks.locator("form").get_attribute("data-cr-ticket", timeout=BOUND * 1000)
    body = {"ticket": ticket, "act": "answer", "text": "evil"}
    for what, headers, status in (
        (body | {"ticket": "guess"}, {}, 404),
        (body | {"text": 5}, {}, 404),
        (body | {"text": "x" * 100_000}, {}, 413),
        (body, {"Origin": "null"}, 403),
        (body, {"Origin": "http://127.0.0.1:1"}, 403),
        (body, {"Host": "evil.example"}, 403),
        (body, {"Content-Type": "text/plain"}, 415),
        (body, {"X-CodeRunner-Token": "guess"}, 403),
    ):
        headers = {"X-CodeRunner-Token": app.rights.token} | headers
        with client(address) as page:
            assert page.post("/coderunner/act", json=what, headers=headers).status_code == status
    field(somebody, "Name?").fill("Ann")
    somebody.press("Send")
    expect(outputs(somebody)).to_contain_text("Hello Ann")
