"""A real PostgreSQL server, and what becomes of it while runs go on: stopped, crashed, cut off, too busy."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGQUIT, Signals
from typing import Any

import pytest
from sqlalchemy import Connection

from coderunner.errors import RecordsUnavailable
from coderunner.outputs import Cell, Result, Status, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.conversation_queries import StoredMessage
from coderunner.records.database.run_queries import Key
from coderunner.records.database.schema import CURRENT
from coderunner.records.open_records import open_records
from coderunner.records.run_once import RecordedRuns
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour
from tests.postgresql import GUARDED, Server, why_not

from .conftest import CODE, FIFTEEN, KEY, claimed, crash, known, sent, write_tables
from .relay import Relay, relayed

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

BOUND = 20.0
OTHER = Key("conversation", "message", 1)
PASSWORD = "s3cr3t/canary?1"
STOPPED = "nothing answers there; start the server, or correct records_url"


@pytest.fixture
def relay(postgresql: Server) -> Iterator[Relay]:
    with relayed(postgresql) as relay:
        yield relay


def said(address: str) -> str:
    """What is said of a database that cannot be opened, after where it is."""
    with pytest.raises(RecordsUnavailable) as caught:
        Database(address)
    sentence = str(caught.value)
    assert PASSWORD not in sentence
    assert "\n" not in sentence
    assert caught.value.__cause__ is None
    return sentence.partition(" cannot save records: ")[2] or sentence


# --- what is said -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(postgresql: Server) -> Server:
    """The server with a user who has a password, and few rights."""
    postgresql.execute(f"CREATE USER {GUARDED} PASSWORD '{PASSWORD}'")
    return postgresql


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "a wrong password": (
        {"user": GUARDED, "password": "wrong"},
        "its server does not accept the password, or has no such user",
    ),
    "no password": (
        {"user": GUARDED},
        "its server asks for a password; put it into the URL, PGPASSWORD or libpq's password file",
    ),
    "no user": ({"user": "nobody_there"}, "its server has no such user"),
    "no database": ({"database": "not_there"}, "it does not exist; create it, for example with createdb"),
    "no socket": ({"host": "/nowhere"}, STOPPED),
    "no port": ({"host": "127.0.0.1", "port": "1"}, STOPPED),
    "none of several": ({"host": "/nowhere,/nowhere/else"}, STOPPED),
    "few rights": (
        {"user": GUARDED, "password": PASSWORD},
        "its user has too few rights (permission denied for schema public); grant them on its schema",
    ),
    "no schema": (
        {"options": "-csearch_path=not_there"},
        "its search_path names no schema that exists",
    ),
    "read-only": (
        {"options": "-cdefault_transaction_read_only=on"},
        "it takes no writes: it is a standby, or was set read-only",
    ),
    "a wrong value": (
        {"sslmode": "perhaps"},
        'records_url is not as PostgreSQL takes it: invalid sslmode value: "perhaps"',
    ),
    "an unknown parameter": (
        {"frobnicate": PASSWORD},
        'records_url is not as PostgreSQL takes it: invalid connection option "frobnicate"',
    ),
}


@behaviour("records:postgresql:sentence")
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_one_sentence_that_says_what_to_do(guarded: Server, what: str) -> None:
    given, sentence = WRONG[what]
    assert said(guarded.url(**given)) == sentence


@behaviour("records:postgresql:sentence")
def test_a_password_that_is_a_common_word_hides_no_sentence(guarded: Server) -> None:
    assert said(guarded.url(user=GUARDED, password="server")).startswith("its server does not accept")


@behaviour("records:postgresql:sentence")
def test_a_server_without_encryption_is_told_to_who_asks_for_it(relay: Relay) -> None:
    assert said(relay.url(sslmode="require")) == "its server offers no encryption, which sslmode asks for"
    Database(relay.url(sslmode="prefer")).close()


@behaviour("records:postgresql:tls")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_parameters_of_tls_are_libpqs(own_postgresql: Server, tmp_path: Path) -> None:
    own_postgresql.stop()
    certificate = shutil.copy(own_postgresql.encrypt(), tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    own_postgresql.start(listen_addresses="127.0.0.1", port=port, ssl="on")
    there = {"host": "localhost", "port": port}
    verified = {"sslmode": "verify-full", "sslrootcert": str(certificate)}
    store = Database(own_postgresql.url(**there | verified))
    query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert store.read(lambda connection: connection.exec_driver_sql(query).scalar()) is True
    store.close()
    fails = "the encrypted connection fails: "
    assert said(own_postgresql.url(**there | verified | {"host": "127.0.0.1"})) == (
        f'{fails}server certificate for "localhost" does not match host name "127.0.0.1"'
    )
    assert said(own_postgresql.url(**there | verified | {"sslrootcert": "/nowhere"})) == (
        f'{fails}root certificate file "/nowhere" does not exist'
    )
    assert said(own_postgresql.url(**there, sslmode="disable")) == (
        "its server's pg_hba.conf does not let this user in from here"
    )


@behaviour("records:postgresql:sentence")
def test_what_answers_and_is_no_postgresql_server_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as web, ThreadPoolExecutor(1) as threads:
        threads.submit(refuse_as_a_web_server, web)
        reason = said(f"postgresql://me:word@127.0.0.1:{web.getsockname()[1]}/records")
    assert reason == "what answers there is no PostgreSQL server; correct records_url"


def refuse_as_a_web_server(listener: socket.socket) -> None:
    """Answer one connection as a web server does that reads no HTTP."""
    listener.settimeout(BOUND)
    connection, _ = listener.accept()
    with connection:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@behaviour("records:postgresql:sentence")
def test_a_server_that_takes_connections_and_says_nothing_is_given_up(relay: Relay) -> None:
    relay.swallowing = True
    assert said(relay.url(connect_timeout="2")) == "its server does not answer in time"


@behaviour("records:postgresql:sentence")
def test_too_many_connections_are_told(guarded: Server) -> None:
    guarded.execute("CREATE USER crowded CONNECTION LIMIT 0")
    assert said(guarded.url(user="crowded")) == (
        "its server has no connection left; lower records_pool, or raise max_connections there"
    )


@behaviour("records:postgresql:url")
@pytest.mark.parametrize("dialect", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_way_to_write_the_dialect_is_understood(postgresql: Server, dialect: str) -> None:
    store = Database(postgresql.schema().replace("postgresql", dialect, 1))
    assert store.place == f"the PostgreSQL database postgres on {postgresql.folder}"
    store.close()


@behaviour("records:postgresql:url")
@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg", "pg8000", "psycopg_async"])
def test_another_driver_is_refused_in_a_sentence(driver: str) -> None:
    assert said(f"postgresql+{driver}://me:{PASSWORD}@127.0.0.1/db") == (
        f"CodeRunner reaches PostgreSQL through psycopg 3; write postgresql:// without +{driver}"
    )


@behaviour("records:postgresql:driver")
def test_a_driver_that_is_not_installed_is_told_with_the_command(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None; "
        "from coderunner.records.open_records import open_records; from pathlib import Path\n"
        f"try: open_records('postgres://me:{PASSWORD}@db.example/runs', Path('/nowhere'))\n"
        "except OSError as failure: print(failure)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == (
        "the PostgreSQL database runs on db.example cannot save records: psycopg is not installed; "
        f"run: {sys.executable} -m pip install 'psycopg[binary]>=3.2'\n"
    )


@behaviour("records:postgresql:password")
@pytest.mark.parametrize("way", ["the URL", "the environment", "a password file"])
def test_the_password_comes_from_wherever_libpq_looks(
    guarded: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    database = guarded.database()
    guarded.execute(f"GRANT ALL ON SCHEMA public TO {GUARDED}", database)
    given = {}
    if way == "the URL":
        given["password"] = PASSWORD
    elif way == "the environment":
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
    else:
        file = tmp_path / "pgpass"
        file.touch(0o600)
        file.write_text(f"*:*:*:{GUARDED}:{PASSWORD}\n")
        monkeypatch.setenv("PGPASSFILE", str(file))
    records = Records(Database(guarded.url(database, GUARDED, **given)))
    sent(records.claim(KEY, CODE)).finish(FIFTEEN)
    assert records.settle(BOUND)
    assert PASSWORD not in repr(vars(records._store)["_engine"])
    records.close()


# --- a server that is away --------------------------------------------------------------------------------


@behaviour("records:postgresql:away")
def test_a_server_that_is_away_at_the_start_is_waited_for_and_until_then_nothing_runs(
    own_postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    address = own_postgresql.url()
    own_postgresql.stop()
    place = f"the PostgreSQL database postgres on {own_postgresql.folder}"
    records = open_records(address, Path("/nowhere"))
    away = f"{place} cannot save records: {STOPPED}"
    assert records.trouble() == f"Not everything can be saved right now: {away}."
    refused: Any = RecordedRuns(records, "conversation", "message").claim(Cell(CODE), 0)
    assert refused.result(0) == Result(status=Status.UNRECORDED, detail=away)
    records.conversations.keep("talk", "conversation", (StoredMessage("user", "before"),))
    own_postgresql.start()
    assert records.settle(BOUND)
    sent(records.claim(KEY, CODE)).finish(FIFTEEN)
    assert records.settle(BOUND)
    assert records.trouble() == ""
    chat = records.conversations.find("talk")
    assert chat is not None
    assert [each.result for each in chat.records] == [FIFTEEN]
    records.close()
    assert caplog.messages[0] == f"{away}; trying again"
    assert caplog.messages[-1] == "the records can be saved again"


@behaviour("records:postgresql:away")
@pytest.mark.parametrize("how", ["SIGINT", "SIGQUIT"])
def test_a_server_that_goes_in_the_middle_loses_nothing_and_nothing_runs_twice(
    own_postgresql: Server, how: str
) -> None:
    records = Records(Database(own_postgresql.url()))
    running = sent(records.claim(KEY, CODE))
    queued = claimed(records.claim(OTHER, CODE))
    running.show(0, Stream("stdout", "begun\n"))
    assert records.settle(BOUND)
    own_postgresql.stop(Signals[how])
    with pytest.raises(RecordsUnavailable, match=STOPPED):
        queued.send()
    queued.finish(Result(status=Status.UNRECORDED))
    with pytest.raises(RecordsUnavailable, match=STOPPED):
        records.claim(Key("conversation", "message", 2), CODE)
    done = Result((Stream("stdout", "begun\ndone\n"),))
    running.finish(done)
    assert not records.settle(0.5)
    assert STOPPED in records.trouble()
    own_postgresql.start()
    assert records.settle(BOUND)
    assert records.trouble() == ""
    assert known(records.claim(KEY, CODE)).result == done
    assert isinstance(records.claim(OTHER, CODE), ActiveRun)
    records.close()


@behaviour("records:postgresql:restart")
def test_a_server_that_was_started_anew_is_noticed_by_nobody(own_postgresql: Server) -> None:
    records = Records(Database(own_postgresql.url()))
    running = sent(records.claim(KEY, CODE))
    for how in (SIGQUIT, None):
        own_postgresql.stop(*filter(None, [how]))
        own_postgresql.start()
        assert known(records.recall(KEY, CODE)).id == running.id
    own_postgresql.stop()
    own_postgresql.start()
    sent(records.claim(OTHER, CODE)).finish(FIFTEEN)
    running.finish(FIFTEEN)
    assert records.settle(BOUND)
    assert [each.result for each in records.of("conversation")] == [FIFTEEN, FIFTEEN]
    records.close()


@behaviour("records:postgresql:restart")
def test_idle_connections_that_a_balancer_cut_are_noticed_by_nobody(relay: Relay, postgresql: Server) -> None:
    records = Records(Database(relay.schema()))
    for ordinal in range(3):
        relay.cut()
        entry = claimed(records.claim(Key("c", "m", ordinal), CODE))
        relay.cut()
        assert entry.send()
        relay.cut()
        entry.finish(FIFTEEN)
        assert records.settle(BOUND)
    assert [each.result for each in records.of("c")] == [FIFTEEN] * 3
    records.close()


@behaviour("records:postgresql:restart")
def test_after_a_failover_connections_that_lead_to_a_standby_are_left(postgresql: Server) -> None:
    database = postgresql.database()
    records = Records(Database(postgresql.url(database)))
    ends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    postgresql.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    postgresql.execute(ends)
    with pytest.raises(RecordsUnavailable, match="it takes no writes: it is a standby, or was set read-only"):
        records.claim(KEY, CODE)
    postgresql.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = off")
    assert isinstance(records.claim(KEY, CODE), ActiveRun)
    records.close()


@behaviour("records:postgresql:answer-lost")
def test_where_the_answer_to_a_claim_is_lost_the_block_runs_once(relay: Relay, postgresql: Server) -> None:
    records = Records(Database(relay.schema()))
    relay.cut_commit_of = b"INSERT INTO coderunner_runs"
    entry = claimed(records.claim(KEY, CODE))
    assert relay.cuts == 1
    assert not isinstance(records.claim(KEY, CODE), ActiveRun)
    assert entry.send()
    entry.finish(FIFTEEN)
    assert records.settle(BOUND)
    assert [(each.id, each.attempt, each.result) for each in records.of("conversation")] == [
        (entry.id, 1, FIFTEEN)
    ]
    records.close()


@behaviour("records:postgresql:answer-lost")
@pytest.mark.parametrize("step", ["claim", "send"])
def test_where_an_answer_is_lost_and_the_server_then_away_the_block_can_run_later(
    own_postgresql: Server, step: str
) -> None:
    with relayed(own_postgresql) as relay:
        records = Records(Database(relay.url()))
        entry = claimed(records.claim(KEY, CODE)) if step == "send" else None
        assert records.settle(BOUND)
        relay.cut_commit_of = b"UPDATE coderunner_runs" if entry else b"INSERT INTO coderunner_runs"
        relay.refuses_after_cut = True
        with pytest.raises(RecordsUnavailable):
            entry.send() if entry is not None else records.claim(KEY, CODE)
        if entry is not None:
            entry.finish(Result(status=Status.UNRECORDED))
        assert relay.cuts == 1
        relay.refusing = False
        assert records.settle(BOUND)
        sent(records.claim(KEY, CODE)).finish(FIFTEEN)
        assert records.settle(BOUND)
        assert known(records.recall(KEY, CODE)).result == FIFTEEN
        assert [each.state for each in records.of("conversation")] == ["unsent", "ended"]
        records.close()


@behaviour("records:postgresql:removed")
def test_tables_that_are_removed_are_made_anew_with_what_goes_on(postgresql: Server) -> None:
    database = postgresql.database()
    records = Records(Database(postgresql.url(database)))
    running = sent(records.claim(KEY, CODE))
    assert records.settle(BOUND)
    postgresql.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public", database)
    with pytest.raises(RecordsUnavailable, match="CodeRunner's tables are not there any more"):
        records.claim(OTHER, CODE)
    sent(records.claim(OTHER, CODE)).finish(FIFTEEN)
    running.finish(FIFTEEN)
    assert records.settle(BOUND)
    assert "were deleted while CodeRunner was running" in records.trouble()
    assert [each.result for each in records.of("conversation")] == [FIFTEEN, FIFTEEN]
    records.close()


# --- a server that is busy --------------------------------------------------------------------------------


@contextmanager
def locked(server: Server, database: str, statement: str) -> Iterator[None]:
    """Somebody else's transaction, which does not end."""
    with server.transaction(database) as other:
        other.execute(statement.encode())
        yield


