"""Looking at schedules, and defining, changing and pausing them at run time."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, Unpack

from pydantic_core import from_json

from atode._portal import Portal
from atode.client import Client
from atode.clock import Clock
from atode.definition import Body, merged, schedule_of
from atode.errors import (
    DuplicateSchedule,
    Misused,
    NotUnique,
    ScheduleChanged,
    UnknownSchedule,
)
from atode.handle import JobHandle
from atode.job import Job
from atode.schedule import Definition
from atode.task import Call, checked_text
from atode.timetable import Schedule, Timetable, checked_call, schedule_shown
from atode.timing import Timing, TimingOptions

_TRIES = 10
"""How often a change is tried anew because somebody else was faster."""


class Fire(NamedTuple):
    """An instant at which a schedule will fire."""

    at: datetime
    """As the schedule's clocks show it."""
    schedule: str


class ScheduleOptions(TimingOptions, total=False):
    """What can be changed about a schedule that is defined at run time."""

    cron: str
    call: Call[Any]


@dataclass(frozen=True, slots=True)
class ScheduleInfo:
    """How a schedule stands."""

    id: str
    timing: Timing
    task: str
    """Name of the task; empty where a function makes the call and fails now."""
    queue: str
    payload: bytes
    """The arguments as they are stored, for the next tick."""
    paused: bool
    defined_in: Literal["code", "store"]
    version: int
    """Of what is stored about it, for `change`; 0 where nothing is."""
    next: datetime | None
    """When it fires next; None while it is paused, or if it never does."""
    last: datetime | None
    """When it last became a job that was stored; None if that is not on record."""


