"""What is said of a jupyverse, which takes a token only in addresses and cookies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Status
from tests.behaviours import behaviour
from tests.kernel.servers import raw_server
from tests.servers.place import Place
from tests.servers.real import VENVS, jupyverse

NOT_FOUND = b'HTTP/1.1 404 \r\nserver: anycorn-h11\r\ncontent-length: 22\r\n\r\n{"detail":"Not Found"}'
LOGIN = b"HTTP/1.1 307 \r\nlocation: /login\r\nserver: anycorn-h11\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture(params=["double", *(["real"] if VENVS else [])])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A jupyverse, or what version 0.14.18 answers."""
    if request.param == "real":
        with jupyverse(tmp_path) as running:
            yield running
    else:
        with raw_server({"/api": NOT_FOUND}, LOGIN) as url:
            yield Place(url, "token")


@behaviour("servers:jupyverse")
async def test_a_jupyverse_is_said_to_be_one_and_gets_no_token_in_an_address(place: Place) -> None:
    said = (
        f"{place.url} is a jupyverse, which takes a token only in an address, where others may read it; "
        "use a Jupyter Server, a gateway or a JupyterHub"
    )
    report = await check(place.where)
    assert report.sentence == f"{said}."
    result = await Sessions().get("c", place.where).execute("1")
    assert (result.status, result.detail) == (Status.REFUSED, said)
