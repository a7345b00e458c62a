"""Who may run code: the person at the page, several people, API clients; and who is asked."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from modules import chat, extensions

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.blocks.bar_state import Approval, BarState, InputRequest
from coderunner.hosts.textgen.form.handlers import Chat, FormHandlers
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.webui.bar_state_file import SIZE
from coderunner.outputs import Cell
from coderunner.runner import Question, Run
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.textgen.webui import Webui, api_state, browser_page, stepped, until

CODE = "Let me see.\n```python\nprint(10 + 5)\n```\n"
DONE = f"{CODE}Result: 15\nIt is 15."
UNTOUCHED = f"{CODE}I guess 41."
HERE = Chat("20260503-10-00-00", "Assistant", "instruct")


def choose(**changes: Any) -> None:
    hooks.extension().store.change(**changes)


# -- API clients ----------------------------------------------------------------------------------


def answered(text: str, state: dict[str, Any], *, stream: bool = True) -> str:
    return "".join(content for _thought, content in stepped(chat.api_chat(text, state, stream=stream)))


@behaviour("textgen:api:default")
@pytest.mark.parametrize("stream", [True, False])
def test_for_api_clients_nothing_runs_unless_it_is_switched_on(webui: Webui, stream: bool) -> None:
    webui.start()
    choose(approve="auto")
    webui.says(UNTOUCHED)
    assert answered("?", api_state(), stream=stream) == UNTOUCHED


@behaviour("textgen:api:on")
@pytest.mark.parametrize("stream", [True, False])
def test_an_api_client_gets_the_reply_with_its_results(webui: Webui, stream: bool) -> None:
    webui.start()
    choose(approve="auto", api=True)
    webui.says(UNTOUCHED, "It is 15.")
    assert answered("?", api_state(), stream=stream) == DONE


@behaviour("textgen:api:ask")
def test_an_api_client_cannot_be_asked(webui: Webui) -> None:
    webui.start()
    choose(approve="ask", api=True)
    webui.says(UNTOUCHED)
    assert answered("?", api_state()) == UNTOUCHED


@behaviour("textgen:api:kernels")
def test_an_api_client_that_names_its_user_finds_its_kernel_again(webui: Webui) -> None:
    webui.start()
    choose(approve="auto", api=True)
    for user, seen in (
        ("ann", "Result: 1\n"),
        ("bob", "Result: 1\n"),
        ("ann", "Result: 2\n"),
        (None, "Result: 1\n"),
    ):
        webui.says("```python\nn = globals().get('n', 0) + 1\nn\n```\n", "So.")
        assert seen in answered("?", api_state(user=user))
    # The kernel of the client without a name ends with its reply.
    until(lambda: sum(session.live for session in hooks.extension().sessions.all()) == 2)


@behaviour("textgen:api:gone")
def test_an_api_client_that_goes_away_stops_its_block(webui: Webui, tmp_path: Path) -> None:
    webui.start()
    choose(approve="auto", api=True)
    begun = tmp_path / "begun"
    webui.says(f"```python\nopen({str(begun)!r}, 'w')\nimport time\ntime.sleep(60)\n```\n", "never asked")
    state = api_state(user="ann")
    for _ in stepped(chat.api_chat("?", state, stream=True)):
        if begun.exists():
            state["stop_event"].set()
    assert len(webui.prompts) == 1
    webui.says("```python\n1 + 1\n```\n", "Two.")
    assert answered("?", api_state(user="ann")).endswith("Result: 2\nTwo.")


# -- several people -------------------------------------------------------------------------------


@behaviour("textgen:people:kernels")
def test_each_page_of_several_people_has_a_kernel_of_its_own(webui: Webui) -> None:
    webui.start(multi_user=True)
    choose(approve="auto", embedded_for_all=True)
    histories: dict[str, Any] = {
        page: {"internal": [], "visible": [], "metadata": {}} for page in ("ann", "bob")
    }
    for page, seen in (("ann", "Result: 1\n"), ("bob", "Result: 1\n"), ("ann", "Result: 2\n")):
        webui.history = histories[page]
        webui.says("```python\nn = globals().get('n', 0) + 1\nn\n```\n", "So.")
        with browser_page(page):
            assert seen in webui.send("?", unique_id=None)
        histories[page] = webui.history


@behaviour("textgen:people:embedded")
def test_several_people_run_no_code_on_the_machine_of_the_webui(webui: Webui) -> None:
    webui.start(multi_user=True)
    choose(approve="auto")
    webui.says(UNTOUCHED)
    with browser_page("ann"):
        assert webui.send("?", unique_id=None) == UNTOUCHED
    assert "several people" in FormHandlers(hooks.extension()).status().text


@behaviour("textgen:people:locked")
def test_several_people_change_nothing_in_the_form(webui: Webui, tmp_path: Path) -> None:
    webui.start(multi_user=True)
    panel = FormHandlers(hooks.extension())
    before = hooks.extension().store.get()
    assert not panel.choose(active=False, approve="auto").good
    assert not panel.connect("server", "http://127.0.0.1:1", "secret", "python3").line.good
    assert not panel.install().good
    assert hooks.extension().store.get() == before
    assert not (tmp_path / "user_data" / "characters").exists()


# -- consent --------------------------------------------------------------------------------------


def reply_with_word(webui: Webui, panel: FormHandlers, *, run: bool) -> str:
    """Answer as the page's script does: press the button below the number that is shown, and Continue."""
    hooks.extension().store.change(approve="ask")  # in a sandbox nobody is asked
    with browser_page("ann"):
        bar = Bar(panel)
        asked = webui.send("?")
        assert "in the embedded kernel python3?" in bar.notice["text"]
        assert panel.answer(str(bar.notice["number"]), HERE, run=run)
        assert bar.notice["kind"] == "ask"
        reply = webui.go_on()
        assert reply.startswith(asked.rstrip())
        assert bar.notice == {"kind": "none"}
        assert len(webui.prompts) == 2
    return reply


