"""PgBouncer between us and PostgreSQL, where it is installed: each transaction may get another connection."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coderunner.errors import RecordsUnavailable
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import Key
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour
from tests.postgresql import OWNER, Server, end_with_us, stranger, until

from .conftest import CODE, FIFTEEN, sent

BOUND = 20.0
SETTINGS = """
[databases]
* = host={server}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = 6432
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 3
"""

pytestmark = pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="PgBouncer is not installed")


@pytest.fixture(scope="module")
def pooler(postgresql: Server) -> Iterator[Path]:
    """The folder of its socket."""
    folder = postgresql.folder / "pooler"
    folder.mkdir()
    (folder / "users").write_text(f'"{OWNER}" ""\n')
    settings = folder / "settings.ini"
    settings.write_text(SETTINGS.format(server=postgresql.folder, folder=folder))
    user = stranger() or {}
    if user:
        os.chown(folder, user["user"], user["group"])
    command = [shutil.which("pgbouncer") or "", str(settings)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=end_with_us, **user) as process:
        assert process.stderr is not None
        assert b"process up" in until(b"process up", process.stderr)[-1]
        yield folder
        process.kill()


@behaviour("records:postgresql:pooler")
def test_many_replicas_share_few_connections_that_change_with_each_transaction(
    postgresql: Server, pooler: Path
) -> None:
    address = postgresql.url(postgresql.database(), host=str(pooler), port="6432")
    replicas = [Records(Database(address)) for _ in range(3)]
    with ThreadPoolExecutor(9) as threads:
        found = list(threads.map(lambda n: replicas[n % 3].claim(Key("c", "m", n // 6), CODE), range(180)))
        assert Counter(type(each) for each in found)[ActiveRun] == 30
        for each in found:
            if isinstance(each, ActiveRun):
                sent(each).finish(FIFTEEN)
    assert all(each.settle(BOUND) for each in replicas)
    assert [each.result for each in replicas[0].of("c")] == [FIFTEEN] * 30
    for each in replicas:
        each.close()


@behaviour("records:postgresql:pooler")
def test_what_a_pooler_does_not_pass_on_is_told(postgresql: Server, pooler: Path) -> None:
    with pytest.raises(RecordsUnavailable, match="unsupported startup parameter: options"):
        Database(postgresql.url(host=str(pooler), port="6432", options="-csearch_path=x"))
    with pytest.raises(RecordsUnavailable, match="it does not exist"):
        Database(postgresql.url("not_there", host=str(pooler), port="6432"))
