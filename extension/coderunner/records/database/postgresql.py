"""What is particular to PostgreSQL: how it is connected to, how a transaction begins, what it says."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout

from coderunner.errors import RecordsUnavailable

DIALECT = "postgresql"
NAMES = {"postgres", "postgresql", "postgresql+psycopg"}
"""How people write the dialect in a URL; the driver is psycopg 3 in each case."""
PACKAGE = "psycopg[binary]>=3.2"

CONNECTED = {
    "application_name": "coderunner",
    "client_encoding": "utf8",  # where the database has none (SQL_ASCII), texts would be bytes
    "connect_timeout": 5,
    # A balancer drops connections on which nothing moves for some minutes, and tells nobody.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # Milliseconds after which the other side counts as gone that acknowledges nothing (Linux).
    "tcp_user_timeout": 15_000,
}
"""What is asked of each connection where the URL says nothing else: libpq's names, seconds."""
VARIABLES = {"application_name": "PGAPPNAME", "connect_timeout": "PGCONNECT_TIMEOUT"}
"""The environment variables by which a person says the same."""
LIMITS = {
    "statement_timeout": 30_000,
    "lock_timeout": 5_000,
    # A process that is frozen within a transaction would hold up all the others.
    "idle_in_transaction_session_timeout": 60_000,
}
"""Milliseconds; what the server, the user's role or the URL sets comes first."""
PATIENT = 5
"""Minutes that a process waits for one that migrates, or for its own turn at a table."""
MIGRATING = 4_159_772_031
"""The advisory lock of whoever makes or changes the tables: a number that others hardly use."""

RACES = {"40001", "40P01", "23505", "23503"}
"""Codes of what two transactions do to each other (serialisation, deadlock, the same key twice, a row that
another has just deleted): done once more, it works."""
NO_TABLE = "42P01"
READ_ONLY = "25006"
"""A new connection may lead to a server that takes writes, after a failover."""
PUBLIC = {
    *("host", "hostaddr", "port", "dbname", "user", "application_name", "connect_timeout", "client_encoding"),
    *("options", "service", "passfile", "sslmode", "sslnegotiation", "sslrootcert", "sslcert", "sslkey"),
    *("sslcrl", "sslcrldir", "sslsni", "ssl_min_protocol_version", "ssl_max_protocol_version", "gssencmode"),
    *("krbsrvname", "channel_binding", "require_auth", "target_session_attrs", "load_balance_hosts"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
}
"""Parameters of a URL whose values are no secret; any other's may be one."""

Sentence = str | Callable[[str], str]

BY_CODE: Mapping[str, Sentence] = {
    READ_ONLY: "it takes no writes: it is a standby, or was set read-only",
    "25P03": "the connection broke off",
    "3D000": "it does not exist; create it, for example with createdb",
    "3F000": "its search_path names no schema that exists",
    "40001": "other transactions were quicker",
    "40P01": "other transactions were quicker",
    "42501": lambda told: f"its user has too few rights ({told}); grant them on its schema",
    NO_TABLE: "CodeRunner's tables are not there any more",
    "53100": "its disk is full",
    "53200": "its server is out of memory",
    "53300": "its server has no connection left; lower records_pool, or raise max_connections there",
    "55P03": "another transaction holds a lock for too long",
    "57014": "the statement took too long and was stopped",
    "57P01": "its server is shutting down",
    "57P02": "its server crashed and starts again",
    "57P03": "its server is starting up",
}
"""What a code (PostgreSQL's appendix A) means for whoever reads our sentence."""

BY_WORDS: tuple[tuple[str, Sentence], ...] = (
    (r"password authentication failed", "its server does not accept the password, or has no such user"),
    (
        r"no password supplied",
        "its server asks for a password; put it into the URL, PGPASSWORD or libpq's password file",
    ),
    (r'role ".*" does not exist', "its server has no such user"),
    (r'database ".*" does not exist|no such database', BY_CODE["3D000"]),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "its server's pg_hba.conf does not let this user in from here",
    ),
    (
        r"too many (clients|connections)|connection slots are reserved|no more connections allowed",
        BY_CODE["53300"],
    ),
    (r"starting up|not yet accepting|not accepting connections|in recovery mode", BY_CODE["57P03"]),
    (r"shutting down|administrator command", BY_CODE["57P01"]),
    (
        r"invalid response to SSL negotiation",
        "what answers there is no PostgreSQL server; correct records_url",
    ),
    (r"does not support SSL", "its server offers no encryption, which sslmode asks for"),
    (
        r"certificate|SSL error",
        lambda told: f"the encrypted connection fails: {told}",
    ),
    (
        r"invalid .*(option|value)|missing .*=",
        lambda told: f"records_url is not as PostgreSQL takes it: {told}",
    ),
    (
        r"could not translate host|resolve host|Name or service not known|nodename nor servname",
        "there is no machine of that name",
    ),
    (r"timeout expired|timed out|Connection timeout", "its server does not answer in time"),
    (
        r"Connection refused|No such file or directory|No route to host|unreachable",
        "nothing answers there; start the server, or correct records_url",
    ),
    (
        r"(closed|terminated).*unexpectedly|connection is (lost|closed)|consuming input|SSL SYSCALL",
        "the connection broke off",
    ),
)
"""The same by what libpq says (in English), which gives no code for a connection that does not come about."""


