"""What a person's app hears, and what comes back."""

import asyncio
import json
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from coderunner.hosts.team.handover import KEY_HEADER
from coderunner.hosts.team.person_process import PersonProcess
from coderunner.hosts.team.reverse_proxy import SECRET_HEADER
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND
from tests.hosts.team.place import HEADER, SECRET, Place, eventually, place


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("team")) as one:
        yield one


def socket(team: Place, *, query: str = "", name: str = "ada", secret: str = SECRET, **more: Any) -> connect:
    headers = {HEADER: name, SECRET_HEADER: secret}
    address = team.address.replace("http", "ws", 1)
    return connect(f"{address}/socket{query}", additional_headers=headers, proxy=None, **more)


@behaviour("team:forward:whole")
@pytest.mark.parametrize("target", ["/a%2Fb/..%2f?x=%20&y=1", "/%E6%9D%8E?", "/x/?c=a&c=b", "//two"])
def test_a_path_arrives_as_it_was_written(team: Place, target: str) -> None:
    with team.client("ada") as client:
        request = client.build_request("GET", team.address)
        request.url = request.url.copy_with(raw_path=target.encode())
        heard = client.send(request).json()["target"]
    assert heard.rstrip("?") == target.rstrip("?")


@behaviour("team:forward:whole")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_body_arrives_whole_whether_its_length_is_said_or_not(team: Place, method: str) -> None:
    with team.client("ada") as client:
        whole = client.request(method, "/", content=b"x" * 3_000_000)
        parts = client.request(method, "/", content=iter([b"x" * 1000] * 1000))
        none = client.request(method, "/")
    assert [each.json()["length"] for each in (whole, parts, none)] == [3_000_000, 1_000_000, 0]
    assert (whole.headers["x-said"], whole.json()["method"]) == ("yes", method)


@behaviour("team:forward:whole")
def test_an_answer_that_comes_before_the_body_was_read_arrives(team: Place) -> None:
    with team.client("ada") as client:
        refused = client.put("/refuse", content=iter([b"x" * 100_000] * 100))
    assert (refused.status_code, refused.json()) == (507, {"error": "There is no room."})


@behaviour("team:forward:whole")
def test_an_answer_comes_piece_by_piece(team: Place) -> None:
    with team.client("ada") as client, client.stream("GET", "/ticks") as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"tick\n"
        (team.home("ada") / "more").touch()
        assert next(pieces) == b"tock\n"
    (team.home("ada") / "more").unlink()


@behaviour("team:forward:whole")
def test_an_answer_without_a_body_ends_with_its_headers(team: Place) -> None:
    with team.client("ada") as client:
        heads = [client.head("/x") for _ in range(2)]
    assert {(each.status_code, each.headers["x-said"], each.content) for each in heads} == {(200, "yes", b"")}


@behaviour("team:forward:whole")
def test_a_body_whose_parts_are_empty_arrives_whole(team: Place) -> None:
    with team.client("ada") as client:
        heard = client.post("/", content=iter([b"", b"x" * 10, b"", b"y", b""])).json()
    assert heard["length"] == 11


@behaviour("team:forward:light")
@pytest.mark.asyncio
async def test_the_way_to_an_app_reads_no_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: read.append("locations"))
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: read.append("defaults"))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()
    async with PersonProcess(tmp_path / "app", Secret("key"), process).transport():
        assert read == []


@behaviour("team:forward:left")
def test_an_app_hears_that_a_browser_has_left(team: Place) -> None:
    with team.client("ada") as client, client.stream("GET", "/ticks") as answer:
        said = answer.iter_raw()
        assert next(said) == b"tick\n"
    eventually(lambda: (team.home("ada") / "left").exists())


@behaviour("team:forward:headers")
def test_what_a_person_says_about_their_way_is_not_handed_on(team: Place) -> None:
    forged = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Host": "elsewhere.example",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "for=1.2.3.4",
        "Connection": "X-Kept",
        "X-Kept": "yes",
        "Cookie": "a=b",
        KEY_HEADER: "a guess",
    }
    heard = team.get("ada", **forged).json()["headers"]
    by_name = dict(heard)
    assert len(by_name) == len(heard)
    assert by_name["x-forwarded-proto"] == "http"
    assert by_name["x-forwarded-host"] == by_name["host"] == team.address.removeprefix("http://")
    assert by_name["cookie"] == "a=b"
    assert KEY_HEADER.lower() not in by_name
    known = {HEADER.lower(), SECRET_HEADER.lower(), "forwarded", "x-forwarded-for", "connection"}
    assert known & by_name.keys() == set()
    assert SECRET not in json.dumps(heard)


