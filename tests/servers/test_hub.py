"""What is said of a JupyterHub, of its own address and in place of a server that does not run; its start."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from coderunner.errors import KernelError, ServerStopped, Standing
from coderunner.kernel.connections.servers.hub import NOT_ALLOWED, explain
from coderunner.kernel.connections.servers.hub_start import Progress, start_server, stopped_server
from coderunner.kernel.connections.servers.rest_connection import RestConnection
from coderunner.kernel.connections.servers.running_kernels import existing
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import Patience, Server
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Status
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.faults.proxy import chaos
from tests.servers.hub_double import hub_double
from tests.servers.place import HubPlace
from tests.servers.real import VENVS, hub


@pytest.fixture(scope="module", params=["double", *(["real"] if VENVS else [])])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubPlace]:
    """A Hub."""
    with hub(tmp_path_factory.mktemp("hub")) if request.param == "real" else hub_double() as running:
        yield running


ITSELF = "{url}{base} is a JupyterHub; use the address of your own server, {url}/user/ann"
STOPPED = "JupyterHub server no longer running at {base}/api. Restart the server at {url}/hub/spawn/ann"
UNKNOWN = "the JupyterHub at {url} does not accept the token; get one at {url}/hub/token"

SENTENCES = {
    ("", "ann", ""): ITSELF,
    ("/", "ann", ""): ITSELF,
    ("/hub", "ann", "/hub"): ITSELF,
    ("/hub/home", "ann", "/hub"): ITSELF,
    ("/hub/spawn/ann", "ann", "/hub"): ITSELF,
    ("", "bad", ""): UNKNOWN,
    ("/user/ann", "ann", "/user/ann"): STOPPED,
    ("/user/ann/lab/tree/a.ipynb", "ann", "/user/ann"): STOPPED,
    ("/hub/user/ann/lab", "ann", "/user/ann"): STOPPED,
    ("/user/ann", "bad", "/user/ann"): UNKNOWN,
    ("/user/ann", "", "/user/ann"): (
        "the JupyterHub at {url} requires a token and none is set; get one at {url}/hub/token"
    ),
    ("/user/ann", "bob", "/user/ann"): (
        "the token is bob's and does not reach the server of ann; use {url}/user/bob"
    ),
    ("/user/nobody", "ann", "/user/nobody"): (
        "the token is ann's and does not reach the server of nobody; use {url}/user/ann"
    ),
    ("/user/ann/work/lab", "bad", "/user/ann/work"): UNKNOWN,
    ("/user/ann/work", "bob", "/user/ann/work"): (
        "the token is bob's and does not reach the server 'work' of ann; use {url}/user/bob"
    ),
    ("/user/ann/old", "ann", "/user/ann/old"): f"{STOPPED}/old",
    ("/user/ann/soon/lab", "ann", "/user/ann/soon"): (
        "the server 'soon' of ann is still starting on {url}; try again in a minute"
    ),
    ("/user/ann/none", "ann", "/user/ann/none"): (
        "the JupyterHub at {url} has no server 'none' of ann; "
        "there are: 'old', 'late', 'held', 'lost', 'broken', 'work', 'soon', the default one, {url}/user/ann"
    ),
    ("/user/ann/old", "small", "/user/ann/old"): f"{STOPPED}/old; {NOT_ALLOWED}",
}


@behaviour("servers:hub")
@pytest.mark.parametrize(("path", "who", "base"), SENTENCES)
async def test_a_hub_is_told_from_its_servers_and_each_state_has_its_own_sentence(
    path: str, who: str, base: str, place: HubPlace
) -> None:
    said = SENTENCES[path, who, base].format(url=place.url, base=base)
    token = {"ann": place.token, "bob": place.other, "small": place.small}.get(who, who)
    where = Server(f"{place.url}{path}", Secret(token))
    report = await check(where)
    assert report.sentence.lower() == f"{said}.".lower()
    result = await Sessions().get("c", where).execute("1")
    assert (result.status, result.detail) == (Status.REFUSED, said)
    with pytest.raises(KernelError) as refused:
        await existing(where)
    assert str(refused.value) == said


BOUND = 60.0
"""Seconds that a test waits for a server which starts at once."""


class Told:
    """What is told of a start."""

    def __init__(self) -> None:
        self.lines: list[Progress] = []
        self._loop, self._heard = asyncio.get_running_loop(), asyncio.Event()

    def __call__(self, progress: Progress) -> None:
        self.lines.append(progress)
        self._loop.call_soon_threadsafe(self._heard.set)

    async def something(self) -> None:
        """Wait until anything is told."""
        await asyncio.wait_for(self._heard.wait(), BOUND)


async def standing(where: Server) -> Standing | None:
    told = await stopped_server(where)
    return None if told is None else told.standing


def server_at(place: HubPlace, path: str, token: str = "", *, url: str = "") -> Server:
    key = Secret(token or place.token)
    return Server(f"{url or place.url}/user/{path}", key, patience=Patience(away=0.5))


@behaviour("servers:hub-start")
@pytest.mark.parametrize("path", ["bob", "ann/late"])
async def test_a_stopped_server_is_started_and_its_progress_told(path: str, place: HubPlace) -> None:
    where = server_at(place, path, place.other if path == "bob" else "")
    assert await standing(where) == "stopped"
    told: list[Progress] = []
    await asyncio.wait_for(start_server(where, told.append), BOUND)
    assert Progress("Looking for a place", 30) in told
    assert await standing(where) is None
    if place.real:
        assert (await check(where)).ok


@behaviour("servers:hub-start")
async def test_a_server_that_runs_is_left_alone(place: HubPlace) -> None:
    told: list[Progress] = []
    await asyncio.wait_for(start_server(server_at(place, "ann/work"), told.append), BOUND)
    assert told == []


@behaviour("servers:hub-start-fails")
async def test_a_start_that_fails_has_the_reason_of_the_hub_the_second_time_too(place: HubPlace) -> None:
    where = server_at(place, "ann/broken")
    for _ in range(2):
        with pytest.raises(KernelError) as failed:
            await asyncio.wait_for(start_server(where, lambda _: None), BOUND)
        assert str(failed.value) == (
            f"the server 'broken' of ann did not start on {place.url}: there is no room left; "
            f"see {place.url}/hub/home"
        )


@behaviour("servers:hub-start-fails")
async def test_a_token_that_may_not_start_it_is_said_to_lack_the_scope(place: HubPlace) -> None:
    where = server_at(place, "ann/old", place.small)
    assert (await check(where)).standing is None
    with pytest.raises(KernelError) as refused:
        await asyncio.wait_for(start_server(where, lambda _: None), BOUND)
    assert str(refused.value) == (
        f"the server 'old' of ann does not run, and {NOT_ALLOWED}; start it at {place.url}/hub/home"
    )
    assert await standing(server_at(place, "ann/old")) == "stopped"


@behaviour("servers:hub-start-waits")
async def test_a_server_whose_start_is_no_longer_waited_for_starts_on(place: HubPlace) -> None:
    where, told = server_at(place, "ann/held"), Told()
    waiting = asyncio.ensure_future(start_server(where, told))
    await told.something()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await standing(where) == "starting"
    place.let_start("held")
    await asyncio.wait_for(start_server(where, told), BOUND)
    assert await standing(where) is None


@behaviour("servers:hub-start-waits")
async def test_a_server_that_comes_up_while_it_is_asked_about_refuses_nobody(place: HubPlace) -> None:
    where = server_at(place, "ann/old")

    async def between(act: Callable[[], Awaitable[None]]) -> KernelError | None:
        rest = RestConnection(where)
        try:
            answer = await rest.fetch("GET", "api")
            await act()
            return await explain(rest, answer)
        finally:
            rest.close()

    started = start_server(where, lambda _: None)
    trouble = await io_thread().run(between(lambda: started))
    assert isinstance(trouble, ServerStopped)
    assert trouble.standing == "starting"
    assert await standing(where) is None


@behaviour("servers:hub-start-waits")
async def test_a_lost_connection_while_a_server_starts_changes_nothing(place: HubPlace) -> None:
    async with chaos(place.url) as way:
        where, told = server_at(place, "ann/soon", url=way.url), Told()
        waiting = asyncio.ensure_future(start_server(where, told))
        await told.something()
        way.reset()
        place.let_start("soon")
        await asyncio.wait_for(waiting, BOUND)
        assert await standing(where) is None


@behaviour("servers:hub-start-away")
async def test_a_hub_that_goes_away_meanwhile_is_said_to_have_stopped_responding(place: HubPlace) -> None:
    async with chaos(place.url) as way:
        told = Told()
        waiting = asyncio.ensure_future(start_server(server_at(place, "ann/lost", url=way.url), told))
        await told.something()
        way.refusing = True
        way.reset()
        with pytest.raises(KernelError) as gone:
            await asyncio.wait_for(waiting, BOUND)
    assert str(gone.value) == (
        f"the JupyterHub at {way.url} stopped responding while the server 'lost' of ann started; "
        "try again when it responds"
    )
    assert await standing(server_at(place, "ann/lost")) == "starting"
