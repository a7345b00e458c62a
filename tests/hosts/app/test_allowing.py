"""What the sandbox refused, at the page: the sentence, the button, and what a chat was allowed."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, expect

from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App
from coderunner.runner import Grants
from coderunner.sandbox.backends import available
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, Seat, Visitor, client, served
from tests.hosts.app.parrot import Parrot

pytestmark = [*MARKS, pytest.mark.skipif(not available(), reason=f"no sandbox here: {available().why}")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of the person at the page."""
    home = tmp_path_factory.mktemp("person") / "ada"
    for name in ("data/sales.csv", ".ssh/id_rsa", "notes.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("15\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], home: Path) -> App:
    data = home / ".local" / "share" / "coderunner"
    choices = {"model_url": f"{parrot[1]}/v1", "model": "parrot", "data_dir": str(data), "sandbox_write": ""}
    return App(load(choices))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


def granted(app: App, somebody: Visitor) -> Grants:
    sandbox = app.sessions.sandbox
    assert sandbox is not None
    (current,) = somebody.page.locator("#cr-list [data-cr-current]").evaluate_all(
        "all => all.map(each => each.dataset.crCurrent)"
    )
    return sandbox.granted.of(kernel_label(current))


def refused(somebody: Visitor) -> Locator:
    return somebody.blocks.last.locator(".cr-at-refused").first


@behaviour("app:allow:button")
def test_one_press_grants_what_stands_beside_it_and_runs_the_block_again(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str], home: Path
) -> None:
    somebody.run("x = 15")
    somebody.run(f"print(open('{home}/data/sales.csv').read())")
    expect(refused(somebody)).to_have_text(
        "This block may not read ~/data/sales.csv. Allow code in this chat to read the folder ~/data?"
        "Allow for this chat"
    )
    assert not granted(app, somebody)
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert "The user can allow it with the button below this block. Do not try another way." in told
    somebody.press("Allow for this chat")
    again = somebody.blocks.last.locator(".cr-again")
    expect(again.locator(".cr-out")).to_have_text("15\n\n")
    expect(somebody.blocks.last.get_by_role("button", name="Allow for this chat")).to_have_count(0)
    assert granted(app, somebody) == Grants(read=frozenset({home / "data"}))
    assert somebody.run("print(x)") == "15"
    assert "Result: 15\n" in str(parrot[0].asked[-2]["messages"][-1]["content"])


@behaviour("app:allow:own")
def test_what_a_persons_own_code_was_refused_is_allowed_by_a_press_and_runs_below_it(
    somebody: Visitor, app: App, parrot: tuple[Parrot, str], home: Path
) -> None:
    somebody.ask(f"think: look\n```python\nprint(open('{home}/data/sales.csv').read())\n```\n")
    fence = somebody.page.locator("#cr-chat .cr-own .cr-fence")
    fence.get_by_role("button", name="Run", exact=True).click()
    fence.get_by_role("button", name="Allow for this chat").click()
    again = fence.locator(".cr-again")
    expect(again.locator(".cr-out")).to_have_text("15\n\n")
    expect(again.locator(".cr-state")).to_contain_text("Again: Done")
    expect(fence.get_by_role("button", name="Allow for this chat")).to_have_count(0)
    assert granted(app, somebody) == Grants(read=frozenset({home / "data"}))
    somebody.page.get_by_role("button", name="Scratch", exact=True).click()
    cell = somebody.page.locator("code-runner-scratch")
    expect(cell.locator(".cm-content")).to_be_focused()
    somebody.page.keyboard.insert_text(f"print(open('{home}/notes.txt').read())")
    somebody.page.keyboard.press("Shift+Enter")
    cell.get_by_role("button", name="Allow for this chat").click()
    expect(cell.locator(".cr-again .cr-out")).to_have_text("15\n\n")
    cell.get_by_role("button", name="Tell the model").click()
    expect(cell.get_by_role("status").first).to_have_text("The model reads it with your next message.")
    somebody.ask("well")
    told = str(parrot[0].asked[-1]["messages"][-1]["content"])
    assert told.count("\nResult: 15\n") == 2
    somebody.open()
    expect(again.locator(".cr-out")).to_have_text("15\n\n")


