"""Hints: what is said below an error, and that it takes nothing from the error."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coderunner.chat.results.error_hints import _TABLE, hint, waits
from coderunner.chat.results.exception_text import advice, describe
from coderunner.chat.results.result_text import for_model
from coderunner.outputs import Aftermath, Error, Result, Status, Stream
from coderunner.packages.names import DISTRIBUTIONS, OF_THE_SYSTEM, OWN
from tests.behaviours import behaviour


def missing(module: str) -> str:
    return hint("ModuleNotFoundError", f"No module named '{module}'")


@behaviour("hints:modules:names")
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("cv2", "opencv-python"),
        ("sklearn", "scikit-learn"),
        ("PIL", "pillow"),
        ("yaml", "PyYAML"),
        ("bs4", "beautifulsoup4"),
        ("google.protobuf", "protobuf"),
        ("seaborn", "seaborn"),
    ],
)
def test_a_missing_module_is_told_by_the_name_that_pip_knows(module: str, name: str) -> None:
    assert missing(module) == f"Hint: if it is needed, run `%pip install {name}` in a separate block."


@behaviour("hints:modules:no-strangers")
@pytest.mark.parametrize("module", sorted(OWN))
def test_what_may_be_a_file_of_somebodys_own_is_never_installed(module: str) -> None:
    assert missing(module) == missing(f"{module}.inner")
    assert "pip" not in missing(module)


@behaviour("hints:modules:no-strangers")
@pytest.mark.parametrize("module", [*sorted(OF_THE_SYSTEM), "pandas.nothing", "a b", "x; rm", "--pre", ""])
def test_what_pip_cannot_give_has_no_hint(module: str) -> None:
    assert missing(module) == ""
    assert hint("ModuleNotFoundError", "No module named 'a.b'; 'a' is not a package") == ""


@behaviour("hints:input:nobody")
def test_a_debugger_is_told_from_input() -> None:
    words = "raw_input was called, but this frontend does not support input requests."
    assert "input()" in hint("StdinNotImplementedError", words)
    assert "a debugger" in hint("StdinNotImplementedError", words, ["File ~/lib/python3.13/pdb.py:3, in f"])


NAMES = st.sampled_from(sorted({row.name for row in _TABLE}))
MESSAGES = st.one_of(
    st.sampled_from([row.words for row in _TABLE]),
    st.sampled_from(sorted(DISTRIBUTIONS)).map("No module named '{}'".format),
    st.text(max_size=60).map("No module named '{}'".format),
    st.text(max_size=3_000),
)


@behaviour("hints:error:kept")
@given(NAMES, MESSAGES, st.lists(st.text(max_size=80), max_size=4))
@example("SystemExit", "2" + "x" * 5_000, ["y" * 9_000] * 3)
def test_a_hint_is_one_line_and_leaves_the_error_as_it_is(
    name: str, message: str, traceback: list[str]
) -> None:
    error = Error(name, message, tuple(traceback))
    said, unknown = (
        for_model(Result((Stream("stdout", "*\n"), each), Status.ERROR))
        for each in (error, Error(f"{name[:-1]}_", message, tuple(traceback)))
    )
    told = advice(error)
    assert "\n" not in told
    without = said.removesuffix("\n```\n").removesuffix(told).removesuffix("\n")
    assert without == unknown.removesuffix("\n```\n").replace(f"{name[:-1]}_", name)
    assert told not in describe(error) or not told


@behaviour("hints:timeout:shell")
@pytest.mark.parametrize(
    "code", ["!cat", "x = !read y", "for n in a:\n    !cat", "%%bash\nread x", "%%script sh\nread x"]
)
def test_of_a_shell_command_that_does_not_end_it_is_said_that_it_may_wait(code: str) -> None:
    said = for_model(Result((), Status.TIMEOUT, Aftermath.READY, detail="the limit is 30 s"), code=code)
    assert said.endswith("the limit is 30 s; a shell command that asks for input waits forever)\n")


@behaviour("hints:timeout:shell")
@pytest.mark.parametrize("code", ["", "while x != 1: pass", "print('!cat')", "x !=1", "# !cat", "'%%bash'"])
def test_of_code_without_a_shell_nothing_is_said(code: str) -> None:
    assert waits(code) == ""
