"""A reply in the chat, from message to end, on the double with real kernels."""

from base64 import b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from modules import chat, shared
from modules.reasoning import extract_reasoning

from coderunner.hosts.textgen.blocks.bar_state import DetachedBlock
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.records.database.run_states import State
from tests.behaviours import behaviour
from tests.hosts.textgen.webui import Webui, browser_page, stepped, until

ASK = "What is 10 + 5?"
CODE = "Let me see.\n```python\nprint(10 + 5)\n```\n"
DONE = f"{CODE}Result: 15\nIt is 15."


@pytest.fixture
def auto(webui: Webui) -> Webui:
    """The program with our extension, and blocks that run at once."""
    webui.start()
    choose(approve="auto")
    return webui


def choose(**changes: Any) -> None:
    from coderunner.hosts.textgen import hooks

    hooks.extension().store.change(**changes)


def in_the_kernel(source: str) -> Any:
    """A cell in the kernel of the chat, beside the webui."""
    from coderunner.hosts.textgen import hooks

    (session,) = hooks.extension().sessions.all()
    return session.begin(source)


def on_the_desk() -> Any:
    """What the bar of the chat shows."""
    from coderunner.hosts.textgen import hooks

    (session,) = hooks.extension().sessions.all()
    return hooks.extension().approvals.glance(session.conversation)


@behaviour("textgen:reply:result")
@pytest.mark.parametrize("stream", [True, False], ids=["streaming", "at once"])
@pytest.mark.parametrize("mode", ["instruct", "chat-instruct", "chat"])
def test_a_block_runs_in_the_reply_and_the_model_goes_on(auto: Webui, mode: str, stream: bool) -> None:
    auto.says(f"{CODE}I guess 41.", "It is 15.")
    assert auto.send(ASK, mode=mode, stream=stream) == DONE
    assert auto.model.ends == ["closed early", "ended"]


@behaviour("textgen:reply:several")
def test_several_blocks_run_in_order_and_keep_their_variables(auto: Webui) -> None:
    auto.says("```python\nx = 6\n```\n", "```py\nx * 7\n```\n", "Done.")
    assert auto.send("Twice.") == (
        "```python\nx = 6\n```\nResult: (no output)\n```py\nx * 7\n```\nResult: 42\nDone."
    )


@behaviour("textgen:reply:grows")
def test_nothing_that_was_given_is_taken_back(auto: Webui) -> None:
    auto.says(CODE, "It is 15.")
    seen: list[str] = []
    auto.follow(chat.generate_chat_reply_wrapper(ASK, auto.parameters()), seen.append)
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    assert seen[-1] == DONE


@behaviour("textgen:reply:prefix")
@pytest.mark.parametrize("mode", ["instruct", "chat-instruct", "chat"])
def test_a_continued_prompt_begins_with_the_one_before(auto: Webui, mode: str) -> None:
    auto.says(CODE, "And:\n```python\n2 + 2\n```\n", "Four.")
    reply = auto.send(ASK, mode=mode)
    first, second, third = auto.prompts
    assert second == f"{first}{CODE}Result: 15\n"
    assert third.startswith(second)
    assert (first + reply).startswith(third)


@behaviour("textgen:reply:off")
def test_switched_off_every_reply_passes_untouched(auto: Webui) -> None:
    choose(active=False)
    auto.says(f"{CODE}I guess 41.")
    assert auto.send(ASK) == f"{CODE}I guess 41."


@behaviour("textgen:reply:regenerate")
def test_regenerate_keeps_the_old_version_with_its_result(auto: Webui) -> None:
    auto.says("```python\nn = globals().get('n', 0) + 1\nn\n```\n", "Once.")
    auto.send("Count.")
    auto.says("```python\nn += 1\nn\n```\n", "Twice.")
    assert auto.regenerate().endswith("Result: 2\nTwice.")
    old, new = auto.history["metadata"]["assistant_0"]["versions"]
    assert old["content"].endswith("Result: 1\nOnce.")
    assert new["content"] == auto.reply


