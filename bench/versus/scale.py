"""Whether many jobs cost more than few: waiting ones, and ones that run at the same time."""

import asyncio
import random
from collections.abc import Sequence
from statistics import median
from time import perf_counter

from atode.broker.protocol import Broker
from atode.job import Claim
from atode.outcome import Settlement, Succeeded, decide
from atode.retry import Retry
from bench.enqueue import BULK
from bench.stage import Stage, stage_on
from bench.store import Store
from bench.versus.score import Duel, Reached, at_least, below
from bench.versus.server import Server
from bench.versus.side import Side
from bench.worker import serving

FEW = 10_000
"""Waiting jobs to compare with."""
MANY_ACTIVE = 10_000
FEW_ACTIVE = 100
NAP = 0.1

Place = tuple[Broker, str]
"""A queue of a store."""

_CLAIMED = 100
_CLAIMS = 50
# Short enough a measurement that the shorter queue stays about as long as it was.
_RUN_BY_THEM = 5_000
_BATCH = 500
_BATCHES = 30
_LEASE = 600.0
_LOOK_EVERY = 0.002


async def waiting(store: Store, them: Side | Reached, many: int) -> Duel:
    """How fast claims are with `many` jobs waiting, in per cent of that with ten thousand."""
    async with stage_on(store, jobs=FEW + many) as stage:
        await _store(stage, "few", range(FEW))
        await _store(stage, "many", range(FEW, FEW + many))
        broker = stage.tasks.jobs.broker
        ours = await claim_rates((broker, "few"), (broker, "many"))
        theirs = them if isinstance(them, Reached) else await _run_rates(stage, them, many)
    name = f"claim rate, {many:,} waiting, of {FEW:,}"
    return Duel(name, "%", ours, [theirs], at_least(90))


async def _store(stage: Stage, queue: str, numbers: range) -> None:
    # Stored under one queue each, with options made once.
    task = stage.tasks.count.options(queue=queue)
    for first in range(0, len(numbers), BULK):
        part = numbers[first : first + BULK]
        await stage.tasks.jobs.enqueue_many(task.call(number) for number in part)


async def claim_rates(few: Place, many: Place) -> Reached:
    """How fast claims at `many` are, in per cent of those at `few`.

    Calls of the library, in turn on both, so that noise hits both; and the median of them, since
    after so many jobs a server writes for a while.
    """
    seconds: dict[Place, list[float]] = {few: [], many: []}
    for _ in range(_CLAIMS):
        for place, spent in seconds.items():
            broker, queue = place
            began = perf_counter()
            claims = await broker.claim([queue], limit=_CLAIMED, lease=_LEASE, worker="bench:1:1")
            spent.append(perf_counter() - began)
            await broker.settle(_succeeded(claims))
    return Reached(median(seconds[few]) / median(seconds[many]) * 100)


async def _run_rates(stage: Stage, side: Side, many: int) -> Reached:
    few = await _run_rate(stage, side, "few", range(FEW))
    return Reached(await _run_rate(stage, side, "many", range(FEW, FEW + many)) / few * 100)


