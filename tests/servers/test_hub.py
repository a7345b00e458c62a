"""What is said of a JupyterHub: of its own address, and in place of a server that does not run."""

from collections.abc import Iterator

import pytest

from coderunner.errors import KernelError
from coderunner.kernel.connections.servers.running_kernels import existing
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Status
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
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
        "ann has no server 'none' on {url}; there are: 'work', 'soon', 'old'"
    ),
}


@behaviour("servers:hub")
@pytest.mark.parametrize(("path", "who", "base"), SENTENCES)
async def test_a_hub_is_told_from_its_servers_and_each_state_has_its_own_sentence(
    path: str, who: str, base: str, place: HubPlace
) -> None:
    if place.token != "ann-token" and base in ("/user/ann/soon", "/user/ann/none"):
        pytest.skip("a server that is starting has started by now")
    said = SENTENCES[path, who, base].format(url=place.url, base=base)
    token = {"ann": place.token, "bob": place.other}.get(who, who)
    where = Server(f"{place.url}{path}", Secret(token))
    report = await check(where)
    assert report.sentence.lower() == f"{said}.".lower()
    result = await Sessions().get("c", where).execute("1")
    assert (result.status, result.detail) == (Status.REFUSED, said)
    with pytest.raises(KernelError) as refused:
        await existing(where)
    assert str(refused.value) == said
