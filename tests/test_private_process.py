"""What another program of the same user finds of ours, measured on real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coderunner.settings.settings import load
from tests.behaviours import behaviour

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows these")

CANARY = "canary-51c09e77-4b1d2a60"
SECONDS = 90
EXTENSION = str(Path(__file__).parent.parent / "extension")

LOOK = """
import ctypes, json, os, subprocess, sys
from coderunner.private_process import forget_variables, hide_memory
forget_variables(["CODERUNNER_MODEL_KEY", "OPENAI_API_KEY", "NOT_THERE"])
hide_memory()
dumpable = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
child = subprocess.run([sys.executable, "-c", dumpable], capture_output=True, text=True)
print(json.dumps({
    "environ": dict(os.environ),
    "proc": open("/proc/self/environ", "rb").read().decode(),
    "libc": subprocess.run(["env"], capture_output=True, text=True).stdout,
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "child": int(child.stdout),
    "files": len(os.listdir("/proc/self/fd")) > 2,
}))
"""


@behaviour("process:secrets:forgotten")
def test_a_variable_that_is_forgotten_is_nowhere_and_all_others_are_as_they_were() -> None:
    others = {"A": "1", "CODERUNNER_MODEL": "kept", "Z_LAST": "x" * 5000, "PYTHONPATH": EXTENSION}
    secret = {"CODERUNNER_MODEL_KEY": CANARY, "openai_api_key": CANARY}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env={**secret, **others}, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert CANARY not in done.stdout
    assert {name: found["environ"].get(name) for name in others} == others
    for place in ("proc", "libc"):
        assert all(f"{name}={value}" in found[place] for name, value in others.items())


@behaviour("process:memory:hidden")
def test_the_memory_is_hidden_and_what_it_starts_is_as_any_program() -> None:
    environment = {"PYTHONPATH": EXTENSION}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert (found["dumpable"], found["child"], found["files"]) == (0, 1, True)


COMMANDS = {
    "app": (["app", "--demo", "--port", "0", "--open-browser", "no"], "CodeRunner is at"),
    "proxy": (["proxy", "--port", "0", "--allow-local-kernel"], "http://"),
    "mcp": (["mcp", "--http", "--port", "0", "--allow-local-kernel"], "http://"),
    "exec": (["exec", "-c", "import time; print('up', flush=True); time.sleep(60)"], "up"),
}


@behaviour("process:secrets:forgotten")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_runs_has_no_secret_in_its_environment(name: str, tmp_path: Path) -> None:
    arguments, sign = COMMANDS[name]
    values = dict.fromkeys(load().secret_variables, CANARY) | {
        "CODERUNNER_SERVER": "",
        "CODERUNNER_METRICS_KEY": f"{CANARY}-of-metrics",  # no key of a user
        "CODERUNNER_SCOPED_KEY": f"ada:{CANARY}-of-a-reader:read",
        "CODERUNNER_RECORDS_URL": f"sqlite:///{tmp_path}/{CANARY}.db",
        "CODERUNNER_MODEL_URL": "http://127.0.0.1:9/v1",
        "CODERUNNER_SANDBOX_SECRETS": "API_KEY=api.example.com@$KEY_OF_AN_API",
        "KEY_OF_AN_API": CANARY,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "coderunner", *arguments, "--data-dir", str(tmp_path)],
        env={**os.environ, **values, "PYTHONPATH": EXTENSION},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = ""
        while sign not in told:
            line = process.stdout.readline()
            assert line, told
            told += line
        try:
            assert CANARY.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes()
        except PermissionError:
            assert os.geteuid() != 0  # only root may look at all
        if os.geteuid() != 0:
            assert Path(f"/proc/{process.pid}").stat().st_uid == 0
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)
