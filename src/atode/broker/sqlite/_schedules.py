"""What schedulers show and tick, as commands for one transaction."""

from collections.abc import Sequence

from atode.broker.sqlite import _queue
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._transaction import Transaction
from atode.clock import Clock
from atode.schedule import (
    Entry,
    Fired,
    Tick,
    Ticked,
    distinct,
    entries_from_json,
    entries_to_json,
)

HISTORY_SIZE = 1000
HISTORY_AGE = 400 * 86_400.0


def show(
    tx: Transaction, clock: Clock, scheduler: str, entries: Sequence[Entry], lifetime: float
) -> None:
    """Show what a scheduler runs, and forget those who have fallen silent."""
    now = clock.now()
    tx.change(sql.BURY_SCHEDULERS, now)
    tx.change(sql.SHOW, scheduler, now + lifetime, entries_to_json(entries))


def hide(tx: Transaction, scheduler: str) -> None:
    """Show nothing more of a scheduler."""
    tx.change(sql.HIDE, scheduler)


def entries(tx: Transaction, clock: Clock) -> Sequence[Entry]:
    """What living schedulers run."""
    bodies = tx.rows(sql.SCHEDULERS, clock.now())
    return distinct(entry for (body,) in bodies for entry in entries_from_json(body))


def tick(tx: Transaction, clock: Clock, ticks: Sequence[Tick], worker: str) -> Sequence[Ticked]:
    """Store the jobs of those ticks that count."""
    return [_tick(tx, clock, each, worker) for each in ticks]


def last_ticks(
    tx: Transaction, queue: str, schedules: Sequence[str], first: float | None
) -> Sequence[float | None]:
    """The last tick of each schedule, or None."""
    if first is not None:
        rows = [(queue, schedule, first, "", Ticked.LATE.value) for schedule in schedules]
        tx.change_many(sql.FIRST_TICKS, rows)
    found = [tx.row(sql.LAST_TICK, queue, schedule) for schedule in schedules]
    return [row[0] if row else None for row in found]


def fired(tx: Transaction, schedule: str, offset: int, limit: int) -> Sequence[Fired]:
    """The jobs that a schedule became, newest first."""
    return [Fired(*row) for row in tx.rows(sql.FIRED, schedule, max(limit, 0), offset)]


def _tick(tx: Transaction, clock: Clock, tick: Tick, worker: str) -> Ticked:
    queue = tick.job.queue
    last = tx.row(sql.LAST_TICK, queue, tick.schedule)
    if last and last[0] >= tick.at:
        at, who, ticked, _ = last
        return Ticked(ticked) if (at, who) == (tick.at, worker) else Ticked.LATE
    is_in_the_way = bool(last and last[3]) and not tick.may_overlap
    is_refused = is_in_the_way or bool(_queue.enqueue(tx, clock, [tick.job]))
    ticked = Ticked.REFUSED if is_refused else Ticked.STORED
    job_id = None if is_refused else tick.job.id
    tx.change(sql.TICK, queue, tick.schedule, tick.at, worker, ticked.value, job_id)
    if ticked is Ticked.STORED:
        now = clock.now()
        tx.change(sql.FIRE, tick.schedule, now, tick.job.id)
        tx.change(sql.PRUNE_FIRED, tick.schedule, HISTORY_SIZE)
        tx.change(sql.BURY_FIRED, now - HISTORY_AGE)
    return ticked
