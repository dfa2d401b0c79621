"""atode beside Go's asynq on Redis."""

from collections.abc import Sequence

from bench.store import Store
from bench.versus import crash, instants, rates, scale
from bench.versus.asynq import Asynq
from bench.versus.score import Duel, Reached, Round, at_least, times
from bench.versus.side import US, Rival, Sender
from bench.versus.size import DEFAULT, QUICK, Size
from bench.versus.wish import Wish

_NOT_MEASURED = Reached(absent="not measured")
_NO_CALL = Reached(absent="no such call")
_NO_GO = Reached(absent="no Go")

_SOON = {50: 1.0, 99: 5.0}


async def measured(store: Store, rivals: Sequence[Rival], wish: Wish) -> Sequence[Round]:
    """All duels, the repeated ones once for each round."""
    [rival] = rivals
    them = rival if isinstance(rival, Asynq) else None
    size = _size(wish)
    rounds: list[Round] = []
    for _ in range(size.rounds):
        rounds.append([*await _rates(store, them, size), *await _instants(store, them, size)])
        rounds.append(await _naps(store, them, size))
    # Long queues and killed workers vary little, and take long.
    rounds.append([*await scale.settling(store), await _waiting(store, them, size)])
    rounds.append([await _recovery(store, them, size, wish.crash_asynq)])
    return rounds


def _size(wish: Wish) -> Size:
    size = QUICK if wish.quick else DEFAULT
    return size._replace(rounds=wish.rounds or size.rounds, waiting=wish.many or size.waiting)


async def _rates(store: Store, them: Sender | None, size: Size) -> Sequence[Duel]:
    return [
        rates.drained(
            await rates.drain(store, US, size.drain),
            await rates.drain(store, them, size.their_drain) if them else _NO_GO,
            aim=times(3.5),
        ),
        rates.enqueued(
            await rates.enqueue(store, US, size.callers),
            await rates.enqueue(store, them, size.callers) if them else _NO_GO,
        ),
        rates.bulked(await rates.bulk(store, US, size.bulk), _NO_CALL, aim=at_least(100_000)),
    ]


async def _instants(store: Store, them: Sender | None, size: Size) -> Sequence[Duel]:
    ours = await instants.idle(store, US, US, size.idle)
    theirs = await instants.idle(store, them, them, size.idle) if them else _NO_GO
    from_go = await instants.idle(store, them, US, size.idle) if them else _NO_GO
    return [
        *instants.soon("idle latency", ours, theirs, most_at=_SOON),
        *instants.soon("idle latency, enqueued by Go", from_go, theirs, most_at=_SOON),
        *instants.late(
            await instants.delayed(store, US, size.delayed),
            await instants.delayed(store, them, size.delayed) if them else _NO_GO,
        ),
    ]


async def _naps(store: Store, them: Sender | None, size: Size) -> Sequence[Duel]:
    ours = await scale.naps(store, US, size.naps)
    theirs = await scale.naps(store, them, size.naps) if them else (_NO_GO, _NO_GO)
    few, many = zip(ours, theirs, strict=True)
    return scale.napped(few, many)


async def _waiting(store: Store, them: Sender | None, size: Size) -> Duel:
    return await scale.waiting(store, them or _NO_GO, size.waiting)


async def _recovery(store: Store, them: Sender | None, size: Size, crash_asynq: bool) -> Duel:
    ours = await crash.recovery(store, size.lease)
    if them is None:
        theirs = _NO_GO
    else:
        theirs = await crash.recovery(store, them) if crash_asynq else _NOT_MEASURED
    return crash.recovered(ours, theirs, size.lease)
