"""How the proxy is opened, and whom it lets in."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from coderunner.access.access_settings import load_api_keys
from coderunner.errors import SettingsError
from coderunner.hosts.proxy.server import allow, endpoint_of
from coderunner.models.endpoint.client import Endpoint
from coderunner.sandbox.backends import available
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, BOB, RUNS, WAIT, Open
from tests.models.conftest import Serve

EXTENSION = Path(__file__).parents[3] / "extension"
SERVER = "http://127.0.0.1:8888"


@behaviour("proxy:open:refuses")
@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (
            {"approve": "ask", "server": SERVER},
            "the proxy cannot ask anybody; set it to auto, or to off",
        ),
        ({"sandbox": "off"}, "--allow-local-kernel if clients may do everything"),
        ({"sandbox": "off", "approve": "auto"}, "the setting sandbox is off.*--allow-local-kernel"),
        ({"server": SERVER, "host": "0.0.0.0"}, "host is 0.0.0.0.*--api-key-file"),
        ({"allow_local_kernel": True, "host": "192.0.2.1"}, "host is 192.0.2.1.*--api-key-file"),
    ],
)
def test_what_would_let_people_run_code_who_must_not_is_refused(
    chosen: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        allow(load(chosen))


@behaviour("proxy:open:allowed")
@pytest.mark.parametrize(
    "chosen",
    [
        {"server": SERVER},
        {"approve": "off"},
        {"sandbox": "off", "allow_local_kernel": True},
        {"server": SERVER, "host": "0.0.0.0", "api_key": ALICE},
    ],
)
def test_everything_else_is_opened(chosen: dict[str, Any]) -> None:
    allow(load(chosen))


@behaviour("proxy:open:refuses")
def test_one_kernel_for_all_is_refused_where_there_are_several_people() -> None:
    chosen = {"server": SERVER, "attach": "data.ipynb", "api_key": ALICE}
    assert load_api_keys(load(chosen), "proxy", print)
    with pytest.raises(SettingsError, match="there are 2 keys for separate users"):
        load_api_keys(load({**chosen, "api_key": f"{ALICE} {BOB}"}), "proxy", print)


@behaviour("proxy:open:apart")
def test_several_people_have_kernels_of_this_machine_only_where_these_are_kept_apart(tmp_path: Path) -> None:
    local = {"allow_local_kernel": True, "data_dir": tmp_path}
    several = {**local, "api_key": f"{ALICE} {BOB}"}
    with pytest.raises(SettingsError, match=r"read the others' keys.*setting sandbox is off.*--server"):
        load_api_keys(load({**several, "sandbox": "off"}), "proxy", print)
    for chosen in (
        {**local, "sandbox": "off"},
        {**local, "sandbox": "off", "api_key": ALICE},
        {**several, "sandbox": "off", "approve": "off"},
        {**several, "sandbox": "off", "server": SERVER},
    ):
        assert load_api_keys(load(chosen), "proxy", lambda _: None)
    if available():
        assert load_api_keys(load(several), "proxy", print)
    else:
        with pytest.raises(SettingsError, match="read the others' keys"):
            load_api_keys(load(several), "proxy", print)


PATHS = ("/v1/chat/completions", "/v1/models", "/v1/embeddings", "/", "/anything")


@behaviour("proxy:open:key")
@pytest.mark.parametrize("key", ["", "wrong", f"{ALICE}x", ALICE[:-1]])
def test_nothing_is_answered_without_a_key(opened: Open, serve: Serve, key: str) -> None:
    served = serve("vllm")
    proxied = opened(served.url)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=proxied.url, headers=headers, trust_env=False, timeout=WAIT) as http:
        for path in PATHS:
            for method in ("GET", "POST", "DELETE", "OPTIONS"):
                answer = http.request(method, path)
                assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
                assert not [name for name in answer.headers if name.startswith("access-control")]
                said = "This key is not one of the proxy's" if key else "Send the proxy's key"
                assert said in answer.json()["error"]["message"]
    with pytest.raises(openai.AuthenticationError, match="This key is not one of the proxy's"):
        list(proxied.client(key or "none").models.list())
    assert served.asked == []


@behaviour("proxy:open:gate")
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_other_names_and_other_pages_are_kept_out_even_with_a_key(
    opened: Open, serve: Serve, headers: dict[str, str]
) -> None:
    served = serve("vllm")
    proxied = opened(served.url)
    sent = {"Authorization": f"Bearer {ALICE}", **headers}
    with httpx.Client(base_url=proxied.url, headers=sent, trust_env=False, timeout=WAIT) as http:
        for path in PATHS:
            answer = http.post(path, json={})
            assert answer.status_code == 403
            assert not [name for name in answer.headers if name.startswith("access-control")]
    assert served.asked == []


@behaviour("proxy:open:origins")
def test_a_desktop_programs_origin_is_let_in_by_setting_and_with_a_key_only(
    opened: Open, serve: Serve
) -> None:
    proxied = opened(serve("vllm").url, origins="tauri://localhost, http://tauri.localhost")
    statuses = {
        "tauri://localhost": [200, 401],
        "http://TAURI.localhost": [200, 401],
        "tauri://other": [403, 403],
        "http://evil.example": [403, 403],
        "null": [403, 403],
    }
    with httpx.Client(base_url=proxied.url, trust_env=False, timeout=WAIT) as http:
        for origin, expected in statuses.items():
            sent = [{"Authorization": f"Bearer {key}", "Origin": origin} for key in (ALICE, "wrong")]
            answers = [http.get("/v1/models", headers=each) for each in sent]
            assert [answer.status_code for answer in answers] == expected
            assert not [name for answer in answers for name in answer.headers if name.startswith("access-")]


@behaviour("proxy:open:large")
def test_a_request_that_is_too_large_is_refused(opened: Open, serve: Serve) -> None:
    proxied = opened(serve("vllm").url)
    headers = {"Authorization": f"Bearer {ALICE}"}
    url = f"{proxied.url}/v1/chat/completions"
    with httpx.Client(trust_env=False, timeout=WAIT) as client:
        answer = client.post(url, headers=headers, content=iter([b" " * 10_000_000] * 11))
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


@behaviour("proxy:open:address")
def test_it_shows_its_key_once_and_its_address_and_ends_quietly(tmp_path: Path) -> None:
    flags = ["--demo", "--port", "0", "--data-dir", str(tmp_path), "--allow-local-kernel"]
    shown = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "coderunner", "proxy", *flags],
            env=os.environ | {"PYTHONPATH": str(EXTENSION)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or "CodeRunner is at" not in lines[-1]:
                lines.append(process.stdout.readline())
                assert lines[-1], process.communicate()
            address = re.search(r"http://127\.0\.0\.1:\d+/v1", lines[-1])
            assert address
            key = (tmp_path / "api-key").read_text().strip()
            with openai.OpenAI(base_url=address[0], api_key=key, timeout=WAIT, max_retries=0) as client:
                assert RUNS in [model.id for model in client.models.list()]
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=WAIT)
            assert (rest, errors) == ("", "")
            shown.append("".join(lines))
        finally:
            process.kill()
            process.communicate()
    assert [key in text for text in shown] == [True, False]
    assert str(tmp_path / "api-key") in shown[1]


@behaviour("proxy:open:no-endpoint")
async def test_the_only_endpoint_of_this_machine_is_taken_and_none_is_told(serve: Serve) -> None:
    url = serve("vllm").url
    assert await endpoint_of(load(), [httpx.URL(url).port or 0], patience=WAIT) == Endpoint(url)
    with pytest.raises(SettingsError, match=r"with --upstream ADDRESS$"):
        await endpoint_of(load(), [9], patience=WAIT)
    ports = [httpx.URL(serve(each).url).port or 0 for each in ("vllm", "hosted")]
    with pytest.raises(SettingsError, match=f"found on this machine: {url}/v1, "):
        await endpoint_of(load(), ports, patience=WAIT)
