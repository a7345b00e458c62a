"""A block that waits for a person's word, and all that is done meanwhile."""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from modules import chat

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.sandbox.backends import available
from tests.behaviours import behaviour
from tests.hosts.textgen.test_people import answered, choose
from tests.hosts.textgen.webui import Webui, api_state, browser_page, stepped, until


@pytest.fixture
def asking(webui: Webui) -> Webui:
    webui.start()
    choose(approve="ask")
    return webui


@pytest.fixture
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the block writes a line each time that it runs: not where the program lies, which nobody may."""
    return tmp_path_factory.mktemp("written") / "ran"


def ask(webui: Webui, ran: Path, *, page: str = "ann") -> str:
    """Send a message whose reply has a block that waits; gives the block's id."""
    webui.says(f"See:\n```python\nprint('ran', file=open({str(ran)!r}, 'a'))\n```\nI guess.", "It ran.")
    with browser_page(page):
        reply = webui.send("Do it.")
    assert "Result" not in reply
    (block,) = output_placeholders.opened(reply)
    return block


def press(identity: str, verb: str) -> bool:
    """Press a button of a block."""
    return hooks.extension().controller.buttons.act(identity, verb)


def bar_of(identity: str) -> str:
    """What the block says of itself."""
    look = hooks.extension().controller.store.subscriptions.look(identity, "")
    assert look is not None
    return look.bar


def continued(webui: Webui, page: str = "ann") -> str:
    with browser_page(page):
        return output_placeholders.without(webui.go_on())


def runs(ran: Path) -> int:
    return ran.read_text().count("ran") if ran.exists() else 0


@behaviour("textgen:consent:holds-up-nobody")
def test_while_a_block_waits_everybody_else_gets_replies_and_with_a_word_it_runs_once(
    asking: Webui, ran: Path
) -> None:
    block = ask(asking, ran)
    waiting = asking.chat[0]

    asking.says("Hello.")
    asking.open("another chat")
    with browser_page("ann"):
        assert asking.send("Hi") == "Hello."
    with browser_page("bob"):
        asking.open("of another page")
        asking.says("Hello, Bob.")
        assert asking.send("Hi") == "Hello, Bob."
    asking.says("An answer.")
    assert answered("?", api_state()) == "An answer."
    asking.says(" there was.")
    assert [*stepped(chat.notebook("Once", asking.parameters()))][-1] == "Once there was."
    assert runs(ran) == 0

    asking.open(waiting)
    assert "Run this code?" in bar_of(block)
    assert press(block, "run")
    asking.says("It ran.")
    assert continued(asking).endswith("```\nResult: (no output)\nIt ran.")
    assert runs(ran) == 1
    assert not press(block, "run")
    asking.says("Indeed.")
    continued(asking)
    assert runs(ran) == 1


@behaviour("textgen:consent:holds-up-nobody")
def test_after_a_reload_and_in_a_branch_a_word_is_as_good(asking: Webui, ran: Path) -> None:
    block = ask(asking, ran)
    asking.branch("Branch")
    assert press(block, "run")
    asking.says("It ran.")
    assert continued(asking, "a-page-that-came-later").endswith("Result: (no output)\nIt ran.")
    assert runs(ran) == 1


@behaviour("textgen:consent:holds-up-nobody")
def test_continue_without_a_word_asks_again(asking: Webui, ran: Path) -> None:
    block = ask(asking, ran)
    before = output_placeholders.without(asking.reply)
    asking.says("never asked")
    assert continued(asking) == before
    assert "Run this code?" in bar_of(block)
    assert (runs(ran), asking.prompts) == (0, [])


@behaviour("textgen:consent:holds-up-nobody")
def test_skip_has_the_reply_go_on_without_the_block(asking: Webui, ran: Path) -> None:
    block = ask(asking, ran)
    assert press(block, "skip")
    asking.says("As you wish.")
    assert continued(asking).endswith("As you wish.")
    assert "not run: it was declined" in asking.prompts[0]
    assert "Run this code?" not in bar_of(block)
    assert runs(ran) == 0


@behaviour("textgen:consent:passed-over")
@pytest.mark.parametrize("how", ["send", "regenerate"])
def test_a_newer_reply_passes_over_a_block_that_waits_and_no_word_about_it_counts(
    asking: Webui, ran: Path, how: str
) -> None:
    block = ask(asking, ran)
    assert press(block, "run")
    asking.says("Something else.")
    with browser_page("ann"):
        asking.send("Never mind.") if how == "send" else asking.regenerate()
    assert "Not run" in bar_of(block)
    assert runs(ran) == 0
    assert not press(block, "run")
    assert press(block, "again")
    until(lambda: runs(ran) == 1)


@behaviour("textgen:consent:passed-over")
@pytest.mark.parametrize("changes", [{"active": False}, {"approve": "off"}])
def test_where_code_does_not_run_any_more_no_word_makes_it(
    asking: Webui, ran: Path, changes: dict[str, Any]
) -> None:
    block = ask(asking, ran)
    choose(**changes)
    press(block, "run")
    asking.says("Well.")
    continued(asking)
    assert runs(ran) == 0


@behaviour("textgen:chats:deleted")
def test_of_a_deleted_chat_no_block_waits(asking: Webui, ran: Path) -> None:
    block = ask(asking, ran)
    asking.delete()
    assert not press(block, "run")
    with browser_page("ann"):
        asking.open(asking.chat[0])
        asking.says("Fresh.")
        assert asking.send("Hi") == "Fresh."
    assert runs(ran) == 0


@behaviour("textgen:allow")
@pytest.mark.skipif(not available(), reason=f"no sandbox here: {available().why}")
def test_what_the_sandbox_refused_is_allowed_by_the_blocks_button_and_the_block_runs_again(
    webui: Webui, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="ada-") as home:  # beside what tests may write everywhere
        monkeypatch.setenv("HOME", home)
        (Path(home) / "data").mkdir()
        (Path(home) / "data" / "sales.csv").write_text("15")
        webui.start()
        choose(approve="auto")
        webui.says(f"```python\nprint(open('{home}/data/sales.csv').read())\n```\n", "It may not.")
        with browser_page("ann"):
            (block,) = output_placeholders.opened(webui.send("Do it."))
        buttons, store = hooks.extension().controller.buttons, hooks.extension().controller.store
        look = store.subscriptions.look(block, "")
        assert look is not None
        assert "This block may not read ~/data/sales.csv." in look.refused
        assert "The user can allow it with the button below this block" in webui.prompts[-1]
        (ticket,) = re.findall(r'data-cr="allow" data-cr-ticket="([^"]+)"', look.refused)
        assert not buttons.act(block, "allow")
        assert buttons.act(ticket, "allow")
        assert not buttons.act(ticket, "allow")

        def read() -> bool:
            known = store.get(block)
            again = known.block.again if known is not None else None
            return again is not None and again.result is not None and "15" in str(again.result.outputs)

        until(read)
