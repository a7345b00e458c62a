"""`docker compose up`, for real: where an engine, docker's compose plugin and an image of Jupyter are.

`CODERUNNER_TEST_IMAGE` names the image, if it is not the one of `docker-compose.yml`; nothing is pulled.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.behaviours import behaviour

REPOSITORY = Path(__file__).parent.parent
IMAGE_VARIABLE = "CODERUNNER_TEST_IMAGE"
WITHIN = 180
"""Seconds for a container to come up, or to go."""

ACTS = {
    "write beside its folders": "open('/made', 'w')",
    "write into the image": "open(__import__('os').__file__, 'a')",
    "see the machine's files": "open({canary!r}).read()",
    "see the machine's processes": "[open(f'/proc/{{each}}/environ', 'rb').read() for each in ('1', '2')][1]",
    "become root": "__import__('os').setuid(0)",
    "mount": "__import__('subprocess').run(['mount', '-t', 'tmpfs', 'none', '/mnt'], check=True)",
}
WAYS_OUT = {
    "reach the machine": "__import__('socket').create_connection((gateway(), {port}), 2)",
    "reach another network": "__import__('socket').create_connection(('192.0.2.1', 443), 2)",
}
KEPT = {
    "keep files in work": "open('kept.txt', 'w').write('kept')",
    "have a home": "open(__import__('os').path.expanduser('~/note'), 'w').write('kept')",
    "run programs": "__import__('subprocess').run(['true'], check=True)",
}
PROGRAM = """
import json
def gateway():
    rows = [line.split() for line in open('/proc/net/route').read().splitlines()[1:]]
    far = [row[2] for row in rows if row[1] == '00000000'] or ['00000000']
    return '.'.join(str(int(far[0][at:at + 2], 16)) for at in (6, 4, 2, 0))
def tried(act):
    try:
        eval(act, globals())
    except Exception as error:
        return f'{{type(error).__name__}}: {{error}}'
    return 'done'
print(json.dumps({{name: tried(act) for name, act in {acts!r}.items()}}))
"""


def docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=WITHIN, check=False, cwd=REPOSITORY
    )


def image() -> str:
    found = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    return os.environ.get(IMAGE_VARIABLE) or str(found["services"]["jupyter"]["image"])


def missing() -> str:
    """What there is not, for these tests to run; empty where all is there."""
    if not shutil.which("docker") or docker("info").returncode != 0:
        return "no container engine runs here"
    if docker("compose", "version").returncode != 0:
        return "the docker compose plugin is not installed"
    if docker("image", "inspect", image()).returncode != 0:
        return f"the engine has no image {image()}; name another one with {IMAGE_VARIABLE}"
    return ""


MISSING = missing()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@dataclass(frozen=True)
class Container:
    address: str
    token_file: Path
    folder: Path
    offline: bool

    def coderunner(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        at = ("--server", self.address, "--token-file", str(self.token_file))
        return subprocess.run(
            [sys.executable, "-m", "coderunner", *arguments, *at],
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )

    def tries(self, acts: dict[str, str]) -> dict[str, str]:
        """What became of each act in a kernel: `done`, or the error."""
        program = self.folder / "program.py"
        program.write_text(PROGRAM.format(acts=acts))
        ran = self.coderunner("exec", str(program))
        assert ran.returncode == 0, ran.stdout + ran.stderr
        found: dict[str, str] = json.loads(ran.stdout)
        return found


@pytest.fixture(scope="module", params=["docker-compose.yml", "docker-compose.offline.yml"])
def container(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    folder = tmp_path_factory.mktemp("container")
    token_file = folder / ".env"
    token_file.write_text(f"JUPYTER_TOKEN={secrets.token_hex(24)}\n")
    files = dict.fromkeys(["docker-compose.yml", request.param])
    override = folder / "override.yml"
    names = [name for each in files for name in yaml_of(each)["services"]]
    override.write_text(yaml.safe_dump({"services": {name: {"image": image()} for name in names}}))
    project = f"coderunner-test-{secrets.token_hex(4)}"
    chosen = [part for each in (*files, str(override)) for part in ("--file", each)]
    compose = ("compose", "--project-name", project, "--env-file", str(token_file), *chosen)
    try:
        up = docker(*compose, "up", "--detach", "--wait", "--pull", "never")
        assert up.returncode == 0, up.stderr
        yield Container("http://127.0.0.1:8888", token_file, folder, "offline" in request.param)
    finally:
        docker(*compose, "down", "--volumes", "--timeout", "5")


class Loader(yaml.SafeLoader):
    """YAML with compose's `!reset`."""


Loader.add_constructor("!reset", lambda _loader, _node: None)


def yaml_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((REPOSITORY / name).read_text(encoding="utf-8"), Loader)
    return found


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary"
    path.write_text("canary")
    return path


@behaviour("compose:container:works")
def test_check_is_content_with_the_container_and_a_cell_runs_in_it(container: Container) -> None:
    checked = container.coderunner("check")
    assert checked.returncode == 0, checked.stdout
    assert container.coderunner("exec", "-c", "print(10 + 5)").stdout == "15\n"
    assert set(container.tries(KEPT).values()) == {"done"}


@behaviour("compose:container:closed")
def test_code_in_the_container_changes_nothing_but_its_folders_and_sees_nothing_of_the_machine(
    container: Container, canary: Path
) -> None:
    acts = {name: act.format(canary=str(canary)) for name, act in ACTS.items()}
    assert [name for name, became in container.tries(acts).items() if became == "done"] == []


@behaviour("compose:container:offline")
def test_without_a_way_out_code_reaches_neither_the_machine_nor_another_network(container: Container) -> None:
    hits: list[str] = []
    with closing(socket.create_server(("0.0.0.0", 0))) as listener:
        threading.Thread(target=_count, args=(listener, hits), daemon=True).start()
        port = listener.getsockname()[1]
        tried = container.tries({name: act.format(port=port) for name, act in WAYS_OUT.items()})
    if container.offline:
        assert "done" not in tried.values()
        assert hits == []
    else:
        assert tried["reach the machine"] == "done", "the probe reaches nothing, so it proves nothing"
        assert len(hits) == 1


def _count(listener: socket.socket, hits: list[str]) -> None:
    try:
        while True:
            connection, (host, _port) = listener.accept()
            hits.append(host)
            connection.close()
    except OSError:
        return


@behaviour("compose:container:closed")
def test_the_server_in_the_container_answers_to_no_other_name_and_wants_its_token(
    container: Container,
) -> None:
    import httpx

    refused = httpx.get(f"{container.address}/api/status", timeout=30)
    named = httpx.get(f"{container.address}/api", headers={"Host": "example.org"}, timeout=30)
    assert (refused.status_code, named.status_code) == (403, 403)