@behaviour("records:postgresql:limits")
@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("lock_timeout", "another transaction holds a lock for too long"),
        ("statement_timeout", "the statement took too long and was stopped"),
    ],
)
def test_who_waits_too_long_for_others_is_told_so_and_goes_on_later(
    postgresql: Server, limit: str, sentence: str
) -> None:
    database = postgresql.database()
    records = Records(Database(postgresql.url(database, options=f"-c{limit}=100")))
    assert records.settle(BOUND)
    with (
        locked(postgresql, database, "LOCK TABLE coderunner_runs"),
        pytest.raises(RecordsUnavailable, match=sentence),
    ):
        records.claim(KEY, CODE)
    assert isinstance(records.claim(KEY, CODE), ActiveRun)
    records.close()


@behaviour("records:postgresql:limits")
def test_each_transaction_is_bounded_where_nobody_set_a_bound(postgresql: Server) -> None:
    def bounds(connection: Connection) -> list[str]:
        names = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
        return [str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in names]

    store = Database(postgresql.schema())
    assert [store.read(bounds), store.write(bounds)] == [["30s", "5s", "1min"]] * 2
    store.close()
    store = Database(postgresql.url(options="-cstatement_timeout=7s"))
    assert store.read(bounds) == ["7s", "5s", "1min"]
    store.close()


