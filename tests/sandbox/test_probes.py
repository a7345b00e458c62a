"""Acts that a sandbox is there to refuse, in real kernels: they succeed outside, and in no sandbox."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import pytest
import pytest_asyncio

from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.sandbox.backends import Backend
from tests.behaviours import behaviour
from tests.sandbox.backends_here import EVERYWHERE, printed, sessions_in
from tests.sandbox.probe_sentences import SENTENCES, Silence
from tests.sandbox.probes import PROBES, Probe

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform != "linux", reason="the probes are about Linux"),
]


@dataclass
class Scene:
    """What probes are about: a home, another conversation, another process, servers of others."""

    place: Path
    names: dict[str, str] = field(default_factory=dict)
    held: ExitStack = field(default_factory=ExitStack)

    def set_up(self) -> None:
        """Put out everything that no probe changes."""
        home, token = self.place / "home", uuid.uuid4().hex
        self.names = {
            "home": str(home),
            "data": str(home / "data"),
            "tmp": str(self.place),
            "other": str(self.place / "work" / "other"),
            "environment": sys.prefix,
            "parent": str(os.getpid()),
            "token": token,
            "shared": f"coderunner-{token}",
        }
        self.refresh()
        wait = "import sys, time; file = open('canary.txt'); print(1, flush=True); time.sleep(600)"
        victim = subprocess.Popen(
            [sys.executable, "-c", wait, token],
            cwd=home,
            env={**os.environ, "CANARY": token},
            stdout=subprocess.PIPE,
        )
        self.held.enter_context(victim)
        self.held.callback(victim.kill)
        assert victim.stdout is not None
        victim.stdout.readline()
        self.names["victim"] = str(victim.pid)
        self._serve()

    def _serve(self) -> None:
        self.names["address"] = own_address()
        self.names["port"] = str(self._listen(socket.AF_INET, ("", 0)))
        with suppress(OSError):
            self.names["port6"] = str(self._listen(socket.AF_INET6, ("::1", 0)))
        self._listen(socket.AF_UNIX, f"{self.place}/s")
        self._listen(socket.AF_UNIX, f"{self.place}/home/s")
        self._listen(socket.AF_UNIX, "\0" + self.names["token"])
        answering = self.held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        answering.bind(("127.0.0.1", 0))
        self.names["datagrams"] = str(answering.getsockname()[1])

        def answer() -> None:
            with suppress(OSError):
                answering.sendto(b"heard", answering.recvfrom(100)[1])

        loop = asyncio.get_running_loop()
        loop.add_reader(answering, answer)
        self.held.callback(loop.remove_reader, answering)

    def _listen(self, family: socket.AddressFamily, address: str | tuple[str, int]) -> int:
        server = self.held.enter_context(socket.socket(family))
        server.bind(address)
        server.listen(64)
        name = server.getsockname()
        return int(name[1]) if isinstance(name, tuple) else 0

    def refresh(self) -> dict[str, str]:
        """Put out again what a probe may have taken or changed."""
        home, other = Path(self.names["home"]), Path(self.names["other"])
        for folder in (home / ".ssh", home / "data", other):
            folder.mkdir(parents=True, exist_ok=True)
        for path in (
            *(home / name for name in ("canary.txt", "empty.txt", "remove.txt", "take.txt")),
            *(home / ".ssh" / "id_canary", home / "data" / "records.db", home / "data" / "config.toml"),
            *(other / "own.txt", self.place / "canary.txt", Path("/dev/shm") / self.names["shared"]),
        ):
            path.write_text(self.names["token"])
            path.chmod(0o600)
            (path.parent / f"listed-{self.names['token']}").touch()
        self.names["free"] = uuid.uuid4().hex
        return self.names

    def looks(self) -> list[tuple[object, ...]]:
        """What a probe may have changed, as it is now."""
        found: list[tuple[object, ...]] = []
        for folder in (self.place, self.place / "home", Path(self.names["other"])):
            for path in sorted(folder.iterdir()):
                if path.is_file():
                    it = path.stat()
                    found.append((path, path.read_bytes(), it.st_mode, it.st_mtime_ns, os.listxattr(path)))
        found += [(path, path.exists()) for path in self._elsewhere()]
        return found

    def _elsewhere(self) -> list[Path]:
        return [
            Path(sys.prefix) / "coderunner-probe.txt",
            *(Path(each) / "coderunner-probe" for each in ("/etc", "/usr")),
        ]

    def clear(self) -> None:
        """Leave nothing behind."""
        self.held.close()
        shared = Path("/dev/shm")
        for left in (*self._elsewhere(), *shared.glob(f"*{self.names['token']}")):
            left.unlink(missing_ok=True)
        shutil.rmtree(self.place)


def own_address() -> str:
    """This machine's address in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
            return str(one.getsockname()[0])
        except OSError:
            return "127.0.0.2"


