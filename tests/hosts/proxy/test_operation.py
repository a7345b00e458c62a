"""The proxy as a service: how it is reloaded and ended, and what metrics, health and logs tell of it."""

import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from coderunner.errors import SettingsError
from coderunner.hosts.proxy.server import allow
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot
from tests.hosts.proxy.conftest import ALICE, BOB
from tests.hosts.proxy.processes import WAIT, ProxyProcess, proxy_process
from tests.hosts.proxy.test_team import user, written
from tests.kernel.servers import Jupyter, jupyter_server

METRICS = "metrics-5b1c7f3a9c51e2d4b680"
TOKEN = "token-of-the-server"


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with served(Parrot) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token=TOKEN) as server:
        yield server


@pytest.fixture
def team(tmp_path: Path, jupyter: Jupyter) -> tuple[str, ...]:
    """The flags for a team of one, whose code runs on the Jupyter server."""
    path = written(tmp_path / "team.toml", user("alice", ALICE, server=jupyter.url, token=TOKEN))
    return ("--team-file", str(path))


def ask(client: openai.OpenAI, said: str, conversation: str = "one", **headers: str) -> str:
    reply = client.chat.completions.create(
        model="parrot+python",
        messages=[{"role": "user", "content": said}],
        extra_headers={"x-coderunner-session": conversation, **headers},
    )
    return reply.choices[0].message.content or ""


def slow(path: Path, seconds: float) -> str:
    """A block that notes its beginning in a file, and then takes a while."""
    return (
        f"```python\nimport time; open({str(path)!r}, 'a').write('x'); kept = 42\n"
        f"print('begun', flush=True); time.sleep({seconds}); print('done')\n```\n"
    )


def begun(path: Path) -> None:
    """Wait until a block has begun."""
    end = time.monotonic() + WAIT
    while not path.exists():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


@behaviour("operation:drain:finishes")
def test_a_reply_in_progress_ends_well_while_new_requests_go_elsewhere(
    tmp_path: Path, model: str, team: tuple[str, ...]
) -> None:
    note = tmp_path / "note"
    with proxy_process(tmp_path, model, *team) as proxy, ThreadPoolExecutor() as threads:
        reply = threads.submit(ask, proxy.client(ALICE), slow(note, 3))
        begun(note)
        assert proxy.http.get("/readyz").status_code == 200
        proxy.signal()
        assert proxy.until(503).json()["proxy"] == "stopping"
        assert proxy.http.get("/healthz").status_code == 200
        with pytest.raises(openai.InternalServerError) as refused:
            ask(proxy.client(ALICE), "hello", "another")
        assert refused.value.status_code == 503
        assert refused.value.response.headers["retry-after"] == "1"
        assert refused.value.code == "shutting_down"
        assert reply.result(WAIT).endswith("begun\ndone\n```\nSeen.\n")
        assert proxy.ended() == 0


def slow_once(path: Path) -> str:
    """Words, and a block that takes long the first time that it runs."""
    return (
        f"I try.\n```python\nimport time, os; again = os.path.exists({str(path)!r}); kept = 42\n"
        f"open({str(path)!r}, 'a').write('x'); print('begun', flush=True); again or time.sleep(600)\n```\n"
    )


@behaviour("operation:drain:cut-short")
@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "one"}], ids=["plain", "key"])
def test_what_takes_too_long_is_told_and_another_replica_goes_on(
    tmp_path: Path, model: str, team: tuple[str, ...], headers: dict[str, str]
) -> None:
    note = tmp_path / "note"
    said = cut_short(tmp_path, model, team, slow_once(note), note, headers)
    assert "```output\nbegun\nKeyboardInterrupt" in said
    before, _, farewell = said.rpartition("(stopped: ")
    assert farewell == "CodeRunner is shutting down; ask again, and the reply goes on)\n"
    assert before.endswith("```\n(stopped; variables are kept)\n")
    with proxy_process(tmp_path, model, *team) as other:
        # The same request finds the reply in the records, and the next one its kernel on the server.
        again = ask(other.client(ALICE), slow_once(note), **headers)
        assert again == f"{before}Seen.\n"
        assert note.read_text() == "x"
        assert "Result: 42" in ask(other.client(ALICE), "```python\nprint(kept)\n```\n")


@behaviour("operation:drain:local")
def test_a_kernel_that_ends_with_its_proxy_is_not_said_to_keep_variables(tmp_path: Path, model: str) -> None:
    note, flags = tmp_path / "note", ("--sandbox", "off", "--allow-local-kernel")
    key = {"CODERUNNER_API_KEY": ALICE}
    said = cut_short(tmp_path, model, flags, slow_once(note), note, variables=key)
    assert "variables are kept" not in said
    gone = "while the code ran; variables are gone; CodeRunner was stopped)"
    assert f"(the kernel was restarted or shut down {gone}" in said
    with proxy_process(tmp_path, model, *flags, variables=key) as other:
        again = ask(other.client(ALICE), slow_once(note))
        assert again == f"{said.rpartition('(stopped: ')[0]}Seen.\n"
        assert gone in again
        after = ask(other.client(ALICE), "```python\nprint(kept)\n```\n")
        assert "NameError" in after
        assert "(this is a new kernel; earlier variables are gone)" in after
        assert "new kernel" not in ask(other.client(ALICE), "```python\nprint(1)\n```\n")