def parsed(address: str | URL) -> URL:
    """The URL of a database; for PostgreSQL with the one driver that we use. Raises as SQLAlchemy does.

    Raises RecordsUnavailable where it names another driver, or where a part of the password would be taken
    for the host or the database, which messages name.
    """
    url = make_url(address)
    if url.get_backend_name() not in ("postgres", DIALECT):
        return url
    if isinstance(address, str) and address.count("@") > 1:
        message = (
            "records_url has more than one @; write each but the one before the host as %40, "
            "and in the password / as %2F and ? as %3F"
        )
        raise RecordsUnavailable(message)
    if url.drivername not in NAMES:
        driver = url.drivername.partition("+")[2]
        message = f"CodeRunner reaches PostgreSQL through psycopg 3; write postgresql:// without +{driver}"
        raise RecordsUnavailable(message)
    return url.set(drivername="postgresql+psycopg")


def arguments(url: URL) -> dict[str, Any]:
    """What the driver is given beside the URL."""
    set_by_person = {name for name, variable in VARIABLES.items() if os.environ.get(variable)}
    ours = {name: value for name, value in CONNECTED.items() if name not in {*url.query, *set_by_person}}
    # In a pool of PgBouncer's each transaction may get another connection, which knows of no statement that
    # was prepared in the one before; and ours take the server less time than the way there.
    return ours | {"prepare_threshold": None}


def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Let `begin` begin transactions."""
    connection.autocommit = True


def begin(connection: Connection, writes: str | None) -> None:
    """Begin a transaction, in one way to the server and back; `writes`: None where it only reads.

    Ours are made for this isolation, whatever the server's default is. Each is on the disk when it is over:
    a server that crashes does not take us along, and we would never write again what we took for written.
    """
    names = ", ".join(f"('{name}', '{value}')" for name, value in LIMITS.items())
    access = " READ ONLY" if writes is None else ""
    connection.exec_driver_sql(
        f"BEGIN ISOLATION LEVEL READ COMMITTED{access}; "  # noqa: S608 - all of it is ours
        f"SELECT set_config(name, value, true) FROM (VALUES {names}) AS limits (name, value) "
        "WHERE current_setting(name) = '0'"
    )


def wait_for_turn(connection: Connection) -> None:
    """Until the end of the transaction, be the only process that makes or changes tables."""
    if connection.dialect.name == DIALECT:
        waits = " ".join(
            f"SET LOCAL {name} = '{PATIENT}min';" for name in ("lock_timeout", "statement_timeout")
        )
        connection.exec_driver_sql(f"{waits} SELECT pg_advisory_xact_lock({MIGRATING})")


def about(connection: Connection, pool: int) -> str:
    """How many connections there are: a sentence for whoever reckons with them."""
    most = connection.exec_driver_sql("SHOW max_connections").scalar()
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    return f"PostgreSQL {version} takes {most} connections; each CodeRunner opens at most {pool}."


def place(url: URL) -> str:
    """Where a database is, in words, without user and password."""
    hosts = [each for each in _several(url.query.get("host")) if each] or [url.host or ""]
    named = url.database or url.username or ""
    where = ", ".join(filter(None, hosts))
    return f"the PostgreSQL database{f' {named}' if named else ''}{f' on {where}' if where else ''}"


def code(failure: BaseException) -> str:
    """PostgreSQL's code of what went wrong; empty where it has none."""
    return str(getattr(getattr(failure, "orig", failure), "sqlstate", None) or "")


def meaning(failure: Exception, told: str) -> Sentence | None:
    """What went wrong, from a table of ours, where it is there.

    A function makes the sentence of what was `told`, which may hold anything.
    """
    if isinstance(failure, PoolTimeout):
        return "all connections that records_pool allows are in use"
    if (found := BY_CODE.get(code(failure))) is not None:
        return found
    return next((said for words, said in BY_WORDS if re.search(words, told, re.IGNORECASE)), None)


def brief(told: str) -> str:
    """What the server, or whatever failed, says in what libpq says."""
    return re.sub(r"^.*(FATAL|ERROR|failed|is bad): +", "", told.strip().partition("\n")[0])


def _several(value: str | Iterable[str] | None) -> list[str]:
    if value is None:
        return []
    return value.split(",") if isinstance(value, str) else list(value)
