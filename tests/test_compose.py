"""The container that `docker compose up` gives is as closed as we say."""

import copy
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.behaviours import behaviour

REPOSITORY = Path(__file__).parent.parent
Service = dict[str, Any]
Change = Callable[[Service], object]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def options(mount: str) -> set[str]:
    return set(mount.partition(":")[2].split(","))


def tmpfs_are_tame(service: Service) -> bool:
    mounts = service["tmpfs"]
    return all(
        {"nosuid", "nodev"} <= options(mount) and re.search(r"\bsize=\d+[mg]\b", mount) for mount in mounts
    )


def published_on_loopback(service: Service) -> bool:
    return all(isinstance(port, dict) and port.get("host_ip") == "127.0.0.1" for port in service["ports"])


def token_is_required(service: Service) -> bool:
    return str(service["environment"].get("JUPYTER_TOKEN", "")).startswith("${JUPYTER_TOKEN:?")


def token_stays_out_of_sight(service: Service) -> bool:
    return not re.search("(?i)token", str(service["command"]) + str(service["healthcheck"]))


def volumes_are_named(service: Service) -> bool:
    return all(isinstance(each, dict) and each["type"] == "volume" for each in service["volumes"])


def argument(text: str) -> Callable[[Service], bool]:
    return lambda service: text in service["command"]


def positive(name: str) -> Callable[[Service], bool]:
    def found(service: Service) -> bool:
        values = [each.partition("=")[2] for each in service["command"] if each.startswith(f"--{name}=")]
        return len(values) == 1 and values[0].isdigit() and int(values[0]) > 0

    return found


POLICY: dict[str, Callable[[Service], Any]] = {
    "the user is a number and not root": lambda s: re.fullmatch(r"[1-9]\d*:\d+", str(s["user"])),
    "the file system is read-only": lambda s: s["read_only"] is True,
    "each tmpfs has a size, and no devices or set-user-id files": tmpfs_are_tame,
    "the home is in a tmpfs": lambda s: (
        f"{s['environment']['HOME']}:" in [mount.partition(":")[0] + ":" for mount in s["tmpfs"]]
    ),
    "a tmpfs has no option that Podman refuses": lambda s: not re.search("[ug]id=", str(s["tmpfs"])),
    "no capability is left": lambda s: s["cap_drop"] == ["ALL"] and not s.get("cap_add"),
    "no privilege can be gained": lambda s: s["security_opt"] == ["no-new-privileges:true"],
    "it is not privileged": lambda s: not s.get("privileged"),
    "it shares no namespace with the host": lambda s: (
        not {"pid", "ipc", "network_mode", "userns_mode"} & s.keys()
    ),
    "it has no devices": lambda s: not s.get("devices"),
    "processes are limited": lambda s: 0 < s["pids_limit"] <= 1024,
    "memory is limited": lambda s: re.fullmatch(r"\d+[mg]", str(s["mem_limit"])),
    "there is no swap beyond the memory": lambda s: s["memswap_limit"] == s["mem_limit"],
    "processors are limited": lambda s: float(s["cpus"]) > 0,
    "open files are limited": lambda s: 0 < s["ulimits"]["nofile"] <= 65_536,
    "no core is dumped": lambda s: s["ulimits"]["core"] == 0,
    "an init reaps the dead": lambda s: s["init"] is True,
    "the port is open to this machine only": published_on_loopback,
    "the token is required": token_is_required,
    "the token stands in no command": token_stays_out_of_sight,
    "no file of the host is mounted": volumes_are_named,
    "the image has a dated tag": lambda s: re.fullmatch(
        r"quay\.io/jupyter/[a-z-]+:\d{4}-\d\d-\d\d(@sha256:[0-9a-f]{64})?", s["image"]
    ),
    "nothing is built": lambda s: "build" not in s,
    "its health is looked at without a token": lambda s: "/api'" in str(s["healthcheck"]["test"]),
    "the log cannot fill the disk": lambda s: {"max-size", "max-file"} <= s["logging"]["options"].keys(),
    "it comes back after a crash": lambda s: s["restart"] == "unless-stopped",
    "foreign host names are refused": argument("--ServerApp.allow_remote_access=False"),
    "terminals are off": argument("--ServerApp.terminals_enabled=False"),
    "kernels talk over private sockets": argument("--KernelManager.transport=ipc"),
    "idle kernels are culled": positive("MappingKernelManager.cull_idle_timeout"),
    "also those that we are connected to": argument("--MappingKernelManager.cull_connected=True"),
    "the origin of requests is checked": lambda s: not re.search("allow_origin|disable_check_xsrf", str(s)),
}


