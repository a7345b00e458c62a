"""`coderunner exec` with real kernels: here, on a server, in a pipe and in a terminal."""

import io
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.__main__ import main
from coderunner.hosts.terminal import exec_command
from coderunner.runner import open_records
from tests.behaviours import behaviour
from tests.kernel.servers import Jupyter, jupyter_server

REPOSITORY = Path(__file__).parent.parent.parent.parent
SECONDS = 60


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token=f"canary-{uuid.uuid4().hex}") as server:
        yield server


def started(code: str, stdin: int, stdout: int, stderr: int) -> "subprocess.Popen[str]":
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "coderunner", "exec", "-c", code],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "extension"), "TERM": "dumb"},
        text=True,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


@behaviour("exec:streams:own")
def test_a_program_has_the_streams_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    code = "import sys\nprint('out')\nprint('err', file=sys.stderr)\n6 * 7"
    assert main(["exec", "-c", code]) == 0
    assert capsys.readouterr() == ("out\n42\n", "err\n")


@behaviour("exec:codes:told-apart")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-c", "1 / 0"], 1, "ZeroDivisionError: division by zero\n"),
        (["-c", "import os; os._exit(0)"], 3, "coderunner: the kernel died while the code ran"),
        (["--timeout", "1", "-c", "while True: pass"], 124, "coderunner: stopped at the time limit"),
        (["--kernel-name", "nobody", "-c", "1"], 2, "coderunner: not run: no kernel is available"),
    ],
)
def test_the_exit_code_says_how_it_ended(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", *arguments]) == code
    shown = capsys.readouterr()
    assert (shown.out, said in shown.err) == ("", True)


@behaviour("exec:codes:left")
@pytest.mark.parametrize(("left", "code", "said"), [("4", 4, ""), ("'no such table'", 1, "no such table\n")])
def test_a_program_that_leaves_says_what_python_says(
    left: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", "-c", f"import sys; sys.exit({left})"]) == code
    assert capsys.readouterr() == ("", said)


@behaviour("exec:kernel:fresh")
def test_a_program_from_a_file_works_where_the_command_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.txt").write_text("Grüße")
    (tmp_path / "program.py").write_text("if __name__ == '__main__':\n    print(open('data.txt').read())\n")
    assert main(["exec", "program.py"]) == 0
    assert capsys.readouterr().out == "Grüße\n"


@behaviour("exec:source:arguments")
@pytest.mark.parametrize(
    ("given", "found"),
    [([], []), (["a", "b c"], ["a", "b c"]), (["--", "-v", "--deep=2"], ["-v", "--deep=2"])],
)
def test_a_program_finds_its_arguments_where_python_has_them(
    given: list[str], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("program.py").write_text("import sys\nprint(sys.argv)\n1 / 0")
    assert main(["exec", "program.py", *given]) == 1
    out, err = capsys.readouterr()
    assert out == f"{['program.py', *found]}\n"
    assert "line 3" in err


@behaviour("exec:source:arguments")
def test_a_program_on_a_server_finds_them_too_and_the_next_one_its_own(
    jupyter: Jupyter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("program.py").write_text("import sys\nprint(sys.argv[1:])")
    for arguments in (["a"], []):
        monkeypatch.setenv("CODERUNNER_TOKEN", jupyter.token)
        assert main(["exec", "--server", jupyter.url, "--session", "work", "program.py", *arguments]) == 0
    assert capsys.readouterr().out == "['a']\n[]\n"


@behaviour("exec:source:any")
def test_a_program_comes_by_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("print(10 + 5)"))
    assert main(["exec", "-"]) == 0
    assert capsys.readouterr().out == "15\n"


@behaviour("exec:source:one")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to run: give -c CODE, a file, or - for stdin"),
        (["-c", "1", "program.py"], "two programs to run: give either -c CODE or a file"),
        (["nowhere.py"], "nowhere.py cannot be read: No such file or directory"),
    ],
)
def test_without_one_program_nothing_starts(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", *arguments]) == 2
    assert capsys.readouterr() == ("", f"coderunner: {said}\n")


@behaviour("exec:kernel:off")
def test_where_nothing_may_run_nothing_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "--approve", "off", "-c", "print(1)"]) == 2
    assert "approve is off" in capsys.readouterr().err


@behaviour("exec:kernel:session")
def test_a_session_needs_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "--session", "work", "-c", "print(1)"]) == 2
    assert "--session needs a Jupyter server" in capsys.readouterr().err


