"""The manifest for Kubernetes: its own settings start a proxy, and what it names is there."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import yaml

from coderunner.settings.settings import Settings
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot
from tests.hosts.proxy.conftest import ALICE
from tests.hosts.proxy.processes import ProxyProcess, proxy_process

DEPLOY = Path(__file__).parents[3] / "deploy"


def objects() -> dict[str, Any]:
    """What the manifest has, by kind."""
    every = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
    return {each["kind"]: each for each in every}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[ProxyProcess]:
    """A proxy with the manifest's settings and secrets; addresses, keys and folders are the test's."""
    made = objects()
    secrets = dict(made["Secret"]["stringData"])
    secrets["records.url"] = f"sqlite:///{tmp_path}/records.db"
    secrets["team.toml"] = secrets["team.toml"].replace("0" * 64, hashlib.sha256(ALICE.encode()).hexdigest())
    for name, text in secrets.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o440)
    config = made["ConfigMap"]["data"]["config.toml"].replace("/etc/coderunner/secrets", str(tmp_path))
    (tmp_path / "config.toml").write_text(config)
    flags = ("--config", str(tmp_path / "config.toml"), "--host", "127.0.0.1")
    with served(Parrot) as upstream, proxy_process(tmp_path, f"{upstream}/v1", *flags) as running:
        yield running


@behaviour("proxy:deploy:kubernetes")
def test_the_settings_and_secrets_of_the_manifest_start_a_proxy_that_its_probes_and_clients_reach(
    proxy: ProxyProcess,
) -> None:
    made = objects()
    (container,) = made["Deployment"]["spec"]["template"]["spec"]["containers"]
    for name in ("livenessProbe", "readinessProbe"):
        probe = container[name]["httpGet"]
        headers = {each["name"]: each["value"] for each in probe["httpHeaders"]}
        assert proxy.http.get(probe["path"], headers=headers).status_code == 200, name
    (rule,) = made["Ingress"]["spec"]["rules"]
    from_outside = {"Host": rule["host"], "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.9"}
    names = proxy.client(ALICE, default_headers=from_outside).models.list()
    assert "parrot" in [each.id for each in names]
    with pytest.raises(openai.AuthenticationError):
        proxy.client("no key of anybody's", default_headers=from_outside).models.list()


@behaviour("proxy:deploy:kubernetes")
def test_what_the_manifest_names_is_there() -> None:
    made = objects()
    pod = made["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    config = made["ConfigMap"]["data"]["config.toml"]
    written = dict(re.findall(r"^(\w+) = (.+)$", config, re.MULTILINE))
    assert written.keys() <= Settings.model_fields.keys()
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    assert set(mounts.values()) == {each["name"] for each in pod["volumes"]}
    assert container["args"] == ["--config", next(path for path in mounts if path.endswith("config.toml"))]
    assert written["data_dir"].strip('"') in mounts
    read = {Path(value.strip('"')) for name, value in written.items() if name.endswith("_file")}
    assert read == {Path("/etc/coderunner/secrets") / name for name in made["Secret"]["stringData"]}
    assert pod["terminationGracePeriodSeconds"] >= int(written["drain_timeout"]) + 10
    (port,) = container["ports"]
    assert port["containerPort"] == int(written["port"])
    (rule,) = made["Ingress"]["spec"]["rules"]
    assert written["public_url"] == f'"https://{rule["host"]}"'
    (service,) = made["Service"]["spec"]["ports"]
    assert service["targetPort"] == port["name"]
    labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert (
        labels == made["Service"]["spec"]["selector"] == made["Deployment"]["spec"]["selector"]["matchLabels"]
    )
    image = (DEPLOY / "proxy.Dockerfile").read_text(encoding="utf-8")
    assert container["image"].partition(":")[0] in image
    assert f"USER {pod['securityContext']['runAsUser']}" in image
