"""Who may use the server, and that nobody reaches what is another's."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.types import ResourceLink

from coderunner.__main__ import main
from coderunner.hosts.mcp.client_sessions import TEXTS, ClientSessions
from coderunner.hosts.mcp.tools import serving
from coderunner.languages import language_of
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.mcp.clients import ALICE, BOB, call, http_server, over_http, stands, texts


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with http_server(tmp_path_factory.mktemp("mcp"), "--approve", "auto") as address:
        yield address


@behaviour("mcp:people:apart")
async def test_no_id_of_one_client_is_any_good_to_another(url: str) -> None:
    async with over_http(url, ALICE) as alice, over_http(url, BOB) as bob:
        asks = await call(
            alice, "run_python", code="for n in range(999): print(n)\ninput('Name? ')", session="s"
        )
        link = asks.content[1]
        assert isinstance(link, ResourceLink)
        attempts = [
            await call(bob, "run_python", code="", session="s"),
            await call(bob, "send_input", text="Bob", session="s"),
            await call(bob, "interrupt", session="s"),
            await call(bob, "reset", session="s"),
        ]
        listed = await call(bob, "list_sessions")
        with pytest.raises(Exception, match="does not exist or has been dropped"):
            await bob.read_resource(link.uri)
        own = await call(bob, "run_python", code="print('n' in globals())", session="s")
        still = await call(alice, "send_input", text="Alice", session="s")
        for client in (alice, bob):
            await call(client, "reset", session="s")
    assert [(each.is_error, "there is no session 's'" in texts(each)[0]) for each in attempts] == [
        (True, True)
    ] * 4
    assert (stands(listed, "result"), texts(own)) == ([], ["False"])
    assert texts(still)[0].endswith("Name? Alice\n'Alice'")


@behaviour("mcp:people:apart")
async def test_a_call_of_nobody_reaches_nothing(tmp_path: Path) -> None:
    sessions = ClientSessions(load({"data_dir": tmp_path}), keep=False)
    async with Client(serving(sessions, ask=False)) as client:
        answers = [await call(client, "list_sessions"), await call(client, "run_python", code="1")]
    await sessions.close()
    assert [each.is_error for each in answers] == [True, True]
    assert all("this call does not identify its client" in texts(each)[0] for each in answers)


@behaviour("mcp:language")
async def test_the_tool_that_runs_code_is_called_after_the_kernels_language(tmp_path: Path) -> None:
    sessions = ClientSessions(load({"data_dir": tmp_path}), keep=False)
    async with Client(serving(sessions, ask=False, language=language_of("R"))) as client:
        tools = {tool.name: tool.description for tool in (await client.list_tools()).tools}
    await sessions.close()
    assert str(tools["run_r"]).startswith("Run R and get its output.")
    assert "run_python" not in tools


@behaviour("mcp:people:apart")
async def test_nobody_makes_the_outputs_of_others_be_forgotten(tmp_path: Path) -> None:
    sessions = ClientSessions(load({"data_dir": tmp_path}), keep=False)
    first = sessions.keep_text("alice", "hers")
    names = [sessions.keep_text("bob", f"his {number}") for number in range(TEXTS + 1)]
    await sessions.close()
    assert sessions.text("alice", first) == "hers"
    assert [sessions.text("bob", name) is None for name in names] == [True] + [False] * TEXTS


@behaviour("mcp:people:apart")
async def test_a_connection_is_nobody_elses(url: str) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    async with httpx2.AsyncClient(trust_env=False) as http:
        headers = {"Accept": "application/json, text/event-stream"}
        begun = await http.post(url, json=hello, headers=headers | {"Authorization": f"Bearer {ALICE}"})
        session = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"]}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        answers = [
            await http.post(url, json=ping, headers=headers | session | {"Authorization": f"Bearer {key}"})
            for key in (ALICE, BOB)
        ]
    assert [answer.status_code for answer in answers] == [200, 404]


@behaviour("mcp:http:guarded")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_strangers_and_other_pages_get_nothing(
    url: str, method: str, headers: dict[str, str], status: int
) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.request(method, url, headers={"Authorization": f"Bearer {ALICE}"} | headers)
    assert answer.status_code == status


@behaviour("mcp:start:refused")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--approve", "off"], "--approve is off, so nothing would run"),
        (["--http", "--sandbox", "off"], "clients' code would run on this machine"),
        (["--http", "--allow-local-kernel", "--host", "0.0.0.0"], "set the keys yourself first"),
    ],
)
def test_what_must_not_be_opened_is_refused_at_the_start(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CODERUNNER_DATA_DIR", str(tmp_path))
    assert main(["mcp", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, said in shown.err) == ("", True)
