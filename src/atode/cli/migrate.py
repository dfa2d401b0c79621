"""`atode migrate`: bring the store's schema up to date."""

from collections.abc import Sequence

import typer

from atode.app import Atode
from atode.cli._deployment import explained
from atode.cli._options import Url
from atode.loop import run
from atode.settings import load


def migrate(url: Url = None) -> None:
    """Bring the store's schema up to date, for PostgreSQL in a deployment's first step.

    Programs do it by themselves where their role may. Running workers go on.
    """
    with explained(url or "") as urls:
        found = load(url=url).url
        urls.append(found)
        applied = run(_migrated(found))
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("nothing to do")


async def _migrated(url: str) -> Sequence[str]:
    app = Atode(url)
    try:
        return await app.migrate()
    finally:
        await app.close()