@behaviour("textgen:reply:continue")
def test_continue_goes_on_from_the_stored_text(auto: Webui) -> None:
    auto.says(CODE, "")
    stored = auto.send(ASK)
    assert stored == f"{CODE}Result: 15\n"
    prompt = auto.prompts[-1]
    auto.says("So it is 15.", "never asked")
    assert auto.go_on() == f"{stored}So it is 15."
    assert auto.prompts == [prompt]


@behaviour("textgen:reply:continue")
def test_a_block_begun_before_continue_runs_when_it_closes(auto: Webui) -> None:
    auto.says("```python\nprint(10")
    auto.send(ASK)
    auto.says(" + 5)\n```\n", "It is 15.")
    assert auto.go_on() == "```python\nprint(10 + 5)\n```\nResult: 15\nIt is 15."


@behaviour("textgen:reply:unanswered")
def test_continue_first_runs_a_block_without_a_result(auto: Webui) -> None:
    auto.history = {
        "internal": [[ASK, CODE.rstrip()]],
        "visible": [[ASK, CODE.rstrip()]],
        "metadata": {},
    }
    auto.says("It is 15.")
    assert auto.go_on() == DONE
    assert auto.prompts[0].endswith(f"{CODE}Result: 15\n")


# Hidden, so that no file of the block is told of.
COUNT = "```python\nwith open('.runs', 'a+') as f:\n    f.write('x')\n    print(f.tell())\n```\n"
"""Says how often it ran, over the ends of kernels."""


def lose_the_result(webui: Webui) -> None:
    """The program was killed before it saved a result."""
    for kind in ("internal", "visible"):
        webui.history[kind][-1][1] = webui.history[kind][-1][1].partition("Result")[0]
    crash()


def crash() -> None:
    """The program was killed, with its kernels, and is started anew."""
    from coderunner.hosts.textgen import hooks

    extension = hooks.extension()
    extension.records.close()  # nothing is written down any more
    extension.sessions.io_thread.call(extension.sessions.close_all(keep=False), 30)
    hooks.extension.cache_clear()
    choose(approve="auto")


@behaviour("textgen:reply:once")
@pytest.mark.parametrize("before", ["", COUNT], ids=["the first block", "the second block"])
def test_continue_tells_the_result_of_a_block_that_ran_before_a_crash(auto: Webui, before: str) -> None:
    auto.says(*filter(None, [before, f"Again:\n{COUNT}"]), "Done.")
    reply = auto.send("Count.")
    lose_the_result(auto)
    auto.history["internal"][-1][1] = kept = reply.rpartition("Result")[0]
    auto.says("Done.")
    assert auto.go_on() == f"{kept}Result: {2 if before else 1}\nDone." == reply


@behaviour("textgen:reply:once")
def test_regenerate_and_start_reply_with_run_the_same_block_once_more(auto: Webui) -> None:
    replies = []
    auto.says(COUNT, "Done.")
    replies.append(auto.send("Count."))
    auto.says(COUNT, "Done.")
    replies.append(auto.regenerate())
    auto.state["start_with"] = "So: "
    auto.says(f"\n{COUNT}", "Done.")
    replies.append(auto.regenerate())
    assert [reply.rpartition("Result: ")[2] for reply in replies] == ["1\nDone.", "2\nDone.", "3\nDone."]


@behaviour("textgen:reply:start-with")
def test_start_reply_with_works(auto: Webui) -> None:
    auto.says(" see.\n```python\nprint(10 + 5)\n```\n", "It is 15.")
    assert auto.send(ASK, start_with="Let me") == DONE


@behaviour("textgen:reply:failure")
def test_a_failure_of_ours_stands_in_the_reply_and_the_next_message_works(
    auto: Webui, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object) -> int:
        raise RuntimeError("no tokenizer")

    with monkeypatch.context() as patch:
        patch.setattr("modules.text_generation.get_encoded_length", fails)
        auto.says(CODE, "It is 15.")
        assert auto.send(ASK).startswith(f"{CODE}Result: 15\n\nCodeRunner stopped with RuntimeError")
    auto.says("```python\n1 + 1\n```\n", "Two.")
    assert auto.send("And now?").endswith("Result: 2\nTwo.")


