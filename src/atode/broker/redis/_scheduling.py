"""What schedulers show, and their ticks (the protocol's section 12)."""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain

from atode.broker.redis import _entries
from atode.broker.redis._batches import tick_command
from atode.broker.redis._defining import Defining
from atode.broker.redis._scripts import Command
from atode.broker.redis.keys import QUEUES, SCHEDULERS, history_key, keys_of
from atode.broker.redis.wire import DecodeError, SchedulerEnqueueEvent, instant_of, set_instant
from atode.errors import BrokerError
from atode.schedule import Entry, Fired, Tick, Ticked, distinct

_HISTORY_SIZE = 1000
_HISTORY_AGE = 400 * 86_400
"""Seconds after which a history goes that nobody adds to: asynq's own stay for ever (trap 23).
Long enough for schedules that fire once a year."""

_TICKS_PER_TRIP = 100


class Scheduling(Defining):
    """Schedules as asynq's tools show them, and ticks that become one job each.

    The last tick of a schedule is recorded beside the queue of its jobs, so that in a cluster,
    too, one script tests it and stores the job.
    """

    async def show(self, scheduler: str, entries: Sequence[Entry], *, lifetime: float) -> None:
        """Show what a scheduler runs for `lifetime` seconds, rounded up (12.2)."""
        commands = _entries.show_commands(scheduler, entries, self._clock.now(), lifetime)
        await self._link.call(commands)

    async def hide(self, scheduler: str) -> None:
        """Show nothing more of a scheduler; unlike asynq's, the history of its schedules stays."""
        await self._link.call(_entries.hide_commands(scheduler))

    async def entries(self) -> Sequence[Entry]:
        """What living schedulers run, Go's included; what cannot be read is left out."""
        now = self._clock.now()
        index: Sequence[Command] = (
            ("ZRANGEBYSCORE", SCHEDULERS, math.floor(now), "+inf"),
            ("ZREMRANGEBYSCORE", SCHEDULERS, "-inf", math.floor(now) - 1),
        )
        keys = (await self._link.call(index)).replies[0]
        lists = (await self._link.call([("LRANGE", key, 0, -1) for key in keys])).replies
        return distinct(_entries.read_entries(chain.from_iterable(lists)))

    async def tick(self, ticks: Sequence[Tick], *, worker: str) -> Sequence[Ticked]:
        """Store the jobs of ticks that count; what came of each (12.2).

        The history is written afterwards; where that fails, it has a gap.
        """
        came_of: list[Ticked] = []
        for trip in _trips(ticks):
            now = self._clock.now()
            register: Command = ("SADD", QUEUES, *{tick.job.queue for tick in trip})
            commands = [tick_command(tick, worker, now) for tick in trip]
            [_, *replies] = (await self._link.call([register, *commands])).replies
            found = [(Ticked(outcome.decode()), float(since)) for outcome, since in replies]
            came_of += [ticked for ticked, _ in found]
            await self._record(
                [
                    (tick.schedule, Fired(tick.job.id, since))
                    for tick, (ticked, since) in zip(trip, found, strict=True)
                    if ticked is Ticked.STORED
                ]
            )
        return came_of

    async def last_ticks(
        self, queue: str, schedules: Sequence[str], *, first: float | None = None
    ) -> Sequence[float | None]:
        """The last tick of each schedule that is recorded in the queue, or None."""
        if not schedules:
            return []
        key = keys_of(queue).ticks
        commands: list[Command] = [("HMGET", key, *schedules)]
        if first is not None:
            mark = f"{first!r} {Ticked.LATE} {first!r} "
            commands = [("HSETNX", key, schedule, mark) for schedule in schedules] + commands
        return [_instant(stored) for stored in (await self._link.call(commands)).replies[-1]]

    async def fired(self, schedule: str, *, offset: int = 0, limit: int = 30) -> Sequence[Fired]:
        """The jobs that a schedule became, newest first; a Go scheduler's, too, while it runs."""
        if limit < 1:
            return []
        command = ("ZREVRANGE", history_key(schedule), offset, offset + limit - 1)
        [events] = (await self._link.call([command])).replies
        return list(_read_events(events))

    async def _record(self, fired: Sequence[tuple[str, Fired]]) -> None:
        commands = [
            command
            for schedule, job in fired
            for command in _record_commands(history_key(schedule), job)
        ]
        with suppress(BrokerError):
            await self._link.call(commands)


def _trips(ticks: Sequence[Tick]) -> Iterator[list[Tick]]:
    """Ticks that go together, at most one of a schedule.

    A server that does not know the script yet is sent it afterwards for those that failed; the
    ticks of one schedule must not change places by that.
    """
    trip: list[Tick] = []
    seen: set[str] = set()
    for tick in ticks:
        if tick.schedule in seen or len(trip) == _TICKS_PER_TRIP:
            yield trip
            trip, seen = [], set()
        trip.append(tick)
        seen.add(tick.schedule)
    if trip:
        yield trip


def _record_commands(key: str, fired: Fired) -> Sequence[Command]:
    event = SchedulerEnqueueEvent(task_id=fired.job_id)
    set_instant(event.enqueue_time, fired.at)
    return (
        ("ZREMRANGEBYRANK", key, 0, -_HISTORY_SIZE),
        ("ZADD", key, math.floor(fired.at), event.SerializeToString()),
        ("EXPIRE", key, _HISTORY_AGE),
    )


def _read_events(events: Sequence[bytes]) -> Iterator[Fired]:
    for encoded in events:
        try:
            event = SchedulerEnqueueEvent.FromString(encoded)
        except DecodeError:
            continue
        yield Fired(event.task_id, instant_of(event.enqueue_time))


def _instant(stored: bytes | None) -> float | None:
    try:
        return float(stored.split(b" ")[0]) if stored else None
    except ValueError:
        return None
