"""`atode migrate`: bring the store's schema up to date."""

import typer

from atode.app import Atode
from atode.cli._deployment import BAD_INPUT, REFUSED
from atode.cli._options import Url
from atode.errors import AtodeError, BrokerError
from atode.loop import run


def migrate(url: Url = None) -> None:
    """Bring the store's schema up to date, for PostgreSQL in a deployment's first step.

    Programs do it by themselves where their role may. Running workers go on.
    """

    async def work() -> list[str]:
        app = Atode(url)
        try:
            return list(await app.migrate())
        finally:
            await app.close()

    try:
        applied = run(work())
    except AtodeError as error:
        typer.echo(f"atode: {error}", err=True)
        raise typer.Exit(REFUSED if isinstance(error, BrokerError) else BAD_INPUT) from None
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("nothing to do")