@behaviour("textgen:reply:budget")
def test_a_continued_reply_has_the_tokens_that_are_left(auto: Webui) -> None:
    auto.says(CODE, "It is 15.")
    auto.send(ASK, auto_max_new_tokens=False, max_new_tokens=200)
    spent = len(auto.model.encode(f"{CODE}Result: 15\n"))
    assert [state["max_new_tokens"] for state in auto.model.states] == [200, 200 - spent]


@behaviour("textgen:reply:budget")
@pytest.mark.parametrize(
    "limits",
    [{"auto_max_new_tokens": False, "max_new_tokens": 40}, {"truncation_length": 60}],
    ids=["new tokens", "context"],
)
def test_a_reply_that_has_used_up_its_tokens_says_so(auto: Webui, limits: dict[str, Any]) -> None:
    long = "```python\n" + "x = 1\n" * 10 + "print(15)\n```\n"
    auto.says(long, "never asked")
    reply = auto.send(ASK, **limits)
    assert reply.startswith(f"{long}Result: 15\n\n*The reply ends here")
    assert len(auto.prompts) == 1


@behaviour("textgen:reply:budget")
def test_a_reply_has_no_more_tokens_and_seconds_than_were_chosen(auto: Webui) -> None:
    choose(max_tokens=100, max_seconds=1e-6)
    auto.says("never asked")
    assert auto.send(ASK, auto_max_new_tokens=True, max_new_tokens=200) == (
        "(stopped: this reply has reached its time limit of 1e-06 s)\n"
    )
    choose(max_seconds=0)
    auto.says(CODE, "It is 15.")
    auto.send("And again?", auto_max_new_tokens=True, max_new_tokens=200)
    assert auto.model.states[0]["max_new_tokens"] == 100


@behaviour("textgen:reply:throttle")
def test_the_page_shows_the_block_before_its_result(auto: Webui) -> None:
    auto.says(CODE, "It is 15.")
    auto.send(ASK)
    assert any("10 + 5" in page and "Result" not in page for page in auto.pages)
    assert any(page.rstrip().endswith("Result: 15") for page in auto.pages)


# -- Stop -----------------------------------------------------------------------------------------


@behaviour("textgen:stop:generation")
def test_stop_while_the_model_writes_ends_the_reply_where_it_is(auto: Webui) -> None:
    auto.model.pace = 0.005
    auto.says("one two three four five six seven\n```python\nprint(1)\n```\n", "never asked")

    def look(reply: str) -> None:
        shared.stop_everything = "three" in reply

    reply = auto.follow(chat.generate_chat_reply_wrapper("Count.", auto.parameters()), look)
    assert reply.startswith("one two three")
    assert "```" not in reply
    assert len(auto.prompts) == 1