@behaviour("records:postgresql:pool")
def test_a_process_opens_no_more_connections_than_its_pool_has(relay: Relay, postgresql: Server) -> None:
    records = Records(Database(relay.schema(), pool=2))
    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda n: records.claim(Key("c", "m", n % 40), CODE), range(120)))
    assert Counter(type(each) for each in found)[ActiveRun] == 40
    assert relay.opened <= 2
    records.close()


@behaviour("records:postgresql:pool")
def test_a_pool_in_which_all_are_busy_is_told(postgresql: Server) -> None:
    store = Database(postgresql.schema(), pool=1, patience=0.1)
    with ThreadPoolExecutor(1) as thread:
        begun, ends = threading.Event(), threading.Event()
        busy = thread.submit(store.write, lambda _: begun.set() or ends.wait(BOUND))
        assert begun.wait(BOUND)
        with pytest.raises(RecordsUnavailable, match="all connections that records_pool allows are in use"):
            store.read(lambda _: None)
        ends.set()
        busy.result(BOUND)
    store.close()


# --- many at once -----------------------------------------------------------------------------------------

CLAIMER = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import Key
from coderunner.records.run_registry import Records

address, count = sys.argv[1], int(sys.argv[2])
records = Records(Database(address))
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(6) as threads:
    found = list(threads.map(lambda n: records.claim(Key("c", "m", n % count), "1"), range(2 * count)))
