"""Brings a schema up to date, forward only; the table `job_migrations` tells where it is."""

from importlib.resources import files
from typing import Any

from atode.broker.postgres._address import Address
from atode.errors import BrokerRefused

_FOLDER = files("atode.broker.postgres") / "migrations"
MIGRATIONS = tuple(
    (file.name.removesuffix(".sql"), file.read_text("utf-8"))
    for file in sorted(_FOLDER.iterdir(), key=lambda file: file.name)
    if file.name.endswith(".sql")
)

NEWEST = len(MIGRATIONS)

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('atode migrate'), hashtext($1))"

# Not to_regclass: who has waited for the lock would be told what he was told before.
_HAS_SCHEMA = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"
_HAS_TABLE = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2)"

_TABLE = """CREATE TABLE {schema}.job_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


def quoted(schema: str) -> str:
    """A schema's name, as statements have it."""
    return f'"{schema}"'


async def migrate(db: Any, address: Address) -> list[str]:
    """Apply what is missing, in one transaction; of many who want to, one does, the others wait.

    A schema that is newer than this program is left alone: migrations keep older programs
    working. Returns the names of what was applied.

    Raises:
        BrokerRefused: something has to be done, but not by this program; or the schema has a
            table `jobs` of another program.
    """
    version = await version_of(db, address)
    if version >= NEWEST:
        return []
    if not address.migrates:
        raise BrokerRefused(
            f"schema {address.schema!r} at {address.place} has version {version} and this atode "
            f"needs {NEWEST}; have its owner run `atode migrate`"
        )
    schema = quoted(address.schema)
    async with db.transaction():
        await db.fetchval(_LOCK, address.schema)
        version = await version_of(db, address)
        if not await db.fetchval(_HAS_SCHEMA, address.schema):
            await db.execute(f"CREATE SCHEMA {schema}")
        if version == 0:
            await _begin(db, address)
        applied = list(enumerate(MIGRATIONS, 1))[version:]
        for number, (name, text) in applied:
            await db.execute(text.replace("{schema}", schema))
            await db.execute(
                f"INSERT INTO {schema}.job_migrations (version, name) VALUES ($1, $2)",
                number,
                name,
            )
    return [name for _, (name, _) in applied]


async def _begin(db: Any, address: Address) -> None:
    schema = quoted(address.schema)
    if await db.fetchval(_HAS_TABLE, address.schema, "jobs"):
        raise BrokerRefused(
            f"schema {address.schema!r} at {address.place} has a table jobs of another program; "
            "give atode a schema of its own: add ?schema=atode to the URL"
        )
    if not await db.fetchval(_HAS_TABLE, address.schema, "job_migrations"):
        await db.execute(_TABLE.replace("{schema}", schema))


async def version_of(db: Any, address: Address) -> int:
    """How many migrations a schema has; 0 if it is none of ours."""
    schema = quoted(address.schema)
    if not await db.fetchval(_HAS_TABLE, address.schema, "job_migrations"):
        return 0
    found = await db.fetchval(f"SELECT max(version) FROM {schema}.job_migrations")
    return int(found or 0)
