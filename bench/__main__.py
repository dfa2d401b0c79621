"""`python -m bench`: measure each store and print a table. With `versus`: see there."""

import asyncio
import json
import os
import platform
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from atode import run
from bench.figure import Figure
from bench.redis_server import NoServer
from bench.store import Kind, Store, running
from bench.suite import DEFAULT, QUICK, Size, measure
from bench.table import Row, json_of, rows_of, text_of
from bench.versus.command import versus
from bench.worker import WorkerFailed

Brokers = Annotated[
    list[Kind] | None,
    typer.Option("--broker", help="Repeatable. [default: sqlite, redis, postgres]"),
]
Jobs = Annotated[int | None, typer.Option(min=20, help="Backlog to drain. [default: 100,000]")]
Runs = Annotated[int | None, typer.Option(min=1, help="Repetitions of everything. [default: 3]")]
Quick = Annotated[bool, typer.Option("--quick", help="Few jobs, one run: some 20 seconds.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")]
Profile = Annotated[
    Path | None,
    typer.Option(help="Write cProfile's figures of the draining worker here; it gets slower."),
]


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(versus)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    broker: Brokers = None,
    jobs: Jobs = None,
    runs: Runs = None,
    quick: Quick = False,
    json_file: Json = None,
    profile: Profile = None,
) -> None:
    """Measure how fast atode is on this machine: throughput, latency, lateness, memory."""
    if context.invoked_subcommand:
        return
    size = QUICK if quick else DEFAULT
    size = size._replace(backlog=jobs or size.backlog, runs=runs or size.runs)
    stores: list[dict[str, Any]] = []
    void = False
    typer.echo(_machine())
    for kind in broker or (Kind.SQLITE, Kind.REDIS, Kind.POSTGRES):
        try:
            with running(kind) as store:
                typer.echo(f"\n{kind}: {store.settings}")
                rows = _measured(store, size, profile.absolute() if profile else None)
        except NoServer as reason:
            typer.echo(f"\n{kind}: skipped, {reason}")
            continue
        except WorkerFailed as error:
            typer.echo(f"\n{kind}: {error}", err=True)
            raise typer.Exit(2) from None
        typer.echo(text_of(rows))
        void = void or any(row.void for row in rows)
        stores.append({"broker": kind, "settings": store.settings, "rows": json_of(rows)})
    if json_file:
        json_file.write_text(json.dumps({"machine": _machine(), "stores": stores}, indent=2) + "\n")
    raise typer.Exit(1 if void else 0)


def _measured(store: Store, size: Size, profile: Path | None) -> list[Row]:
    figures: list[list[Figure]] = []
    for number in range(size.runs):
        typer.echo(f"  run {number + 1} of {size.runs} …", err=True)
        figures.append(run(measure(store, size, profile=profile)))
    return rows_of(figures)


def _machine() -> str:
    loop = "uvloop" if find_spec("uvloop") else asyncio.__name__
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    return f"Python {platform.python_version()} on {loop}, {system}"


if __name__ == "__main__":
    app()