class Schedules:
    """The schedules of an app: those that its code defines, and those in its store.

    Workers learn of a change at once, and of one that they were not told of within seconds.
    Every method has a twin for code without an event loop, `…_sync`.
    """

    def __init__(
        self, timetable: Timetable, client: Callable[[], Client], portal: Portal, clock: Clock
    ) -> None:
        self._timetable = timetable
        self._client = client
        self._portal = portal
        self._clock = clock

    async def add(
        self, schedule: str, cron: str, call: Call[Any], /, **options: Unpack[TimingOptions]
    ) -> ScheduleInfo:
        """Define a schedule in the store: `await jobs.schedules.add("digest:7", "0 8 * * *",
        digest.call(7), timezone="Asia/Tokyo")`. It begins with its next tick.

        How the call is stored (queue, retries, timeout, retention) is fixed now. Workers need
        not know the task.

        Raises:
            DuplicateSchedule: there is one of this id.
            BadSchedule, BadOption: as for `Atode.schedule`.
            BrokerUnavailable: the store cannot be reached now.
        """
        checked_text(schedule, "id")
        if self._timetable.get(schedule):
            raise DuplicateSchedule(schedule)
        now = self._clock.now()
        text = Body(True, now, Timing.of(cron, options), _template(call)).text
        version = await self._client().broker.define(schedule, text, version=0)
        if version is None:
            raise DuplicateSchedule(schedule)
        return await self._info(_made(Definition(schedule, version, text)))

    async def change(
        self, schedule: str, /, *, version: int | None = None, **options: Unpack[ScheduleOptions]
    ) -> ScheduleInfo:
        """Change what is given of a schedule in the store; the rest stays. It goes on with its
        next tick: ticks before the change are made up for no more.

        Raises:
            UnknownSchedule: there is none of this id.
            ScheduleChanged: it does not have this `version` (any more); with None, whatever is
                there is changed.
            Misused: it is defined in code.
            BadSchedule, BadOption, BrokerUnavailable: as for `add`.
        """
        self._refuse_coded(schedule, "change it there")

        def changed(body: Body) -> Body:
            given: dict[str, Any] = {**options}
            call = given.pop("call", None)
            job = body.job if call is None else _template(call)
            return Body(body.enabled, self._clock.now(), _changed(body.timing, given), job)

        return await self._info(await self._rewrite(schedule, changed, version))

    async def pause(self, schedule: str, /) -> bool:
        """Let a schedule, also one of the code, not fire until `resume`; False if it was paused.

        Raises:
            UnknownSchedule: there is none of this id.
            BrokerUnavailable: the store cannot be reached now.
        """
        return await self._switch(schedule, enabled=False)

    async def resume(self, schedule: str, /) -> bool:
        """Let a schedule fire again, from its next tick on; False if it was not paused.

        Ticks that passed meanwhile are not made up for. Errors as for `pause`.
        """
        return await self._switch(schedule, enabled=True)

    async def remove(self, schedule: str, /) -> bool:
        """Remove a schedule from the store; False if there is none of this id. Jobs that it has
        become stay.

        Raises:
            Misused: it is defined in code.
            BrokerUnavailable: the store cannot be reached now.
        """
        self._refuse_coded(schedule, "remove it there, or pause it")
        for _ in range(_TRIES):
            stored = await self._stored(schedule)
            if stored is None:
                return False
            if await self._client().broker.undefine(schedule, version=stored.version):
                return True
        raise ScheduleChanged(schedule)

    async def run_now(self, schedule: str, /) -> JobHandle[Any]:
        """Store a job as though the schedule fired at this moment, whether it is paused or not.
        Its ticks stay as they are.

        Of a schedule in the code of another program, it is the job of the next tick.

        Raises:
            UnknownSchedule: there is none of this id.
            NotUnique: the call is unique, and a job that does the same is in the way.
            BrokerUnavailable: the store cannot be reached now.
        """
        found = await self._one(schedule)
        job = found.job_now(self._clock.now())
        for refusal in await self._client().broker.enqueue([job]):
            raise NotUnique(job.queue, refusal.holder)
        return JobHandle(job, _Plain, self._client())

    async def list(self) -> Sequence[ScheduleInfo]:
        """All schedules of the code and the store, by id.

        One in the store that this program cannot read is left out; workers report it.
        """
        known = await self._known()
        infos = [self._info(each) for each in sorted(known, key=lambda each: each.id)]
        return await asyncio.gather(*infos)

    async def get(self, schedule: str, /) -> ScheduleInfo | None:
        """How a schedule stands, or None if there is none of this id."""
        found = [each for each in await self._known() if each.id == schedule]
        return await self._info(found[0]) if found else None

    async def next(self, n: int = 20, schedule: str | None = None) -> Sequence[Fire]:
        """The next `n` fires of all schedules together, or of one, ascending; none of paused ones.

        Raises:
            UnknownSchedule: there is no schedule of this id.
        """
        found = await self._known() if schedule is None else [await self._one(schedule)]
        now = self._clock.now()
        fires = [
            [(tick, each) for tick in each.timing.cron.next(n, max(now, each.since))]
            for each in found
            if each.enabled
        ]
        soonest = heapq.nsmallest(n, (fire for some in fires for fire in some), key=_by_instant)
        return [Fire(each.timing.local(tick), each.id) for tick, each in soonest]

    # For code without an event loop

    def add_sync(
        self, schedule: str, cron: str, call: Call[Any], /, **options: Unpack[TimingOptions]
    ) -> ScheduleInfo:
        """`add` for code without an event loop, on any thread."""
        return self._portal.run(lambda: self.add(schedule, cron, call, **options))

    def change_sync(
        self, schedule: str, /, *, version: int | None = None, **options: Unpack[ScheduleOptions]
    ) -> ScheduleInfo:
        """`change` for code without an event loop."""
        return self._portal.run(lambda: self.change(schedule, version=version, **options))

    def pause_sync(self, schedule: str, /) -> bool:
        """`pause` for code without an event loop."""
        return self._portal.run(lambda: self.pause(schedule))

    def resume_sync(self, schedule: str, /) -> bool:
        """`resume` for code without an event loop."""
        return self._portal.run(lambda: self.resume(schedule))

    def remove_sync(self, schedule: str, /) -> bool:
        """`remove` for code without an event loop."""
        return self._portal.run(lambda: self.remove(schedule))

    def run_now_sync(self, schedule: str, /) -> JobHandle[Any]:
        """`run_now` for code without an event loop."""
        return self._portal.run(lambda: self.run_now(schedule))

    def list_sync(self) -> Sequence[ScheduleInfo]:
        """`list` for code without an event loop."""
        return self._portal.run(self.list)

    def get_sync(self, schedule: str, /) -> ScheduleInfo | None:
        """`get` for code without an event loop."""
        return self._portal.run(lambda: self.get(schedule))

    def next_sync(self, n: int = 20, schedule: str | None = None) -> Sequence[Fire]:
        """`next` for code without an event loop."""
        return self._portal.run(lambda: self.next(n, schedule))

    # What is there

    async def _known(self) -> Sequence[Schedule]:
        broker = self._client().broker
        stored = await broker.definitions()
        shown = [schedule_shown(entry) for entry in await broker.entries()]
        others = [each for each in shown if each and self._timetable.get(each.id) is None]
        return merged([*others, *self._timetable], stored.found if stored else ()).schedules

    async def _one(self, schedule: str) -> Schedule:
        known = {each.id: each for each in await self._known()}
        if schedule in known:
            return known[schedule]
        if any(entry.id == schedule for entry in await self._client().broker.entries()):
            raise Misused(
                f"schedule {schedule!r} is run by a scheduler of another kind, such as Go's, which "
                "atode cannot tell anything; go to its program"
            )
        raise UnknownSchedule(schedule, known)

    async def _info(self, schedule: Schedule) -> ScheduleInfo:
        timing, now = schedule.timing, self._clock.now()
        tick = timing.cron.after(max(now, schedule.since)) if schedule.enabled else None
        fired = await self._client().broker.fired(schedule.id, limit=1)
        try:
            job = schedule.template(now if tick is None else tick)
        except Exception:
            # The function that makes the call; workers tell what it raises.
            job = Job("", "", "", b"")
        return ScheduleInfo(
            id=schedule.id,
            timing=timing,
            task=job.task,
            queue=job.queue,
            payload=job.payload,
            paused=not schedule.enabled,
            defined_in="code" if schedule.in_code else "store",
            version=schedule.version,
            next=None if tick is None else timing.local(tick),
            last=timing.local(fired[0].at) if fired else None,
        )

    # Changes

    async def _stored(self, schedule: str) -> Definition | None:
        stored = await self._client().broker.definitions()
        found = stored.found if stored else ()
        return next((each for each in found if each.id == schedule), None)

    async def _switch(self, schedule: str, *, enabled: bool) -> bool:
        for _ in range(_TRIES):
            known = await self._one(schedule)
            if known.enabled == enabled:
                return False
            stored = await self._stored(schedule)
            body = replace(Body.read(stored.body), enabled=enabled) if stored else Body(enabled)
            if enabled:
                body = replace(body, since=self._clock.now())
            version = stored.version if stored else 0
            if await self._client().broker.define(schedule, body.text, version=version):
                return True
        raise ScheduleChanged(schedule)

    async def _rewrite(
        self, schedule: str, changed: Callable[[Body], Body], version: int | None
    ) -> Schedule:
        for _ in range(_TRIES):
            stored = await self._stored(schedule)
            body = Body.read(stored.body) if stored else None
            if stored is None or body is None or body.job is None:
                raise UnknownSchedule(schedule, [each.id for each in await self._known()])
            if version not in (None, stored.version):
                break
            text = changed(body).text
            made = await self._client().broker.define(schedule, text, version=stored.version)
            if made is not None:
                return _made(Definition(schedule, made, text))
        raise ScheduleChanged(schedule)

    def _refuse_coded(self, schedule: str, way_out: str) -> None:
        if self._timetable.get(schedule):
            raise Misused(f"schedule {schedule!r} is defined in code; {way_out}")


def _template(call: Call[Any]) -> Job:
    # At the instant 0, so that the due instant of a call with a delay is the delay.
    return checked_call(call).job(0.0)


def _changed(timing: Timing | None, given: dict[str, Any]) -> Timing:
    old = {} if timing is None else timing.options()
    cron = given.pop("cron", timing.cron.spec if timing else "")
    if "TZ=" in cron and "timezone" not in given:
        # It brings its own zone.
        old.pop("timezone", None)
    return Timing.of(cron, {**old, **given})


def _made(definition: Definition) -> Schedule:
    schedule = schedule_of(definition, Body.read(definition.body))
    if schedule is None:
        raise UnknownSchedule(definition.id, ())
    return schedule


class _Plain:
    """The result of a task that may be in the code of another program."""

    @staticmethod
    def decode(payload: bytes) -> Any:
        return from_json(payload) if payload else None


def _by_instant(fire: tuple[float, Schedule]) -> tuple[float, str]:
    return fire[0], fire[1].id
