"""What the app for several people refuses to start with, and what a person's process is told."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.errors import SettingsError
from coderunner.hosts.team import server
from coderunner.hosts.team.handover import Handover
from coderunner.hosts.team.person_process import of_one
from coderunner.secret_value import Secret
from coderunner.settings import handed_on
from coderunner.settings.code_secrets import CodeSecret
from coderunner.settings.settings import Settings, load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, EXTENSION
from tests.hosts.team.place import HEADER, SECRET

ENOUGH = {
    "user_header": HEADER,
    "public_url": "https://chat.example.org",
    "socket": "/run/coderunner/app",
    "sandbox": "on",
}
EVERYTHING = {
    "model_url": "http://127.0.0.1:1/v1",
    "continuations": "gpt-*=tools, qwen3=raw",
    "sandbox_read": "/srv/data",
    "sandbox_network": "example.org,packages",
    "timeout": 12.5,
    "max_blocks": 3,
    "base_path": "/coderunner",
    "demo": True,
}


def start(settings: Settings) -> None:
    """What is checked before the app listens."""
    server.prove_itself(settings)
    server.allow(settings)


@behaviour("team:start:settings")
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"socket": None}, "nothing proves that a request comes from your reverse proxy"),
        ({"public_url": ""}, "public_url has to say at which address browsers reach it"),
        ({"records_url": "sqlite:///x.db"}, "records_url is one database for all"),
        ({"server": "http://h", "attach": "x"}, "gives everybody the same kernel"),
        ({"server": "http://127.0.0.1:1"}, "each one's code can reach the kernels of all"),
        ({"sandbox": "off"}, "without a sandbox, so each one's code could read the others' files"),
    ],
)
def test_settings_that_let_people_see_what_is_anothers_are_refused(
    chosen: Mapping[str, object], said: str
) -> None:
    values = {name: value for name, value in {**ENOUGH, **chosen}.items() if value is not None}
    sealed = {name: Secret(str(values.pop(name))) for name in ("records_url",) if name in values}
    with pytest.raises(SettingsError, match=said):
        start(load(values).model_copy(update=sealed))


@behaviour("team:start:settings")
def test_the_secret_of_the_proxy_crosses_no_network() -> None:
    chosen = load({"user_header": HEADER, "host": "0.0.0.0"})
    with pytest.raises(SettingsError, match="unencrypted"):
        server.listen(chosen)


@behaviour("team:start:settings")
@pytest.mark.parametrize("name", ["X Forwarded", "X-User:", "é", "X-User\n"])
def test_the_name_of_a_header_is_one(name: str) -> None:
    with pytest.raises(SettingsError, match="must be the name of a header"):
        load({"user_header": name})


def hub_module() -> ModuleType:
    """What needs the package of the Hub."""
    pytest.importorskip("jupyterhub")
    return importlib.import_module("coderunner.hosts.team.hub")


@behaviour("team:hub:service")
def test_the_app_is_no_service_without_a_hub(tmp_path: Path) -> None:
    pytest.importorskip("jupyterhub")
    command = [sys.executable, "-m", "coderunner", "app", "--hub", f"--data-dir={tmp_path}"]
    found = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTERHUB")}
    environment = {**found, "PYTHONPATH": str(EXTENSION)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=BOUND)
    assert done.returncode == 2
    assert done.stderr.startswith("coderunner: hub is set, but this process is no service of a JupyterHub")


@behaviour("team:hub:service")
def test_the_hub_decides_where_its_service_is(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_module()
    for name, value in {
        "SERVICE_PREFIX": "/base/services/chat/",
        "SERVICE_URL": "http://127.0.0.1:7871",
        "API_TOKEN": "canary",
        "OAUTH_CLIENT_ALLOWED_SCOPES": '["access:servers!user"]',
    }.items():
        monkeypatch.setenv(f"JUPYTERHUB_{name}", value)
    chosen = hub.as_service(load({"public_url": "https://hub.example.org"}))
    assert (chosen.base_path, chosen.host, chosen.port) == ("/base/services/chat", "127.0.0.1", 7871)
    assert hub.own_servers()
    server.allow(chosen.model_copy(update={"sandbox": "off"}), apart=True)


@behaviour("team:hub:service")
@pytest.mark.parametrize("scopes", ["", "[]", "nonsense", '"access:servers"', '["read:users"]'])
def test_without_their_own_servers_people_need_a_sandbox(
    monkeypatch: pytest.MonkeyPatch, scopes: str
) -> None:
    hub = hub_module()
    monkeypatch.setenv("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES", scopes)
    assert not hub.own_servers()


@behaviour("team:start:handed-on")
def test_settings_arrive_as_they_were_secrets_included() -> None:
    secrets = {name: Secret(f"canary of {name}") for name in ("token", "model_key")}
    code = (CodeSecret("KEY", "example.org", 443, Secret("canary of code"), "VARIABLE"),)
    before = load(EVERYTHING).model_copy(update={**secrets, "sandbox_secrets": code})
    after = handed_on.read(handed_on.written(before).reveal())
    assert after.model_dump() == before.model_dump()
    assert (after.model_key.reveal(), after.sandbox_secrets[0].value.reveal()) == (
        "canary of model_key",
        "canary of code",
    )
    assert after.source("max_tokens") == before.source("max_tokens") == "default"
    assert "canary" not in str(handed_on.written(before))


@behaviour("team:start:handed-on")
def test_a_persons_app_gets_nothing_that_lets_people_in(tmp_path: Path) -> None:
    whole = load({**EVERYTHING, "user_header": HEADER, "public_url": "https://chat.example.org:8443"})
    own = of_one(whole.model_copy(update={"proxy_secret": Secret(SECRET)}), tmp_path)
    told = Handover(own, tmp_path / "socket", Secret("key"), Path("/data"))
    again = Handover.read(told.written())
    assert again.settings.model_dump() == told.settings.model_dump()
    assert (again.socket, again.key, again.operators) == (told.socket, told.key, told.operators)
    assert SECRET.encode() not in told.written()
    assert (own.data_dir, own.sandbox, own.login, own.host) == (tmp_path, "on", False, "chat.example.org")


def served(temporary: str, settings: Mapping[str, object]) -> "subprocess.Popen[str]":
    """The command line's own app for several people, at a Unix socket."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    return subprocess.Popen(
        [sys.executable, "-m", "coderunner", "app", "--demo", *flags],
        env={**os.environ, "PYTHONPATH": str(EXTENSION), "TMPDIR": temporary},
        stdout=subprocess.PIPE,
        text=True,
    )


@behaviour("team:people:end")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_that_ends_the_front_ends_the_apps(tmp_path: Path, how: signal.Signals) -> None:
    socket = tmp_path / "app"
    given = {**ENOUGH, "socket": socket, "data_dir": tmp_path / "data", "sandbox": "auto"}
    temporary = tempfile.mkdtemp()  # short, as the path of a socket has to be
    process = served(temporary, given)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert f"It listens at {socket}" in lines[-1]
        assert socket.stat().st_mode & 0o777 == 0o660
        headers = {HEADER: "ada", "Host": "chat.example.org"}
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), timeout=BOUND) as client:
            assert "<gradio-app" in client.get("http://app/", headers=headers).text
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(how)
        process.wait(BOUND)
    finally:
        process.kill()
        process.communicate()
    assert psutil.wait_procs(children, timeout=BOUND)[1] == []
    assert (tmp_path / "data" / "people").is_dir()
    left = list(Path(temporary).glob("coderunner-people-*"))
    assert bool(left) == (how == signal.SIGKILL)  # nobody is left to remove it
    shutil.rmtree(temporary)
