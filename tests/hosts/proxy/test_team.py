"""A team before one proxy: keys with names, limits and servers of their own, and the official client."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from coderunner.access.api_keys import digest_of
from coderunner.errors import SettingsError
from coderunner.hosts.proxy.team import team_file
from coderunner.hosts.proxy.team.limiter import Limits
from coderunner.hosts.proxy.team.team import Team
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot
from tests.hosts.proxy.conftest import ALICE, BOB, WAIT, Open, Proxied
from tests.kernel.servers import Jupyter, jupyter_server

BLOCK = "```python\nprint('ran', {0})\n```\n"


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with served(Parrot) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def jupyters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Jupyter, Jupyter]]:
    """Two servers, each with a token of its own."""
    folders = [tmp_path_factory.mktemp(name) for name in ("alice", "bob")]
    with (
        jupyter_server(folders[0], token="token-of-alice") as alice,
        jupyter_server(folders[1], token="token-of-bob") as bob,
    ):
        yield alice, bob


def user(name: str, key: str, **fields: object) -> str:
    """The lines of a user in a team file."""
    lines = [f"{field} = {json.dumps(value)}" for field, value in fields.items()]
    return "\n".join([f"[users.{name}]", f'key_sha256 = "{digest_of(key)}"', *lines, ""])


def client(proxied: Proxied, key: str = ALICE, **options: Any) -> openai.OpenAI:
    chosen: dict[str, Any] = {"timeout": WAIT, "max_retries": 0, **options}
    made = openai.OpenAI(base_url=f"{proxied.url}/v1", api_key=key, **chosen)
    return proxied.clients.enter_context(made)


def ask(asking: openai.OpenAI, said: str, conversation: str = "one") -> str:
    reply = asking.chat.completions.create(
        model="parrot+python",
        messages=[{"role": "user", "content": said}],
        extra_headers={"x-coderunner-session": conversation},
    )
    return reply.choices[0].message.content or ""


# --- keys and servers -------------------------------------------------------------------------------------


@behaviour("team:server:own")
def test_each_key_runs_on_its_own_server_with_its_own_token(
    opened: Open, model: str, jupyters: tuple[Jupyter, Jupyter]
) -> None:
    alice, bob = jupyters
    team = user("alice", ALICE, server=alice.url, token=alice.token)
    team += user("bob", BOB, server=f"{bob.url}/lab?token={bob.token}")
    proxied = opened(model, team=team, allow_local_kernel=False)
    where = "```python\nimport os; print('in', os.environ['JUPYTER_TOKEN'])\n```\n"
    before = [len(each.kernels()) for each in jupyters]
    assert "in token-of-alice" in ask(client(proxied, ALICE), where)
    assert "in token-of-bob" in ask(client(proxied, BOB), where)
    assert [len(each.kernels()) for each in jupyters] == [count + 1 for count in before]


@behaviour("team:key:unknown")
def test_a_key_that_is_not_in_the_file_is_refused(opened: Open, model: str) -> None:
    proxied = opened(model, team=user("alice", ALICE))
    refused = r"This key is not one of the proxy.s; .* can give you one"
    with pytest.raises(openai.AuthenticationError, match=refused):
        ask(client(proxied, BOB), "hello")
    with pytest.raises(openai.AuthenticationError):  # the digest is no key
        ask(client(proxied, digest_of(ALICE)), "hello")


# --- blocks a minute --------------------------------------------------------------------------------------


@behaviour("team:blocks:in-a-reply")
def test_a_block_beyond_the_limit_is_told_in_the_reply_which_goes_on(opened: Open, model: str) -> None:
    proxied = opened(model, team=user("alice", ALICE, blocks_per_minute=1), continuation="next-turn")
    said = ask(client(proxied), BLOCK.format(1), "blocks")
    assert "Result: ran 1" in said
    proxied.clock.now += 61
    # The second block of this reply is one too many.
    both = [BLOCK.format(2), BLOCK.format(3), "The end."]
    with served(lambda: Script(both)) as url:
        other = opened(f"{url}/v1", team=user("alice", ALICE, blocks_per_minute=1), continuation="next-turn")
        said = ask(client(other), "go", "blocks")
    assert "Result: ran 2" in said
    assert "not run: the limit of this key, 1 block a minute, is reached; there is room again in 60 s" in said
    assert said.endswith("The end.")


class Script(Parrot):
    """A model that says one part after each result."""

    def __init__(self, parts: list[str]) -> None:
        super().__init__()
        self._parts = iter(parts)

    async def _chat(self, receive: Any, send: Any) -> None:
        part = next(self._parts)

        async def instead() -> Any:
            message = await receive()
            body = json.loads(message["body"])
            body["messages"] = [{"role": "user", "content": part}]
            return {**message, "body": json.dumps(body).encode()}

        await super()._chat(instead, send)


@behaviour("team:limit:429")
def test_a_request_beyond_the_limit_gets_what_openais_clients_read(opened: Open, model: str) -> None:
    proxied = opened(model, team=user("alice", ALICE, blocks_per_minute=2) + user("bob", BOB))
    for number in range(2):
        ask(client(proxied), BLOCK.format(number))
        proxied.clock.now += 10
    with pytest.raises(openai.RateLimitError) as refused:
        ask(client(proxied), BLOCK.format(3))
    assert refused.value.response.headers["retry-after"] == "40"
    assert refused.value.body == {
        "message": "Limit of this key reached: 2 blocks a minute. There is room again in 40 s.",
        "type": "blocks",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert "ran 4" in ask(client(proxied, BOB), BLOCK.format(4))
    proxied.clock.now += 40
    assert "ran 5" in ask(client(proxied), BLOCK.format(5))


@behaviour("team:limit:followed")
def test_a_retry_of_a_reply_follows_it_whatever_its_blocks_have_used(
    opened: Open, model: str, tmp_path: Path
) -> None:
    proxied = opened(model, team=user("alice", ALICE, blocks_per_minute=1))
    note = f"```python\nopen({str(tmp_path / 'runs')!r}, 'a').write('x')\nprint('noted')\n```\n"
    again = client(proxied).with_options(default_headers={"idempotency-key": "one"})
    assert [ask(again, note, "retried").count("Result: noted") for _ in range(2)] == [1, 1]
    assert (tmp_path / "runs").read_text() == "x"


# --- kernels ----------------------------------------------------------------------------------------------


@behaviour("team:kernels:oldest")
def test_a_new_conversation_takes_the_place_of_the_kernel_unused_for_longest(
    opened: Open, model: str, jupyters: tuple[Jupyter, Jupyter]
) -> None:
    server = {"server": jupyters[0].url, "token": jupyters[0].token}
    proxied = opened(model, team=user("alice", ALICE, kernels=2, **server), allow_local_kernel=False)
    before = set(jupyters[0].kernels())
    for name in ("a", "b", "a", "c"):
        assert "Result: ran" in ask(client(proxied), f"```python\n{name} = 1; print('ran')\n```\n", name)
    # That of `b` was unused for longest; `a` is kept.
    assert "Result: 1" in ask(client(proxied), "```python\nprint(a)\n```\n", "a")
    assert until(lambda: len(set(jupyters[0].kernels()) - before) == 2)
    said = ask(client(proxied), "```python\nprint(b)\n```\n", "b")
    assert "NameError" in said
    assert "this is a new kernel; earlier variables are gone" in said


def until(true: Any) -> bool:
    """Wait for a fact that something else makes true."""
    for _ in range(200):
        if true():
            return True
        threading.Event().wait(0.05)
    return False


@behaviour("team:kernels:in-use")
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
async def test_where_all_kernels_are_in_use_the_client_tries_again_by_itself(
    opened: Open, model: str, *, asynchronous: bool
) -> None:
    proxied = opened(model, team=user("alice", ALICE, kernels=1))
    assert "ran" in ask(client(proxied), BLOCK.format(1), "first")
    endless = client(proxied).chat.completions.create(
        model="parrot+python",
        messages=[{"role": "user", "content": "endless"}],
        stream=True,
        extra_headers={"x-coderunner-session": "first"},
    )
    next(endless)
    with pytest.raises(openai.RateLimitError, match=r"1 kernel at once\. There is room again when another"):
        ask(client(proxied), BLOCK.format(2), "second")
    threading.Timer(1.0, endless.close).start()
    if asynchronous:
        async with openai.AsyncOpenAI(
            base_url=f"{proxied.url}/v1", api_key=ALICE, timeout=WAIT, max_retries=2
        ) as asking:
            stream = await asking.chat.completions.create(
                model="parrot+python",
                messages=[{"role": "user", "content": BLOCK.format(2)}],
                stream=True,
            )
            said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    else:
        said = ask(client(proxied, max_retries=2), BLOCK.format(2), "second")
    assert "Result: ran 2" in said


# --- tokens -----------------------------------------------------------------------------------------------


@behaviour("team:tokens:day")
def test_tokens_count_for_the_day_over_every_route_and_restart(opened: Open, model: str) -> None:
    proxied = opened(model, team=user("alice", ALICE, tokens_per_day=120), system_prompt=" ")
    # The parrot counts nothing, so the prompt is estimated by its length and the reply by its chunks.
    ask(client(proxied), "x" * 70, "tokens")
    passed = client(proxied).chat.completions.create(
        model="parrot", messages=[{"role": "user", "content": "y" * 350}], stream=True
    )
    assert sum(1 for _ in passed) > 50
    for run in ("parrot", "parrot+python"):
        with pytest.raises(openai.RateLimitError, match="120 tokens a day") as refused:
            client(proxied, max_retries=2).chat.completions.create(
                model=run, messages=[{"role": "user", "content": "z"}]
            )
        # It frees in hours, so the client does not try again.
        assert refused.value.response.headers["x-should-retry"] == "false"
        assert refused.value.type == "tokens"
    assert [model.id for model in client(proxied).models.list()]
    proxied.clock.now += 86_400
    assert "again" in ask(client(proxied), "again")


@behaviour("team:tokens:reply")
def test_a_reply_that_uses_the_last_tokens_ends_with_a_sentence(opened: Open, model: str) -> None:
    proxied = opened(model, team=user("alice", ALICE, tokens_per_day=3))
    said = ask(client(proxied), BLOCK.format(1), "last")
    assert "Result: (not run: the limit of this key, 3 tokens a day (UTC), is reached;" in said


# --- the file ---------------------------------------------------------------------------------------------


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@behaviour("team:file:read")
def test_a_user_has_its_own_limits_and_else_those_of_all(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("JUPYTER_TOKEN=of-the-server\n")
    path = written(
        tmp_path / "team.toml",
        f"""
        [defaults]
        kernels = 2
        tokens_per_day = 1000

        [users.alice]
        key = ["{ALICE}", "{ALICE}-next"]
        kernels = 5
        tokens_per_day = 0
        server = "http://127.0.0.1:8888"
        token_file = "{tmp_path / "token"}"
        [users."bob@example.org"]
        key_sha256 = "{digest_of(BOB)}"
        blocks_per_minute = 7
        """,
    )
    team = team_file.read(path)
    alice, bob = team.members.values()
    assert (alice.limits, bob.limits) == (Limits(5, 0, 0), Limits(2, 7, 1000))
    assert alice.server is not None
    assert (alice.server.url, alice.server.token.reveal()) == ("http://127.0.0.1:8888", "of-the-server")
    assert bob.server is None
    assert [team.owners[digest_of(key)] for key in (ALICE, f"{ALICE}-next", BOB)] == [
        *[alice.owner] * 2,
        bob.owner,
    ]
    assert team.remarks == ()


@behaviour("team:file:refused")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no users; add a table like"),
        ("[users]", "has no users; add a table like"),
        ("[users.alice]", "users.alice has no key; to make one: coderunner key"),
        ('[users.alice]\nkey = "canary"', "users.alice.key has fewer than 16 characters"),
        ('[users.alice]\nkey_sha256 = "canary"', "users.alice.key_sha256 must be 64 hexadecimal digits"),
        (f'[users.alice]\nkey = "{ALICE}"\nkernel = 1', "users.alice.kernel is unknown; known are: kernels"),
        (f'[users.alice]\nkey = "{ALICE}"\nkernels = "canary"', "users.alice.kernels must be a whole number"),
        (f'[users.alice]\nkey = "{ALICE}"\nkernels = -1', "users.alice.kernels must be at least 0"),
        (f'[users.alice]\nkey = "{ALICE}"\ntoken = "canary"', "users.alice has a token but no server"),
        (f'[users.alice]\nkey = "{ALICE}"\nserver = "canary"', "users.alice.server must be an address like"),
        (
            f'[users.alice]\nkey = "{ALICE}"\nserver = "http://me:canary@host"',
            "users.alice.server must be an address like",
        ),
        (f'[users.a]\nkey = "{ALICE}"\n[users.b]\nkey = "{ALICE}"', "users.b has the key of another user"),
        (f'[users."a b"]\nkey = "{ALICE}"', "a user's name may have letters, digits and"),
        ('users = "canary"', "users must be"),
        ('[users]\nalice = "canary"', "users.alice must be"),
        ("[users.alice", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_without_what_may_be_secret(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = written(tmp_path / "team.toml", text)
    with pytest.raises(SettingsError, match=sentence) as refused:
        team_file.read(path)
    assert str(path) in str(refused.value)
    assert "canary" not in str(refused.value)
    assert ALICE not in str(refused.value)


@behaviour("team:file:rights")
def test_keys_that_others_can_read_are_remarked_and_digests_are_not(tmp_path: Path) -> None:
    path = written(tmp_path / "team.toml", f'[users.alice]\nkey = "{ALICE}"\n')
    path.chmod(0o644)
    assert team_file.read(path).remarks == (
        f"{path} has keys or tokens, and other users of this machine can read it; run: chmod 600 {path}",
    )
    written(path, user("alice", ALICE)).chmod(0o644)
    assert team_file.read(path).remarks == ()


@behaviour("team:file:alone")
def test_keys_stand_in_one_place(tmp_path: Path) -> None:
    path = written(tmp_path / "team.toml", user("alice", ALICE))
    server = {"server": "http://127.0.0.1:8888", "team_file": path}
    assert Team(load(server), print)
    for more in ({"api_key": BOB}, {"attach": "data.ipynb"}):
        with pytest.raises(SettingsError, match="are both set; keep one"):
            Team(load({**server, **more}), print)


@behaviour("proxy:open:apart")
def test_a_team_has_kernels_of_this_machine_only_in_a_sandbox(tmp_path: Path) -> None:
    path = written(tmp_path / "team.toml", user("alice", ALICE) + user("bob", BOB))
    chosen = {"team_file": path, "sandbox": "off", "allow_local_kernel": True}
    with pytest.raises(SettingsError, match="there are 2 keys for separate users"):
        Team(load(chosen), print)
    own = {"server": "http://127.0.0.1:8888"}
    written(path, user("alice", ALICE) + user("bob", BOB, **own))
    assert Team(load(chosen), print)
    written(path, user("alice", ALICE, **own) + user("bob", BOB, **own))
    assert Team(load({"team_file": path, "host": "0.0.0.0"}), print)


@behaviour("team:file:reload")
def test_a_file_read_again_counts_from_the_next_request_and_a_broken_one_does_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "team.toml", user("alice", ALICE))
    team = Team(load({"team_file": path, "server": "http://127.0.0.1:8888"}), print)
    alice = team.api_keys.owner(f"Bearer {ALICE}")
    written(path, user("alice", BOB, kernels=3))
    assert team.reload()
    assert team.api_keys.owner(f"Bearer {ALICE}") is None
    assert team.api_keys.owner(f"Bearer {BOB}") == alice
    assert alice is not None
    assert team.members.of(alice).limits.kernels == 3
    written(path, '[users.alice]\nkey = "canary"\n')
    assert not team.reload()
    assert "fewer than 16 characters" in caplog.text
    assert "canary" not in caplog.text
    assert team.api_keys.owner(f"Bearer {BOB}") == alice


@behaviour("team:health:without-a-key")
def test_health_needs_no_key_and_says_nothing_secret(opened: Open, model: str) -> None:
    proxied = opened(model, team=user("alice", ALICE))
    with httpx.Client(base_url=proxied.url, trust_env=False, timeout=WAIT) as http:
        alive, ready = http.get("/healthz"), http.get("/readyz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "upstream": "ok", "records": "ok", "proxy": "ok"}
