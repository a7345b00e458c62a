"""Which Jupyter server the app uses: the one that has started it."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from coderunner.errors import SettingsError
from coderunner.hosts.app.choices import chosen_model
from coderunner.hosts.jupyter.own_settings import HUB, settings_of
from coderunner.models.endpoint.client import Endpoint
from coderunner.runner import Server, location_of, server_of
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.servers import Jupyter, jupyter_server

HUBS = Secret("of-the-hub")
PID = 4_000_000
"""A number that no process has."""


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where servers write down what they are."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "runtime").mkdir(mode=0o700)
    return tmp_path / "runtime"


@pytest.fixture
def jupyter(runtime: Path, tmp_path: Path) -> Iterator[Jupyter]:
    """A real server, below a path as on a Hub, and another one beside it."""
    first, second = tmp_path / "first", tmp_path / "second"
    for each in (first, second):
        each.mkdir()
    with (
        jupyter_server(first, "--ServerApp.base_url=/user/ann/", token="hers") as hers,
        jupyter_server(second, "--ServerApp.base_url=/user/ann/", token="other"),
    ):
        yield hers


def written(runtime: Path, **told: Any) -> None:
    """A file as a server writes it."""
    usual = {
        "hostname": "127.0.0.1",
        "port": 8888,
        "base_url": "/user/ann/",
        "token": "",
        "pid": PID,
        "secure": False,
        "sock": "",
    }
    file = runtime / f"jpserver-{PID}.json"
    file.write_text(json.dumps(usual | told))
    file.chmod(0o600)


@behaviour("jupyter:server:own")
def test_the_server_that_started_the_app_is_used_with_its_token(jupyter: Jupyter) -> None:
    assert server_of(jupyter.process.pid, "/user/ann/", HUBS) == Server(jupyter.url, Secret("hers"))


@behaviour("jupyter:server:unknown")
def test_another_process_or_another_path_is_another_server(jupyter: Jupyter) -> None:
    for process, base in ((os.getpid(), "/user/ann/"), (jupyter.process.pid, "/user/bob/")):
        with pytest.raises(SettingsError, match=rf"jpserver-{process}\.json; set the server and its token"):
            server_of(process, base, HUBS)


REACHED: list[tuple[Mapping[str, Any], str]] = [
    ({}, "http://127.0.0.1:8888/user/ann"),
    ({"hostname": "0.0.0.0"}, "http://127.0.0.1:8888/user/ann"),
    ({"hostname": "::"}, "http://127.0.0.1:8888/user/ann"),
    ({"hostname": "::1"}, "http://[::1]:8888/user/ann"),
    ({"hostname": "10.1.2.3"}, "http://10.1.2.3:8888/user/ann"),
    ({"hostname": "node7"}, "http://node7:8888/user/ann"),
    ({"hostname": "localhost", "secure": True}, "https://localhost:8888/user/ann"),
    ({"hostname": "localhost", "base_url": "/"}, "http://localhost:8888"),
    ({"base_url": "/user/ann/lab/"}, "http://127.0.0.1:8888/user/ann/lab/lab"),
]


@behaviour("jupyter:server:reached")
@pytest.mark.parametrize(("told", "url"), REACHED, ids=str)
def test_an_address_is_one_that_this_machine_reaches(
    told: Mapping[str, Any], url: str, runtime: Path
) -> None:
    written(runtime, **told)
    assert server_of(PID, told.get("base_url", "/user/ann/"), HUBS) == Server(url, HUBS)


BROKEN: list[Mapping[str, Any]] = [
    {"pid": PID + 1},
    {"pid": str(PID)},
    {"port": "8888"},
    {"hostname": ""},
    {"hostname": None},
    {"base_url": "/user/"},
    {"sock": "/run/jupyter.sock"},
]


@behaviour("jupyter:server:unknown")
@pytest.mark.parametrize("told", BROKEN, ids=str)
def test_what_a_file_does_not_say_is_not_guessed(told: Mapping[str, Any], runtime: Path) -> None:
    written(runtime, **told)
    with pytest.raises(SettingsError):
        server_of(PID, "/user/ann/", HUBS)


@behaviour("jupyter:server:unknown")
def test_a_file_that_others_may_write_says_nothing(runtime: Path) -> None:
    written(runtime)
    (runtime / f"jpserver-{PID}.json").chmod(0o666)
    with pytest.raises(SettingsError):
        server_of(PID, "/user/ann/", HUBS)


@behaviour("jupyter:settings:models")
@pytest.mark.parametrize(
    ("hub", "model", "demo"),
    [("/user/ann/", "", True), ("/user/ann/", "http://m/v1", False), ("", "", False)],
)
def test_on_a_hub_the_demo_is_the_model_until_one_is_chosen(
    hub: str, model: str, demo: bool, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(runtime)
    monkeypatch.setenv(HUB, hub)
    monkeypatch.setenv("CODERUNNER_MODEL_URL", model)
    settings = settings_of("/user/ann/", PID, HUBS)
    assert (settings.demo, settings.login, settings.base_path) == (demo, False, "/user/ann/coderunner")
    assert (settings.server, settings.token) == ("http://127.0.0.1:8888/user/ann", HUBS)


@behaviour("jupyter:settings:model-kept")
def test_on_a_hub_the_model_that_a_person_chose_is_there_after_a_restart(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(runtime)
    monkeypatch.setenv(HUB, "/user/ann/")
    chosen_model.keep(tmp_path / "data", Endpoint("http://127.0.0.1:11434/v1", model="qwen3"))
    assert not settings_of("/user/ann/", PID, HUBS).demo
    chosen_model.keep(tmp_path / "data", None)
    assert settings_of("/user/ann/", PID, HUBS).demo


@behaviour("jupyter:settings:chosen")
def test_a_server_of_the_persons_choice_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODERUNNER_SERVER", "http://elsewhere:8888")
    monkeypatch.setenv("CODERUNNER_TOKEN", "mine")
    settings = settings_of("/user/ann/", PID, HUBS)
    assert (settings.server, settings.token) == ("http://elsewhere:8888", Secret("mine"))


@behaviour("jupyter:settings:folder")
@pytest.mark.parametrize(
    ("file", "folder"), [("", "/"), ('server_folder = "sales"', "sales"), ('server_folder = ""', "")]
)
def test_kernels_start_in_the_folder_of_jupyterlab_unless_the_person_has_chosen(
    file: str, folder: str, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(runtime)
    config = tmp_path / "own.toml"
    config.write_text(file)
    monkeypatch.setenv("CODERUNNER_CONFIG", str(config))
    settings = settings_of("/user/ann/", PID, HUBS)
    assert settings.server_folder == folder
    assert location_of(settings) == Server(settings.server, HUBS, folder=folder)