@behaviour("team:forward:whole")
@pytest.mark.asyncio
async def test_a_websocket_is_open_both_ways_until_one_side_ends_it(team: Place) -> None:
    async with asyncio.timeout(BOUND):
        offered = [Subprotocol("other"), Subprotocol("small")]
        async with socket(team, subprotocols=offered, max_size=None) as one:
            assert one.subprotocol == "small"
            await one.send('"é"')
            assert [await one.recv(), await one.recv()] == ['"\\u00e9"', b'"\\u00e9"']
            await one.send(json.dumps("x" * 2_000_000))
            assert [len(await one.recv()), len(await one.recv())] == [2_000_002, 2_000_002]
            await one.send('"end"')
            assert [await one.recv(), await one.recv()] == ['"end"', b'"end"']
            with pytest.raises(ConnectionClosed) as closed:
                await one.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000


@behaviour("team:forward:whole")
@pytest.mark.asyncio
async def test_a_websocket_that_the_app_does_not_take_is_refused(team: Place) -> None:
    async with asyncio.timeout(BOUND):
        with pytest.raises(InvalidStatus):
            await socket(team, query="?no=1").__aenter__()


@behaviour("team:proxy:proves-itself")
def test_nobody_names_themselves_by_sending_the_header(team: Place) -> None:
    with httpx.Client(base_url=team.address, headers={HEADER: "ada"}, trust_env=False) as direct:
        for path in ("/", "/coderunner/notebook?c=x", "/coderunner/public/host.js", "/config", "/nowhere"):
            refused = direct.get(path)
            assert refused.status_code == 403, path
            assert "does not come from there" in refused.text


@behaviour("team:proxy:proves-itself")
@pytest.mark.asyncio
async def test_nobody_names_themselves_over_a_websocket(team: Place) -> None:
    async with asyncio.timeout(BOUND):
        with pytest.raises(InvalidStatus):
            await socket(team, secret="a guess").__aenter__()


@behaviour("team:proxy:no-name")
def test_a_request_without_a_name_is_refused_with_a_sentence_everywhere(team: Place) -> None:
    for path in ("/", "/ticks", "/coderunner/act", "/nowhere"):
        refused = team.get(None, path)
        assert refused.status_code == 403
        assert refused.text == (
            "The reverse proxy did not say who you are: "
            "each request must have the header X-Forwarded-User once."
        )
    page = team.get(None, Accept="text/html")
    assert page.headers["content-type"].startswith("text/html")
    assert "X-Forwarded-User once." in page.text


@behaviour("team:proxy:no-name")
def test_what_frames_are_made_of_needs_no_name(team: Place) -> None:
    for path in ("host.js", "scripts/shell.html", "scripts/frame.html"):
        assert team.get(None, f"/coderunner/public/{path}").status_code == 200


@behaviour("team:proxy:hostile-names")
@pytest.mark.parametrize("name", ["ada\u202e".encode(), b"\xff", b"a" * 300])
def test_a_hostile_name_makes_no_folder(team: Place, name: bytes) -> None:
    before = set((team.data / "people").iterdir())
    assert team.get(name).status_code == 403
    assert set((team.data / "people").iterdir()) == before


@behaviour("team:proxy:folders")
def test_a_name_of_path_separators_stays_within_the_folder_of_people(team: Place) -> None:
    home = team.get("../../../tmp/x").json()["home"]
    assert home == str(team.home("../../../tmp/x"))
    assert home.startswith(str(team.data / "people"))


@behaviour("team:proxy:origin")
@pytest.mark.asyncio
async def test_another_origin_and_another_host_are_refused(team: Place) -> None:
    assert team.get("ada", Origin="https://elsewhere.example").status_code == 403
    assert team.get("ada", Origin="null").status_code == 403
    assert team.get("ada", Host="elsewhere.example").status_code == 403
    assert team.get("ada", Origin=team.address).status_code == 200
    async with asyncio.timeout(BOUND):
        with pytest.raises(InvalidStatus):
            await socket(team, origin=Origin("https://elsewhere.example")).__aenter__()
