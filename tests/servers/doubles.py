"""What stands in for the real servers in `make test`: the same contract holds on both."""

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.servers.place import Place
from tests.servers.process import free_port, process, slow_kernel

REPOSITORY = Path(__file__).parents[2]


@contextlib.contextmanager
def stock(folder: Path, *options: str, **environment: str) -> Iterator[Place]:
    """The Jupyter Server of our own environment."""
    port, token = free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}"),
        *("--KernelManager.transport=ipc", "--KernelManager.shutdown_wait_time=1", *options),
    ]
    ours = {"JUPYTER_TOKEN": token, "PYTHONPATH": str(REPOSITORY)} | slow_kernel(folder, sys.executable)
    with process(command, f"{url}/api", folder, os.environ | ours | environment) as running:
        yield Place(url, token, pid=running.pid)


@contextlib.contextmanager
def gateway(folder: Path, *, lists: bool = False, enterprise: bool = False) -> Iterator[Place]:
    """A gateway."""
    options = (
        "--ServerApp.jpserver_extensions={'tests.servers.gateway_double': True}",
        "--ServerApp.session_manager_class=tests.servers.gateway_double.SessionRows",
    )
    environment = {
        "CODERUNNER_TEST_GATEWAY_LISTS": "1" if lists else "",
        "CODERUNNER_TEST_GATEWAY_ENTERPRISE": "1" if enterprise else "",
        "CODERUNNER_TEST_GATEWAY_ROOT": "1" if enterprise else "",
    }
    setting = "EnterpriseGatewayApp" if enterprise else "JupyterWebsocketPersonality"
    with stock(folder, *options, **environment) as place:
        yield replace(place, lists=lists, setting=f"{setting}.list_kernels")


@contextlib.contextmanager
def documents(folder: Path) -> Iterator[Place]:
    """A Jupyter Server with jupyter-server-documents."""
    bridge = "--ServerApp.kernel_websocket_connection_class=tests.servers.documents_double.Bridge"
    with stock(folder, bridge) as place:
        yield place


DOUBLES: dict[str, Callable[[Path], contextlib.AbstractContextManager[Place]]] = {
    "a gateway": lambda folder: gateway(folder),
    "a gateway, lists": lambda folder: gateway(folder, lists=True),
    "an enterprise gateway": lambda folder: gateway(folder, enterprise=True),
    "documents on a server": documents,
}