@behaviour("textgen:stop:execution")
def test_stop_while_a_block_runs_interrupts_it_and_keeps_what_it_showed(auto: Webui, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    slow = f"```python\nprint('first')\nopen({str(begun)!r}, 'w')\nimport time\ntime.sleep(60)\n```\n"
    auto.says(slow, "never asked")
    auto.press_stop(begun.exists)
    reply = auto.send("Wait.")
    assert reply.startswith(f"{slow}Result:")
    assert "first" in reply
    assert "KeyboardInterrupt" in reply or "interrupted" in reply
    assert len(auto.prompts) == 1
    assert shared.stop_everything
    auto.says("I stopped.")
    assert auto.go_on() == f"{reply}I stopped."


@behaviour("textgen:stop:execution")
def test_where_the_webui_sees_stop_first_continue_tells_what_came_of_the_block(
    auto: Webui, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    slow = f"```python\nopen({str(begun)!r}, 'a').write('x')\nimport time\ntime.sleep(60)\n```\n"
    auto.says(slow, "never asked")

    def look(_reply: str) -> None:
        shared.stop_everything = begun.exists() and begun.read_text() == "x"

    assert auto.follow(chat.generate_chat_reply_wrapper("Wait.", auto.parameters()), look) == slow
    auto.says("I stopped.")
    reply = auto.go_on()
    assert reply.startswith(f"{slow}Result:")
    assert "KeyboardInterrupt" in reply or "interrupted" in reply
    assert reply.endswith("I stopped.")
    assert begun.read_text() == "x"


@behaviour("textgen:late:next-message")
def test_what_a_block_shows_after_its_deadline_comes_with_the_next_message(
    auto: Webui, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    choose(deadline=1.0)
    auto.says(f"```python\n{waits}\nprint(41)\n```\n", "It still runs.")
    reply = auto.send("Begin.")
    assert "(still running in the background; its result will follow; the limit is 1 s)" in reply
    late = on_the_desk()
    assert isinstance(late, DetachedBlock)
    assert late.ordinal == 0
    gate.touch()
    assert in_the_kernel("'it waits in line'").wait(60) is not None
    assert on_the_desk() is None
    auto.says("I see: 41.", "You are welcome.")
    auto.send("And now?")
    late = "Result of the block that was still running: 41\n"
    assert auto.history["internal"][-1][0] == f"{late}\nAnd now?"
    assert late in auto.prompts[0]
    assert late in auto.history["visible"][-1][0]
    auto.send("Thank you.")
    assert auto.history["internal"][-1][0] == "Thank you."


@behaviour("textgen:late:after-a-crash")
def test_a_block_that_still_ran_at_a_crash_is_told_with_the_next_message_once(auto: Webui) -> None:
    choose(deadline=1.0)
    auto.says("```python\nimport time; print('begun', flush=True); time.sleep(60)\n```\n", "It still runs.")
    auto.send("Begin.")
    crash()
    auto.says("I see.", "You are welcome.")
    auto.send("And now?")
    told = auto.history["internal"][-1][0]
    assert told.endswith("\nAnd now?")
    assert "it is unknown whether the code finished; CodeRunner stopped while it ran" in told
    auto.send("Thank you.")
    assert auto.history["internal"][-1][0] == "Thank you."


@behaviour("textgen:stop:deaf")
def test_stop_ends_the_reply_also_while_a_program_ignores_it(
    auto: Webui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.hosts.textgen.reply.reply.HEED", 0.3)
    begun = tmp_path / "begun"
    deaf = (
        "```python\nimport signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"open({str(begun)!r}, 'w')\nend = time.monotonic() + 30\nwhile time.monotonic() < end:\n"
        "    try:\n        time.sleep(1)\n    except BaseException:\n        pass\n```\n"
    )
    auto.says(deaf, "never asked")
    auto.press_stop(begun.exists)
    reply = auto.send("Wait.")
    assert reply.startswith(f"{deaf}Result:")
    assert "still running" in reply
    assert len(auto.prompts) == 1


@behaviour("textgen:stop:leaving")
def test_a_browser_that_goes_away_holds_nobody_up(auto: Webui, tmp_path: Path) -> None:
    from coderunner.hosts.textgen import hooks

    hooks.extension().controller.alone = 0.1
    took = closed_from_another_thread(begun_and_waiting(auto, tmp_path / "never"))
    assert took < 1.0  # measured: a few milliseconds; a wait for the kernel would take longer than this
    assert not shared.generation_lock.held
    auto.says("```python\n1 + 1\n```\n", "Two.")
    assert auto.send("Again.").endswith("Result: 2\nTwo.")


@behaviour("textgen:reload:goes-on")
def test_a_block_goes_on_when_its_page_is_loaded_again_and_the_model_is_told(
    auto: Webui, tmp_path: Path
) -> None:
    from coderunner.hosts.textgen import hooks

    gate = tmp_path / "gate"
    closed_from_another_thread(begun_and_waiting(auto, gate))
    assert "open(" in chat.load_history(*auto.chat)["internal"][-1][1]  # saved, however short it was
    gate.touch()
    records, conversation = hooks.extension().records, hooks.extension().conversation(auto.parameters()) or ""
    until(lambda: [run.state for run in records.of(conversation)] == [State.ENDED])
    auto.says("```python\n1 + 1\n```\n", "Two.")
    assert auto.send("Again.").endswith("Result: 2\nTwo.")
    assert "Result of the block that was still running: gone through" in auto.prompts[0]
    assert "Result of the block that was still running" not in auto.prompts[-1].rpartition("Again.")[2]


@behaviour("textgen:reload:continue")
def test_continue_after_a_reload_gives_the_end_of_the_block_where_it_stands(
    auto: Webui, tmp_path: Path
) -> None:
    from coderunner.hosts.textgen import hooks

    gate = tmp_path / "gate"
    closed_from_another_thread(begun_and_waiting(auto, gate))
    auto.open(auto.chat[0])
    until(hooks.extension().records.settle)  # that it goes on is written, its end is not
    block = auto.reply
    auto.says("Seen.", "Thank you, too.")
    auto.while_it_waits(gate.touch)
    assert auto.go_on() == f"{block}Result: gone through\nSeen."
    auto.send("Thank you.")
    assert auto.history["internal"][-1] == ["Thank you.", "Thank you, too."]


@behaviour("textgen:reload:deleted")
def test_a_chat_that_is_deleted_while_its_block_runs_does_not_come_back(auto: Webui, tmp_path: Path) -> None:
    steps = begun_and_waiting(auto, tmp_path / "never")
    auto.delete()
    closed_from_another_thread(steps)
    assert not chat.get_history_file_path(*auto.chat).exists()


def begun_and_waiting(auto: Webui, gate: Path) -> Any:
    """The steps of a reply whose block runs until the gate is there."""
    begun = gate.with_name("begun")
    work = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)\nprint('gone through')"
    auto.says(f"```python\nimport os, time\nopen({str(begun)!r}, 'w')\n{work}\n```\n", "never asked")
    steps = chat.generate_chat_reply_wrapper("Wait.", auto.parameters())
    for _, auto.history in stepped(steps):
        if begun.exists():
            break
    return steps


def closed_from_another_thread(steps: Any) -> float:
    import time

    from tests.hosts.textgen.webui import step

    def close() -> float:
        began = time.monotonic()
        steps.close()
        return time.monotonic() - began

    return float(step(close))


# -- stop strings ---------------------------------------------------------------------------------


@behaviour("textgen:stops:in-code")
def test_code_with_a_stop_string_in_it_is_cut_and_never_runs(auto: Webui, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    auto.says(f"```python\nopen({str(ran)!r}, 'w')\n# END\nprint(1)\n```\n", "never asked")
    reply = auto.send(ASK, custom_stopping_strings='"END"')
    assert reply.endswith("# ")
    assert not ran.exists()


@behaviour("textgen:stops:past")
def test_what_arrives_past_a_stop_string_is_not_read(auto: Webui) -> None:
    auto.model.burst = 10_000
    auto.says("Bye.<|im_end|>\n```python\nprint('ran')\n```\n", "never asked")
    assert auto.send(ASK) == "Bye."
    assert len(auto.prompts) == 1


@behaviour("textgen:stops:in-result")
@pytest.mark.parametrize(
    "printed",
    ["<|im_end|>", "\nYou: hi", "STOP", "<think>", "</think>", "<tool_call>x</tool_call>", "thought\n"],
)
def test_a_program_that_prints_stop_strings_or_tags_does_not_end_the_reply(auto: Webui, printed: str) -> None:
    # The program makes the text; written out in the code, the webui itself would stop there.
    code = f"```python\nprint('begin'); print({printed[::-1]!r}[::-1])\n```\n"
    auto.says(code, "That was it.")
    reply = auto.send("Print.", mode="chat-instruct", custom_stopping_strings='"STOP"')
    assert reply.startswith(code)
    assert reply.endswith("That was it.")
    assert "begin" in auto.page
    assert "print" in auto.page


# -- replies without a word -----------------------------------------------------------------------


@behaviour("textgen:empty")
def test_a_reply_without_a_word_says_so_in_the_page_alone(auto: Webui) -> None:
    auto.says("")
    assert auto.send("Hello?") == ""
    assert "The model wrote no answer." in auto.page
    auto.says("Yes.")
    auto.send("Are you there?")
    assert "empty reply" not in auto.prompts[0]
    assert auto.page == "Yes."


@behaviour("textgen:empty")
@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("\u200b", True),
        ("<think></think>", True),
        ("<think>\nHm.\n</think>\n\n\u2060", True),
        ("<think>\nHm.", True),
        ("<think>\nHm.\n</think>\n\nYes.", False),
    ],
)
def test_a_reply_of_thought_or_unseen_characters_alone_says_below_it_that_there_is_no_answer(
    auto: Webui, said: str, says: bool
) -> None:
    auto.says(said)
    assert auto.send("Hello?") == said
    _thought, answer = extract_reasoning(auto.page, html_escaped=True)
    assert ("*The model wrote no answer.*" in answer) is says


@behaviour("textgen:empty")
def test_a_reply_that_was_stopped_before_its_first_word_says_that(auto: Webui) -> None:
    auto.model.pace = 0.2
    auto.says("Never seen by anybody.")
    steps = chat.generate_chat_reply_wrapper("Hello?", auto.parameters())
    auto.press_stop(lambda: len(auto.prompts) == 1)
    assert auto.follow(steps) == ""
    assert "Stopped before the first word." in auto.page


# -- replies that were cut ------------------------------------------------------------------------


@behaviour("textgen:cut")
@pytest.mark.parametrize("said", ["", "Let me", f"{CODE}"], ids=["at once", "after a word", "at a result"])
@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ConnectionError("HTTPConnectionPool(host='127.0.0.1', port=4)"), "cannot be reached, or broke off"),
        (ValueError("no such thing"), "The model's loader failed (ValueError)"),
    ],
)
def test_a_reply_that_breaks_off_says_why_in_the_page_alone(
    auto: Webui, said: str, failure: Exception, told: str
) -> None:
    auto.says(said)
    auto.model.failure = failure
    reply = auto.send("Hello?")
    assert shared.failures
    shared.failures.clear()
    assert told in auto.page
    assert "no answer" not in auto.page
    assert told not in reply
    assert str(failure) not in auto.page
    auto.model.failure = None
    auto.says("Here I am.")
    auto.send("Are you there?")
    assert told not in auto.prompts[0]
    assert auto.page == "Here I am."