print(json.dumps([each.id for each in found if isinstance(each, ActiveRun)]), flush=True)
sys.stdin.readline()
records.close()
"""


@behaviour("records:postgresql:claims")
def test_of_many_claimers_in_several_processes_each_block_has_one(postgresql: Server) -> None:
    count, every = 60, list[str]()
    # Whatever the server's own default is.
    schema = postgresql.schema().partition("csearch_path%3D")[2]
    address = postgresql.url(options=f"-csearch_path={schema} -cdefault_transaction_isolation=serializable")
    command = [sys.executable, "-c", CLAIMER, address, str(count)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(command, **pipes)) for _ in range(3)]
        for each in processes:
            assert _line(each) == "ready\n"
        for each in processes:
            _tell(each, "go\n")
        for each in processes:
            every += json.loads(_line(each))
        for each in processes:
            _tell(each, "end\n")
    rows = postgresql.execute(f"SELECT id FROM {schema}.coderunner_runs WHERE attempt = 1")
    assert len(every) == len(set(every)) == count
    assert {row[0] for row in rows} == set(every)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _tell(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdin is not None
    process.stdin.write(words)
    process.stdin.flush()


@behaviour("records:postgresql:claims")
def test_a_run_that_is_sent_while_another_takes_it_over_runs_once(postgresql: Server) -> None:
    database = postgresql.database()
    here, there = (Records(Database(postgresql.url(database))) for _ in range(2))
    claimed(here.claim(KEY, CODE))
    crash(here)
    with postgresql.transaction(database) as ghost, ThreadPoolExecutor(1) as thread:
        ghost.execute("UPDATE coderunner_runs SET state = 'sent'")
        takes_over = thread.submit(there.claim, KEY, CODE)
        _until_somebody_waits(postgresql)
        ghost.commit()
        found = known(takes_over.result(BOUND))
    assert found.result is not None
    assert found.result.status is Status.LOST
    for each in (here, there):
        each.close()


@behaviour("records:postgresql:claims")
def test_of_two_who_write_in_one_conversation_at_once_the_last_word_counts(postgresql: Server) -> None:
    database = postgresql.database()
    records = Records(Database(postgresql.url(database)))
    one = (StoredMessage("user", "one"),)
    records.conversations.keep("id", "label", one)
    assert records.settle(BOUND)
    with postgresql.transaction(database) as other:
        other.execute("UPDATE coderunner_chats SET changed = changed + 1")
        other.execute(
            "INSERT INTO coderunner_sayings SELECT chat, 1, reply, role, text, late, pieces, tokens, "
            "finished, 0, shown FROM coderunner_sayings"
        )
        records.conversations.keep("id", "label", (StoredMessage("user", "1"),))
        _until_somebody_waits(postgresql)
        other.commit()
    assert records.settle(BOUND)
    chat = records.conversations.find("id")
    assert chat is not None
    assert [each.text for each in chat.sayings] == ["1"]
    records.close()


@behaviour("records:postgresql:migrated")
def test_while_an_old_process_writes_several_new_ones_start_and_one_migrates(postgresql: Server) -> None:
    database = postgresql.database()
    address = postgresql.url(database)
    write_tables(address, Path(__file__).parent / "version-1.sql")
    count = int(postgresql.execute("SELECT count(*) FROM coderunner_runs", database)[0][0])
    ends = threading.Event()
    with ThreadPoolExecutor(7) as threads:
        old = threads.submit(_write_as_version_1, postgresql, database, ends)
        opened = list(threads.map(lambda _: Database(address), range(6)))
        ends.set()
        written = old.result(BOUND)
    assert postgresql.execute("SELECT version FROM coderunner_schema", database) == [(CURRENT,)]
    assert postgresql.execute("SELECT count(*) FROM coderunner_runs", database) == [(count + written,)]
    for each in opened:
        each.close()


def _write_as_version_1(server: Server, database: str, ends: threading.Event) -> int:
    columns = "id, conversation, message, ordinal, code_hash, attempt, code, place, owner, state, created"
    values = "md5(random()::text), 'old', 'm', {}, '', 1, '\"\"', '\"\"', '', 'queued', 0"
    written = 0
    with server.transaction(database) as connection:
        connection.autocommit = True
        while not ends.is_set() or written < 50:
            statement = f"INSERT INTO coderunner_runs ({columns}) VALUES ({values.format(written)})"
            connection.execute(statement.encode())
            written += 1
    return written


def _until_somebody_waits(server: Server) -> None:
    """Wait until a transaction waits for another one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    until = threading.Event()
    for _ in range(400):
        if server.execute(waiting)[0][0]:
            return
        until.wait(0.05)
    raise AssertionError("nobody waits for a lock")