@behaviour("operation:drain:once")
def test_a_reply_that_was_cut_short_is_gone_on_with_once_by_the_same_request_alone(
    tmp_path: Path, model: str, team: tuple[str, ...]
) -> None:
    note = tmp_path / "note"
    asked = slow_once(note)
    cut_short(tmp_path, model, team, asked, note)
    with proxy_process(tmp_path, model, *team) as other:
        for words, conversation in ((asked, "two"), (f"{asked} ", "one")):
            assert "KeyboardInterrupt" not in ask(other.client(ALICE), words, conversation)
        assert note.read_text() == "xxx"
        assert "KeyboardInterrupt" in ask(other.client(ALICE), asked)
        assert note.read_text() == "xxx"
        assert "KeyboardInterrupt" not in ask(other.client(ALICE), asked)
        assert note.read_text() == "xxxx"


def cut_short(
    folder: Path,
    model: str,
    team: tuple[str, ...],
    asked: str,
    note: Path,
    headers: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """The reply to a question whose block has begun when its proxy is told to end."""
    with proxy_process(folder, model, *team, "--drain-timeout", "0.2", variables=variables) as proxy:
        with ThreadPoolExecutor() as threads:
            reply = threads.submit(ask, proxy.client(ALICE), asked, **(headers or {}))
            begun(note)
            proxy.signal()
            said = reply.result(WAIT)
        assert proxy.ended() == 0
    return said


@behaviour("operation:drain:at-once")
def test_a_second_signal_ends_it_at_once(tmp_path: Path, model: str, team: tuple[str, ...]) -> None:
    note = tmp_path / "note"
    flags = ("--drain-timeout", "3600")
    with proxy_process(tmp_path, model, *team, *flags) as proxy, ThreadPoolExecutor() as threads:
        reply = threads.submit(ask, proxy.client(ALICE), slow(note, 3600))
        begun(note)
        proxy.signal()
        proxy.until(503)
        proxy.signal()
        proxy.ended()
        with pytest.raises(openai.APIError):
            reply.result(WAIT)


@behaviour("operation:drain:idle")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_proxy_ends_without_a_word(
    tmp_path: Path, model: str, team: tuple[str, ...], number: int
) -> None:
    with proxy_process(tmp_path, model, *team, "--drain-timeout", "3600") as proxy:
        proxy.signal(number)
        assert proxy.ended() == 0
        assert proxy.errors.read_text() == ""


@behaviour("operation:reload")
@pytest.mark.parametrize("by_signal", [True, False], ids=["signal", "change"])
def test_a_changed_team_file_is_read_without_a_restart(
    tmp_path: Path, model: str, team: tuple[str, ...], jupyter: Jupyter, *, by_signal: bool
) -> None:
    path = Path(team[1])
    with proxy_process(tmp_path, model, *team) as proxy:
        assert ask(proxy.client(ALICE), "hello") == "hello"
        written(path, user("alice", BOB, server=jupyter.url, token=TOKEN))
        if by_signal:
            proxy.signal(signal.SIGHUP)
        assert proxy.process.stdout is not None
        assert proxy.process.stdout.readline() == f"Users read again from {path}\n"
        assert ask(proxy.client(BOB), "hello") == "hello"
        with pytest.raises(openai.AuthenticationError):
            ask(proxy.client(ALICE), "hello")


def samples(proxy: ProxyProcess) -> dict[str, float]:
    """The metrics by name and labels."""
    answer = proxy.http.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"})
    assert answer.status_code == 200, answer.text
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


@behaviour("operation:metrics:numbers")
def test_prometheus_reads_requests_blocks_tokens_and_kernels(
    tmp_path: Path, model: str, team: tuple[str, ...]
) -> None:
    with proxy_process(tmp_path, model, *team, variables={"CODERUNNER_METRICS_KEY": METRICS}) as proxy:
        ask(proxy.client(ALICE), "```python\nprint(1)\n```\n")
        ask(proxy.client(ALICE), "```python\n1 / 0\n```\n")
        proxy.client(ALICE).models.list()
        seen = samples(proxy)
        assert seen['coderunner_requests_total{route="chat",status="200",user="alice"}'] == 2
        assert seen['coderunner_requests_total{route="models",status="200",user="alice"}'] == 1
        assert seen['coderunner_blocks_total{outcome="ok",user="alice"}'] == 1
        assert seen['coderunner_blocks_total{outcome="error",user="alice"}'] == 1
        assert seen["coderunner_block_seconds_count"] == 2
        assert seen['coderunner_kernels{user="alice"}'] == 1
        assert seen['coderunner_tokens_total{kind="prompt",user="alice"}'] > 100
        assert seen["coderunner_replies"] == seen["coderunner_blocks_waiting"] == 0


@behaviour("operation:metrics:bounded")
def test_nothing_that_a_client_chooses_makes_a_new_number(
    tmp_path: Path, model: str, team: tuple[str, ...]
) -> None:
    with proxy_process(tmp_path, model, *team, variables={"CODERUNNER_METRICS_KEY": METRICS}) as proxy:
        counts = []
        for number in range(3):
            client = proxy.client(ALICE)
            ask(client, "hello", f"chat-{number}")
            proxy.http.get(f"/{number}")
            proxy.http.get("/v1/models", headers={"Authorization": f"Bearer {number}"})
            with pytest.raises(openai.NotFoundError):
                client.get(f"/elsewhere/{number}", cast_to=object)
            counts.append(len(samples(proxy)))
        # The first round makes those of the metrics' own route known, which are counted after their answer.
        assert counts[1] == counts[2]


@behaviour("operation:metrics:key")
def test_metrics_are_for_their_own_key_alone(tmp_path: Path, model: str, team: tuple[str, ...]) -> None:
    with proxy_process(tmp_path, model, *team, variables={"CODERUNNER_METRICS_KEY": METRICS}) as proxy:
        for sent in ({}, {"Authorization": f"Bearer {ALICE}"}, {"Authorization": METRICS}):
            assert proxy.http.get("/metrics", headers=sent).status_code == 401
        with pytest.raises(openai.AuthenticationError):
            ask(proxy.client(METRICS), "hello")
        assert proxy.http.get("/metrics", headers={"Host": "evil.example"}).status_code == 403
    with proxy_process(tmp_path, model, *team) as proxy:  # without a key, there are none
        for key, status in (("unknown", 401), (ALICE, 404)):
            sent = {"Authorization": f"Bearer {key}"}
            assert proxy.http.get("/metrics", headers=sent).status_code == status


@behaviour("operation:metrics:key")
def test_the_key_of_the_metrics_is_no_users_key_and_cannot_be_guessed() -> None:
    server = {"server": "http://127.0.0.1:8888"}
    for key, sentence in ((ALICE, "is also a key of a user"), ("short", "fewer than 16 characters")):
        with pytest.raises(SettingsError, match=sentence):
            allow(load({**server, "api_key": f"{ALICE} {BOB}", "metrics_key": key}))


@behaviour("operation:ready:upstream")
def test_it_is_not_ready_while_the_endpoint_does_not_answer(tmp_path: Path, team: tuple[str, ...]) -> None:
    with proxy_process(tmp_path, "http://127.0.0.1:9/v1", *team) as proxy:
        answer = proxy.http.get("/readyz")
        assert (answer.status_code, answer.json()["upstream"]) == (503, "unavailable")
        assert proxy.http.get("/healthz").status_code == 200


@behaviour("operation:log:lines")
def test_the_log_has_a_line_for_each_request_and_block_and_nothing_of_their_content(
    tmp_path: Path, model: str, team: tuple[str, ...]
) -> None:
    canary = "canary-9f2b"
    with proxy_process(tmp_path, model, *team, "--log-format", "json") as proxy:
        ask(proxy.client(ALICE), f"{canary}\n```python\nprint('{canary}'[::-1])\n```\n", "the-chat")
        with pytest.raises(openai.AuthenticationError):
            ask(proxy.client("wrong-key-canary-9f2b"), canary)
        with pytest.raises(openai.NotFoundError):
            proxy.client(ALICE).get(f"/{canary}?{canary}", cast_to=object)
        written(Path(team[1]), f'[users.alice]\nkey = "{canary}"\n')
        proxy.signal(signal.SIGHUP)
        end = time.monotonic() + WAIT
        while "the users stay" not in (text := proxy.errors.read_text()):
            assert time.monotonic() < end, text
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    block, whole, refused, passed, warning = lines
    assert {name: block[name] for name in ("event", "user", "outcome", "outputs")} == {
        "event": "block",
        "user": "alice",
        "outcome": "ok",
        "outputs": 1,
    }
    assert {name: whole[name] for name in ("event", "route", "status", "user", "model", "blocks")} == {
        "event": "request",
        "route": "chat",
        "status": 200,
        "user": "alice",
        "model": "parrot",
        "blocks": 1,
    }
    assert whole["conversation"] == block["conversation"]
    assert whole["completion_tokens"] > 0
    assert whole["tokens_estimated"]
    assert (refused["status"], refused["route"], "user" in refused) == (401, "refused", False)
    assert (passed["status"], passed["route"], passed["user"]) == (404, "passed", "alice")
    assert (warning["event"], warning["level"]) == ("log", "warning")
    for secret in (canary, canary[::-1], ALICE, TOKEN, "the-chat"):
        assert secret not in text