@behaviour("textgen:cut")
def test_what_a_loader_says_when_it_refuses_a_prompt_is_told(auto: Webui) -> None:
    auto.model.complaint = "The request exceeds the available context size, try increasing it"
    auto.send("Hello?")
    assert f"ended the reply: {auto.model.complaint}." in auto.page


@behaviour("textgen:cut")
@pytest.mark.parametrize("auto_tokens", [True, False])
def test_a_reply_that_has_all_its_tokens_says_that_it_is_cut_off_until_it_is_continued(
    auto: Webui, auto_tokens: bool
) -> None:
    limits: dict[str, Any] = (
        {"truncation_length": 40} if auto_tokens else {"auto_max_new_tokens": False, "max_new_tokens": 3}
    )
    auto.says("word " * 40)
    auto.send("Hello?", **limits)
    assert "The model reached its token limit, so the reply is cut off." in auto.page
    auto.state.clear()
    auto.says("And so on.")
    auto.go_on()
    assert all("cut off" not in page for page in auto.pages)
    assert auto.page.endswith("And so on.")


# -- thought --------------------------------------------------------------------------------------


@behaviour("textgen:thought:not-run")
@pytest.mark.parametrize("prefix", ["", "<think>\n"], ids=["the model's tag", "the prompt's tag"])
def test_a_block_in_a_thought_does_not_run(auto: Webui, prefix: str) -> None:
    thought = "I could\n```python\nprint('thought')\n```\nbut no.\n</think>\n\n"
    auto.says(f"{'' if prefix else '<think>'}{thought}{CODE}", "It is 15.")
    reply = auto.send(ASK, generation_prefix=prefix)
    assert reply.endswith(DONE)
    assert reply.count("Result:") == 1
    assert auto.prompts[1].startswith(auto.prompts[0])


