"""What the terminal shows of a cell, and how it is told to show images."""

import base64

import pytest

from coderunner.hosts.terminal.cell_printer import CellPrinter
from coderunner.hosts.terminal.inline_images import protocol, spelt
from coderunner.outputs import (
    DisplayData,
    Error,
    ExecuteResult,
    MadeFile,
    Omission,
    Refusal,
    Remedy,
    Result,
    Stream,
)
from coderunner.runner import Change, Image
from tests.behaviours import behaviour

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAADUlEQVR4nGNgGAWkAwABMgABn5GIfgAAAABJRU5ErkJggg=="
"""An image of 2 × 3 pixels."""


@behaviour("exec:streams:own")
def test_text_that_grows_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    screen = CellPrinter()
    screen.show(Change(0, Stream("stdout", "one\n")))
    screen.show(Change(0, Stream("stdout", "one\ntwo")))
    screen.show(Change(1, ExecuteResult({"text/plain": "3"})))
    assert capsys.readouterr().out == "one\ntwo\n3\n"


@behaviour("exec:streams:long")
def test_what_is_missing_from_the_middle_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    screen = CellPrinter()
    screen.show(Change(0, Stream("stdout", "head;tail", Omission(at=5, lines=20, characters=1000))))
    assert capsys.readouterr() == ("head;tail", "… 1,000 characters left out …\n")


@behaviour("exec:refused")
def test_a_refusal_is_told_in_words_for_a_person_who_reads_what_to_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refusals = (
        Refusal("read", "~/data/sales.csv", Remedy.SETTING),
        Refusal("write", "~/out", Remedy.SETTING),
        Refusal("read", "~/.ssh/id_rsa"),
        Refusal("network", "example.org", Remedy.PROXY),
    )
    CellPrinter().end(Result(refusals=refusals), stays=True)
    assert capsys.readouterr().err == (
        "coderunner: The code may not read ~/data/sales.csv. The code may not write to ~/out. They "
        "can be allowed with the settings sandbox_read and sandbox_write. The code may not read "
        "~/.ssh/id_rsa. Secrets or programs may lie there or beside it; see the setting "
        "sandbox_read. The code cannot reach example.org directly: only HTTP and HTTPS requests get out, "
        "through the sandbox's proxy. Use a library that heeds HTTPS_PROXY, such as requests.\n"
    )


@behaviour("exec:error:once")
def test_an_error_that_the_kernel_has_written_itself_is_not_printed_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written = "\x1b[0;31m\nTraceback:\n  line 1\nRunTimeError: no\n\n\x1b[0m\n"
    screen = CellPrinter()
    screen.show(Change(0, Stream("stderr", written)))
    screen.show(Change(0, Error("RunTimeError", "no", ("Traceback:\n", "  line 1\n", "RunTimeError: no\n"))))
    screen.show(Change(1, Error("", "1")))
    assert capsys.readouterr().err == f"{written}exit code 1\n"


@behaviour("exec:files")
def test_files_are_told_apart_from_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    files = (MadeFile("out.csv", 2_048, 0), MadeFile("a\x1b[31m.png", 0, 0, new=False))
    CellPrinter().end(Result(files=files, more_files=2), stays=True)
    said = "coderunner: files: out.csv (2 kB, new), a␛[31m.png (0 bytes, changed), and 2 more\n"
    assert capsys.readouterr() == ("", said)


@behaviour("exec:pictures:shown")
def test_an_image_is_a_line_where_nobody_can_see_it(capsys: pytest.CaptureFixture[str]) -> None:
    CellPrinter("kitty").show(Change(0, DisplayData({"image/png": PIXEL, "text/plain": "<Figure size 2x3>"})))
    assert capsys.readouterr().out == "[image/png, 2×3, 70 bytes: Figure size 2x3]\n"


@behaviour("exec:pictures:shown")
@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "iTerm.app"}, ""),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-0/default,1,0"}, ""),
        ({"TERM": "xterm-256color"}, ""),
        ({}, ""),
    ],
)
def test_a_terminal_says_how_it_shows_images(environment: dict[str, str], spoken: str) -> None:
    assert protocol(environment) == spoken


@behaviour("exec:pictures:shown")
def test_an_image_arrives_whole_in_either_protocol() -> None:
    data = base64.b64encode(bytes(range(256)) * 24).decode()
    image = Image("image/png", data)
    kitty = spelt(image, "kitty").split("\x1b\\")
    assert "".join(piece.partition(";")[2] for piece in kitty) == data
    assert [piece.partition(";")[0] for piece in kitty] == ["\x1b_Gf=100,a=T,m=1", "\x1b_Gm=0", "\n"]
    assert spelt(image, "iterm") == f"\x1b]1337;File=inline=1;size=6144:{data}\x07\n"


@behaviour("exec:pictures:shown")
def test_an_image_that_the_terminal_cannot_read_is_a_line() -> None:
    drawing = Image("image/svg+xml", '<svg width="4" height="5"></svg>')
    assert spelt(drawing, "kitty") == spelt(drawing, "iterm") == f"{drawing}\n"
