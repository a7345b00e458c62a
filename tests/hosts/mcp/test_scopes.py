"""What a client may do: scopes of keys, and tokens of an OAuth issuer."""

import asyncio
import base64
import contextlib
import json
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

from coderunner.access.api_keys import digest_of
from coderunner.errors import SettingsError
from coderunner.hosts.mcp.scopes.grants import scoped_grants
from coderunner.hosts.mcp.scopes.issuer_keys import RESTS, IssuerKeys, is_safe
from coderunner.hosts.mcp.scopes.issuer_tokens import IssuerTokens
from coderunner.hosts.mcp.scopes.scopes import ALL, needed, of_body
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.mcp.clients import call, http_server, stands, texts
from tests.hosts.mcp.issuer import Issuer, new_key
from tests.models.conftest import listening

READER, RUNNER, OTHER = "reader-7f3a9c51e2d4", "runner-51e2d47f3a9c", "other-7f3a9c51e2d4b6"
READING = {"list_sessions", "variables", "files", "download"}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


@contextlib.asynccontextmanager
async def connected(url: str, key: str = "", auth: Any = None) -> AsyncGenerator[Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, auth=auth, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


@behaviour("mcp:scopes:keys")
async def test_one_client_runs_and_another_of_the_same_user_only_reads(tmp_path: Path) -> None:
    keys = f"alice:{READER}:read\nalice:{RUNNER}:run bob:{OTHER}:read,run"
    with http_server(tmp_path, "--approve", "auto", CODERUNNER_API_KEY="", CODERUNNER_SCOPED_KEY=keys) as url:
        async with connected(url, RUNNER) as runner, connected(url, READER) as reader:
            made = "open('a.txt', 'w').write('a'); x = 7"
            ran = await call(runner, "run_python", code=made, session="s", wait=60)
            tools = [{tool.name for tool in (await each.list_tools()).tools} for each in (reader, runner)]
            refused = [
                await call(reader, "run_python", code="x = 8", session="s"),
                await call(reader, "upload", name="b.txt", content="b", session="s"),
                await call(runner, "variables", session="s"),
            ]
            seen = await call(reader, "variables", session="s")
            uris = [len((await each.list_resources()).resources) for each in (reader, runner)]
            read = await reader.read_resource("coderunner://sessions/s/files/a.txt")
            with pytest.raises(Exception, match="it has no scope read"):
                await runner.read_resource("coderunner://sessions/s/files/a.txt")
            await call(runner, "reset", session="s")
        async with connected(url, OTHER) as other:
            listed = await call(other, "list_sessions")
    assert not ran.is_error
    assert tools == [READING, {"run_python", "send_input", "interrupt", "reset", "upload"}]
    assert [each.is_error for each in refused] == [True] * 3
    assert "may not use run_python: it has no scope run" in texts(refused[0])[0]
    assert [each["value"] for each in stands(seen, "variables") if each["name"] == "x"] == ["7"]
    assert uris == [1, 0]
    assert getattr(read.contents[0], "text", "") == "a"
    assert stands(listed, "result") == []


@behaviour("mcp:scopes:keys")
def test_an_entry_says_user_key_and_scopes_and_is_never_shown() -> None:
    found = scoped_grants(Secret(f"alice:{READER}:read alice:{RUNNER}:read,run bob:{OTHER}:attach"))
    one, two, three = (found[digest_of(key)] for key in (READER, RUNNER, OTHER))
    assert (one.owner == two.owner, one.owner == three.owner) == (True, False)
    assert (one.scopes, two.scopes, three.scopes) == ({"read"}, {"read", "run"}, {"attach"})
    for wrong in (RUNNER, f"alice:{RUNNER}", f"alice:{RUNNER}:write", f"alice:{RUNNER}:", "alice:short:read"):
        with pytest.raises(SettingsError, match="USER:KEY:SCOPES") as refused:
            scoped_grants(Secret(wrong))
        assert RUNNER not in str(refused.value)


@behaviour("mcp:scopes:keys")
def test_a_kernel_of_a_persons_own_needs_the_scope_attach_as_well() -> None:
    assert needed("run_python", attached=True) == {"run", "attach"}
    assert needed("files", attached=True) == {"read", "attach"}
    assert needed("list_sessions", attached=True) == {"read"}
    assert needed("no_such_tool", attached=False) == {"run"}
    calls = [{"method": "tools/call", "params": {"name": name}} for name in ("files", "upload")]
    assert of_body(json.dumps(calls).encode(), attached=True) == ALL
    assert of_body(b"no JSON", attached=True) == set()


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with listening(made.app()) as url:
        made.url = url
        yield made


@pytest.fixture(scope="module")
def served(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("oauth")
    with http_server(folder, "--approve", "auto", "--oauth-issuer", issuer.url, CODERUNNER_API_KEY="") as url:
        yield url


class Kept:
    """The SDK's storage of tokens, in memory."""

    def __init__(self) -> None:
        self.token: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.token

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.token = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        pass


@behaviour("mcp:scopes:tokens")
async def test_the_sdks_client_finds_the_issuer_and_runs_code_with_its_token(
    served: str, issuer: Issuer
) -> None:
    provider: OAuthClientProvider = ClientCredentialsOAuthProvider(
        served, Kept(), client_id="bot", client_secret="secret", scope="read run", issuer=issuer.url
    )
    async with connected(served, auth=provider) as client:
        ran = await call(client, "run_python", code="print(6 * 7)", session="s", wait=60)
        await call(client, "reset", session="s")
    assert texts(ran) == ["42"]
    assert any(each.startswith(f"{served} ") for each in issuer.asked)


async def post(url: str, token: str, method: str = "tools/list", **params: Any) -> httpx2.Response:
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with httpx2.AsyncClient(trust_env=False) as http:
        return await http.post(url, json=asked, headers={**HEADERS, "Authorization": f"Bearer {token}"})


@behaviour("mcp:scopes:tokens")
async def test_what_a_token_does_not_allow_is_refused_with_the_scope_that_would(
    served: str, issuer: Issuer
) -> None:
    metadata = served.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    async with httpx2.AsyncClient(trust_env=False) as http:
        told = (await http.get(metadata)).json()
        foreign = await http.get(metadata, headers={"Host": "evil.example"})
    assert (told["resource"], told["authorization_servers"]) == (served, [issuer.url])
    assert told["scopes_supported"] == ["read", "run", "attach"]
    assert foreign.status_code == 403
    refused = await post(served, issuer.token(served, "read other"), "tools/call", name="run_python")
    challenge = refused.headers["www-authenticate"]
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="read run"' in challenge
    assert f'resource_metadata="{metadata}"' in challenge
    assert "it has no scope run" in refused.json()["error_description"]
    nothing = await post(served, issuer.token(served, "openid"))
    assert (nothing.status_code, 'scope="read run attach"' in nothing.headers["www-authenticate"]) == (
        403,
        True,
    )
    async with connected(served, issuer.token(served, "read")) as reader:
        assert {tool.name for tool in (await reader.list_tools()).tools} == READING


def forged(public: bytes, claims: dict[str, Any], algorithm: str) -> str:
    """A token that is signed with what everybody knows."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    said = f"{part({'alg': algorithm, 'kid': 'one'})}.{part(claims)}"
    if algorithm == "none":
        return f"{said}."
    signed = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(said.encode(), public)
    return f"{said}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}"


@behaviour("mcp:scopes:verified")
async def test_no_other_token_is_accepted(served: str, issuer: Issuer) -> None:
    claims = {"iss": issuer.url, "sub": "alice", "aud": served, "scope": "read", "exp": int(time.time()) + 60}
    stranger = Issuer(issuer.url)
    tokens = [
        issuer.token(served, exp=int(time.time()) - 60),
        issuer.token(served, exp=None),
        issuer.token(served, nbf=int(time.time()) + 600),
        issuer.token(f"{served}/other"),
        issuer.token(served, aud=None),
        issuer.token(served, iss="https://issuer.example"),
        issuer.token(served, sub=None),
        stranger.token(served),
        forged(issuer.public(), claims, "HS256"),
        forged(issuer.public(), claims, "none"),
        "no.token",
    ]
    answers = await asyncio.gather(*(post(served, token) for token in tokens))
    assert [answer.status_code for answer in answers] == [401] * len(tokens)
    assert all("oauth-protected-resource" in answer.headers["www-authenticate"] for answer in answers)
    listed = issuer.token("x", aud=["https://other.example", f"{served}/"])
    assert (await post(served, listed)).status_code != 401


@behaviour("mcp:scopes:verified")
async def test_keys_that_change_are_found_and_made_up_ones_do_not_flood_the_issuer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    made, now = Issuer(), 0.0
    with listening(made.app()) as url:
        made.url = url
        tokens = IssuerTokens(url, "https://me.example/mcp", IssuerKeys(url, lambda: now))
        first = made.token("https://me.example/mcp", "", scp=["run", "other"])
        given = await tokens.verify_token(first)
        assert given is not None
        assert (given.token, given.scopes, given.resource) == ("", ["run"], "https://me.example/mcp")
        asked = len(made.asked)
        made.keys["two"] = new_key()
        second = made.token("https://me.example/mcp", kid="two")
        assert [await tokens.verify_token(second) for _ in range(3)] == [None] * 3
        assert len(made.asked) == asked
        now += RESTS + 1
        renewed = await tokens.verify_token(second)
        assert renewed is not None
        assert renewed.client_id == given.client_id
    now += 10_000
    assert await tokens.verify_token(first) is not None  # the issuer is away; its keys are known
    assert "cannot be asked for its keys" in caplog.text
    assert not [token for token in (first, second) if token in caplog.text]


@behaviour("mcp:scopes:verified")
def test_keys_come_only_from_where_nobody_can_change_them() -> None:
    addresses = ("https://a.example", "http://127.0.0.1:1", "http://a.example", "file:///keys", "")
    assert [is_safe(each) for each in addresses] == [True, True, False, False, False]