@behaviour("textgen:thought:again")
def test_continue_in_the_middle_of_a_thought_ends_the_thought(auto: Webui) -> None:
    auto.says("<think>\nI could")
    auto.send(ASK)
    auto.says(f" compute it.\n</think>\n\n{CODE}", "It is 15.")
    assert auto.go_on() == f"<think>\nI could compute it.\n</think>\n\n{DONE}"
    assert "Result: 15" in auto.page.partition("</details>")[2]


@behaviour("textgen:thought:again")
@pytest.mark.parametrize(
    "again",
    ["<think>\nNow, 15?\n</think>\n\n", "Well</think>", "a second thought\nand "],
    ids=["pair", "lone end", "a word that is a tag"],
)
def test_a_model_that_thinks_again_takes_nothing_off_the_page(auto: Webui, again: str) -> None:
    auto.says(CODE, f"{again}It is 15.")
    auto.send(ASK)
    for page in (auto.page, auto.pages[-1]):
        assert "Let me see." in page
        assert "print(10 + 5)" in page
        assert "Result: 15" in page
        assert page.rstrip().endswith("It is 15.")


@behaviour("textgen:thought:kept")
@pytest.mark.parametrize("again", ["<think>\nNow, ```15```?\n```python\n1\n```\n</think>\n\n", "<think>Now"])
def test_a_second_thought_is_folded_in_its_place(auto: Webui, again: str) -> None:
    auto.says(CODE, f"{again}It is 15.")
    with browser_page("ann"):
        reply = auto.send(ASK)
    for page in (auto.page, auto.pages[-1]):
        before, _, thought = page.partition("<details")
        assert "Result: 15" in before
        assert "Now" in thought.partition("</details>")[0]
        assert "coderunner" not in thought
    said = DONE if "</think>" in again else DONE.removesuffix("It is 15.")
    assert output_placeholders.without(reply).split() == said.split()
    auto.says("Bye.")
    auto.send("And?")
    assert "Now" not in auto.prompts[0]