async def _run_rate(stage: Stage, side: Side, queue: str, numbers: range) -> float:
    # What a worker runs per second while it takes some thousand jobs off the queue.
    board = stage.board
    before = board.started(numbers)
    # A worker that takes the rest of the few before it has stopped, does no harm.
    to_run = min(_RUN_BY_THEM, (len(numbers) - _CLAIMED * _CLAIMS) // 2)
    async with serving(stage, side.worker(stage, queue=queue), side.is_ready):
        first = last = before
        began = ended = perf_counter()
        while last < first + to_run:
            await asyncio.sleep(_LOOK_EVERY)
            last, ended = board.started(numbers), perf_counter()
            if first == before and last > before:
                first, began = last, ended
    return (last - first) / (ended - began)


async def settling(store: Store) -> Sequence[Duel]:
    """The server's time for a settlement with many jobs active, in per cent of that with few."""
    async with stage_on(store, jobs=1) as stage, Server(stage.url) as server:
        await _store(stage, "few", range(FEW_ACTIVE + _BATCH * _BATCHES * 2))
        await _store(stage, "many", range(MANY_ACTIVE + _BATCH * _BATCHES * 2))
        in_order = await _settle_costs(stage, server, shuffled=False)
        in_any = await _settle_costs(stage, server, shuffled=True)
    name = f"settling, {MANY_ACTIVE:,} active, of {FEW_ACTIVE}"
    none = Reached(absent="not measured")
    return [
        Duel(f"{name}, in order", "%", Reached(in_order), [none], below(120)),
        Duel(f"{name}, in any order", "%", Reached(in_any), [none], below(120)),
    ]


async def _settle_costs(stage: Stage, server: Server, *, shuffled: bool) -> float:
    broker = stage.tasks.jobs.broker
    active: dict[str, list[Claim]] = {"few": [], "many": []}
    wanted = {"few": FEW_ACTIVE, "many": MANY_ACTIVE}
    cost: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(_BATCHES):
        for queue, claims in active.items():
            missing = wanted[queue] - len(claims)
            claims += await broker.claim([queue], limit=missing, lease=_LEASE, worker="bench:1:1")
            if shuffled:
                random.shuffle(claims)
            # A busy worker settles as many at once as there are, up to a script's limit.
            ended, active[queue] = claims[:_BATCH], claims[_BATCH:]
            before = await server.scripts_us()
            refused = await broker.settle(_succeeded(ended))
            spent = await server.scripts_us() - before
            cost[queue].append(spent / (len(ended) - len(refused)))
    for claims in active.values():
        await broker.settle(_succeeded(claims))
    return median(cost["many"]) / median(cost["few"]) * 100


async def naps(store: Store, side: Side, jobs: int) -> tuple[Reached, Reached]:
    """The server's time per job with few and with many slots, in µs; the handlers sleep."""
    few = await _nap_cost(store, side, FEW_ACTIVE, max(jobs // 10, FEW_ACTIVE))
    return few, await _nap_cost(store, side, MANY_ACTIVE, jobs)


async def _nap_cost(store: Store, side: Side, slots: int, jobs: int) -> Reached:
    numbers = range(jobs)
    async with stage_on(store, jobs=jobs) as stage, Server(stage.url) as server:
        nap = stage.tasks.nap.call
        for first in range(0, jobs, BULK):
            part = numbers[first : first + BULK]
            await stage.tasks.jobs.enqueue_many(nap(number, NAP) for number in part)
        before = await server.scripts_us()
        async with serving(stage, side.worker(stage, concurrency=slots), side.is_ready):
            await stage.all_started(numbers)
            await asyncio.sleep(NAP)
            await stage.all_settled()
            spent = await server.scripts_us() - before
        return Reached(spent / jobs, void=stage.board.complaint(numbers))


def napped(few: tuple[Reached, Reached], many: tuple[Reached, Reached]) -> Sequence[Duel]:
    """The server's time per job of ours and theirs with few slots, then with many."""
    name = "server's time per 100 ms sleep"
    ours, theirs = (_per_cent(more, less) for less, more in zip(few, many, strict=True))
    return [
        Duel(f"{name}, {FEW_ACTIVE} slots", "µs", few[0], few[1:]),
        Duel(f"{name}, {MANY_ACTIVE:,} slots", "µs", many[0], many[1:]),
        Duel(f"{name}, the second of the first", "%", ours, [theirs], below(120)),
    ]


def _per_cent(part: Reached, whole: Reached) -> Reached:
    return part._replace(value=part.value / whole.value * 100)


def _succeeded(claims: Sequence[Claim]) -> Sequence[Settlement]:
    return [decide(claim, Succeeded(b""), Retry(), 0.0) for claim in claims]
