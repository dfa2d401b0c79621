"""`atode workers`: what an operator does to workers that run."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from atode.broker.protocol import Broker
from atode.cli._deployment import deployment, refuse
from atode.cli._layout import emit, plain
from atode.cli._options import Url
from atode.cli._suggestion import suggestion
from atode.errors import BadOption
from atode.presence import Presence
from atode.size import Wish

app = typer.Typer(help="Make running workers larger or smaller.", no_args_is_help=True)

Workers = Annotated[
    list[str],
    typer.Argument(metavar="WORKER", help="ID as in `atode servers`, its beginning, or host:pid."),
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", "-c", help="Jobs at the same time, 1 to 10,000.")
]

# A worker looks every five seconds, and shows itself at once when it has changed.
_PATIENCE = 12.0
_LOOK_EVERY = 0.2


@app.callback()
def root() -> None:
    """Make running workers larger or smaller."""


@app.command("resize")
def resize(workers: Workers, concurrency: Concurrency, url: Url = None) -> None:
    """Let running workers run so many jobs at the same time, and wait until they do.

    What runs is not interrupted: a worker that shrinks claims no more until it is below.
    """
    with deployment(url) as store:
        wish = Wish.of(concurrency)
        for before in store.ask(lambda broker: _granted(broker, workers, wish)):
            emit(f"worker {plain(before.worker)} has {concurrency} slots, had {before.concurrency}")


async def _granted(broker: Broker, workers: Sequence[str], wish: Wish) -> Sequence[Presence]:
    """These workers as they were before they all had the size that is wished."""
    living = await broker.workers()
    chosen = {each.worker: each for each in (_named(worker, living) for worker in workers)}
    for worker in chosen:
        if not await broker.resize(worker, wish):
            refuse(f"worker {worker} does not hear of it: it has ended, or is a Go program's")
    await _resized(broker, list(chosen), wish.concurrency)
    return list(chosen.values())


def _named(given: str, living: Sequence[Presence]) -> Presence:
    names = {name: each for each in living for name in (each.worker, each.server_id)}
    if given in names:
        return names[given]
    found = [
        each
        for each in living
        if given and (each.server_id.startswith(given) or f"{each.host}:{each.pid}" == given)
    ]
    if len(found) > 1:
        ids = ", ".join(each.server_id for each in found[:5])
        raise BadOption(f"worker {given!r} may be any of {len(found)}: {ids}")
    if not found:
        known = [each.server_id for each in living]
        raise BadOption(f"no worker {given!r} lives{suggestion(given, known, likeness=0.7)}")
    return found[0]


async def _resized(broker: Broker, workers: Sequence[str], concurrency: int) -> None:
    """Wait until all of them show that size.

    Raises:
        BrokerRefused: one does not in time.
    """
    waiting = set(workers)
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE
    while waiting:
        shown = {each.worker for each in await broker.workers() if each.concurrency == concurrency}
        waiting -= shown
        if waiting and loop.time() > until:
            late = ", ".join(sorted(waiting))
            refuse(f"no answer within {_PATIENCE:g} s; it holds as soon as they hear: {late}")
        if waiting:
            await asyncio.sleep(_LOOK_EVERY)