# -- other extensions -----------------------------------------------------------------------------

OTHER = """
def custom_generate_chat_prompt(text, state, **more):
    return "<other>" + text

def custom_generate_reply(question, original_question, state, stopping_strings=None, is_chat=False):
    from modules.text_generation import generate_reply_custom
    for text in generate_reply_custom(question, original_question, state, stopping_strings, is_chat=is_chat):
        yield text.upper()
"""


def install(root: Path, name: str, source: str) -> None:
    script = root / "user_data" / "extensions" / name / "script.py"
    script.parent.mkdir(parents=True)
    script.write_text(source, encoding="utf-8")


@behaviour("textgen:others:after")
def test_an_extension_after_ours_gets_its_turn(webui: Webui, tmp_path: Path) -> None:
    install(tmp_path, "other", OTHER)
    webui.start("CodeRunner", "other")
    choose(approve="auto")
    webui.says("```py\nX = 6 * 7; X\n```\n", "Well.")
    assert webui.send(ASK) == "```PY\nX = 6 * 7; X\n```\nResult: 42\nWELL."
    assert webui.prompts[0] == f"<other>{ASK}"


@behaviour("textgen:others:before")
def test_an_extension_that_takes_the_prompt_before_us_is_named(webui: Webui, tmp_path: Path) -> None:
    install(tmp_path, "other", OTHER.partition("def custom_generate_reply")[0])
    webui.start("other", "CodeRunner")
    choose(approve="auto")
    webui.says(f"{CODE}I guess 41.")
    assert webui.send(ASK) == f"{CODE}I guess 41."

    from coderunner.hosts.textgen import hooks
    from coderunner.hosts.textgen.form.handlers import FormHandlers
    from coderunner.hosts.textgen.webui import other_hooks

    hook = hooks.custom_generate_chat_prompt
    panel = FormHandlers(
        hooks.extension(), first=lambda: other_hooks.before_us(hook, "custom_generate_chat_prompt")
    )
    assert "other" in panel.status().text


