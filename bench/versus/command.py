"""`python -m bench versus`."""

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from atode import run
from bench.redis_server import NoServer
from bench.store import Kind, Store, running
from bench.versus import against_asynq, databases, peer
from bench.versus.asynq import built
from bench.versus.scale import FEW
from bench.versus.score import Reached, Round, Row, json_of, rows_of, text_of
from bench.versus.side import NoPeer, Rival, Side
from bench.versus.wish import Wish
from bench.worker import WorkerFailed


class Contest(StrEnum):
    """On which store, and beside whom."""

    ASYNQ = "asynq"
    POSTGRES = "postgres"
    SQLITE = "sqlite"


Contests = Annotated[
    list[Contest] | None, typer.Argument(show_default=False, help="[default: all of them]")
]
Quick = Annotated[bool, typer.Option("--quick", help="Few jobs, one round: some 15 seconds each.")]
Rounds = Annotated[
    int | None, typer.Option(min=1, help="Repetitions. [default: 3 for asynq, else 2]")
]
Many = Annotated[
    int | None,
    typer.Option("--many", min=1_000, help="Jobs in a full store. [default: 1,000,000]"),
]
Crash = Annotated[
    bool, typer.Option("--crash-asynq", help="Kill a Go worker too, and wait: two minutes.")
]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")]


class Result(NamedTuple):
    """The table of one contest."""

    contest: Contest
    settings: str
    peers: Sequence[str]
    rows: Sequence[Row]


class _Plan(NamedTuple):
    kind: Kind
    peers: Mapping[str, Callable[[Path], Side]]
    """By name; the first is the one to beat."""
    measured: Callable[[Store, Sequence[Rival], Wish], Coroutine[Any, Any, Sequence[Round]]]


_PLANS = {
    Contest.ASYNQ: _Plan(Kind.REDIS, {"asynq": built}, against_asynq.measured),
    Contest.POSTGRES: _Plan(
        Kind.POSTGRES,
        {"graphile-worker": peer.graphile_worker, "PgQueuer": peer.pgqueuer},
        databases.postgres,
    ),
    Contest.SQLITE: _Plan(Kind.SQLITE, {"Huey": peer.huey}, databases.sqlite),
}


def versus(
    contests: Contests = None,
    quick: Quick = False,
    rounds: Rounds = None,
    many: Many = None,
    crash_asynq: Crash = False,
    json_file: Json = None,
) -> None:
    """Measure atode beside its peers, in turn on one server: Go's asynq on Redis,
    graphile-worker and PgQueuer on PostgreSQL, Huey on SQLite."""
    wish = Wish(quick, rounds, many, crash_asynq)
    chosen = contests or list(Contest)
    if many and many < FEW and Contest.ASYNQ in chosen:
        raise typer.BadParameter(
            f"{many:,}; beside asynq it must be {FEW:,} or more, for claims are compared with "
            "those from so many waiting jobs",
            param_hint="--many",
        )
    results: list[Result] = []
    for contest in chosen:
        try:
            result = _held(contest, wish)
        except (NoServer, WorkerFailed) as error:
            typer.echo(f"versus {contest}: {error}", err=True)
            raise typer.Exit(2) from None
        typer.echo(f"{result.settings}\n{text_of(result.rows, result.peers)}")
        results.append(result)
    if json_file:
        json_file.write_text(json.dumps([_document(each) for each in results], indent=2) + "\n")
    is_void = any(row.void for result in results for row in result.rows)
    raise typer.Exit(1 if is_void else 0)


def _held(contest: Contest, wish: Wish) -> Result:
    kind, peers, measured = _PLANS[contest]
    with running(kind) as store:
        rivals = [_rival(name, build, store.folder) for name, build in peers.items()]
        duels = run(measured(store, rivals, wish))
    return Result(contest, store.settings, list(peers), rows_of(duels))


def _rival(name: str, build: Callable[[Path], Side], folder: Path) -> Rival:
    try:
        return build(folder)
    except NoPeer as reason:
        typer.echo(f"{name}: skipped, {reason}")
        return Reached(absent="none here")


def _document(result: Result) -> dict[str, Any]:
    rows = json_of(result.rows, result.peers)
    return {"contest": result.contest, "settings": result.settings, "rows": rows}
