"""The command line as a person meets it: real processes, their words and their exit codes."""

import json
import os
import re
import socket
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from coderunner import __main__, __version__
from coderunner.ids import new_id
from coderunner.sandbox.backends import available
from coderunner.settings.command_line import parser, taken
from coderunner.settings.settings import descriptions
from tests.behaviours import behaviour
from tests.postgresql import Server, postgresql

__all__ = ["postgresql"]

CANARY = "canary-7d20b9c4"
SECONDS = 60


def coderunner(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coderunner", *arguments],
        env=os.environ | {"PYTHONPATH": "extension", "COLUMNS": "100"} | environment,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@behaviour("command-line:help:complete")
def test_the_help_names_every_command() -> None:
    shown = coderunner("--help")
    assert shown.returncode == 0
    assert [name for name in __main__.COMMANDS if f"    {name}  " not in shown.stdout] == []


@behaviour("command-line:pipe:closed")
@pytest.mark.parametrize("arguments", [["settings"], ["--help"], ["export", "--help"], ["exec", "-c", "0"]])
def test_a_pipe_that_is_closed_ends_a_command_without_a_complaint(arguments: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "coderunner", *arguments],
            env=os.environ | {"PYTHONPATH": "extension"},
            cwd=Path(__file__).parent.parent,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert ended.stderr == ""


@behaviour("command-line:ids:dash")
@pytest.mark.parametrize("identity", ["-rX3_kd9f-wQ", "-rX3_kd9f-wQabcd", "--X3_kd9f-wQabcdefgh-jkl"])
def test_an_id_that_begins_with_a_dash_is_no_flag(identity: str) -> None:
    whole = parser()
    chosen = taken(whole, ["export", identity, "out.ipynb", "--data-dir", "x"])
    assert (chosen.conversation, chosen.notebook, chosen.data_dir) == (identity, "out.ipynb", "x")
    assert taken(whole, ["export", "--data-dir", "x", identity, "-"]).conversation == identity
    assert taken(whole, ["exec", "--session", identity, "-c", "1"]).session == identity
    assert taken(whole, ["exec", f"--session={identity}", "-c", "1"]).session == identity


@behaviour("command-line:ids:dash")
def test_an_id_that_is_given_here_begins_with_a_letter() -> None:
    given = [new_id(size) for size in (9, 12, 18) for _ in range(300)]
    assert len(set(given)) == len(given)
    assert [each for each in given if not re.fullmatch(r"[A-Za-z][\w-]+", each, re.ASCII)] == []


@behaviour("command-line:help:complete")
def test_without_a_command_the_help_is_shown() -> None:
    shown = coderunner()
    assert (shown.returncode, shown.stdout) == (2, coderunner("--help").stdout)


@behaviour("command-line:help:complete")
@pytest.mark.parametrize(
    ("command", "without"),
    [("settings", ()), ("app", ("keys", "proxy")), ("proxy", ("app", "people"))],
)
def test_the_help_of_a_command_names_its_settings_with_flag_variable_and_default(
    command: str, without: tuple[str, ...]
) -> None:
    shown = " ".join(coderunner(command, "--help").stdout.split())
    its = [each for each in descriptions() if each.topic not in without]
    wanted = [each.flag for each in its if each.flag]
    wanted += [each.variable for each in its]
    wanted += [f"; default: {each.default}]" for each in its if each.default and each.name != "approve"]
    assert [text for text in wanted if text not in shown] == []


@behaviour("command-line:help:complete")
def test_check_takes_what_concerns_kernels_and_nothing_else() -> None:
    shown = coderunner("check", "--help").stdout
    assert [each.name for each in descriptions() if each.flag and each.flag in shown] == [
        each.name for each in descriptions() if each.flag and each.topic in ("kernel", "sandbox")
    ]


@behaviour("command-line:version")
def test_the_version_is_told() -> None:
    assert coderunner("--version").stdout == f"coderunner {__version__}\n"


@behaviour("command-line:script")
def test_the_console_script_is_this_command_line() -> None:
    (script,) = entry_points(group="console_scripts", name="coderunner")
    assert script.load() is __main__.main


@behaviour("command-line:own-modules")
def test_no_file_of_the_current_folder_is_run_in_place_of_a_module(tmp_path: Path) -> None:
    for name in ("argparse", "asyncio", "html", "json", "httpx", "pydantic", "typing_extensions"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the folder')")
    ran = subprocess.run(
        [sys.executable, "-m", "coderunner", "settings"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")


@behaviour("command-line:settings:shown")
def test_settings_are_printed_with_their_sources_and_secrets_masked(tmp_path: Path) -> None:
    (tmp_path / "file.toml").write_text(f"model_key = '{CANARY}'\nport = 8000\n")
    shown = coderunner(
        "settings", "--timeout", "5", "--config", str(tmp_path / "file.toml"), CODERUNNER_TOKEN=CANARY
    )
    rows = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    told = dict(rows)
    assert (shown.returncode, list(told)) == (0, [each.name for each in descriptions()])
    assert CANARY not in shown.stdout + shown.stderr
    assert [told[name] for name in ("timeout", "token", "model_key", "port", "model", "approve")] == [
        "5  (--timeout)",
        "********  (CODERUNNER_TOKEN)",
        f"********  (model_key in {tmp_path}/file.toml)",
        f"8000  (port in {tmp_path}/file.toml)",
        "-  (default)",
        f"{'auto' if available() else 'ask'}  (default)",
    ]


@behaviour("command-line:errors:sentence")
def test_a_wrong_setting_is_one_sentence_and_no_traceback() -> None:
    shown = coderunner("app", "--port", "high", CODERUNNER_TOKEN=CANARY)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr == "coderunner: --port is 'high', but must be a whole number\n"


@behaviour("command-line:errors:sentence")
def test_a_flag_is_not_guessed_from_its_beginning() -> None:
    shown = coderunner("app", "--por", "1")
    assert shown.returncode == 2
    assert "unrecognized arguments: --por" in shown.stderr


@behaviour("command-line:errors:sentence")
def test_an_unknown_flag_is_told_with_the_usage_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("exec", "check"):
        with pytest.raises(SystemExit):
            __main__.main([command, "--bogus"])
        said = capsys.readouterr().err
        assert said.startswith(f"usage: coderunner {command} ")
        assert said.endswith(f"coderunner {command}: error: unrecognized arguments: --bogus\n")


@behaviour("command-line:errors:harmless")
def test_an_error_says_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["settings", "--config", "no\x1b]0;owned\x07where"]) == 2
    said = capsys.readouterr().err
    assert "no�]0;owned�where cannot be read" in said
    assert said.removesuffix("\n").isprintable()


@behaviour("command-line:errors:extra")
def test_a_missing_extra_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "gradio.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'gradio'\", name='gradio')\n"
    )
    shown = coderunner("app", "--demo", PYTHONPATH=f"{tmp_path}{os.pathsep}extension")
    assert (shown.returncode, shown.stdout) == (2, "Starting CodeRunner …\n")
    assert shown.stderr == (
        f"coderunner: gradio is not installed; in CodeRunner's folder, run: "
        f"{sys.executable} -m pip install --editable '.[app]'\n"
    )


@behaviour("command-line:console:plain")
def test_a_console_without_our_signs_gets_others(tmp_path: Path) -> None:
    (tmp_path / "gradio.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'gradio'\", name='gradio')\n"
    )
    shown = coderunner(
        "app",
        "--demo",
        PYTHONPATH=f"{tmp_path}{os.pathsep}extension",
        PYTHONIOENCODING="ascii",
        PYTHONUTF8="0",
    )
    assert shown.stdout == "Starting CodeRunner ?\n"


@behaviour("command-line:check:here")
def test_check_runs_a_cell_on_this_machine_and_tells_each_step() -> None:
    shown = coderunner("check")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert {line[0] for line in shown.stdout.splitlines()} == {"✓"}
    assert "in a sandbox" in shown.stdout if available() else "without a sandbox" in shown.stdout
    assert "Hello from Python" in shown.stdout


@behaviour("command-line:check:fault")
def test_check_says_what_is_wrong_and_fails() -> None:
    shown = coderunner("check", "--kernel-name", "nobody")
    assert shown.returncode == 1
    assert shown.stdout.splitlines()[-1].startswith(
        "✗ Kernel 'nobody' is not installed on this machine; it has:"
    )


@behaviour("command-line:check:json")
def test_check_speaks_json_and_keeps_the_token_to_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}/lab?token={CANARY}"
    shown = coderunner("check", "--json", "--server", address)
    report = json.loads(shown.stdout)
    assert (shown.returncode, report["ok"]) == (1, False)
    assert [(finding["step"], finding["ok"]) for finding in report["findings"]] == [
        ("address", True),
        ("reach", False),
    ]
    assert CANARY not in shown.stdout + shown.stderr


@behaviour("command-line:check:records")
def test_check_tries_the_database_for_records_and_changes_nothing_in_it(postgresql: Server) -> None:
    database = postgresql.database()
    shown = coderunner("check", CODERUNNER_RECORDS_URL=postgresql.url(database), CODERUNNER_RECORDS_POOL="7")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.fullmatch(
        rf"✓ Records can be saved in the PostgreSQL database {database} on {postgresql.folder}\. "
        r"PostgreSQL [\d.]+ takes 60 connections; each CodeRunner opens at most 7\.",
        shown.stdout.splitlines()[-1],
    )
    made = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'coderunner%'"
    assert postgresql.execute(made, database) == [(0,)]


@behaviour("command-line:check:records")
def test_check_says_what_is_wrong_with_the_database_for_records() -> None:
    url = f"postgresql://me:{CANARY}@127.0.0.1:1/runs"
    shown = coderunner("check", "--json", CODERUNNER_RECORDS_URL=url)
    report = json.loads(shown.stdout)
    said = (
        "the PostgreSQL database runs on 127.0.0.1 cannot save records: nothing answers there; start the "
        "server, or correct records_url."
    )
    assert (shown.returncode, report["ok"], report["sentence"]) == (1, False, said)
    assert report["findings"][-1]["step"] == "records"
    assert CANARY not in shown.stdout + shown.stderr
