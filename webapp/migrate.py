"""`python -m webapp.migrate`: bring the tables of the database up to date."""

import sys
from asyncio import run

from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.schema import migrate
from webapp.settings import Settings, SettingsError, load_settings
from webapp.settings.choices import DatabaseKind
from webapp.wiring import database_of


def main() -> None:
    """Run the migrations that are missing, or say why that is impossible."""
    try:
        run(_migrate(load_settings()))
    except (SettingsError, TransientFailure, PermanentFailure, OSError) as error:
        sys.exit(str(error))
    sys.stdout.write("The database is up to date.\n")


async def _migrate(settings: Settings) -> None:
    if settings.database.store is DatabaseKind.SQLITE:
        settings.sqlite.default.file.parent.mkdir(parents=True, exist_ok=True)
    async with database_of(settings) as database:
        await migrate(database)


if __name__ == "__main__":
    main()
