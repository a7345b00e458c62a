"""The person's settings, with what their Jupyter server decides."""

import os

from coderunner.hosts.app.choices import chosen_model
from coderunner.hosts.jupyter.names import NAME
from coderunner.runner import server_of
from coderunner.secret_value import Secret
from coderunner.settings.settings import DEFAULT, Settings, load

HUB = "JUPYTERHUB_SERVICE_PREFIX"
"""Is set where a Hub has started the Jupyter server."""


def settings_of(base_url: str, process: int, token: Secret) -> Settings:
    """The person's settings, and what the Jupyter server decides, which runs as `process`.

    Raises SettingsError.
    """
    decided: dict[str, object] = {"base_path": f"{base_url}{NAME}", "login": False, "open_browser": "no"}
    settings = load(decided)
    if not settings.server:
        server = server_of(process, base_url, token)
        decided |= {"server": server.url, "token": server.token}
        if settings.source("server_folder") == DEFAULT:
            # What JupyterLab shows at its top, so that code finds a person's files by their names.
            decided["server_folder"] = "/"
    if os.environ.get(HUB) and not settings.model_url and chosen_model.read(settings.data_dir) is None:
        # What listens on a machine of many may be anybody's: a model there is not used unless it is chosen.
        decided["demo"] = True
    return load(decided)