@behaviour("textgen:others:tools")
def test_blocks_run_before_and_after_a_call_of_a_tool(auto: Webui) -> None:
    auto.says(CODE, "<tool_call>weather</tool_call>", "```python\n2 + 2\n```\n", "Four.")
    auto.send(ASK, selected_tools={"weather": lambda: "rain"})
    assert auto.reply == "```python\n2 + 2\n```\nResult: 4\nFour."
    assert "Result: 15" in auto.page
    assert "rain" in auto.prompts[2]


@behaviour("textgen:never:elsewhere")
def test_nothing_runs_outside_of_the_chat(auto: Webui) -> None:
    untouched = f"{CODE}I guess 41."
    auto.says(untouched)
    *_, impersonated = stepped(chat.impersonate_wrapper("", auto.parameters()))
    assert impersonated == untouched

    auto.says(untouched)
    *_, noted = stepped(chat.notebook("Once", auto.parameters()))
    assert "Result" not in noted

    auto.says(untouched)
    assert chat.api_completion("Once", auto.parameters()) == untouched

    auto.says(untouched, "Hello.")
    assert auto.send("Hi.", enable_web_search=True) == "Hello."
    assert len(auto.prompts) == 2


@behaviour("textgen:chats:kernels")
def test_two_chats_never_share_a_kernel_and_one_keeps_its_own(auto: Webui) -> None:
    auto.says("```python\nx = 1\n```\n", "Kept.")
    auto.send("Keep x.", unique_id="one")
    auto.says("```python\nx\n```\n", "?")
    assert "NameError" in auto.send("x?", unique_id="two")
    auto.says("```python\nx\n```\n", "It is 1.")
    assert auto.send("x?", unique_id="one").endswith("Result: 1\nIt is 1.")


def attach(webui: Webui, row: int, *files: dict[str, Any]) -> None:
    """Note the files of a message, as the webui does."""
    webui.history["metadata"][f"user_{row}"] = {"attachments": [dict(each) for each in files]}


@behaviour("textgen:attachments:files")
def test_what_a_message_brings_lies_in_the_folder_in_which_code_runs(auto: Webui) -> None:
    table = {"name": "sales.csv", "type": "text/plain", "content": "region,größe\nNorth,12\n"}
    data = f"data:image/png;base64,{b64encode(b'picture').decode()}"
    image = {"name": "a.png", "type": "image", "image_data": data}
    web = {"name": "page.html", "type": "text/html", "content": "x", "url": "https://example.org"}
    hostile = {"name": "../../out.csv", "type": "text/plain", "content": "x"}
    attach(auto, 0, table, image, web, hostile, {**image, "name": "b.png", "image_data": "no,picture"})
    code = "import os\nprint(sorted(os.listdir()), open('sales.csv').read(), open('a.png', 'rb').read())"
    auto.says(f"```python\n{code}\n```\n", "Seen.")
    reply = auto.send("Look")
    assert "['a.png', 'sales.csv'] region,größe\nNorth,12\n b'picture'" in reply

    # What code has made of it stays; another file of that name has a name of its own, which the model reads.
    auto.says("```python\nopen('sales.csv', 'w').write('changed')\n```\n", "Done.")
    auto.send("Change it")
    attach(auto, 2, {**table, "content": "new"})
    auto.says("```python\nprint(open('sales.csv').read(), open('sales (2).csv').read())\n```\n", "Seen.")
    assert "Result: changed new" in auto.send("Again")
    (told,) = auto.history["metadata"]["user_2"]["attachments"]
    assert told["name"] == "sales (2).csv"