def violations(service: Service) -> list[str]:
    """The rules that `service` breaks; what is missing breaks its rule."""

    def kept(rule: Callable[[Service], Any]) -> bool:
        try:
            return bool(rule(service))
        except (KeyError, TypeError, ValueError):
            return False

    return [name for name, rule in POLICY.items() if not kept(rule)]


@behaviour("compose:policy:kept")
def test_the_server_keeps_to_the_policy() -> None:
    assert violations(compose()["services"]["jupyter"]) == []


@behaviour("compose:policy:kept")
def test_there_is_nothing_but_the_server_and_its_volume() -> None:
    found = compose()
    assert (list(found["services"]), found["volumes"]) == (["jupyter"], {"work": None})


SERVERS_OWN = (
    "home is in|token|answers|health|host names|terminals|kernels|culled|connected|host is mounted|tmpfs has"
)
"""Rules about what only the server has, its home and its arguments; a relay has none."""


@behaviour("compose:policy:offline")
def test_the_variant_without_a_way_out_changes_the_network_alone() -> None:
    text = (REPOSITORY / "docker-compose.offline.yml").read_text(encoding="utf-8")
    found = yaml.safe_load(text.replace("!reset ", ""))
    relay = found["services"].pop("relay")
    assert found["services"] == {"jupyter": {"ports": [], "networks": ["closed"]}}
    assert found["networks"]["closed"]["internal"] is True
    assert relay["image"] == compose()["services"]["jupyter"]["image"]
    assert relay["ports"] == compose()["services"]["jupyter"]["ports"]
    assert [each for each in violations(relay) if not re.search(SERVERS_OWN, each)] == []


