"""`atode worker MODULE:APP`."""

import logging
import sys
from typing import Annotated

import typer

from atode.cli._deployment import BAD_INPUT, REFUSED, complain
from atode.cli._target import load_app
from atode.errors import AtodeError
from atode.lifeline import lifeline
from atode.loop import run as run_on_loop
from atode.observe.json_logs import JsonFormatter
from atode.observe.logs import log_events
from atode.queues import Queues
from atode.settings import LogFormat, load

Target = Annotated[str, typer.Argument(metavar="MODULE:APP", help="Where the Atode object is.")]
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", "-c", help="Jobs at the same time.", show_default="20"),
]
ProcessCount = Annotated[
    int | None,
    typer.Option("--processes", "-p", help="Processes to start, each a worker.", show_default="1"),
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
Schedules = Annotated[
    bool | None,
    typer.Option(
        "--schedules/--no-schedules",
        help="Whether to store the jobs of schedules, too.",
        show_default="schedules",
    ),
]
Log = Annotated[
    LogFormat | None, typer.Option(help="Lines of text, or JSON objects.", show_default="text")
]
Metrics = Annotated[
    str | None,
    typer.Option(
        metavar="[HOST:]PORT",
        help="Serve /metrics, /healthz and /readyz there; without a host, on this machine only.",
    ),
]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def run(
    target: Target,
    *,
    concurrency: Concurrency = None,
    processes: ProcessCount = None,
    queue: QueueList = None,
    strict: Strict = None,
    lease: Lease = None,
    shutdown_timeout: ShutdownTimeout = None,
    schedules: Schedules = None,
    log_level: LogLevel = "info",
    log: Log = None,
    metrics: Metrics = None,
) -> None:
    """Run the jobs of an app until SIGINT or SIGTERM.

    Every option can also be set by ATODE_… variables and in atode.toml.
    """
    level = _level(log_level)
    try:
        _set_up_logging(level, load(log=log).log)
        app = load_app(target)
        log_events(app.events)
        # Only a worker needs Python's HTTP server, and each command would load it.
        from atode.processes import work

        working = work(
            app,
            processes=processes,
            metrics=metrics,
            concurrency=concurrency,
            queues=Queues.parse(queue).weights if queue else None,
            strict=strict,
            lease=lease,
            shutdown_timeout=shutdown_timeout,
            schedules=schedules,
        )
        ended_well = run_on_loop(working)
    except AtodeError as error:
        complain(error)
        raise typer.Exit(BAD_INPUT) from None
    if not ended_well:
        raise typer.Exit(REFUSED)


def _level(name: str) -> int:
    known = logging.getLevelNamesMapping()
    if name.upper() not in known:
        raise typer.BadParameter(f"{name!r} is not one of debug, info, warning, error")
    return known[name.upper()]


def _set_up_logging(level: int, format: LogFormat) -> None:
    line = lifeline()
    who = f"[{line.number}] " if line else ""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(process=line.number if line else None)
        if format is LogFormat.JSON
        else logging.Formatter(f"%(asctime)s %(levelname)-7s %(name)s {who}%(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler])
