"""atode beside other job queues on PostgreSQL and on SQLite."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from bench.store import Store
from bench.versus import full, held, instants, rates
from bench.versus.score import Duel, Reached, Round, at_least, times
from bench.versus.side import US, Rival, Side
from bench.versus.wish import Wish

_NOT_MEASURED = Reached(absent="not measured")


class Size(NamedTuple):
    """Numbers of jobs and seconds, and how often those measurements are made that vary much."""

    drain: int
    bulk: int
    idle: int
    many: int
    """In a store that is full."""
    free: float
    held: float
    """Seconds without a snapshot and with one."""
    rounds: int


# Both tables in six minutes.
DEFAULT = Size(drain=80_000, bulk=60_000, idle=150, many=1_000_000, free=15, held=60, rounds=2)
QUICK = Size(drain=3_000, bulk=3_000, idle=20, many=3_000, free=0.8, held=1.2, rounds=1)


def _size(wish: Wish) -> Size:
    size = QUICK if wish.quick else DEFAULT
    return size._replace(rounds=wish.rounds or size.rounds, many=wish.many or size.many)


async def postgres(store: Store, rivals: Sequence[Rival], wish: Wish) -> Sequence[Round]:
    """Everything that was promised about PostgreSQL; the first rival is the fastest."""
    size = _size(wish)
    rounds = [await _postgres_round(store, rivals, size) for _ in range(size.rounds)]
    absent = [_NOT_MEASURED for _ in rivals]

    async def hold(side: Side) -> Reached:
        return await held.held(store, side, free=size.free, held=size.held)

    held_by = await _each(rivals[:1], hold) + absent[1:]
    return [
        *rounds,
        [held.stood(await hold(US), *held_by, seconds=size.held)],
        await full.claims(store, size.many, absent),
    ]


async def _postgres_round(store: Store, rivals: Sequence[Rival], size: Size) -> Sequence[Duel]:
    async def drain(side: Side) -> Reached:
        return await rates.drain(store, side, size.drain)

    return [
        rates.drained(await drain(US), *await _each(rivals, drain), aim=times(2)),
        await _bulk(store, rivals, size, most=80_000),
        *await _idle(store, rivals, size, p99=10),
    ]


async def sqlite(store: Store, rivals: Sequence[Rival], wish: Wish) -> Sequence[Round]:
    """Everything that was promised about SQLite."""
    size = _size(wish)
    rounds = [await _sqlite_round(store, rivals, size) for _ in range(size.rounds)]
    return [*rounds, await full.claims(store, size.many, [_NOT_MEASURED for _ in rivals])]


async def _sqlite_round(store: Store, rivals: Sequence[Rival], size: Size) -> Sequence[Duel]:
    async def drain(side: Side) -> Reached:
        return await rates.drain(store, side, size.drain, workers=2)

    aim = at_least(30_000)
    return [
        rates.drained(await drain(US), *await _each(rivals, drain), aim=aim, workers="two workers"),
        await _bulk(store, rivals, size, most=0),
        *await _idle(store, rivals, size, p99=20),
    ]


async def _bulk(store: Store, rivals: Sequence[Rival], size: Size, most: float) -> Duel:
    async def bulk(side: Side) -> Reached:
        return await rates.bulk(store, side, size.bulk)

    return rates.bulked(await bulk(US), *await _each(rivals, bulk), aim=at_least(most))


async def _idle(store: Store, rivals: Sequence[Rival], size: Size, p99: float) -> Sequence[Duel]:
    waits = await instants.idle(store, US, US, size.idle)
    absent = [_NOT_MEASURED for _ in rivals]
    return instants.soon("idle latency", waits, *absent, most_at={99: p99})


async def _each(
    rivals: Sequence[Rival], measure: Callable[[Side], Awaitable[Reached]]
) -> list[Reached]:
    return [each if isinstance(each, Reached) else await measure(each) for each in rivals]
