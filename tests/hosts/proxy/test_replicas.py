"""Two proxies, processes of their own, on one PostgreSQL database and one Jupyter server."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot
from tests.hosts.proxy.conftest import ALICE
from tests.hosts.proxy.processes import WAIT, ProxyProcess, proxy_process
from tests.hosts.proxy.test_operation import TOKEN, ask, begun, slow
from tests.kernel.servers import Jupyter, jupyter_server
from tests.postgresql import Server, own_postgresql, postgresql, why_not

__all__ = ["own_postgresql", "postgresql"]

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

CONVERSATIONS = count()
AGAIN = {"x-stainless-retry-count": "1"}
STOPPED = "nothing answers there; start the server, or correct records_url"

Start = Callable[..., ProxyProcess]


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with served(Parrot) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token=TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def start(model: str, jupyter: Jupyter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a replica with its own folder on the database at an address."""
    with ExitStack() as started:

        def another(address: str) -> ProxyProcess:
            variables = {
                "CODERUNNER_RECORDS_URL": address,
                "CODERUNNER_TOKEN": TOKEN,
                "CODERUNNER_API_KEY": ALICE,
            }
            folder = tmp_path_factory.mktemp("replica")
            return started.enter_context(
                proxy_process(folder, model, "--server", jupyter.url, variables=variables)
            )

        yield another


@pytest.fixture(scope="module")
def replicas(start: Start, postgresql: Server) -> tuple[ProxyProcess, ProxyProcess]:
    address = postgresql.url(postgresql.database())
    return start(address), start(address)


@pytest.fixture
def conversation() -> str:
    return f"conversation-{next(CONVERSATIONS)}"


@behaviour("proxy:replicas:once")
def test_a_request_that_a_balancer_gives_to_both_runs_its_block_once(
    replicas: tuple[ProxyProcess, ProxyProcess], conversation: str, tmp_path: Path
) -> None:
    here, there = replicas
    note = tmp_path / "note"
    with ThreadPoolExecutor() as threads:
        first = threads.submit(ask, here.client(ALICE), slow(note, 1.5), conversation, **AGAIN)
        begun(note)
        second = threads.submit(ask, there.client(ALICE), slow(note, 1.5), conversation, **AGAIN)
        said = first.result(WAIT), second.result(WAIT)
    assert note.read_text() == "x"
    assert [each.count("begun\ndone") for each in said] == [1, 1]


@behaviour("proxy:replicas:state")
def test_a_conversation_goes_on_in_another_replica_with_its_variables(
    replicas: tuple[ProxyProcess, ProxyProcess], conversation: str
) -> None:
    here, there = replicas
    ask(here.client(ALICE), "```python\nkept = 42\n```\n", conversation)
    assert "Result: 42" in ask(there.client(ALICE), "```python\nprint(kept)\n```\n", conversation)
    ask(there.client(ALICE), "```python\nkept += 1\n```\n", conversation)
    assert "Result: 43" in ask(here.client(ALICE), "```python\nprint(kept)\n```\n", conversation)


@behaviour("proxy:replicas:state")
def test_a_history_whose_client_names_no_conversation_is_recognised_by_another_replica(
    replicas: tuple[ProxyProcess, ProxyProcess],
) -> None:
    history: Any = []
    for replica, code in zip(
        (*replicas, replicas[0]), ("number = 7", "number += 1", "print(number)"), strict=True
    ):
        history.append({"role": "user", "content": f"```python\n{code}\n```\n"})
        reply = replica.client(ALICE).chat.completions.create(model="parrot+python", messages=history)
        history.append({"role": "assistant", "content": reply.choices[0].message.content})
    assert "Result: 8" in history[-1]["content"]
    other = [{"role": "user", "content": "Hello"}, history[1], history[4]]
    reply = replicas[1].client(ALICE).chat.completions.create(model="parrot+python", messages=other)
    assert "NameError" in (reply.choices[0].message.content or "")


@behaviour("proxy:replicas:killed")
def test_what_a_killed_replica_was_running_is_told_as_lost_by_the_other_and_not_run_again(
    replicas: tuple[ProxyProcess, ProxyProcess], start: Start, postgresql: Server, tmp_path: Path
) -> None:
    address = postgresql.url(postgresql.database())
    here, there = start(address), start(address)
    note = tmp_path / "note"
    with ThreadPoolExecutor() as threads:
        left = threads.submit(ask, here.client(ALICE), slow(note, 4), "killed")
        begun(note)
        here.signal(signal.SIGKILL)
        with pytest.raises(openai.APIError):
            left.result(WAIT)
    said = ask(there.client(ALICE), slow(note, 4), "killed", **AGAIN)
    assert "CodeRunner stopped while it ran" in said
    assert said.endswith("Seen.\n")
    assert "Result: 42" in ask(there.client(ALICE), "```python\nprint(kept)\n```\n", "killed")
    assert note.read_text() == "x"


@behaviour("proxy:replicas:away")
def test_a_database_that_is_away_is_told_at_the_start_in_a_reply_and_when_it_is_back(
    start: Start, own_postgresql: Server, conversation: str, tmp_path: Path
) -> None:
    own_postgresql.stop()
    place = f"the PostgreSQL database postgres on {own_postgresql.folder}"
    proxy = start(own_postgresql.url())
    assert proxy.errors.read_text() == f"{place} cannot save records: {STOPPED}; trying again\n"
    assert proxy.until(503).json()["records"] == "unavailable"
    said = ask(proxy.client(ALICE), "```python\nprint(1)\n```\n", conversation)
    assert f"{place} cannot save records: {STOPPED}" in said
    assert said.endswith("Seen.\n")
    own_postgresql.start()
    proxy.until(200)
    assert "Result: 2" in ask(proxy.client(ALICE), "```python\nprint(2)\n```\n", conversation)
    note = tmp_path / "note"
    with ThreadPoolExecutor() as threads:
        reply = threads.submit(ask, proxy.client(ALICE), slow(note, 1), conversation)
        begun(note)
        own_postgresql.stop(signal.SIGQUIT)
        assert "begun\ndone" in reply.result(WAIT)
    assert STOPPED in ask(proxy.client(ALICE), "```python\nprint(3)\n```\n", conversation)
    own_postgresql.start()
    proxy.until(200)
    assert "Result: 4" in ask(proxy.client(ALICE), "```python\nprint(4)\n```\n", conversation)
    states = own_postgresql.execute("SELECT state, count(*) FROM coderunner_runs GROUP BY state")
    assert states == [("ended", 3)]
    assert note.read_text() == "x"
    # What it says in the moment in which the server stops depends on the moment.
    away, back = "trying again", "the records can be saved again"
    lines = [line.rpartition("; ")[2] for line in proxy.errors.read_text().splitlines()]
    assert lines == [away, back, away, back]