@behaviour("exec:kernel:session")
def test_a_session_on_a_server_is_found_again_and_written_down(
    jupyter: Jupyter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        # A command forgets the variables that may hold secrets.
        monkeypatch.setenv("CODERUNNER_SERVER", jupyter.url)
        monkeypatch.setenv("CODERUNNER_TOKEN", jupyter.token)
        return main(["exec", *arguments])

    assert run("--session", "work", "-c", "x = 10 + 5") == 0
    assert run("--session", "work", "-c", "print(x)") == 0
    assert run("-c", "print(x)") == 1
    assert capsys.readouterr().out == "15\n"
    assert [jupyter.session("coderunner/work")["kernel"]["id"]] == jupyter.kernels()
    records = open_records("", tmp_path / "data")
    written = [(each.code, each.result is not None) for each in records.of("work")]
    records.close()
    assert written == [("x = 10 + 5", True), ("print(x)", True)]


@behaviour("exec:kernel:fresh")
def test_a_program_that_ends_its_kernel_leaves_none_on_the_server(
    jupyter: Jupyter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODERUNNER_SERVER", jupyter.url)
    monkeypatch.setenv("CODERUNNER_TOKEN", jupyter.token)
    before = jupyter.kernels()
    assert main(["exec", "-c", "import os, time; time.sleep(0.5); os._exit(1)"]) == 3
    assert "the kernel died while the code ran" in capsys.readouterr().err
    assert jupyter.kernels() == before


@behaviour("exec:kernel:unkept")
def test_a_session_whose_run_is_not_kept_says_so(
    jupyter: Jupyter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODERUNNER_SERVER", jupyter.url)
    monkeypatch.setenv("CODERUNNER_TOKEN", jupyter.token)
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "records").write_text("a file in its place")
    assert main(["exec", "--session", "unkept", "-c", "print(10 + 5)"]) == 0
    said = capsys.readouterr()
    assert said.out == "15\n"
    assert "coderunner: " in said.err
    assert "runs are kept in memory only" in said.err


@behaviour("exec:asking:piped")
def test_answers_come_by_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Ada\nLovelace\n"))
    assert main(["exec", "-c", "print(input('First? ') + ' ' + input('Last? '))"]) == 0
    assert capsys.readouterr().out == "First? Ada\nLast? Lovelace\nAda Lovelace\n"


@behaviour("exec:asking:nobody")
def test_where_the_answers_end_the_program_gets_the_error_that_python_gives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", "-c", "input('Name? ')"]) == 1
    told = capsys.readouterr()
    assert "EOFError" in told.err
    assert "stopped" not in told.err
    assert told.out == "Name? \n"
    monkeypatch.setattr(sys, "stdin", io.StringIO("Ada\n"))
    code = "names = []\ntry:\n    while True: names.append(input())\nexcept EOFError: print(names)"
    assert main(["exec", "-c", code]) == 0
    assert capsys.readouterr().out == "Ada\n\n['Ada']\n"
    # The program itself comes by the pipe, and there is no terminal.
    monkeypatch.setattr(exec_command, "open_terminal", lambda: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO("input('Name? ')"))
    assert main(["exec", "-"]) == 1
    told = capsys.readouterr()
    assert "EOFError" in told.err


@behaviour("exec:streams:closed")
def test_a_pipe_that_is_closed_ends_the_program() -> None:
    process = started("while True: print('y')", subprocess.DEVNULL, subprocess.PIPE, subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "y\n"
    process.stdout.close()
    assert (process.wait(SECONDS), process.stderr.read()) == (141, "")
    process.stderr.close()


@behaviour("exec:interrupt")
def test_a_program_is_heard_while_it_runs_and_ctrl_c_interrupts_it() -> None:
    code = "import time\nprint('one')\ntry:\n    time.sleep(600)\nfinally:\n    print('two')"
    process = started(code, subprocess.DEVNULL, subprocess.PIPE, subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == "one\n"
    process.send_signal(signal.SIGINT)
    assert (process.stdout.read(), process.wait(SECONDS)) == ("two\n", 130)
    process.stdout.close()


@behaviour("exec:asking:terminal")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
def test_a_person_at_a_terminal_answers_and_a_password_is_not_shown() -> None:
    ours, theirs = os.openpty()
    code = "from getpass import getpass\nname = input('Name? ')\nprint(name, len(getpass('Key? ')))"
    process = started(code, theirs, theirs, theirs)
    os.close(theirs)
    seen = read_until(ours, "Name? ")
    os.write(ours, b"Ada\n")
    seen += read_until(ours, "Key? ")
    os.write(ours, b"canary\n")
    seen += read_until(ours, "Ada 6\r\n")
    assert process.wait(SECONDS) == 0
    os.close(ours)
    assert seen == "Name? Ada\r\nKey? \r\nAda 6\r\n"


def read_until(terminal: int, text: str) -> str:
    """What a terminal shows up to a text; its end comes as an error."""
    seen = ""
    while text not in seen:
        seen += os.read(terminal, 1024).decode()
    return seen
