"""The app as jupyter-server-proxy starts it: at a socket, for whoever the Jupyter server has let in."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from coderunner.hosts.jupyter.names import HEADER, VARIABLE
from coderunner.hosts.jupyter.start import HUB_TOKEN
from coderunner.hosts.jupyter.waiting_page import STARTING
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, EXTENSION

SECRET, TOKEN, KEY = "the-way-in-of-this-test", "the-token-of-a-hub", "the-key-of-a-model"
BASE = "/user/ann/"
HOST = "hub.example.org"
PAGE = {HEADER: SECRET, "Accept": "text/html,*/*", "Host": HOST}


@dataclass(frozen=True, slots=True)
class Started:
    """An app that has been started."""

    process: "subprocess.Popen[str]"
    place: Path
    """Its socket."""

    def client(self) -> httpx.Client:
        """A program that connects to its socket."""
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.place)), base_url=f"http://{HOST}", timeout=BOUND
        )

    def get(self, path: str = f"{BASE}coderunner/", **headers: str) -> httpx.Response:
        """What it answers."""
        with self.client() as one:
            return one.get(path, headers=headers or PAGE)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as one:
            return one.connect_ex(str(self.place)) == 0

    def when(self, words: str) -> httpx.Response:
        """Its page, once that has these words."""
        end, pause = time.monotonic() + BOUND, threading.Event()
        while True:
            if self._listens() and words in (answer := self.get()).text:
                return answer
            assert time.monotonic() < end
            assert self.process.poll() is None
            pause.wait(0.1)


@contextlib.contextmanager
def started(folder: Path, *before: str, server: bool = True) -> Iterator[Started]:
    """Start it, with this process in the place of the Jupyter server; `before`: what runs it."""
    place = folder / "place"
    runtime = folder / "runtime"
    for each in (place, runtime):
        each.mkdir(mode=0o700, exist_ok=True)
    file = runtime / f"jpserver-{os.getpid()}.json"
    told = {"hostname": "127.0.0.1", "port": 9, "base_url": BASE, "token": "", "pid": os.getpid()}
    file.write_text(json.dumps(told if server else {}))
    file.chmod(0o600)
    environment = {
        **os.environ,
        "PYTHONPATH": str(EXTENSION),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "CODERUNNER_DATA_DIR": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "CODERUNNER_DEMO": "true",
        VARIABLE: SECRET,
        HUB_TOKEN: TOKEN,
        "CODERUNNER_MODEL_KEY": KEY,
    }
    command = [sys.executable, "-m", "coderunner.hosts.jupyter.start", str(place / "socket"), BASE]
    process = subprocess.Popen([*before, *command], env=environment, text=True, stderr=subprocess.PIPE)
    try:
        yield Started(process, place / "socket")
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Started, httpx.Response]]:
    """An app that has started, and the first page of it that could be had."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "place").mkdir(mode=0o700)
    # What an app that was killed has left.
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "place" / "socket"))
    with started(folder) as one:
        first = one.when("CodeRunner")
        one.when("gradio")
        yield one, first


@behaviour("jupyter:start:waits")
def test_while_it_starts_its_page_says_so_and_looks_again(app: tuple[Started, httpx.Response]) -> None:
    _, first = app
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-store")
    assert STARTING in first.text
    assert 'http-equiv="refresh"' in first.text


@behaviour("jupyter:start:again")
def test_what_an_earlier_app_left_at_its_socket_is_replaced(app: tuple[Started, httpx.Response]) -> None:
    assert stat.S_ISSOCK(app[0].place.stat().st_mode)


@behaviour("jupyter:start:private")
def test_only_its_person_may_connect_to_the_socket(app: tuple[Started, httpx.Response]) -> None:
    assert stat.S_IMODE(app[0].place.stat().st_mode) == 0o600


@behaviour("jupyter:way-in:page")
def test_whom_the_jupyter_server_lets_in_has_the_page_without_a_form(
    app: tuple[Started, httpx.Response],
) -> None:
    answer = app[0].get()
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert f"{BASE}coderunner/coderunner/public/host.js" in answer.text


@behaviour("jupyter:way-in")
@pytest.mark.parametrize("path", ["", "gradio_api/info", "coderunner/socket", "coderunner/public/frame.js"])
def test_who_has_found_the_socket_gets_nothing(path: str, app: tuple[Started, httpx.Response]) -> None:
    answer = app[0].get(f"{BASE}coderunner/{path}", Host="127.0.0.1", Accept="text/html")
    assert (answer.status_code, answer.text) == (403, "Open CodeRunner from the launcher of your JupyterLab.")


@behaviour("jupyter:way-in:other-page")
@pytest.mark.parametrize(
    "more", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str
)
def test_a_page_of_another_address_is_refused(
    more: dict[str, str], app: tuple[Started, httpx.Response]
) -> None:
    assert app[0].get(**PAGE, **more).status_code == 403


@behaviour("jupyter:start:secrets")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_neither_secret_nor_token_is_in_what_it_was_started_with(
    app: tuple[Started, httpx.Response],
) -> None:
    process = Path("/proc", str(app[0].process.pid))
    text = (process / "cmdline").read_bytes()
    with contextlib.suppress(PermissionError):  # root alone may read it
        text += (process / "environ").read_bytes()
    assert [each for each in (SECRET, TOKEN, KEY) if each.encode() in text] == []


@behaviour("jupyter:start:fails")
def test_an_app_that_cannot_start_says_why_and_tries_again_when_it_is_asked(tmp_path: Path) -> None:
    with started(tmp_path, server=False) as one:
        answer = one.when("cannot start")
        assert f"jpserver-{os.getpid()}.json; set the server and its token" in answer.text
        assert "refresh" not in answer.text
        config = tmp_path / "config" / "coderunner"
        config.mkdir(parents=True)
        (config / "config.toml").write_text('max_blocks = "many"')
        # The first of these requests asks again, and is told that it starts.
        assert STARTING in one.get().text
        assert "must be a whole number" in one.when("cannot start").text
        assert one.process.poll() is None


@behaviour("jupyter:start:fails")
def test_a_stranger_and_a_script_do_not_count_as_having_seen_it(tmp_path: Path) -> None:
    with started(tmp_path, server=False) as one:
        one.when(STARTING)
        for headers in ({"Host": HOST, "Accept": "text/html"}, {HEADER: SECRET, "Accept": "*/*"}):
            answer = one.get(**headers)
            assert (answer.status_code, answer.text) == (503, "")
        assert one.process.poll() is None
        one.when("cannot start")


@behaviour("jupyter:end:with-server")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_what_has_started_it(how: signal.Signals, tmp_path: Path) -> None:
    # The shell stands for the Jupyter server here, so that it can be ended.
    with started(tmp_path, "sh", "-c", '"$@" & wait', "-", server=False) as one:
        one.when(STARTING)
        one.process.send_signal(how)
        one.process.wait(BOUND)
        assert one.process.stderr is not None
        # It has the pipe as well, which is closed when the last program that has it ends.
        ended = threading.Thread(target=one.process.stderr.read, daemon=True)
        ended.start()
        ended.join(BOUND)
        assert not ended.is_alive()
