"""Which conversation a chat is: it keeps its kernel over renames, and shares it with no other chat."""

from collections.abc import Callable
from pathlib import Path

import pytest
from modules import chat

from coderunner.hosts.textgen import hooks
from tests.behaviours import behaviour
from tests.hosts.textgen.webui import Webui

GONE = "earlier variables are gone"
COUNTS = "```python\nn = globals().get('n', 0) + 1\nn\n```\n"


@pytest.fixture
def program(webui: Webui) -> Webui:
    webui.start()
    hooks.extension().store.change(approve="auto")
    return webui


def counted(webui: Webui) -> str:
    """Send a message whose reply counts in a variable; gives what is said of the block."""
    webui.says(COUNTS, "So.")
    reply = webui.send("Count.")
    return reply.partition("Result:")[2].partition("[/output]")[0].partition("So.")[0].strip()


@behaviour("textgen:chats:rename")
def test_a_renamed_chat_keeps_its_variables_also_after_another_rename(program: Webui) -> None:
    assert counted(program) == "1"
    for name, seen in (("My New Chat", "2"), ("Ours", "3"), ("20260503-10-00-00", "4")):
        program.rename(name)
        assert counted(program) == seen


@behaviour("textgen:chats:rename")
def test_what_was_allowed_always_is_allowed_after_a_rename(program: Webui) -> None:
    counted(program)
    extension = hooks.extension()
    name = extension.conversation(program.parameters())
    assert name
    extension.controller.buttons._always.add(name)
    program.rename("Ours")
    renamed = extension.conversation(program.parameters())
    assert renamed
    assert extension.controller.buttons.always(renamed)
    # The form knows no history, only the name.
    assert (
        extension.conversation({"unique_id": "Ours", "mode": "instruct", "character_menu": None}) == renamed
    )


@behaviour("textgen:chats:rename")
def test_a_name_that_is_taken_is_not_another_chats(program: Webui) -> None:
    counted(program)
    program.branch("Other", rows=0)
    assert counted(program) == "1"
    program.rename("20260503-10-00-00")  # which is refused
    program.open("Other")
    assert counted(program) == "2"


@behaviour("textgen:chats:restart")
def test_after_a_restart_a_renamed_chat_is_told_that_its_variables_are_gone(program: Webui) -> None:
    counted(program)
    program.rename("Ours")
    before = hooks.extension()
    before.sessions.io_thread.call(before.sessions.close_all(keep=False), 30)
    before.records.close()
    hooks.extension.cache_clear()
    hooks.setup()
    assert hooks.extension().conversation(program.parameters()) == before.conversation(program.parameters())
    said = counted(program)
    assert "\n1\n" in said
    assert GONE in said


@behaviour("textgen:chats:branch")
def test_a_branch_has_a_kernel_of_its_own_and_says_that_variables_are_gone(program: Webui) -> None:
    counted(program)
    original = program.chat[0]
    program.branch("Branch")
    said = counted(program)
    assert GONE in said
    assert "\n1\n" in said
    assert counted(program) == "2"
    program.open(original)
    assert counted(program) == "2"
    program.rename("Renamed")
    program.branch("Another")
    assert GONE in counted(program)
    program.open("Renamed")
    assert counted(program) == "3"


@behaviour("textgen:chats:deleted")
def test_a_chat_has_nothing_of_a_deleted_one_of_its_name(program: Webui) -> None:
    assert counted(program) == "1"
    program.delete()
    program.open(program.chat[0])
    assert counted(program) == "1"


@behaviour("textgen:chats:deleted")
def test_a_chat_that_takes_the_old_name_of_a_renamed_one_is_another_conversation(program: Webui) -> None:
    old = program.chat[0]
    assert counted(program) == "1"
    program.rename("Ours")
    program.open(old)
    assert counted(program) == "1"
    program.open("Ours")
    assert counted(program) == "2"


@behaviour("textgen:chats:branch")
def test_an_imported_history_of_a_chat_that_is_no_more_is_told_that_variables_are_gone(
    program: Webui,
) -> None:
    counted(program)
    exported = program.history
    program.delete()
    program.open("Imported")
    program.history = exported
    chat.save_history(exported, *program.chat)
    assert GONE in counted(program)
    assert counted(program) == "2"


def said_meanwhile(webui: Webui, folder: Path, meanwhile: Callable[[], None]) -> str:
    """Send a message; `meanwhile` is done while its block runs. Gives the reply as it ends."""
    begun, gate = folder / "begun", folder / "gate"

    def each(_reply: str) -> None:
        if begun.exists() and not gate.exists():
            meanwhile()
            gate.touch()

    wait = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    webui.says(f"```python\nimport os, time\nopen({str(begun)!r}, 'w').close()\n{wait}\n6 * 7\n```\n", "So.")
    return webui.follow(chat.generate_chat_reply_wrapper("Compute.", webui.parameters()), each)


@behaviour("textgen:chats:meanwhile")
@pytest.mark.parametrize("mode", ["instruct", "chat"])
def test_a_reply_in_a_chat_that_is_renamed_meanwhile_is_saved_under_the_new_name_alone(
    program: Webui, tmp_path: Path, mode: str
) -> None:
    program.state["mode"] = mode
    old = program.chat
    reply = said_meanwhile(program, tmp_path, lambda: program.rename("Ours"))
    assert reply.endswith("Result: 42\nSo.")
    assert chat.load_history(*program.chat)["internal"][-1][1] == reply
    assert not chat.get_history_file_path(*old).exists()


@behaviour("textgen:chats:meanwhile")
def test_a_chat_that_is_deleted_meanwhile_stays_deleted_when_its_reply_ends(
    program: Webui, tmp_path: Path
) -> None:
    said_meanwhile(program, tmp_path, program.delete)
    assert not chat.get_history_file_path(*program.chat).exists()


@behaviour("textgen:chats:meanwhile")
def test_another_chat_that_is_renamed_or_deleted_meanwhile_is_no_matter_of_the_reply(
    program: Webui, tmp_path: Path
) -> None:
    own, other = program.chat, "Other"
    chat.save_history(program.history, other, *own[1:])

    def meanwhile() -> None:
        chat.rename_history(other, "Another", *own[1:])
        chat.delete_history("Another", *own[1:])

    reply = said_meanwhile(program, tmp_path, meanwhile)
    assert chat.load_history(*own)["internal"][-1][1] == reply