@behaviour("compose:policy:offline")
def test_for_podman_the_network_without_a_way_out_only_loses_options_of_docker() -> None:
    text = (REPOSITORY / "docker-compose.podman.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(text.replace("!reset ", "")) == {"networks": {"closed": {"driver_opts": {}}}}


def without(name: str) -> Change:
    return lambda service: service.pop(name)


def with_(name: str, value: object) -> Change:
    return lambda service: service.__setitem__(name, value)


def unsaid(start: str) -> Change:
    return lambda service: service.update(
        command=[each for each in service["command"] if not each.startswith(f"--{start}")]
    )


def said(start: str, instead: str) -> Change:
    return lambda service: service.update(
        command=[instead if each.startswith(f"--{start}") else each for each in service["command"]]
    )


LOOSENED: list[tuple[str, Change]] = [
    ("the user is a number and not root", without("user")),
    ("the user is a number and not root", with_("user", "root")),
    ("the user is a number and not root", with_("user", "0:0")),
    ("the file system is read-only", without("read_only")),
    (
        "each tmpfs has a size, and no devices or set-user-id files",
        with_("tmpfs", ["/home/jovyan:nosuid,nodev"]),
    ),
    (
        "each tmpfs has a size, and no devices or set-user-id files",
        with_("tmpfs", ["/home/jovyan:size=1g,nodev"]),
    ),
    ("the home is in a tmpfs", with_("tmpfs", ["/run:size=1g,nosuid,nodev"])),
    ("the home is in a tmpfs", lambda service: service["environment"].pop("HOME")),
    (
        "a tmpfs has no option that Podman refuses",
        with_("tmpfs", ["/tmp:size=1g,nosuid,nodev,uid=1000"]),
    ),
    ("no capability is left", without("cap_drop")),
    ("no capability is left", with_("cap_add", ["SYS_PTRACE"])),
    ("no privilege can be gained", without("security_opt")),
    ("no privilege can be gained", with_("security_opt", ["no-new-privileges:true", "seccomp:unconfined"])),
    ("it is not privileged", with_("privileged", value=True)),
    ("it shares no namespace with the host", with_("network_mode", "host")),
    ("it shares no namespace with the host", with_("pid", "host")),
    ("it has no devices", with_("devices", ["/dev/kvm"])),
    ("processes are limited", without("pids_limit")),
    ("processes are limited", with_("pids_limit", -1)),
    ("memory is limited", with_("mem_limit", "lots")),
    ("there is no swap beyond the memory", without("memswap_limit")),
    ("there is no swap beyond the memory", with_("memswap_limit", "8g")),
    ("processors are limited", without("cpus")),
    ("open files are limited", lambda service: service["ulimits"].pop("nofile")),
    ("no core is dumped", lambda service: service["ulimits"].pop("core")),
    ("an init reaps the dead", without("init")),
    ("the port is open to this machine only", with_("ports", ["8888:8888"])),
    ("the port is open to this machine only", lambda service: service["ports"][0].update(host_ip="0.0.0.0")),
    ("the port is open to this machine only", lambda service: service["ports"][0].pop("host_ip")),
    ("the token is required", with_("environment", {})),
    ("the token is required", with_("environment", {"JUPYTER_TOKEN": "${JUPYTER_TOKEN:-secret}"})),
    ("the token is required", with_("environment", {"JUPYTER_TOKEN": ""})),
    (
        "the token stands in no command",
        lambda service: service["command"].append("--IdentityProvider.token=a"),
    ),
    ("no file of the host is mounted", with_("volumes", ["~:/home/jovyan/work"])),
    (
        "no file of the host is mounted",
        with_("volumes", [{"type": "bind", "source": "/var/run/docker.sock"}]),
    ),
    ("the image has a dated tag", with_("image", "quay.io/jupyter/scipy-notebook:latest")),
    ("the image has a dated tag", with_("image", "jupyter/scipy-notebook:2023-10-20")),
    ("nothing is built", with_("build", ".")),
    ("its health is looked at without a token", without("healthcheck")),
    ("the log cannot fill the disk", without("logging")),
    ("it comes back after a crash", without("restart")),
    ("foreign host names are refused", unsaid("ServerApp.allow_remote_access")),
    ("terminals are off", unsaid("ServerApp.terminals_enabled")),
    ("kernels talk over private sockets", unsaid("KernelManager.transport")),
    ("idle kernels are culled", unsaid("MappingKernelManager.cull_idle_timeout")),
    (
        "idle kernels are culled",
        said("MappingKernelManager.cull_idle_timeout", "--MappingKernelManager.cull_idle_timeout=0"),
    ),
    ("also those that we are connected to", unsaid("MappingKernelManager.cull_connected")),
    (
        "the origin of requests is checked",
        lambda service: service["command"].append("--ServerApp.allow_origin=*"),
    ),
]


@behaviour("compose:policy:bites")
@pytest.mark.parametrize(
    ("rule", "loosen"), LOOSENED, ids=[f"{n}-{name}" for n, (name, _) in enumerate(LOOSENED)]
)
def test_a_loosened_server_breaks_the_rule_about_it(rule: str, loosen: Change) -> None:
    service = copy.deepcopy(compose()["services"]["jupyter"])
    loosen(service)
    assert rule in violations(service)


@behaviour("compose:policy:bites")
def test_every_rule_has_something_that_breaks_it() -> None:
    assert POLICY.keys() - {rule for rule, _ in LOOSENED} == set()


@behaviour("compose:arguments:known")
def test_the_server_knows_every_argument_that_we_give_it() -> None:
    """jupyter_server accepts unknown arguments in silence: a misspelt one would loosen the server unseen."""
    from jupyter_client.manager import KernelManager
    from jupyter_client.restarter import KernelRestarter
    from jupyter_server.serverapp import ServerApp
    from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
    from traitlets import HasTraits

    classes: list[type[HasTraits]] = [
        ServerApp,
        KernelManager,
        KernelRestarter,
        MappingKernelManager,
        ZMQChannelsWebsocketConnection,
    ]
    known = {f"--{each.__name__}.{name}" for each in classes for name in each.class_trait_names(config=True)}
    given = {each.partition("=")[0] for each in compose()["services"]["jupyter"]["command"][1:]}
    assert given - known == set()


def docker_compose(directory: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if name != "JUPYTER_TOKEN"}
    return subprocess.run(
        [
            "docker",
            "compose",
            "--project-directory",
            directory,
            "-f",
            REPOSITORY / "docker-compose.yml",
            "config",
            "-q",
        ],
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def has_docker_compose() -> bool:
    """Whether the plugin is there; the daemon need not be."""
    if not (docker := shutil.which("docker")):
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


@behaviour("compose:token:required")
@pytest.mark.skipif(not has_docker_compose(), reason="the docker compose plugin is not installed")
def test_docker_compose_takes_the_file_with_a_token_and_refuses_it_without(tmp_path: Path) -> None:
    assert docker_compose(tmp_path, {"JUPYTER_TOKEN": "x" * 48}).returncode == 0
    refused = docker_compose(tmp_path, {})
    assert refused.returncode != 0
    assert "make token" in refused.stderr


@behaviour("compose:token:made")
def test_make_token_writes_a_long_token_for_its_owner_only(tmp_path: Path) -> None:
    command = ["make", "-f", str(REPOSITORY / "Makefile"), "token"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    first = (tmp_path / ".env").read_text()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert re.fullmatch(r"JUPYTER_TOKEN=[0-9a-f]{48}\n", first)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".env").read_text() == first