@behaviour("app:allow:reload")
def test_after_a_reload_the_button_is_there_and_in_two_tabs_it_counts_once(
    somebody: Visitor, app: App, home: Path
) -> None:
    somebody.run(f"print(open('{home}/notes.txt').read())")
    expect(refused(somebody)).to_contain_text("Allow code in this chat to read ~/notes.txt?")
    app.conversations._all.clear()  # as after a restart: what is shown comes from the records
    somebody.open()
    expect(refused(somebody)).to_contain_text("This block may not read ~/notes.txt.")
    button = refused(somebody).get_by_role("button")
    ticket = str(button.get_attribute("data-cr-ticket"))
    button.click()
    expect(somebody.blocks.last.locator(".cr-again .cr-out")).to_have_text("15\n\n")
    assert not app.conversations.act(ticket, "allow")
    assert granted(app, somebody) == Grants(read=frozenset({home / "notes.txt"}))


@behaviour("app:allow:never")
def test_what_holds_secrets_has_a_sentence_and_no_button(somebody: Visitor, home: Path) -> None:
    somebody.run(f"open('{home}/.ssh/id_rsa')")
    expect(refused(somebody)).to_have_text(
        "This block may not read ~/.ssh/id_rsa. Secrets or programs may lie there or beside it; see the "
        "setting sandbox_read."
    )
    expect(refused(somebody).get_by_role("button")).to_have_count(0)


@behaviour("app:allow:guarded")
def test_nobody_but_the_page_can_press_it(somebody: Visitor, app: App, address: str, home: Path) -> None:
    somebody.run(f"open('{home}/data/sales.csv')")
    ticket = str(refused(somebody).get_by_role("button").get_attribute("data-cr-ticket"))
    for headers in ({}, {"X-CodeRunner-Token": "guess"}, {"Origin": "null"}):
        answer = httpx.post(
            f"{address}/coderunner/act",
            json={"ticket": ticket, "act": "allow"},
            headers=headers,
            timeout=BOUND,
            trust_env=False,
        )
        assert answer.status_code in (401, 403)
    for other in (f"{ticket.partition('.')[0]}.0000000000000000", ticket.partition(".")[0], "x.y"):
        assert not app.conversations.act(other, "allow")
    assert not granted(app, somebody)


@behaviour("app:allow:list")
def test_the_drawer_lists_what_this_chat_was_allowed_and_takes_it_back(
    somebody: Visitor, app: App, home: Path
) -> None:
    code = f"print(open('{home}/data/sales.csv').read())"
    somebody.run(code)
    somebody.press("Allow for this chat")
    expect(somebody.blocks.last.locator(".cr-again .cr-out")).to_have_text("15\n\n")
    somebody.settings("Kernel")
    expect(somebody.page.locator("#cr-reach")).to_contain_text(
        "its own folder, ~/.local/share/coderunner/kernels/"
    )
    somebody.page.get_by_label("read ~/data").click()
    expect(somebody.page.locator(".toast-body")).to_contain_text(
        "Taken back: read ~/data. The kernel was restarted, its variables are gone."
    )
    expect(somebody.page.locator("#cr-grants")).to_be_hidden()
    expect(somebody.page.locator("#cr-reach")).to_contain_text("you can allow it there")
    assert not granted(app, somebody)
    somebody.page.locator("#cr-right .toggle-button").click()
    somebody.run(code)
    expect(refused(somebody)).to_contain_text("This block may not read ~/data/sales.csv.")


@behaviour("app:allow:meanwhile")
def test_a_button_goes_when_what_it_grants_was_allowed_in_another_way_and_comes_back(
    somebody: Visitor, app: App, home: Path
) -> None:
    code = f"print(open('{home}/data/sales.csv').read())"
    somebody.run(code)
    somebody.run(code)
    first = somebody.blocks.first.locator(".cr-at-refused")
    expect(first.get_by_role("button")).to_have_text("Allow for this chat")
    somebody.settings("Kernel")
    expect(allow(somebody, "Read a folder or file", "~/data")).to_contain_text("may now read ~/data.")
    for refusal in (first, refused(somebody)):
        expect(refusal).to_have_text(
            "This block could not read ~/data/sales.csv. Code in this chat may read the folder ~/data now."
            "Run again"
        )
    somebody.page.get_by_label("read ~/data").click()
    expect(first.get_by_role("button")).to_have_text("Allow for this chat")
    somebody.page.locator("#cr-right .toggle-button").click()
    somebody.press("Allow for this chat")
    expect(somebody.blocks.last.locator(".cr-again .cr-out")).to_have_text("15\n\n")
    first.get_by_role("button", name="Run again").click()
    expect(somebody.blocks.first.locator(".cr-again .cr-out")).to_have_text("15\n\n")


