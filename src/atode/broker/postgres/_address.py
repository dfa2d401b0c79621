"""What a PostgreSQL URL says: the server and database, the schema, and how to get along there."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from atode.errors import BadOption

DEFAULT_SCHEMA = "public"
LONGEST_SCHEMA = 48

_SCHEMA = re.compile(rf"[A-Za-z_][A-Za-z0-9_-]{{0,{LONGEST_SCHEMA - 1}}}")
_OWN = frozenset({"schema", "migrate", "listen", "statement_cache_size"})

# Statements find their rows by index, however few rows the planner believes in: what is empty
# at night has a million rows at noon, while the plan stays the same. Batches are short, so
# compiling them would take longer than running them.
_PLANNER: Mapping[str, str] = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_sort": "off",
    "jit": "off",
}


class Address(NamedTuple):
    """Where the jobs are, and how to talk to whoever is in front of them."""

    dsn: str
    place: str
    """For messages: host, port and database, never the password."""
    database: str
    """Empty if the URL leaves it to the driver."""
    schema: str
    migrates: bool
    """Whether this program may bring the schema up to date."""
    listens: bool
    """Whether LISTEN is worth a try."""
    is_pooled: bool
    """Whether a pooler such as PgBouncer may give each transaction another connection."""

    @property
    def channel(self) -> str:
        """The channel of LISTEN and NOTIFY; all of a database share theirs."""
        return f"atode:{self.schema}"

    @property
    def options(self) -> Mapping[str, Any]:
        """What asyncpg is told beside the DSN."""
        if self.is_pooled:
            # Settings of a session would stay behind for other programs, if they were let in.
            return {"statement_cache_size": 0}
        return {"server_settings": {"application_name": "atode", **_PLANNER}}


def address_of(url: str) -> Address:
    """Read `postgresql://user:password@host:port/database?schema=jobs&sslmode=…`.

    Own options: `schema` (default public), `migrate=never`, `listen=never`, and
    `statement_cache_size=0` behind a pooler. Others go to the driver.

    Raises:
        BadOption: the port, the schema or an own option has a value that cannot be.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise BadOption("PostgreSQL URL: the port must be a number from 1 to 65535") from None
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    own = {name: value for name, value in given.items() if name in _OWN}
    rest = {name: value for name, value in given.items() if name not in _OWN}
    schema = own.get("schema", DEFAULT_SCHEMA)
    if not _SCHEMA.fullmatch(schema):
        raise BadOption(
            f"PostgreSQL URL: schema is {schema!r}; it must have 1 to {LONGEST_SCHEMA} letters, "
            "digits, _ or -, and begin with a letter or _"
        )
    host = parts.hostname or rest.get("host", "localhost")
    database = unquote(parts.path.strip("/")) or rest.get("dbname", rest.get("database", ""))
    return Address(
        dsn=parts._replace(scheme="postgresql", query=urlencode(rest), fragment="").geturl(),
        place=f"{host}:{port or rest.get('port', 5432)}/{database}",
        database=database,
        schema=schema,
        migrates=_choice(own, "migrate", "always", "never"),
        listens=_choice(own, "listen", "always", "never"),
        is_pooled=not _choice(own, "statement_cache_size", "100", "0"),
    )


def _choice(options: Mapping[str, str], name: str, yes: str, no: str) -> bool:
    value = options.get(name, yes)
    if value not in (yes, no):
        raise BadOption(f"PostgreSQL URL: {name} is {value!r}; it must be {yes} or {no}")
    return value == yes