@dataclass(frozen=True, slots=True)
class Rooms:
    """A kernel in each backend, in the same scene."""

    scene: Scene
    sessions: dict[Backend, Sessions]
    became: dict[tuple[Backend, str], tuple[str, list[str]]] = field(default_factory=dict)

    def room(self, backend: Backend) -> Session:
        return self.sessions[backend].get("one", Local())

    async def run(self, backend: Backend, probe: Probe) -> tuple[str, list[str]]:
        """What became of an act: `reached`, or `refused` and what the program saw; and what is said of it."""
        if (backend, probe.name) not in self.became:
            self.became[backend, probe.name] = await self._run(backend, probe)
        return self.became[backend, probe.name]

    async def _run(self, backend: Backend, probe: Probe) -> tuple[str, list[str]]:
        source = probe.source(self.scene.refresh())
        before = self.scene.looks()
        result = await self.room(backend).execute(source)
        said, told = printed(result), [each.sentence for each in result.refusals]
        if probe.changes:
            changed = self.scene.looks() != before
            said = "reached" if changed else said.replace("reached", "refused: it is its own")
        return said, told

    def sentences(self, backend: Backend, probe: Probe) -> list[str]:
        """What shall be said of an act in a backend."""
        told = SENTENCES[probe.name]
        told = told[backend] if isinstance(told, dict) else told
        return [] if isinstance(told, Silence) else [Template(told).substitute(self.scene.names)]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home folder, in place of the person's. Its path is short, for sockets in it."""
    place, before = Path(tempfile.mkdtemp(prefix="cr-", dir="/tmp")), os.environ["HOME"]
    os.environ["HOME"] = str(place / "home")
    yield place
    os.environ["HOME"] = before


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def rooms(home: Path) -> AsyncIterator[Rooms]:
    scene = Scene(home)
    scene.set_up()
    data = (Path(scene.names["data"]),)
    all_of_them = {
        backend: sessions_in(backend, home / "work" / backend, hidden=data) for backend in EVERYWHERE
    }
    where = "from ipykernel.connect import get_connection_file; print(get_connection_file())"
    connection = printed(await all_of_them["none"].get("neighbour", Local()).execute(where))
    scene.names |= {"connection": connection, "kernel": connection.replace("kernel.json", "kernel-ipc-1")}
    scene.names["kernel"] = next(str(each) for each in Path(connection).parent.iterdir() if each.is_socket())
    yield Rooms(scene, all_of_them)
    for sessions in all_of_them.values():
        await sessions.close_all()
    scene.clear()


@behaviour("sandbox:probes:refused")
@pytest.mark.parametrize("backend", EVERYWHERE)
@pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])
async def test_an_act_succeeds_without_a_sandbox_alone(
    rooms: Rooms, request: pytest.FixtureRequest, probe: Probe, backend: Backend
) -> None:
    skip_what_cannot_be_tried(rooms, probe, backend)
    said, _ = await rooms.run(backend, probe)
    request.node.user_properties.append(("probe", [probe.name, backend, said]))
    assert said.startswith("reached" if backend == "none" else "refused: "), said


@behaviour("sandbox:probes:told")
@pytest.mark.parametrize("backend", EVERYWHERE)
@pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])
async def test_of_an_act_that_is_refused_it_is_said_what_was(
    rooms: Rooms, probe: Probe, backend: Backend
) -> None:
    skip_what_cannot_be_tried(rooms, probe, backend)
    _, told = await rooms.run(backend, probe)
    assert told == ([] if backend == "none" else rooms.sentences(backend, probe))


def skip_what_cannot_be_tried(rooms: Rooms, probe: Probe, backend: Backend) -> None:
    if "$port6" in probe.body and "port6" not in rooms.scene.names:
        pytest.skip("this machine has no IPv6")
    if backend == "none" and not probe.outside:
        pytest.skip("only an administrator can do it")
    if backend == "namespaces" and probe.own_home:
        pytest.skip("the home folder is the kernel's own there")