class Bar:
    """What the page's script knows: the address of a file."""

    def __init__(self, panel: FormHandlers) -> None:
        found = re.search(r'data-file="file/([^"]+)"', panel.address())
        assert found
        self.path = Path(found[1])
        assert extensions.is_served(self.path)

    @property
    def notice(self) -> Any:
        return json.loads(self.path.read_text(encoding="utf-8"))


@behaviour("textgen:consent:ask")
def test_a_block_waits_for_run_on_an_embedded_kernel_without_a_sandbox(
    webui: Webui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODERUNNER_SANDBOX", "off")
    webui.start()
    webui.says(CODE, "It is 15.")
    assert (
        output_placeholders.without(reply_with_word(webui, FormHandlers(hooks.extension()), run=True)) == DONE
    )


@behaviour("textgen:consent:ask")
def test_skip_tells_the_model_that_the_block_did_not_run(webui: Webui, tmp_path: Path) -> None:
    webui.start()
    choose(approve="ask")
    ran = tmp_path / "ran"
    webui.says(f"```python\nopen({str(ran)!r}, 'w')\n```\n", "As you wish.")
    reply = reply_with_word(webui, FormHandlers(hooks.extension()), run=False)
    assert "Result: " in reply
    assert reply.endswith("As you wish.")
    assert not ran.exists()


@behaviour("textgen:consent:number")
def test_a_late_press_never_runs_another_block() -> None:
    approvals = BarState()
    assert approvals.ask("chat", "first", Run(Cell("1"), 0)) is None
    number = shown(approvals).number
    approvals.withdraw("chat")
    assert approvals.ask("chat", "second", Run(Cell("2"), 1)) is None
    assert not approvals.answer("chat", number, run=True)
    assert approvals.ask("chat", "second", Run(Cell("2"), 1)) is None
    assert approvals.answer("chat", shown(approvals).number, run=False)
    assert approvals.ask("chat", "second", Run(Cell("2"), 1)) is False
    assert approvals.ask("chat", "second", Run(Cell("2"), 1)) is None


@behaviour("textgen:consent:number")
def test_a_word_about_code_that_was_edited_since_means_nothing() -> None:
    approvals = BarState()
    assert approvals.ask("chat", "block", Run(Cell("1"), 0)) is None
    assert approvals.answer("chat", shown(approvals).number, run=True)
    assert approvals.ask("chat", "block", Run(Cell("2"), 0)) is None
    assert approvals.glance("chat") is not None


def shown(approvals: BarState) -> Approval:
    glance = approvals.glance("chat")
    assert isinstance(glance, Approval)
    return glance


# -- a program that asks --------------------------------------------------------------------------

ASKS = "```python\nname = input('Name? ')\nprint('Hello', name)\n```\n"


def reply_with_lines(webui: Webui, *lines: str | None) -> tuple[str, list[Any]]:
    """Answer one after the other what programs ask, as the page's script does; gives what the bar said."""
    left, seen = list(lines), list[Any]()
    with browser_page("ann"):
        panel = FormHandlers(hooks.extension())
        bar = Bar(panel)

        def look(_reply: str) -> None:
            notice = bar.notice
            if notice["kind"] == "query" and notice not in seen:
                seen.append(notice)
                line = left.pop(0)
                panel.reply(str(notice["number"]), None if line is None else Secret(line), HERE)

        reply = webui.follow(chat.generate_chat_reply_wrapper("?", webui.parameters()), look)
        assert bar.notice == {"kind": "none"}
    return reply, seen


@behaviour("textgen:asking:answer")
def test_a_program_that_asks_is_answered_in_the_bar(webui: Webui) -> None:
    webui.start()
    choose(approve="auto")
    webui.says(ASKS, "```python\nprint([input(), name])\n```\n", "Done.")
    reply, (first, second) = reply_with_lines(webui, "Ann", "Ben\nand more")
    assert "Name? Ann\nHello Ann" in reply
    assert "['Ben', 'Ann']" in reply
    assert (first["text"], first["password"]) == ("Name?", False)
    assert second["text"] == "The program is asking for input"


@behaviour("textgen:asking:answer")
def test_who_will_not_answer_interrupts_the_program_and_the_reply_goes_on(webui: Webui) -> None:
    webui.start()
    choose(approve="auto")
    webui.says(ASKS, "As you wish.")
    reply, _ = reply_with_lines(webui, None)
    assert "stopped" in reply
    assert reply.endswith("As you wish.")


@behaviour("textgen:asking:stop")
def test_stop_while_a_program_asks_ends_the_reply(webui: Webui) -> None:
    webui.start()
    choose(approve="auto")
    webui.says(ASKS, "never asked")
    with browser_page("ann"):
        bar = Bar(FormHandlers(hooks.extension()))
        webui.press_stop(lambda: bar.notice["kind"] == "query")
        webui.follow(chat.generate_chat_reply_wrapper("?", webui.parameters()))
        assert bar.notice == {"kind": "none"}
    assert len(webui.prompts) == 1


@behaviour("textgen:asking:password")
def test_a_password_reaches_the_program_and_nothing_else(
    webui: Webui, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    webui.start()
    choose(approve="auto")
    webui.says("```python\nimport getpass\nlen(getpass.getpass('Password: '))\n```\n", "Thanks.")
    reply, (notice,) = reply_with_lines(webui, "canary-7f3a")
    assert notice["password"]
    assert "11" in reply
    seen = [reply, webui.pages, webui.history, webui.model.states, webui.prompts, caplog.text]
    assert "canary" not in repr([*seen, hooks.extension()])
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "CodeRunner" not in path.parts]
    assert [path for path in files if b"canary" in path.read_bytes()] == []


@behaviour("textgen:asking:nobody")
def test_an_api_client_is_not_asked(webui: Webui) -> None:
    webui.start()
    choose(approve="auto", api=True)
    webui.says(ASKS, "Done.")
    assert "nobody can answer input() here" in answered("?", api_state())


CALLS = "```python\nprint(tools.add(10, 5))\n```\n"


@behaviour("textgen:tools")
@pytest.mark.usefixtures("shop")
def test_code_calls_a_tool_that_a_person_allows_to_this_chat_once(webui: Webui) -> None:
    webui.start()
    choose(approve="auto")
    webui.says(CALLS, CALLS, "It is 15.")
    reply, (question,) = reply_with_lines(webui, "Allow for this chat")
    assert "Allow this block to call add(a=10, b=5) of the server shop?" in question["text"]
    assert question["text"].endswith("Type one of: Allow once, Allow for this chat, Refuse.")
    assert reply.count("Result: 15") == 2
    assert "tools.add" in webui.prompts[0]


@behaviour("textgen:tools")
@pytest.mark.usefixtures("shop")
def test_an_api_client_cannot_allow_a_tool(webui: Webui) -> None:
    webui.start()
    choose(approve="auto", api=True)
    webui.says(CALLS, "Done.")
    assert "add needs consent, and nobody can be asked here" in answered("?", api_state())


@behaviour("textgen:asking:number")
def test_a_late_answer_reaches_no_other_question() -> None:
    approvals = BarState()
    first = approvals.inquire("chat", Question("a", "first"))
    number = queried(approvals).number
    approvals.settle("chat")
    second = approvals.inquire("chat", Question("b", "second"))
    assert not approvals.reply("chat", number, Secret("late"))
    assert first.cancelled()
    assert approvals.reply("chat", queried(approvals).number, Secret("in time"))
    assert not approvals.reply("chat", number + 1, Secret("twice"))
    assert second.result() == Secret("in time")


def queried(approvals: BarState) -> InputRequest:
    glance = approvals.glance("chat")
    assert isinstance(glance, InputRequest)
    return glance


@behaviour("textgen:bar:own-file")
def test_each_page_reads_a_file_of_its_own_and_a_restart_leaves_none(webui: Webui, tmp_path: Path) -> None:
    webui.start()
    panel, paths = FormHandlers(hooks.extension()), []
    for person in ("ann", "bob"):
        with browser_page(person):
            paths.append(Bar(panel).path)
    assert len(set(paths)) == 2
    assert panel.address() == ""
    hooks.extension().status_files.post("ann", {"kind": "ask", "number": 7, "text": "𝔸" * 500})
    assert {path.stat().st_size for path in paths} == {SIZE}
    assert json.loads(paths[0].read_text(encoding="utf-8"))["number"] == 7
    assert sorted(paths[0].parent.iterdir()) == sorted(
        path.absolute().relative_to(Path.cwd()) for path in paths
    )
    hooks.extension.cache_clear()
    hooks.setup()
    assert not any(path.exists() for path in paths)


@behaviour("textgen:bar:busy")
def test_the_bar_tells_which_block_runs(webui: Webui) -> None:
    webui.start()
    choose(approve="auto")
    webui.says("```python\nimport time\ntime.sleep(0.5)\n```\n", "Slept.")
    with browser_page("ann"):
        bar, seen = Bar(FormHandlers(hooks.extension())), []
        steps = chat.generate_chat_reply_wrapper("?", webui.parameters())
        webui.follow(steps, lambda _reply: seen.append(bar.notice))
    assert ("busy", 1) in {(notice["kind"], notice.get("number")) for notice in seen}
    assert bar.notice == {"kind": "none"}


# -- one's own blocks -----------------------------------------------------------------------------

MINE = "See:\n```python\nx = 6 * 7\nx\n```\nWhat is x?"


@behaviour("textgen:own:first")
def test_ones_own_blocks_run_first_and_their_results_go_along(webui: Webui) -> None:
    webui.start()
    choose(own_blocks=True, approve="auto")
    webui.says("```python\nx + 1\n```\n", "43.")
    reply = webui.send(MINE)
    sent = "See:\n```python\nx = 6 * 7\nx\n```\nResult: 42\nWhat is x?"
    assert webui.history["internal"][-1][0] == sent
    assert sent in webui.prompts[0]
    assert "Result: 42" in webui.history["visible"][-1][0]
    assert reply.endswith("Result: 43\n43.")


@behaviour("textgen:own:off")
@pytest.mark.parametrize("changes", [{}, {"own_blocks": True, "active": False}])
def test_by_default_a_message_passes_as_it_was_written(webui: Webui, changes: dict[str, Any]) -> None:
    webui.start()
    choose(**changes)
    webui.says("42.")
    webui.send(MINE)
    assert webui.history["internal"][-1][0] == MINE


@behaviour("textgen:own:first")
def test_a_message_without_blocks_is_left_alone(webui: Webui) -> None:
    webui.start()
    choose(own_blocks=True)
    webui.says("Hello.")
    webui.send("Hello ``` there.")
    assert webui.history["internal"][-1][0] == "Hello ``` there."
