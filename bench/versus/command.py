"""`python -m bench versus`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from atode import run
from bench.redis_server import NoServer
from bench.store import Kind, Store, running
from bench.versus import crash, instants, rates, scale
from bench.versus.score import Duel, Reached, Row, json_of, rows_of, text_of
from bench.versus.side import Asynq, Atode, NoPeer, built
from bench.versus.size import DEFAULT, QUICK, Size
from bench.worker import WorkerFailed

Quick = Annotated[bool, typer.Option("--quick", help="Few jobs, one round: some 30 seconds.")]
Rounds = Annotated[int | None, typer.Option(min=1, help="Repetitions. [default: 3]")]
Waiting = Annotated[
    int | None, typer.Option(min=20_000, help="Jobs in the long queue. [default: 1,000,000]")
]
Crash = Annotated[
    bool, typer.Option("--crash-asynq", help="Kill a Go worker too, and wait: two minutes.")
]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")]

_US = Atode()
_NOT_MEASURED = Reached(absent="not measured")


def versus(
    quick: Quick = False,
    rounds: Rounds = None,
    waiting: Waiting = None,
    crash_asynq: Crash = False,
    json_file: Json = None,
) -> None:
    """Measure atode beside Go's asynq v0.26, in turn on one Redis server."""
    size = QUICK if quick else DEFAULT
    size = size._replace(rounds=rounds or size.rounds, waiting=waiting or size.waiting)
    try:
        with running(Kind.REDIS) as store:
            them = _peer(store.folder)
            typer.echo(store.settings)
            rows = run(_measured(store, them, size, crash_asynq))
    except (NoServer, WorkerFailed) as error:
        typer.echo(f"versus: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(text_of(rows))
    if json_file:
        document = {"settings": store.settings, "rows": json_of(rows)}
        json_file.write_text(json.dumps(document, indent=2) + "\n")
    raise typer.Exit(1 if any(row.void for row in rows) else 0)


def _peer(folder: Path) -> Asynq | None:
    try:
        return built(folder)
    except NoPeer as reason:
        typer.echo(f"asynq: skipped, {reason}")
        return None


async def _measured(store: Store, them: Asynq | None, size: Size, crash_asynq: bool) -> list[Row]:
    rounds: list[Sequence[Duel]] = []
    for number in range(size.rounds):
        typer.echo(f"  round {number + 1} of {size.rounds} …", err=True)
        rounds.append([*await _rates(store, them, size), *await _instants(store, them, size)])
        rounds.append(await _naps(store, them, size))
    typer.echo("  long queues, killed workers …", err=True)
    rounds.append([*await scale.settling(store), await _waiting(store, them, size)])
    rounds.append([await _recovery(store, them, size, crash_asynq)])
    return rows_of(rounds)


async def _rates(store: Store, them: Asynq | None, size: Size) -> Sequence[Duel]:
    return [
        rates.drained(
            await rates.drain(store, _US, size.drain),
            await rates.drain(store, them, size.their_drain) if them else _NO_GO,
        ),
        rates.enqueued(
            await rates.enqueue(store, _US, size.callers),
            await rates.enqueue(store, them, size.callers) if them else _NO_GO,
        ),
        await rates.bulk(store, size.bulk),
    ]


async def _instants(store: Store, them: Asynq | None, size: Size) -> Sequence[Duel]:
    ours = await instants.idle(store, _US, _US, size.idle)
    theirs = await instants.idle(store, them, them, size.idle) if them else _NO_GO
    from_go = await instants.idle(store, them, _US, size.idle) if them else _NO_GO
    return [
        *instants.soon("idle latency", ours, theirs),
        *instants.soon("idle latency, enqueued by Go", from_go, theirs),
        *instants.late(
            await instants.delayed(store, _US, size.delayed),
            await instants.delayed(store, them, size.delayed) if them else _NO_GO,
        ),
    ]


async def _naps(store: Store, them: Asynq | None, size: Size) -> Sequence[Duel]:
    ours = await scale.naps(store, _US, size.naps)
    theirs = await scale.naps(store, them, size.naps) if them else (_NO_GO, _NO_GO)
    few, many = zip(ours, theirs, strict=True)
    return scale.napped(few, many)


async def _waiting(store: Store, them: Asynq | None, size: Size) -> Duel:
    return await scale.waiting(store, them or _NO_GO, size.waiting)


async def _recovery(store: Store, them: Asynq | None, size: Size, crash_asynq: bool) -> Duel:
    ours = await crash.recovery(store, size.lease)
    if them is None:
        theirs = _NO_GO
    else:
        theirs = await crash.recovery(store, them) if crash_asynq else _NOT_MEASURED
    return crash.recovered(ours, theirs, size.lease)


_NO_GO = Reached(absent="no Go")
