"""The real servers: each from a venv of its own, started as its documentation says.

`make test-servers` builds the venvs that `versions.txt` names, and says in CODERUNNER_TEST_SERVERS where.
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.place import HubPlace, Place
from tests.servers.process import START, answers, asked, free_port, process, slow_kernel, until

VENVS = os.environ.get("CODERUNNER_TEST_SERVERS", "")


@dataclass(frozen=True, slots=True)
class Venv:
    """Where the programs of one line of `versions.txt` are."""

    name: str

    def __truediv__(self, program: str) -> str:
        return str(Path(VENVS, self.name, "bin", program).absolute())

    @property
    def modules(self) -> Path:
        """Where the programs are that npm installed."""
        return Path(VENVS, self.name, "node_modules", ".bin").absolute()

    def environment(self, folder: Path) -> dict[str, str]:
        """The programs there come first, also those that a server starts itself; `folder` is the server's."""
        folders = [Path(VENVS, self.name, "bin"), Path(VENVS, "node", "node_modules", ".bin")]
        path = os.pathsep.join([*(str(folder.absolute()) for folder in folders), os.environ["PATH"]])
        return os.environ | {"PATH": path} | slow_kernel(folder, self / "python")


@contextlib.contextmanager
def jupyter(venv: str, folder: Path, *options: str) -> Iterator[Place]:
    """A Jupyter Server, with whatever its venv adds to it."""
    place, port, token = Venv(venv), free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    command = [
        *(place / "jupyter-server", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}", *options),
    ]
    with process(command, f"{url}/api", folder, place.environment(folder) | {"JUPYTER_TOKEN": token}):
        yield Place(url, token)


@contextlib.contextmanager
def kernel_gateway(folder: Path, *options: str) -> Iterator[Place]:
    """A kernel gateway as it comes: its lists are forbidden."""
    venv, port, token = Venv("kernel_gateway"), free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    command = [
        *(venv / "jupyter-kernelgateway", "--KernelGatewayApp.ip=127.0.0.1"),
        *(f"--KernelGatewayApp.port={port}", f"--KernelGatewayApp.auth_token={token}", *options),
    ]
    with process(command, f"{url}/api", folder, venv.environment(folder)):
        yield Place(url, token, lists=bool(options), setting="JupyterWebsocketPersonality.list_kernels")


@contextlib.contextmanager
def enterprise_gateway(folder: Path, *options: str) -> Iterator[Place]:
    """An enterprise gateway as it comes: its lists are forbidden, and root must not start kernels."""
    venv, port, token = Venv("enterprise_gateway"), free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    command = [
        *(venv / "jupyter-enterprisegateway", "--EnterpriseGatewayApp.ip=127.0.0.1"),
        *(f"--EnterpriseGatewayApp.port={port}", f"--EnterpriseGatewayApp.auth_token={token}", *options),
    ]
    with process(command, f"{url}/api", folder, venv.environment(folder)):
        setting = "EnterpriseGatewayApp.list_kernels"
        yield Place(url, token, lists=bool(options), setting=setting)


@contextlib.contextmanager
def through_gateway(folder: Path) -> Iterator[Place]:
    """A Jupyter Server that has its kernels on a kernel gateway."""
    lists = "--JupyterWebsocketPersonality.list_kernels=True"
    with kernel_gateway(folder, lists) as gateway:
        options = (f"--GatewayClient.url={gateway.url}", f"--GatewayClient.auth_token={gateway.token}")
        with jupyter("jupyter_server", folder, *options) as place:
            yield place


@contextlib.contextmanager
def jupyverse(folder: Path) -> Iterator[Place]:
    """A jupyverse, with the authentication that has a token."""
    venv, port, token = Venv("jupyverse"), free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    command = [
        *(venv / "jupyverse", "--port", str(port), "--timeout", "90", "--set", "auth.mode=token"),
        *("--set", f"auth.token={token}"),
    ]
    with process(command, url, folder, venv.environment(folder)):
        yield Place(url, token)


CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "{url}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.auth_token = "{token}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {{"ann", "bob"}}
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 1}}
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
c.Spawner.environment = {{"JUPYTER_PATH": "{kernels}"}}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{{"name": "tests", "api_token": "{token}", "admin": True}}]

import asyncio
from pathlib import Path
from jupyterhub.spawner import SimpleLocalProcessSpawner


class Spawner(SimpleLocalProcessSpawner):
    async def start(self):
        if self.name == "broken":
            raise RuntimeError("there is no room left")
        while self.name in ("soon", "held", "lost") and not Path("{folder}", f"let-{{self.name}}").exists():
            await asyncio.sleep(0.1)
        return await super().start()

    async def progress(self):
        yield {{"progress": 30, "message": "Looking for a place"}}


c.JupyterHub.spawner_class = Spawner
"""


@contextlib.contextmanager
def hub(folder: Path) -> Iterator[HubPlace]:
    """A Hub with two users and, of one, a named server that runs and one that has been stopped."""
    venv, port, admin = Venv("hub"), free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    config = CONFIG.format(
        url=url,
        hub_port=free_port(),
        proxy_port=free_port(),
        token=admin,
        kernels=folder / "jupyter",
        folder=folder,
        patience=int(START),  # a machine under load takes longer than the Hub's own half minute
    )
    (folder / "config.py").write_text(config)
    command = [venv / "jupyterhub", "-f", str(folder / "config.py")]
    with process(command, f"{url}/hub/api", folder, venv.environment(folder)):
        until(lambda: answers(f"{url}/hub/api", well=True))  # its proxy is there first, and leads nowhere
        ann, bob = [
            str(asked(f"{url}/hub/api/users/{user}/tokens", admin, "POST")["token"])
            for user in ("ann", "bob")
        ]
        scopes = {"scopes": ["access:servers!user=ann", "read:users!user=ann"]}
        small = str(asked(f"{url}/hub/api/users/ann/tokens", ann, "POST", scopes)["token"])
        servers = f"{url}/hub/api/users/ann/servers"
        for name in ("old", "late", "held", "lost", "broken"):
            asked(f"{servers}/{name}", ann, "PUT")
        for name in ("work", "soon"):
            asked(f"{servers}/{name}", ann, "POST")
        until(lambda: servers_of(url, ann).get("work", {}).get("ready"))
        yield HubPlace(url, ann, bob, small, lambda name: (folder / f"let-{name}").touch(), real=True)


def servers_of(url: str, token: str) -> dict[str, dict[str, object]]:
    """The servers of whose token it is that do not rest."""
    servers: dict[str, dict[str, object]] = asked(f"{url}/hub/api/user", token)["servers"]
    return servers


@contextlib.contextmanager
def on_hub(folder: Path) -> Iterator[Place]:
    """A person's server on a Hub."""
    with hub(folder) as place:
        yield Place(f"{place.url}/user/ann/work", place.token)


SERVERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Place]]] = {
    "jupyter_server": lambda folder: jupyter("jupyter_server", folder),
    "kernel_gateway": lambda folder: kernel_gateway(folder),
    "kernel_gateway, lists": lambda folder: kernel_gateway(
        folder, "--JupyterWebsocketPersonality.list_kernels=True"
    ),
    "enterprise_gateway": lambda folder: enterprise_gateway(folder),
    "enterprise_gateway, lists": lambda folder: enterprise_gateway(
        *(folder, "--EnterpriseGatewayApp.list_kernels=True"),
        "--EnterpriseGatewayApp.unauthorized_users=nobody",  # as if it were run by somebody else than root
    ),
    "gateway_url": through_gateway,
    "documents": lambda folder: jupyter("documents", folder),
    "collaboration": lambda folder: jupyter("collaboration", folder),
    "hub": on_hub,
}
