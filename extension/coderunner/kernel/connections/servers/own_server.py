"""The Jupyter server that has started us: it and no other, by what it has written down of itself."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from coderunner.errors import SettingsError
from coderunner.kernel.connections.servers.running_servers import told_by
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.server_address import lasting
from coderunner.secret_value import Secret


def server_of(process: int, base_url: str, token: Secret) -> Server:
    """Return the server that runs as `process` and has that base URL, such as `/user/ann/`.

    `token` is for a server that has none of its own, as on a Hub. Raises SettingsError.
    """
    file = Path(jupyter_runtime_dir(), f"jpserver-{process}.json")
    told = told_by(file)
    if told.get("pid") != process or told.get("base_url") != base_url or not (url := _address(told)):
        raise SettingsError(
            f"the address of the Jupyter server that has started CodeRunner is not in {file}; "
            "set the server and its token"
        )
    own = told.get("token")
    return Server(url, Secret(own) if isinstance(own, str) and own else token)


def _address(told: Mapping[str, object]) -> str:
    """Where this machine reaches a server; empty where it does not say so or listens on no port."""
    match told:
        case {"hostname": str(host), "port": int(port), "base_url": str(base)} if host and not told.get(
            "sock"
        ):
            scheme = "https" if told.get("secure") else "http"
            return lasting(f"{scheme}://{_reached(host)}:{port}{base}")
        case _:
            return ""


def _reached(host: str) -> str:
    """A host as an address has it; for a server that listens everywhere, this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1"
    return f"[{address}]" if address.version == 6 else str(address)
