"""`coderunner kernels`, and work in a kernel that a person has already."""

import io
import json
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coderunner.__main__ import main
from coderunner.errors import NoSuchKernel, NotAgreed
from coderunner.hosts.terminal.kernels_command import lines
from coderunner.kernel.connections.servers.running_kernels import RunningKernel, ago, meant
from coderunner.kernel.connections.servers.running_servers import (
    located,
    marked_yours,
    running_servers,
    with_token,
)
from coderunner.runner import Local, Server, Sessions, existing, label_of
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.kernel.servers import Jupyter, jupyter_server


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token=f"canary-{uuid.uuid4().hex}") as server:
        yield server


@pytest.fixture
def notebook(jupyter: Jupyter) -> Iterator[str]:
    """The id of a kernel that a person has started for a notebook."""
    wanted = {"path": "work/data.ipynb", "name": "data", "type": "notebook", "kernel": {"name": "python3"}}
    session = jupyter.ask("api/sessions", "POST", wanted)
    yield session["kernel"]["id"]
    jupyter.ask(f"api/sessions/{session['id']}", "DELETE")


def run(jupyter: Jupyter, *arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODERUNNER_SERVER", jupyter.url)
        patch.setenv("CODERUNNER_TOKEN", jupyter.token)
        return main([*arguments])


@behaviour("kernels:list:title")
def test_a_kernel_of_a_conversation_is_listed_with_its_title(
    jupyter: Jupyter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell: dict[str, object] = {
        "cell_type": "code",
        "source": "x = 1",
        "metadata": {},
        "execution_count": None,
        "outputs": (),
    }
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    (tmp_path / "Sales.ipynb").write_text(json.dumps(notebook))
    assert main(["import", str(tmp_path / "Sales.ipynb")]) == 0
    label = label_of(capsys.readouterr().out.strip())
    assert run(jupyter, "exec", "--session", label, "-c", "x = 1") == 0
    assert run(jupyter, "kernels") == 0
    assert run(jupyter, "kernels", "--json") == 0
    shown = capsys.readouterr().out
    assert f"conversation {label}: Sales\n" in shown
    told = json.loads(shown[shown.index("[") :])
    assert [each["title"] for each in told if each["conversation"] == label] == ["Sales"]
    jupyter.ask(f"api/sessions/{jupyter.session(f'coderunner/{label}')['id']}", "DELETE")


@behaviour("kernels:list:server")
def test_the_kernels_of_a_server_are_listed_with_what_they_are_for(
    jupyter: Jupyter, notebook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(jupyter, "exec", "--session", "talk", "-c", "x = 1") == 0
    assert run(jupyter, "kernels") == 0
    assert run(jupyter, "kernels", "--json") == 0
    shown = capsys.readouterr().out
    rows = {line.split()[0]: line for line in shown.splitlines()[:3]}
    assert next(iter(rows)) == "kernel"
    assert rows[notebook[:8]].endswith("work/data.ipynb")
    assert any(row.endswith("conversation talk") for row in rows.values())
    told = json.loads(shown[shown.index("[") :])
    kept = {each["path"]: each["conversation"] for each in told}
    assert kept == {"work/data.ipynb": "", "coderunner/talk": "talk"}
    assert all(each["memory"] > 10_000_000 for each in told)
    assert jupyter.token not in shown
    jupyter.ask(f"api/sessions/{jupyter.session('coderunner/talk')['id']}", "DELETE")


@behaviour("kernels:list:harmless")
def test_what_others_called_a_kernel_does_nothing_to_the_terminal(
    jupyter: Jupyter, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {
        "path": "a\x1b]0;owned\x07\nb.ipynb",
        "name": "x",
        "type": "notebook",
        "kernel": {"name": "python3"},
    }
    session = jupyter.ask("api/sessions", "POST", wanted)
    assert run(jupyter, "kernels") == 0
    jupyter.ask(f"api/sessions/{session['id']}", "DELETE")
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "b.ipynb" in line]
    assert row.startswith(session["kernel"]["id"][:8])
    assert row.isprintable()


@behaviour("kernels:list:here")
@pytest.mark.parametrize("sandboxed", [False, True])
async def test_the_kernels_of_this_machine_are_listed_with_what_they_take(
    tmp_path: Path, sandboxed: bool
) -> None:
    sandbox = KernelSandbox() if sandboxed and available() else None
    sessions = Sessions(tmp_path / "work", sandbox=sandbox)
    await sessions.get("talk", Local()).execute("1")
    found = {each.path: each for each in await existing(Local())}
    await sessions.close_all(keep=False)
    ours = found[str(tmp_path / "work" / "talk")]
    assert (ours.memory or 0) > 10_000_000
    assert ago(ours.active).endswith((" s", " min"))


@behaviour("kernels:list:here")
def test_a_column_of_which_nothing_is_known_is_left_out() -> None:
    rows = [("kernel", "spec", "state", "for"), ("12", "-", "-", "conversation a"), ("345", "-", "idle", "-")]
    assert lines(rows) == ["kernel  state  for", "12      -      conversation a", "345     idle   -"]
    assert lines([("No kernel is running.",)]) == ["No kernel is running."]


@behaviour("kernels:attach:variables")
def test_a_program_works_with_the_variables_of_a_persons_notebook_and_leaves_them(
    jupyter: Jupyter, notebook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(jupyter, "exec", "--attach", notebook, "-c", "frame = [10, 5]") == 0
    assert run(jupyter, "exec", "--attach", "data.ipynb", "-c", "print(sum(frame))") == 0
    assert run(jupyter, "exec", "--attach", notebook[:8], "-c", "print(input.__module__)") == 0
    assert run(jupyter, "exec", "--attach", notebook, "-c", "import sys; print(sys.argv == ['-c'])") == 0
    said = capsys.readouterr().out.splitlines()
    assert (said[0], said[-1]) == ("15", "False")
    assert jupyter.kernels() == [notebook]


@behaviour("kernels:attach:verified")
@pytest.mark.parametrize("name", ["nobody", "data", ""])
def test_nothing_is_guessed(jupyter: Jupyter, notebook: str, name: str) -> None:
    found = [
        RunningKernel(notebook, "python3", "idle", "work/data.ipynb", None),
        RunningKernel("another", "python3", "idle", "old/data.ipynb", None),
    ]
    with pytest.raises(NoSuchKernel, match=r"work/data\.ipynb.*another \(old/data\.ipynb\)"):
        meant(found, name)
    with pytest.raises(NoSuchKernel, match=r"'data.ipynb' matches several kernels"):
        meant(found, "data.ipynb")


@behaviour("kernels:attach:busy")
async def test_a_kernel_that_is_busy_for_its_person_is_not_touched(jupyter: Jupyter, notebook: str) -> None:
    where = Server(jupyter.url, Secret(jupyter.token), attach=notebook)
    sessions = Sessions()
    first, second = sessions.get("first", where), sessions.get("second", where)
    await first.execute("import time")
    sleeping = first.begin("time.sleep(600)", deadline=60.0)
    running = second.execute("1")
    told = await running
    for _ in range(100):
        if told.detail.endswith("wait until it finishes"):
            break
        told = await second.execute("1")
    sleeping.interrupt()
    sleeping.wait(30)
    await sessions.close_all(keep=False)
    assert "is busy with another cell" in told.detail
    assert jupyter.kernels() == [notebook]


@behaviour("kernels:attach:kept")
async def test_a_persons_kernel_is_never_restarted_by_itself(jupyter: Jupyter, notebook: str) -> None:
    nap = "    try: time.sleep(0.2)\n    except BaseException: pass"
    stubborn = f"import time\nfor _ in range(60):\n{nap}"
    where = Server(jupyter.url, Secret(jupyter.token), attach=notebook)
    sessions = Sessions()
    ended = await sessions.get("talk", where).execute(stubborn, deadline=0.5)
    await sessions.close_all(keep=False)
    assert ended.status.value == "lost"
    assert jupyter.kernels() == [notebook]


@behaviour("kernels:attach:consent")
async def test_a_persons_kernel_is_restarted_only_by_its_name(jupyter: Jupyter, notebook: str) -> None:
    where = Server(jupyter.url, Secret(jupyter.token), attach=notebook)
    sessions = Sessions()
    theirs = sessions.get("talk", where)
    await theirs.execute("kept = 1")
    for name in ("", "another"):
        with pytest.raises(NotAgreed, match=f"{notebook} is a person's own"):
            await theirs.restart(attached=name)
    before = await theirs.execute("print(kept)")
    await theirs.restart(attached=notebook)
    after = await theirs.execute("print(kept)")
    with pytest.raises(NotAgreed, match="is another one"):
        await sessions.get("ours", replace(where, attach="")).restart(attached=notebook)
    await sessions.close_all(keep=False)
    assert (before.status.value, after.status.value) == ("ok", "error")
    assert jupyter.kernels() == [notebook]


@behaviour("kernels:attach:server")
def test_a_kernel_that_no_server_of_this_machine_has_is_not_attached_to(
    notebook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", "--attach", "nobody.ipynb", "-c", "1"]) == 2
    said = capsys.readouterr().err
    assert "no kernel on the Jupyter servers of this machine matches 'nobody.ipynb'" in said
    assert notebook[:8] in said


@behaviour("kernels:found:attach")
def test_the_server_of_an_open_notebook_is_found_by_itself(
    notebook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", "--attach", "data.ipynb", "-c", "print(10 + 5)"]) == 0
    assert capsys.readouterr().out == "15\n"


@behaviour("kernels:found:list")
def test_the_kernels_of_servers_that_run_here_are_listed_without_an_address(
    jupyter: Jupyter, notebook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernels"]) == 0
    shown = capsys.readouterr().out
    (row,) = [line for line in shown.splitlines() if line.startswith(notebook[:8])]
    port = jupyter.url.rpartition(":")[2]
    assert "work/data.ipynb at http://" in row
    assert row.endswith(f":{port}")
    assert jupyter.token not in shown


@behaviour("kernels:found:several")
def test_a_notebook_that_several_servers_have_open_is_not_guessed(
    jupyter: Jupyter, notebook: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {"path": "old/data.ipynb", "name": "data", "type": "notebook", "kernel": {"name": "python3"}}
    with jupyter_server(tmp_path, token="another") as other:
        other.ask("api/sessions", "POST", wanted)
        assert main(["exec", "--attach", "data.ipynb", "-c", "1"]) == 2
    said = capsys.readouterr().err
    assert "matches kernels on several servers" in said
    assert all(server.url.rpartition(":")[2] in said for server in (jupyter, other))


def left_behind(folder: Path, url: str, *, pid: int = 0, mode: int = 0o600) -> None:
    """A file that says where a server is."""
    file = folder / "jpserver-1.json"
    told = {"url": url, "token": "canary", "pid": pid or os.getpid(), "root_dir": "/work"}
    file.write_text(json.dumps(told))
    file.chmod(mode)


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port on which a process of ours listens."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@behaviour("kernels:found:safe")
@pytest.mark.parametrize(
    ("url", "mode", "pid"),
    [
        ("http://127.0.0.1:{port}/", 0o622, 0),
        ("http://127.0.0.1:{port}/", 0o600, 1 << 22),
        ("http://127.0.0.1:{port}/", 0o600, 1 << 70),
        ("http://127.0.0.1:{port}/", 0o600, -1),
        ("ftp://127.0.0.1:{port}/", 0o600, 0),
        ("http://127.0.0.1:9/", 0o600, 0),
        ("http://127.0.0.1/", 0o600, 0),
        ("http://127.0.0.1:{port}x/", 0o600, 0),
        ("http://[::1/", 0o600, 0),
    ],
)
def test_a_token_goes_to_no_server_that_may_not_be_ours(
    url: str, mode: int, pid: int, port: int, tmp_path: Path
) -> None:
    left_behind(tmp_path, url.format(port=port), mode=mode, pid=pid)
    assert running_servers() == []
    left_behind(tmp_path, f"http://localhost:{port}/")
    (found,) = running_servers()
    assert (found.where, str(found)) == (
        Server(f"http://localhost:{port}", Secret("canary")),
        f"http://localhost:{port} · /work",
    )


@behaviour("kernels:found:safe")
def test_a_file_that_is_a_link_is_not_believed(port: int, tmp_path: Path) -> None:
    left_behind(tmp_path, f"http://localhost:{port}/")
    (tmp_path / "jpserver-1.json").rename(tmp_path / "elsewhere.json")
    (tmp_path / "jpserver-1.json").symlink_to(tmp_path / "elsewhere.json")
    assert running_servers() == []


@behaviour("kernels:found:safe")
def test_a_token_goes_to_this_machine_whatever_the_server_calls_itself(port: int, tmp_path: Path) -> None:
    left_behind(tmp_path, f"http://example.invalid:{port}/base/")
    assert [each.where.url for each in running_servers()] == [f"http://127.0.0.1:{port}/base"]


@behaviour("kernels:found:safe")
def test_the_token_of_a_server_goes_to_its_own_address_alone(port: int, tmp_path: Path) -> None:
    left_behind(tmp_path, f"http://127.0.0.1:{port}/")
    assert with_token(Server(f"http://localhost:{port}/lab")).token == Secret("canary")
    assert with_token(Server(f"http://127.0.0.1:{port}/other")).token == Secret()
    assert with_token(Server("http://127.0.0.1:9")).token == Secret()
    told = marked_yours(Server(f"http://localhost:{port}/lab", Secret("canary")))
    assert told.place.endswith("That server runs on your computer with your permissions.")
    assert marked_yours(other := Server("http://127.0.0.1:9")).place == other.place
    assert with_token(Server("not an address:")).token == Secret()
    for address, token in ((f"http://127.0.0.1:{port}", "canary"), ("http://127.0.0.1:9", "")):
        place = located(load({"server": address}))
        assert isinstance(place, Server)
        assert place.token == Secret(token)
