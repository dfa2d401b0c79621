"""Bringing the tables of a database up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from webapp.service.database import Database

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x61746F6465  # "atode"; any number will do that nobody else takes.


async def migrate(database: Database) -> None:
    """Run the migrations that the database has not seen; harmless where there are none.

    Several processes may do this at a time: they wait for each other.

    Raises:
        TransientFailure: the database cannot be reached now.
    """
    async with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            # Until the end of this transaction. SQLite's own lock does the same.
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
