"""Our routes, in an app of their own: each of them looks by itself who asks."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from coderunner.outputs import Result, Stream
from coderunner.page.block_state import Block, State
from coderunner.page.html.sandboxed_frames import LEVELS, PROGRAMS
from coderunner.page.server.routes import Rights, Routes
from coderunner.page.server.static_files import PUBLIC, names
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, served

OWN, HERS = "an-id-of-my-own-block", "an-id-of-her-own-block"


class Taken:
    """Takes every press of a button, so that whatever comes through is seen."""

    def act(self, _ticket: str, _verb: str) -> bool:
        return True

    def run_edited(self, _ticket: str, _verb: str, _source: str) -> bool:
        return True

    def answer(self, _ticket: str, _text: Secret) -> bool:
        return True


BOARD = Subscriptions()
RIGHTS = Rights(owner=lambda _scope: "me")
ROUTES = Routes(BOARD, RIGHTS, Taken()).all()
PRESS = b'{"ticket": "t", "act": "run"}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(lambda: Starlette(routes=ROUTES)) as address:
        yield address


def press(address: str, path: str, headers: dict[str, str], content: bytes = PRESS) -> int:
    try:
        return httpx.post(address + path, headers=headers, content=content, trust_env=False).status_code
    except httpx.WriteError:  # it hung up before it had read all
        return 413


TOKEN = {"X-CodeRunner-Token": RIGHTS.token}

REFUSED = {
    "no token": (JSON, PRESS),
    "wrong token": (JSON | {"X-CodeRunner-Token": RIGHTS.token[:-1] + "!"}, PRESS),
    "foreign host": (JSON | TOKEN | {"Host": "evil.example"}, PRESS),
    "foreign origin": (JSON | TOKEN | {"Origin": "http://evil.example"}, PRESS),
    "null origin": (JSON | TOKEN | {"Origin": "null"}, PRESS),
    "another site": (JSON | TOKEN | {"Sec-Fetch-Site": "cross-site"}, PRESS),
    "text": ({"Content-Type": "text/plain"} | TOKEN, PRESS),
    "20 MB": (JSON | TOKEN, b" " * 20_000_000),
}


@behaviour("page:routes:closed")
@pytest.mark.parametrize("what", REFUSED)
def test_no_post_is_taken_from_anybody_else(address: str, what: str) -> None:
    posts = [route.path for route in ROUTES if isinstance(route, Route) and "POST" in (route.methods or ())]
    assert posts == ["/coderunner/act", "/coderunner/look-up"]
    headers, content = REFUSED[what]
    for path in posts:
        assert press(address, path, headers, content) in (403, 413, 415)
        assert httpx.get(address + path, headers=TOKEN, trust_env=False).status_code == 405


@behaviour("page:routes:deep")
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 60_000,
        b'{"id":' * 60_000,
        b"[" * 5_000 + b"]" * 5_000,
        b"9" * 9_000,
        b"\xff",
        b"",
        b"NaN",
        b"7",
    ],
)
def test_a_press_that_is_no_press_is_refused_however_deep_it_is(address: str, content: bytes) -> None:
    assert press(address, "/coderunner/act", JSON | TOKEN | {"Origin": address}, content) in (404, 413)


@behaviour("page:routes:own")
def test_our_own_page_may_press_a_button(address: str) -> None:
    assert press(address, "/coderunner/act", JSON | TOKEN | {"Origin": address}) == 200


def offered(protocols: list[str]) -> list[Subprotocol]:
    return [Subprotocol(each) for each in protocols]


SOCKETS = {
    "no token": (["coderunner"], {}),
    "wrong token": (["coderunner", "guess"], {}),
    "two tokens": (["coderunner", RIGHTS.token, "guess"], {}),
    "the token only": ([RIGHTS.token], {}),
    "foreign host": (["coderunner", RIGHTS.token], {"Host": "evil.example"}),
    "foreign origin": (["coderunner", RIGHTS.token], {"Origin": "http://evil.example"}),
    "null origin": (["coderunner", RIGHTS.token], {"Origin": "null"}),
}


@behaviour("page:routes:closed")
@pytest.mark.parametrize("what", SOCKETS)
async def test_no_socket_is_opened_for_anybody_else(address: str, what: str) -> None:
    protocols, headers = SOCKETS[what]
    paths = [route.path for route in ROUTES if isinstance(route, WebSocketRoute)]
    assert paths == ["/coderunner/socket"]
    for path in paths:
        url = address.replace("http", "ws") + path
        with pytest.raises(InvalidStatus):
            await connect(url, subprotocols=offered(protocols), additional_headers=headers, proxy=None)


async def told(address: str, *say: str) -> list[dict[str, object]]:
    """What a page gets that says `say`, one answer for each."""
    url = address.replace("http", "ws") + "/coderunner/socket"
    async with asyncio.timeout(BOUND):
        async with connect(url, subprotocols=offered(["coderunner", RIGHTS.token]), proxy=None) as socket:
            for each in say:
                await socket.send(each)
            return [json.loads(await socket.recv()) for _ in say]


@behaviour("page:routes:owner")
async def test_an_id_opens_a_block_to_its_owner_only(address: str) -> None:
    block = Block(source="x", state=State.ENDED, result=Result((Stream("stdout", "15\n"),)), id=OWN)
    BOARD.show([block], "me")
    BOARD.show([Block(source="x", id=HERS)], "her")
    mine, hers, nobodys = await told(
        address, *(json.dumps({"t": "watch", "cell": cell}) for cell in (OWN, HERS, "an-id-of-nobodys-block"))
    )
    assert (mine["t"], mine["outputs"], mine["framed"]) == ("draw", 1, 1)
    assert [hers["t"], nobodys["t"]] == ["gone", "gone"]


@behaviour("page:routes:public")
def test_what_is_public_is_the_same_for_everybody_and_nothing_else_is(address: str) -> None:
    public = [route.path for route in ROUTES if isinstance(route, Route) and "GET" in (route.methods or ())]
    # What blocks loaded is asked for with the token; see test_loaders.
    assert [path for path in public if not path.startswith(PUBLIC)] == ["/coderunner/loaders/{name}"]
    kinds = [f"{page}{_of(program)}" for page in ("shell", "frame") for program in PROGRAMS]
    pages = [f"{level}/{kind}.html" for level in LEVELS for kind in kinds]
    for name in (*names(), *pages):
        first, second = (
            httpx.get(f"{address}{PUBLIC}{name}", headers=headers, trust_env=False)
            for headers in ({"Origin": "null"}, TOKEN)
        )
        assert first.status_code == 200
        assert first.content == second.content
        assert RIGHTS.token not in first.text
    for name in (
        "routes.py",
        "../routes.py",
        "..%2froutes.py",
        "other/shell.html",
        "scripts/other.html",
        *NO_PAGES,
        "",
    ):
        assert httpx.get(f"{address}{PUBLIC}{name}", trust_env=False).status_code == 404


NO_PAGES = ("scripts/shell_other.html", "scripts/frame_.js.html", "scripts/other_widgets.html")


def _of(program: str) -> str:
    return f"_{program}" if program else ""


@behaviour("page:frames:closed")
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_frame_has_no_origin_no_network_and_nowhere_to_go(address: str, level: str, program: str) -> None:
    host = address.removeprefix("http://")
    policies = {}
    for page in ("shell", "frame"):
        answer = httpx.get(f"{address}{PUBLIC}{level}/{page}{_of(program)}.html", trust_env=False)
        parts = (each.strip().partition(" ") for each in answer.headers["content-security-policy"].split(";"))
        policies[page] = {name: sources for name, _, sources in parts}
    public = f"http://{host}{PUBLIC}"
    for policy in policies.values():
        assert (policy["sandbox"], policy["default-src"]) == ("allow-scripts", "'none'")
        assert (policy["base-uri"], policy["form-action"]) == ("'none'", "'none'")
    assert policies["shell"]["frame-src"] == f"{public}{level}/frame{_of(program)}.html"
    assert policies["shell"]["script-src"].startswith("'sha256-")
    assert policies["frame"].get("frame-src") == ("blob:" if level == "scripts" else None)
    assert policies["frame"]["connect-src"] == "data: blob:"
    assert ("'unsafe-inline'" in policies["frame"]["script-src"]) is (level == "scripts")
