"""`atode worker MODULE:APP`."""

import logging
import sys
from typing import Annotated

import typer

from atode.cli._target import load_app
from atode.errors import AtodeError
from atode.loop import run as run_on_loop
from atode.observe.logs import log_events
from atode.queues import Queues

Target = Annotated[str, typer.Argument(metavar="MODULE:APP", help="Where the Atode object is.")]
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", "-c", help="Jobs at the same time.", show_default="20"),
]
QueueList = Annotated[
    list[str] | None,
    typer.Option(
        "--queue", "-q", help="Queue, or queue=weight; repeatable.", show_default="default"
    ),
]
Strict = Annotated[
    bool | None, typer.Option("--strict", help="Heavier queues strictly before lighter ones.")
]
Lease = Annotated[
    float | None,
    typer.Option(help="Seconds until a silent worker's jobs are taken over.", show_default="15"),
]
ShutdownTimeout = Annotated[
    float | None, typer.Option(help="Seconds for running jobs after SIGTERM.", show_default="30")
]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def run(
    target: Target,
    concurrency: Concurrency = None,
    queue: QueueList = None,
    strict: Strict = None,
    lease: Lease = None,
    shutdown_timeout: ShutdownTimeout = None,
    log_level: LogLevel = "info",
) -> None:
    """Run the jobs of an app until SIGINT or SIGTERM.

    Every option can also be set by ATODE_… variables and in atode.toml.
    """
    _set_up_logging(log_level)
    try:
        app = load_app(target)
        log_events(app.events)
        queues = Queues.parse(queue).weights if queue else None

        async def work() -> None:
            async with app:
                await app.worker(
                    concurrency=concurrency,
                    queues=queues,
                    strict=strict,
                    lease=lease,
                    shutdown_timeout=shutdown_timeout,
                ).run()

        run_on_loop(work())
    except AtodeError as error:
        typer.echo(f"atode: {error}", err=True)
        raise typer.Exit(2) from None


def _set_up_logging(level: str) -> None:
    known = logging.getLevelNamesMapping()
    if level.upper() not in known:
        raise typer.BadParameter(f"{level!r} is not one of debug, info, warning, error")
    logging.basicConfig(
        level=known[level.upper()],
        stream=sys.stderr,
        format="%(asctime)s %(levelname)-7s %(name)s %(message)s",
    )
