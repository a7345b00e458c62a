"""`docker compose up`, for real: where an engine, its compose and an image of Jupyter are.

Docker with its plugin, or rootless Podman with `podman-compose`. `CODERUNNER_TEST_IMAGE` names the image,
if it is not the one of `docker-compose.yml`; nothing is pulled.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.behaviours import behaviour

REPOSITORY = Path(__file__).parent.parent
IMAGE_VARIABLE = "CODERUNNER_TEST_IMAGE"
WITHIN = 600
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
    "reach the machine by its bridge": "__import__('socket').create_connection((gateway(), {port}), 2)",
    "reach the machine by its address": "__import__('socket').create_connection(({machine!r}, {port}), 2)",
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


@dataclass(frozen=True)
class Engine:
    """A container engine, and what starts the services of a file in it."""

    program: str
    compose: tuple[str, ...]
    offline: tuple[str, ...]
    """The files of the variant without a way out."""

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return ran(self.program, *arguments)

    @property
    def missing(self) -> str:
        """What there is not, for these tests to run; empty where all is there."""
        if not shutil.which(self.program) or self.run("info").returncode != 0:
            return f"{self.program} does not run here"
        if not shutil.which(self.compose[0]) or ran(*self.compose, "version").returncode != 0:
            return f"{' '.join(self.compose)} is not installed"
        if self.run("image", "inspect", image()).returncode != 0:
            return f"{self.program} has no image {image()}; name another one with {IMAGE_VARIABLE}"
        return ""


def ran(*command: str) -> "subprocess.CompletedProcess[str]":
    # Podman keeps its images and settings where the person's are, not the tests' own.
    own = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_DATA_DIRS")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
        cwd=REPOSITORY,
        env=environment,
    )


def image() -> str:
    found = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    return os.environ.get(IMAGE_VARIABLE) or str(found["services"]["jupyter"]["image"])


ONLINE = ("docker-compose.yml",)
OFFLINE = (*ONLINE, "docker-compose.offline.yml")
DOCKER = Engine("docker", ("docker", "compose"), OFFLINE)
# To one that runs as root, the machine is part of every network.
ROOTLESS = Engine("podman", ("podman-compose",), (*OFFLINE, "docker-compose.podman.yml"))
ENGINES = (DOCKER, ROOTLESS) if os.getuid() else (DOCKER,)
FOUND = [each for each in ENGINES if not each.missing]
# Podman without a fast file system copies the whole image for each container.
pytestmark = [
    pytest.mark.timeout(3 * WITHIN),
    pytest.mark.skipif(not FOUND, reason=" and ".join(sorted({each.missing for each in ENGINES}))),
]


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


@pytest.fixture(
    scope="module",
    params=[(engine, files) for engine in FOUND or (DOCKER,) for files in (ONLINE, engine.offline)],
    ids=lambda param: " ".join((param[0].program, *param[1])),
)
def container(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    engine, files = request.param
    folder = tmp_path_factory.mktemp("container")
    token_file = folder / ".env"
    token_file.write_text(f"JUPYTER_TOKEN={secrets.token_hex(24)}\n")
    override = folder / "override.yml"
    names = {name for each in files for name in yaml_of(each).get("services", ())}
    override.write_text(yaml.safe_dump({"services": {name: {"image": image()} for name in names}}))
    chosen = [part for each in (*files, str(override)) for part in ("--file", each)]
    project = ("--project-name", f"coderunner-test-{secrets.token_hex(4)}", "--env-file", str(token_file))
    compose = (*engine.compose, *project, *chosen)
    try:
        up = ran(*compose, "up", "--detach")
        assert up.returncode == 0, up.stderr
        answered("http://127.0.0.1:8888/api")
        yield Container("http://127.0.0.1:8888", token_file, folder, files == engine.offline)
    finally:
        ran(*compose, "down", "--volumes", "--timeout", "5")


def answered(address: str) -> None:
    """Waits until a server says something of its own, at most `WITHIN` seconds."""
    until = time.monotonic() + WITHIN
    while True:
        try:
            if httpx.get(address, timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < until, f"nothing answers at {address}"
        time.sleep(0.2)


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
        machine = own_address()
        acts = {name: act.format(port=port, machine=machine) for name, act in WAYS_OUT.items()}
        tried = container.tries(acts)
    if container.offline:
        assert "done" not in tried.values()
        assert hits == []
    else:
        done = [
            name
            for name, became in tried.items()
            if name.startswith("reach the machine") and became == "done"
        ]
        assert done != [], "the probes reach nothing, so they prove nothing"
        assert len(hits) == len(done)


def own_address() -> str:
    """The address from which this machine speaks to others; nothing is sent."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as way:
        way.connect(("192.0.2.1", 9))
        return str(way.getsockname()[0])


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
    refused = httpx.get(f"{container.address}/api/status", timeout=30)
    named = httpx.get(f"{container.address}/api", headers={"Host": "example.org"}, timeout=30)
    assert (refused.status_code, named.status_code) == (403, 403)
