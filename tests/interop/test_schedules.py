"""Schedules of Go's Scheduler seen from Python, and Python's seen by asynq's Inspector."""

import asyncio
import json
import math
import time
from pathlib import Path

from typer.testing import CliRunner

from atode import Atode
from atode.broker.redis.broker import RedisBroker
from atode.cli.main import app
from atode.job import Job
from atode.schedule import Entry, EntryOptions, Tick, Ticked, tick_id
from tests.faults.journal import eventually
from tests.integration.stage import working
from tests.interop.peer import Peer, Spec
from tests.interop.processes import GoScheduler

NOW = float(math.floor(time.time()))

PAYLOAD = b'{"month":"2026-01"}'

JOB = Spec(
    type="report:build",
    payload=PAYLOAD,
    queue='low "(1)"',
    max_retry=3,
    timeout=5400,
    unique=3600,
    retention=86_400,
    group="g",
)


async def said(redis_url: str, *arguments: str) -> str:
    command = ["schedules", *arguments, "--url", redis_url]
    # It has an event loop of its own.
    result = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_what_a_go_scheduler_runs_is_listed_with_all_its_options(
    go: Peer, broker: RedisBroker, redis_url: str, tmp_path: Path
) -> None:
    with GoScheduler(go, tmp_path, {"0 9 * * MON": JOB, "@every 1h": Spec(type="tick")}) as go_side:
        await go_side.started()
        await eventually(lambda: go.schedules())

        found = {entry.spec: entry for entry in await broker.entries()}
        listed = json.loads(await said(redis_url, "list", "--json"))["schedules"]
        text = await said(redis_url, "list")
        await go_side.stop()

    weekly, hourly = found["0 9 * * MON"], found["@every 1h"]
    assert (weekly.task, weekly.payload) == ("report:build", PAYLOAD)
    assert weekly.options == EntryOptions(
        'low "(1)"', 3, 5400, 86_400, 3600, others=('Group("g")',)
    )
    assert hourly.options == EntryOptions()
    assert (weekly.prev, hourly.prev) == (0, 0)
    assert NOW < weekly.next <= NOW + 8 * 86_400
    assert NOW + 3600 <= hourly.next <= time.time() + 3601
    assert [one["id"] for one in listed] == [hourly.id, weekly.id]
    assert "report:build" in text
    assert list(await broker.entries()) == []


async def test_what_a_go_schedule_became_is_listed(
    go: Peer, broker: RedisBroker, redis_url: str, tmp_path: Path
) -> None:
    with GoScheduler(go, tmp_path, {"@every 1s": Spec(type="tick")}) as go_side:
        await go_side.started()
        await eventually(lambda: go.schedules() and go.schedules()[0].prev)
        [entry] = await broker.entries()

        fired = await broker.fired(entry.id)
        stored = {task.id for task in go.tasks("pending")}
        text = await said(redis_url, "history", entry.id)
        go_side.kill()

    assert entry.prev >= NOW
    assert {one.job_id for one in fired} <= stored
    assert fired[0].job_id in text
    assert fired[0].at >= NOW


async def test_what_python_shows_is_read_by_asynqs_inspector(go: Peer, broker: RedisBroker) -> None:
    options = EntryOptions("low (1) 朝", 3, 5400.0, 86_400.0, 90.5)
    entries = [
        Entry("weekly", "0 9 * * MON", "report:build", b"{}", options, NOW + 60, NOW - 0.5),
        Entry("tick", "@every 30s", "tick"),
    ]

    await broker.show("h1:1:s1", entries, lifetime=60)

    weekly, tick = go.schedules()
    assert (weekly.id, weekly.spec, weekly.type) == ("weekly", "0 9 * * MON", "report:build")
    assert (weekly.payload, weekly.next, weekly.prev) == (b"{}", NOW + 60, NOW - 0.5)
    assert list(weekly.options) == [
        'Queue("low (1) 朝")',
        "MaxRetry(3)",
        "Timeout(1h30m0s)",
        "Unique(1m30.5s)",
        "Retention(24h0m0s)",
    ]
    assert (tick.id, tick.next, tick.prev) == ("tick", 0, 0)
    await broker.hide("h1:1:s1")
    assert go.schedules() == []


async def test_what_a_python_schedule_became_is_read_by_asynqs_inspector(
    go: Peer, broker: RedisBroker
) -> None:
    ids = [tick_id("nightly", NOW + n) for n in range(3)]
    ticks = [Tick("nightly", NOW + n, Job(ids[n], "work", "default", b"{}")) for n in range(3)]

    assert list(await broker.tick(ticks, worker="w1")) == [Ticked.STORED] * 3

    assert [one.id for one in go.fired("nightly")] == ids[::-1]
    assert all(NOW <= one.at <= time.time() for one in go.fired("nightly"))
    assert [task.id for task in go.tasks("pending")] == ids


async def test_what_python_workers_run_is_listed_once_by_asynqs_inspector(
    go: Peer, redis_url: str
) -> None:
    jobs = Atode(redis_url)

    @jobs.cron("* * * * * *", queue="nobody's", timeout=60, id="pulse")
    async def pulse() -> None: ...

    async with jobs, working(jobs), working(jobs):
        await eventually(lambda: go.schedules() and go.schedules()[0].prev)
        [entry] = go.schedules()
        stored = {task.id for task in go.tasks("pending", queue="nobody's")}

    assert (entry.id, entry.spec, entry.type) == ("pulse", "* * * * * *", "pulse")
    assert entry.options == ['Queue("nobody\'s")', "MaxRetry(25)", "Timeout(1m0s)"]
    assert entry.prev >= NOW
    assert tick_id("pulse", entry.prev) in stored
