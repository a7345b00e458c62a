"""What jupyter-server-proxy is told of the app."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

from coderunner.hosts.jupyter import server_process
from coderunner.hosts.jupyter.names import HEADER, NAME, VARIABLE
from tests.behaviours import behaviour
from tests.hosts.app.browsing import EXTENSION


@behaviour("jupyter:entry:offered")
def test_the_entry_point_offers_a_tile_and_starts_the_app_at_a_socket() -> None:
    told = server_process()
    assert told["command"] == [
        *(sys.executable, "-m", "coderunner.hosts.jupyter.start"),
        *("{unix_socket}", "{base_url}"),
    ]
    assert (told["unix_socket"], told["absolute_url"]) == (True, True)
    entry = told["launcher_entry"]
    assert (entry["title"], entry["category"]) == ("CodeRunner", "Notebook")
    assert ElementTree.parse(entry["icon_path"]).getroot().tag.endswith("svg")


@behaviour("jupyter:entry:offered")
def test_the_package_declares_it_under_the_name_that_ends_the_apps_address() -> None:
    text = (EXTENSION.parent / "pyproject.toml").read_text(encoding="utf-8")
    points = tomllib.loads(text)["project"]["entry-points"]["jupyter_serverproxy_servers"]
    assert list(points) == [NAME]
    module, _, name = points[NAME].partition(":")
    assert getattr(import_module(module), name) is server_process


@behaviour("jupyter:entry:secret")
def test_each_server_has_a_secret_that_only_its_requests_carry() -> None:
    first, second = server_process(), server_process()
    secret = first["environment"][VARIABLE]
    assert first["request_headers_override"] == {HEADER: secret}
    assert len(secret) >= 32
    assert secret != second["environment"][VARIABLE]
    assert secret not in str(first["command"])


@behaviour("jupyter:entry:missing")
def test_without_the_apps_packages_there_is_no_tile_and_a_sentence_says_what_to_install(
    tmp_path: Path,
) -> None:
    code = f"import sys; sys.path.insert(0, {str(EXTENSION)!r}); import coderunner.hosts.jupyter as j; "
    run = [sys.executable, "-S", "-c", f"{code}j.server_process()"]
    ended = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    said = ended.stderr.strip().splitlines()[-1]
    assert said.startswith("ModuleNotFoundError: gradio is not installed; run: ")
    assert said.endswith("-m pip install 'coderunner[jupyter]'")
