"""What can be wrong with a server, a schema and its tables, seen through one connection."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._address import Address
from atode.broker.postgres._link import Row, Rows
from atode.broker.postgres._schema import NEWEST
from atode.finding import Finding, Severity

OLDEST = 13

LONG_TRANSACTION = 600.0
"""Seconds after which a transaction that keeps vacuum from its work is worth a word."""

MANY_DEAD = 100_000
HUGE_INDEX = 100_000_000
"""Bytes."""

_MOST_BYTES = 500
"""Of an index for each of its rows: about ten times what ours need."""

_SKEW = 1.0
_GREAT_SKEW = 10.0
_NEARLY_FULL = 0.9
_MOST_NAMED = 3

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Server(NamedTuple):
    """What a server says about itself, in the order of server.sql."""

    version: int
    is_standby: bool
    fsync: str
    synchronous_commit: str
    autovacuum: str
    track_counts: str
    slots: int
    used: int
    instant: float


def server_findings(address: Address, server: Server, ahead: float) -> Iterator[Finding]:
    """What is wrong with the server; `ahead` is by how many seconds our clock is."""
    for severity, code, what, remedy in (
        *_settings(server),
        *_connections(server),
        *_clock(ahead),
    ):
        yield Finding(severity, code, f"server {address.place}", what, remedy)


_Words = tuple[Severity, str, str, str]


def _settings(server: Server) -> Iterator[_Words]:
    if server.version < OLDEST * 10_000:
        text = f"it is PostgreSQL {server.version // 10_000}, and atode needs {OLDEST} or newer"
        yield _ERROR, "version", text, "upgrade it"
    if server.is_standby:
        text = "it is a standby, which only reads: no job can be stored, claimed or ended"
        yield _ERROR, "standby", text, "name the primary in the URL"
    if server.fsync == "off":
        text = "fsync is off: when its machine crashes, the whole database may be damaged"
        yield _ERROR, "fsync", text, "ALTER SYSTEM SET fsync = on, and reload"
    if server.synchronous_commit == "off":
        text = "synchronous_commit is off: a crash may lose the jobs of the last moments"
        remedy = "ALTER SYSTEM SET synchronous_commit = on, and reload; or for this role only"
        yield _WARNING, "synchronous-commit", text, remedy
    for name, value in (("autovacuum", server.autovacuum), ("track_counts", server.track_counts)):
        if value == "off":
            text = f"{name} is off: ended jobs stay in the way of claims, which get slower"
            yield _ERROR, "autovacuum", text, f"ALTER SYSTEM SET {name} = on, and reload"


def _connections(server: Server) -> Iterator[_Words]:
    if server.used >= _NEARLY_FULL * server.slots:
        text = f"{server.used:,} of its {server.slots:,} connections are in use"
        remedy = "raise max_connections, run fewer processes, or put a pooler in front"
        yield _WARNING, "connections", text, remedy


def _clock(ahead: float) -> Iterator[_Words]:
    if abs(ahead) > _SKEW:
        way = "behind" if ahead > 0 else "ahead of"
        text = f"its clock is {abs(ahead):,.0f} s {way} this machine's"
        remedy = "let both machines follow NTP: delayed jobs run by the server's clock"
        yield _ERROR if abs(ahead) > _GREAT_SKEW else _WARNING, "clock", text, remedy


def schema_findings(address: Address, version: int, *, has_jobs: bool) -> Iterator[Finding]:
    """What is to be said of the version of the schema; 0 where there is none."""
    subject = f"schema {address.schema}"
    if has_jobs and not version:
        text = "it has a table jobs of another program"
        remedy = "give atode a schema of its own: add ?schema=atode to the URL"
        yield Finding(_ERROR, "foreign", subject, text, remedy)
    elif version > NEWEST:
        text = (
            f"it has version {version}, and this atode knows {NEWEST}: a newer one has brought it "
            "up to date, which older ones can work with"
        )
        yield Finding(_INFO, "schema", subject, text, "upgrade this program, too")
    elif version < NEWEST and address.migrates:
        text = (
            f"it has version {version}, the newest is {NEWEST}: its jobs were not looked at; a "
            "client or worker brings it up to date"
        )
        yield Finding(_INFO, "not-looked-at", subject, text, "or now: atode migrate")
    elif version < NEWEST:
        text = (
            f"it has version {version} and this atode needs {NEWEST}, which ?migrate=never in the "
            "URL keeps it from making: no job can be stored"
        )
        yield Finding(_ERROR, "schema", subject, text, "have its owner run `atode migrate`")


def table_findings(address: Address, rows: Rows) -> Iterator[Finding]:
    """Dead rows that pile up, and tables that nobody vacuums; `rows` as of tables.sql."""
    for name, live, dead, is_excluded in rows:
        subject = f"table {address.schema}.{name}"
        if is_excluded:
            text = "autovacuum is off for it: ended jobs stay in the way of claims"
            remedy = f'ALTER TABLE "{address.schema}".{name} RESET (autovacuum_enabled)'
            yield Finding(_ERROR, "autovacuum", subject, text, remedy)
        if dead > MANY_DEAD and dead > live / 2:
            text = f"dead rows that vacuum has not removed: {dead:,}, beside {live:,} living ones"
            remedy = "--fix runs VACUUM on it; end what keeps vacuum from its work first, if any"
            yield Finding(_WARNING, "dead-rows", subject, text, remedy, fixable=True)


def horizon_findings(address: Address, rows: Rows) -> Iterator[Finding]:
    """Who keeps vacuum from its work; `rows` as of horizon.sql."""
    if rows:
        named = "; ".join(_held(row) for row in rows[:_MOST_NAMED])
        text = f"vacuum cannot remove ended jobs because of transactions ({len(rows):,}): {named}"
        remedy = (
            "end what is not needed: SELECT pg_terminate_backend(pid), ROLLBACK PREPARED, or "
            "SELECT pg_drop_replication_slot(name); set idle_in_transaction_session_timeout"
        )
        yield Finding(_WARNING, "long-transaction", f"server {address.place}", text, remedy)


def _held(row: Row) -> str:
    who, age = row
    return f"{who}" if age is None else f"{who} for {age / 60:,.0f} minutes"


def index_findings(address: Address, rows: Rows) -> Iterator[Finding]:
    """Indexes that cannot be used, or are mostly air; `rows` as of indexes.sql."""
    for name, is_valid, size, number in rows:
        subject = f"index {address.schema}.{name}"
        remedy = f'REINDEX INDEX CONCURRENTLY "{address.schema}".{name}'
        if not is_valid:
            text = "it is invalid, so that every statement that needs it reads the whole table"
            yield Finding(_ERROR, "invalid-index", subject, text, remedy)
        elif size > HUGE_INDEX and size > _MOST_BYTES * number:
            text = f"it has {size:,} bytes for {number:,} rows, which makes claims slower"
            yield Finding(_WARNING, "index-bloat", subject, text, remedy)


def right_findings(address: Address, rows: Rows) -> Iterator[Finding]:
    """What the role lacks; `rows` as of rights.sql."""
    if rows:
        role = rows[0][2]
        wanted = "; ".join(f"GRANT {right} ON {place} TO {role}" for right, place, _ in rows)
        lacking = ", ".join(f"{right} on {place}" for right, place, _ in rows[:_MOST_NAMED])
        more = f" and {len(rows) - _MOST_NAMED:,} more" if len(rows) > _MOST_NAMED else ""
        text = f"role {role} lacks rights, without which calls are refused: {lacking}{more}"
        subject = f"schema {address.schema}"
        yield Finding(_ERROR, "rights", subject, text, f"as the owner: {wanted}")


def deaf(address: Address) -> Finding:
    """That LISTEN does not work."""
    text = (
        "LISTEN and NOTIFY do not pass, as behind a pooler that gives each transaction another "
        "connection: workers look for jobs several times a second instead"
    )
    remedy = "let workers connect to PostgreSQL itself; ?listen=never in the URL accepts it"
    return Finding(_WARNING, "listen", f"server {address.place}", text, remedy)


Check = Callable[[Address, Rows], Iterator[Finding]]

CHECKS: Sequence[tuple[str, Check]] = (
    (sql.RIGHTS, right_findings),
    (sql.TABLES, table_findings),
    (sql.INDEXES, index_findings),
)
"""Statements about the schema, and what their rows mean."""