def allow(somebody: Visitor, kind: str, text: str = "") -> Locator:
    """Allow something by hand; gives the line that says what came of it."""
    page = somebody.page
    page.locator("#cr-allow-kind input").click()
    page.get_by_role("option", name=kind, exact=True).click()
    if text:
        page.locator("#cr-allow-text").locator("input, textarea").fill(text)
    page.locator("#cr-allow-add").click()
    return page.locator("#cr-allow-said")


@behaviour("app:allow:by-hand")
def test_a_person_allows_by_hand_what_the_running_kernel_then_reaches(
    somebody: Visitor, app: App, home: Path
) -> None:
    somebody.run("x = 15")
    somebody.settings("Kernel")
    field = somebody.page.locator("#cr-allow-text").locator("input, textarea")
    for text, said in (
        ("data", "“data” is not a complete path. Begin it with / or ~/."),
        ("~/no <b>such</b> place", "There is no ~/no <b>such</b> place on this computer."),
        ("~/.ssh", "Secrets may lie in ~/.ssh, so only the setting sandbox_read allows it."),
    ):
        expect(allow(somebody, "Read a folder or file", text)).to_have_text(said)
        expect(field).to_have_value(text)
    assert not granted(app, somebody)
    expect(allow(somebody, "Read a folder or file", "~/data")).to_contain_text("may now read ~/data.")
    expect(field).to_have_value("")
    expect(allow(somebody, "Reach a domain", "https://example.org/")).to_contain_text(
        "Enter the domain alone"
    )
    expect(allow(somebody, "Reach a domain", "example.org")).to_contain_text("may now reach example.org.")
    expect(allow(somebody, "Install packages with pip")).to_contain_text("the package indexes of pip.")
    expect(field).to_be_hidden()
    assert granted(app, somebody) == Grants(
        frozenset({home / "data"}), hosts=frozenset({"example.org", "packages"})
    )
    somebody.page.get_by_label("reach example.org").click()
    expect(somebody.page.get_by_label("reach example.org")).to_have_count(0)
    expect(somebody.page.get_by_label("read ~/data")).to_be_checked()
    assert granted(app, somebody).hosts == {"packages"}
    somebody.page.locator("#cr-right .toggle-button").click()
    assert somebody.run(f"print(open('{home}/data/sales.csv').read())") == "15"


@behaviour("app:allow:guarded")
@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:1"}, {"Host": "other.example"}])
def test_the_drawers_events_are_taken_from_the_page_alone(headers: dict[str, str], address: str) -> None:
    event = {"fn_index": 0, "data": [], "session_hash": "guessed"}
    paths = ("queue/join", "run/predict", "call/allow", "queue/data?session_hash=guessed")
    with client(address) as visitor:
        if not headers:
            visitor.cookies.clear()
        for path in paths:
            answer = visitor.post(f"/gradio_api/{path}", json=event, headers=headers)
            assert answer.status_code in (401, 403)


@behaviour("app:allow:list")
def test_a_deleted_chat_leaves_no_grants(somebody: Visitor, app: App, home: Path) -> None:
    somebody.run(f"print(open('{home}/data/sales.csv').read())")
    somebody.press("Allow for this chat")
    expect(somebody.blocks.last.locator(".cr-again .cr-out")).to_have_text("15\n\n")
    kept = home / ".local" / "share" / "coderunner" / "grants.json"
    before = kept.read_text().count('"read"')
    row = somebody.page.locator("#cr-list li.cr-here")
    row.hover()
    row.get_by_role("button", name="Delete").click()
    somebody.page.get_by_role("button", name="Delete", exact=True).click()
    expect(somebody.blocks).to_have_count(0)
    assert kept.read_text().count('"read"') == before - 1
