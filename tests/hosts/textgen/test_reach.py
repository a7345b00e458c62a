"""What code of a chat may reach, in the webui's form: shown, allowed by hand, taken back, and by whom."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from starlette.requests import Request

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.form.handlers import Chat
from coderunner.hosts.textgen.form.reach_handlers import NO_CHAT, ReachHandlers
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.runner import GRANT_CHOICES, Grants
from coderunner.sandbox.backends import available
from tests.behaviours import behaviour
from tests.hosts.textgen.test_layout import built
from tests.hosts.textgen.webui import Webui, browser_page

needs_a_sandbox = pytest.mark.skipif(not available(), reason=f"no sandbox here: {available().why}")

HERE = Chat("20260503-10-00-00", "Assistant", "instruct")
READ, WRITE, REACH, INSTALL = GRANT_CHOICES


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ada-") as name:  # beside what tests may write everywhere
        home = Path(name).resolve()
        (home / "data").mkdir(parents=True)
        (home / "data" / "sales.csv").write_text("15")
        monkeypatch.setenv("HOME", str(home))
        yield home


def granted() -> Grants:
    extension = hooks.extension()
    assert extension.sessions.sandbox is not None
    return extension.sessions.sandbox.granted.of(extension.conversation(HERE.state()) or "")


@needs_a_sandbox
@behaviour("textgen:reach:by-hand")
def test_what_a_person_allows_holds_in_the_kernel_that_runs_until_it_is_taken_back(
    webui: Webui, home: Path
) -> None:
    webui.start()
    hooks.extension().store.change(approve="auto")
    reach, code = ReachHandlers(hooks.extension()), f"print(open('{home}/data/sales.csv').read())"
    webui.says(f"```python\n{code}\n```\n", "No.")
    assert "FileNotFoundError" in webui.send("Read it.")
    before = reach.look(HERE)
    assert (before.own, before.why_not) == ((), "")
    assert before.folder.startswith(("~", "/"))
    assert not reach.allow(HERE, READ, "data").good
    assert reach.allow(HERE, READ, "data").text == "“data” is not a complete path. Begin it with / or ~/."
    assert reach.allow(HERE, READ, "~/data").text.startswith("Code in this chat may now read ~/data.")
    assert reach.allow(HERE, REACH, "example.org").good
    assert reach.allow(HERE, INSTALL, "").good
    assert granted() == Grants(frozenset({home / "data"}), hosts=frozenset({"example.org", "packages"}))
    webui.says(f"```python\n{code}\n```\n", "Yes.")
    assert "Result: 15" in webui.send("Again.")
    seen = reach.seen(HERE)
    assert reach.keep(HERE, seen, reach.look(HERE).own) is None
    taken = reach.keep(HERE, seen, ["reach example.org"])
    assert taken is not None
    assert taken.text.startswith("Taken back: read ~/data, reach the package indexes of pip.")
    assert granted() == Grants(hosts=frozenset({"example.org"}))


@needs_a_sandbox
@behaviour("textgen:reach:meanwhile")
def test_what_was_allowed_in_the_form_is_offered_by_no_block_any_more(webui: Webui, home: Path) -> None:
    webui.start()
    hooks.extension().store.change(approve="auto")
    reach, store = ReachHandlers(hooks.extension()), hooks.extension().controller.store
    webui.says(f"```python\nopen('{home}/data/sales.csv')\n```\n", "No.")
    with browser_page("ann"):
        (block,) = output_placeholders.opened(webui.send("Read it."))
    changed: list[str] = []
    store.subscriptions.watch(block, changed.append)

    def refused() -> str:
        look = store.subscriptions.look(block, "")
        assert look is not None
        return look.refused

    assert "Allow for this chat" in refused()
    changed.clear()
    reach.allow(HERE, READ, "~/data")
    assert changed == [block]
    assert "This block could not read ~/data/sales.csv." in refused()
    assert "Allow for this chat" not in refused()
    reach.keep(HERE, reach.seen(HERE), [])
    assert "Allow for this chat" in refused()


@behaviour("textgen:reach:by-hand")
def test_without_a_chat_there_is_nothing_to_allow(webui: Webui) -> None:
    webui.start()
    reach = ReachHandlers(hooks.extension())
    assert reach.look(Chat()).sentences == [NO_CHAT]
    assert reach.allow(Chat(), READ, "/srv").text == NO_CHAT
    assert reach.allow(HERE, "nonsense", "/srv").text == NO_CHAT
    assert reach.keep(Chat(), "", []) is None


@behaviour("textgen:reach:nothing")
def test_on_a_server_a_sentence_stands_in_place_of_the_fields(webui: Webui) -> None:
    webui.start()
    hooks.extension().store.change(kernel="server", server="http://127.0.0.1:8888")
    reach = ReachHandlers(hooks.extension())
    assert reach.look(HERE).why_not.startswith("Code runs on a Jupyter server")
    assert reach.allow(HERE, READ, "/srv").text == reach.look(HERE).why_not


@needs_a_sandbox
@behaviour("textgen:reach:people")
def test_several_people_can_allow_nothing_and_learn_nothing_of_the_operators(
    webui: Webui, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODERUNNER_SANDBOX_READ", str(home / "data"))
    webui.start(multi_user=True)
    reach = ReachHandlers(hooks.extension())
    said = "Code of several people runs here, so only the operator can allow more, with settings."
    assert reach.look(HERE).sentences in ([said], [NO_CHAT])
    assert not reach.allow(HERE, REACH, "example.org").good
    assert not granted()
    assert str(home) not in str(reach.look(HERE))
    page = built(hooks.ui)
    labels = {component["props"].get("label") for component in page["components"]}
    assert "What code may reach" in labels
    assert "Allow code in this chat to" not in labels


@behaviour("textgen:reach:guarded")
def test_only_the_page_may_allow_anything(webui: Webui) -> None:
    webui.start()
    extension = hooks.extension()
    reach, token = ReachHandlers(extension), extension.elements._routes.rights.token

    def admitted(given: str, **headers: str) -> bool:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": "/queue/join",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        return reach.admits(gr.Request(Request(scope)), given)

    here = "127.0.0.1:7860"
    assert admitted(token, host=here)
    assert admitted(token, host=here, origin=f"http://{here}")
    assert not admitted("", host=here)
    assert not admitted("guess", host=here)
    assert not admitted(token)
    assert not admitted(token, host="other.example")
    assert not admitted(token, host=here, origin="http://other.example")
    assert not admitted(token, host=here, origin="null")
    assert not admitted(token, host=here, sec_fetch_site="cross-site")
    assert not reach.admits(None, token)
