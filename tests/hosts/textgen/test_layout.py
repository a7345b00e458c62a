"""The form's buttons, called as plain functions, with real kernels and a real Jupyter server behind them."""

import asyncio
import json
import logging
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import yaml
from modules import shared

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.form import character_preset
from coderunner.hosts.textgen.form.handlers import Chat, FormHandlers, Line
from coderunner.hosts.textgen.state.preferences import Preferences, PreferencesFile
from coderunner.hosts.textgen.webui import webui_api as host
from coderunner.kernel.connections.servers.hub_start import stopped_server
from coderunner.kernel.io_thread import io_thread
from coderunner.records.database import run_queries
from coderunner.runner import Server
from coderunner.sandbox.backends import available
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.textgen.webui import Webui
from tests.kernel.servers import Jupyter, jupyter_server, scripted_server
from tests.servers.hub_double import hub_double

HERE = Chat("20260503-10-00-00", "Assistant", "instruct")


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A Jupyter server with a token that is easy to find wherever it should not be."""
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token=f"canary-{uuid.uuid4().hex}") as server:
        yield server


@pytest.fixture
def panel(webui: Webui) -> FormHandlers:
    webui.start()
    return FormHandlers(hooks.extension())


# -- choices --------------------------------------------------------------------------------------


@behaviour("textgen:form:choices")
def test_what_is_chosen_is_kept_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "settings.json"
    PreferencesFile(path).change(active=False, deadline=120, kernel="server", token="secret", approve="ask")
    kept = PreferencesFile(path).get()
    assert kept == Preferences(
        active=False, deadline=120, kernel="server", token=Secret("secret"), approve="ask"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["settings.json"]


@behaviour("textgen:form:choices")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"approve": "always"}, {}),
        ({"kernel": 7}, {}),
        ({"active": "no"}, {}),
        ({"server": "  "}, {}),
        ({"deadline": "soon"}, {}),
        ({"deadline": float("nan")}, {}),
        ({"nonsense": 1}, {}),
        ({"deadline": 10_000}, {"deadline": 600.0}),
        ({"max_blocks": 0}, {"max_blocks": 1}),
        ({"kernel_name": " ir "}, {"kernel_name": "ir"}),
    ],
)
def test_nonsense_changes_nothing(tmp_path: Path, changes: dict[str, Any], expected: dict[str, Any]) -> None:
    store = PreferencesFile(tmp_path / "settings.json")
    store.change(**changes)
    assert store.get() == Preferences(**expected)


@behaviour("textgen:form:choices")
@pytest.mark.parametrize("text", ["", "[]", "{", '{"deadline": null}', '{"token": 5}'])
def test_a_damaged_file_is_no_hindrance(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    assert PreferencesFile(path).get().deadline == 30.0


@behaviour("textgen:form:environment")
def test_what_nobody_chose_comes_from_the_environment(webui: Webui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_SERVER", "http://127.0.0.1:9999/lab?token=secret")
    monkeypatch.setenv("CODERUNNER_TIMEOUT", "60")
    webui.start(multi_user=True)
    chosen = hooks.extension().store.get()
    assert (chosen.kernel, chosen.deadline, chosen.token) == ("server", 60.0, Secret("secret"))
    assert "secret" not in chosen.server
    assert FormHandlers(hooks.extension()).status().good


@behaviour("textgen:form:environment")
def test_a_setting_that_makes_no_sense_is_left_aside(webui: Webui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_TIMEOUT", "soon")
    webui.start()
    assert hooks.extension().store.get() == Preferences()


@behaviour("textgen:form:choices")
def test_the_status_line_says_what_would_happen(panel: FormHandlers) -> None:
    asked = "Python blocks run in the embedded kernel python3 after you approve them."
    boxed = f"Python blocks run automatically in the embedded kernel python3, in a sandbox. {available().why}"
    assert panel.status().text == (boxed.strip() if available() else f"{asked} {available().why}")
    assert panel.choose(approve="ask").text.startswith(asked.rstrip("."))
    assert "run automatically" in panel.choose(approve="auto").text
    assert "are not run" in panel.choose(approve="off").text
    assert "turned off" in panel.choose(active=False).text


# -- the connection -------------------------------------------------------------------------------


@behaviour("textgen:form:connect")
def test_connect_to_a_jupyter_server_fills_the_list_of_kernels(panel: FormHandlers, jupyter: Jupyter) -> None:
    found = panel.connect("server", f"{jupyter.url}/lab?token={jupyter.token}", "", "python3")
    assert found.line.good, found.line
    assert "python3" in found.kernels
    assert found.server.startswith(jupyter.url)
    assert jupyter.token not in found.server
    assert found.has_token
    assert hooks.extension().store.get().token == Secret(jupyter.token)
    assert "run automatically" in panel.status().text


@behaviour("textgen:form:connect")
@pytest.mark.parametrize(
    ("address", "token", "kernel_name", "word"),
    [
        ("http://127.0.0.1:1", "x", "python3", "127.0.0.1:1"),
        ("{url}", "wrong", "python3", "token"),
        ("{url}", "{token}", "cobol", "cobol"),
        ("", "", "python3", "address"),
        ("ftp://127.0.0.1", "", "python3", "ftp"),
    ],
)
def test_connect_says_what_is_wrong(
    panel: FormHandlers, jupyter: Jupyter, address: str, token: str, kernel_name: str, word: str
) -> None:
    url, right = address.format(url=jupyter.url), token.format(token=jupyter.token)
    found = panel.connect("server", url, right, kernel_name)
    assert not found.line.good
    assert word in found.line.text
    assert jupyter.token not in found.line.html


@behaviour("textgen:secret:elsewhere")
def test_a_token_that_is_kept_is_sent_to_no_other_server(panel: FormHandlers, jupyter: Jupyter) -> None:
    panel.connect("server", jupyter.url, jupyter.token, "python3")
    assert panel.connect("server", f"{jupyter.url}/lab", "", "python3").line.good
    with scripted_server({}) as elsewhere:
        panel.connect("server", elsewhere.url, "", "python3")
    assert elsewhere.asked
    assert jupyter.token not in str(elsewhere.asked)
    assert hooks.extension().store.get().token == Secret()


@behaviour("textgen:form:found")
def test_a_server_of_this_machine_is_listed_and_needs_no_token(
    panel: FormHandlers, jupyter: Jupyter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    told = {"url": f"{jupyter.url}/", "token": jupyter.token, "pid": jupyter.process.pid, "root_dir": "/work"}
    (tmp_path / "jpserver-1.json").write_text(json.dumps(told))
    (tmp_path / "jpserver-1.json").chmod(0o600)
    assert panel.found() == [(f"{jupyter.url} · /work", jupyter.url)]
    found = panel.connect("server", jupyter.url, "", "python3")
    assert found.line.good, found.line
    assert jupyter.token not in str(found)


@behaviour("textgen:form:found")
@pytest.mark.parametrize("option", ["multi_user", "listen"])
def test_where_others_reach_the_form_no_server_of_this_machine_is_listed(
    option: str, panel: FormHandlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert panel.finds
    monkeypatch.setattr(shared.args, option, True, raising=False)
    assert not panel.finds


@behaviour("textgen:form:start-server")
def test_a_stopped_server_of_a_hub_is_started_once_the_user_agrees(panel: FormHandlers) -> None:
    with hub_double() as hub:
        address = f"{hub.url}/user/ann/held"
        found = panel.connect("server", address, hub.token, "python3")
        assert (found.line.good, found.startable) == (False, True)
        assert standing(address, hub.token) == "stopped"
        with closing(panel.start()) as lines:
            assert "Looking for a place" in next(line.text for line in lines if "30%" in line.text)
        assert standing(address, hub.token) == "starting"
        hub.let_start("held")
        assert [*panel.start()][-1] == Line("The server runs. Connecting …")
        assert standing(address, hub.token) is None


@behaviour("textgen:form:start-server")
def test_a_server_that_does_not_start_has_the_reason_of_the_hub(panel: FormHandlers) -> None:
    with hub_double() as hub:
        panel.connect("server", f"{hub.url}/user/ann/broken", hub.token, "python3")
        *_, last = panel.start()
    assert not last.good
    assert "there is no room left" in last.text


def standing(address: str, token: str) -> str | None:
    told = io_thread().call(stopped_server(Server(address, Secret(token))), 30)
    return None if told is None else told.standing


@behaviour("textgen:form:connect")
def test_connect_to_the_embedded_kernel_works_at_once(panel: FormHandlers) -> None:
    found = panel.connect("embedded", "http://127.0.0.1:8888", "", "python3")
    assert found.line.good, found.line
    assert "python3" in found.kernels


@behaviour("textgen:form:test")
def test_run_shows_output_kernel_version_and_round_trip(panel: FormHandlers, jupyter: Jupyter) -> None:
    for kernel in ("embedded", "server"):
        panel.choose(kernel=kernel, server=jupyter.url, token=jupyter.token)
        line = panel.test(HERE)
        assert line.good, line
        assert line.text.startswith("Python 3.")
        assert "says 42" in line.text
        assert "python3" in line.text
        assert " ms" in line.text
    assert hooks.extension().records.settle()
    runs = hooks.extension().records.of(hooks.extension().conversation(HERE.state()) or "")
    assert [run.key.message for run in runs] == ["test of the form"] * 2


@behaviour("textgen:form:on-timeout")
def test_what_becomes_of_a_block_at_its_deadline_is_chosen(panel: FormHandlers) -> None:
    assert panel.extension.store.get().limit == 600.0
    panel.choose(on_timeout="interrupt")
    assert panel.extension.store.get().limit == 0.0
    panel.choose(on_timeout="whatever")
    assert panel.extension.store.get().on_timeout == "interrupt"


@behaviour("textgen:form:test")
def test_run_says_why_it_cannot(panel: FormHandlers) -> None:
    panel.choose(kernel="server", server="http://127.0.0.1:1")
    assert not panel.test(HERE).good
    assert panel.test(Chat()).text == "Start a chat first."


@behaviour("textgen:form:restart")
def test_restart_empties_the_kernel_of_the_chat(webui: Webui, panel: FormHandlers) -> None:
    panel.choose(approve="auto")
    webui.says("```python\nx = 1\n```\n", "Kept.")
    webui.send("Keep x.")
    assert panel.interrupt(HERE).text == "No block is running in this chat."
    assert panel.restart(HERE).good
    webui.says("```python\nx\n```\n", "Gone.")
    assert "NameError" in webui.send("x?")


# -- secrets --------------------------------------------------------------------------------------


KEPT = {"records", "logs"}
"""Folders of what replies show."""


@behaviour("textgen:secret:token")
def test_the_token_is_in_one_file_and_nowhere_else(
    webui: Webui, panel: FormHandlers, jupyter: Jupyter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert panel.connect("server", jupyter.url, jupyter.token, "python3").line.good
    webui.says("```python\nimport os; dict(os.environ)\n```\n", "Those.")
    reply = webui.send("Show.")
    page = built(hooks.ui)
    seen = [
        reply,
        webui.page,
        json.dumps(page, default=str),
        panel.status().html,
        panel.test(HERE).html,
        repr(hooks.extension()),
        repr(hooks.extension().store.get()),
        repr(webui.model.states),
        repr((shared.settings, shared.default_settings, shared.persistent_interface_state)),
        caplog.text,
    ]
    # The server's own environment holds its token; a program on it may read that, as it may read its files.
    # What it shows stands in the reply, in the chat that the webui keeps, and in the records of it.
    assert [text for text in seen[2:] if jupyter.token in text] == []
    kept = [
        path for path in tmp_path.rglob("*") if path.is_file() and not {"records", "logs"} & {*path.parts}
    ]
    holders = [path for path in kept if holds(path, jupyter.token)]
    assert holders == [hooks.extension().store.path.absolute()]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600


def holds(path: Path, token: str) -> bool:
    return "CodeRunner" not in path.parts and token in path.read_text(encoding="utf-8", errors="replace")


@behaviour("textgen:form:builds")
def test_the_form_builds_with_the_pages_own_components(webui: Webui) -> None:
    webui.start()

    def ui() -> None:
        shared.gradio["unique_id"] = gr.Radio()
        shared.gradio["custom_system_message"] = gr.Textbox()
        shared.gradio["history"] = gr.JSON()
        webui.extension.ui()

    properties = [component["props"] for component in built(ui)["components"]]
    labels = {each.get("label") for each in properties}
    assert {"Enable CodeRunner", "Kernel", "Kernel name", "Token", "Timeout (seconds)"} <= labels
    assert "Download as a notebook" in [each.get("value") for each in properties]
    tokens = [each for each in properties if each.get("label") == "Token"]
    assert [(each["type"], each.get("value") or "") for each in tokens] == [("password", "")]


@behaviour("textgen:form:first-steps")
def test_connect_and_run_are_seen_first_and_the_rest_is_folded(webui: Webui) -> None:
    webui.start()
    page = built(hooks.ui)
    named = {each["id"]: each["props"] for each in page["components"]}

    def buttons(tree: dict[str, Any]) -> Iterator[str]:
        props = named.get(tree["id"], {})
        if props.get("name") == "button" and props.get("visible", True):
            yield props["value"]
        if props.get("label") not in ("Options", "What code may reach"):
            for child in tree.get("children") or []:
                yield from buttons(child)

    form = next(each for each in page["layout"]["children"] if named[each["id"]].get("label") == "CodeRunner")
    assert list(buttons(form)) == ["Connect", "Run"]


@behaviour("textgen:form:first-steps")
def test_the_form_is_open_and_says_where_it_is_the_first_time(webui: Webui) -> None:
    webui.start()

    def opened() -> bool:
        properties = [component["props"] for component in built(hooks.ui)["components"]]
        return next(bool(each["open"]) for each in properties if each.get("label") == "CodeRunner")

    assert opened()
    store = hooks.extension().store
    assert [store.greet(), store.greet()] == [True, False]
    assert not PreferencesFile(store.path).greet()
    assert not opened()


@behaviour("textgen:people:locked")
def test_a_page_for_several_people_holds_nothing_of_the_operators(webui: Webui) -> None:
    webui.start(multi_user=True)
    hooks.extension().store.change(kernel="server", server="http://10.1.2.3:8888")
    page = built(hooks.ui)
    labels = {component["props"].get("label") for component in page["components"]}
    assert not labels & {"Enable CodeRunner", "Kernel", "Token", "Timeout (seconds)"}
    assert "10.1.2.3" not in json.dumps(page, default=str) + FormHandlers(hooks.extension()).status().html


def built(ui: Callable[[], None]) -> dict[str, Any]:
    """What the browser gets of a page with this in it."""

    async def build() -> dict[str, Any]:
        with gr.Blocks() as page:
            ui()
        return dict(page.get_config_file())

    # Inside a loop, because gradio makes one that it never closes where it finds none.
    return asyncio.run(build())


@behaviour("textgen:form:notebook")
def test_the_chat_is_a_notebook_with_what_its_blocks_showed(webui: Webui, panel: FormHandlers) -> None:
    import nbformat  # here: its import takes seconds, in each worker

    panel.choose(approve="auto")
    webui.says(
        "Let me see.\n```python\nprint(10 + 5)\n```\n", "It is 15.\n~~~py\n1 / 0\n~~~\n", "Never mind."
    )
    webui.send("What is 10 + 5?")
    webui.says("Bye.")
    webui.send("Thanks.")
    panel.extension.records.settle()
    text, line = panel.notebook(webui.history, HERE)
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        ("markdown", "**You:** What is 10 + 5?"),
        ("markdown", "Let me see."),
        ("code", "print(10 + 5)"),
        ("markdown", "It is 15."),
        ("code", "1 / 0"),
        ("markdown", "Never mind."),
        ("markdown", "**You:** Thanks."),
        ("markdown", "Bye."),
    ]
    assert notebook.cells[2].outputs[0].text == "15\n"
    assert notebook.cells[4].outputs[0].ename == "ZeroDivisionError"
    assert line.text == "Notebook downloaded."  # the page says so once it has it
    panel.extension.records._store.write(run_queries.remove)
    assert panel.notebook(webui.history, HERE)[1].text == (
        "Notebook downloaded. The notebook lacks what 2 blocks showed: it is not in the records any more."
    )
    assert panel.notebook({"internal": []}, HERE)[0] == ""


# -- the preset -----------------------------------------------------------------------------------


@behaviour("textgen:preset:install")
def test_the_character_is_installed_and_nothing_is_overwritten(panel: FormHandlers, tmp_path: Path) -> None:
    folder = tmp_path / "user_data" / "characters"
    assert "Installed CodeRunner" in panel.install().text
    character = yaml.safe_load((folder / "CodeRunner.yaml").read_text(encoding="utf-8"))
    assert character.keys() == {"name", "greeting", "context"}
    assert "```python" in character["context"]
    assert "Result: 15" in character["context"]
    assert "already" in panel.install().text
    assert host.offer_characters() == ["CodeRunner"]
    (folder / "CodeRunner.yaml").write_text("name: mine\n", encoding="utf-8")
    assert "Installed CodeRunner 2" in panel.install().text
    assert (folder / "CodeRunner.yaml").read_text(encoding="utf-8") == "name: mine\n"


@behaviour("textgen:preset:system")
def test_the_lesson_goes_below_ones_own_system_message_once() -> None:
    once = character_preset.with_instructions("Speak like a pirate.")
    assert once.startswith("Speak like a pirate.\n\n")
    assert "Result: 15" in once
    assert character_preset.with_instructions(once) == once
    assert character_preset.with_instructions("") == character_preset.system_message()
