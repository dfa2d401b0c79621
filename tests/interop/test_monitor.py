"""asynq's web monitor, whose asynq is an older one, shows and moves the jobs of Python."""

import time

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.job import Job, State
from atode.schedule import Entry, EntryOptions, Tick
from tests.interop.monitor_process import Monitor
from tests.interop.processes import PythonWorker
from tests.interop.test_inspector import WAITING, a_job_in

STATES = (*WAITING, "active")


async def test_jobs_of_all_states_are_shown(monitor: Monitor, broker: RedisBroker) -> None:
    for state in ("retry", "archived", "completed", "active", "pending", "scheduled"):
        await a_job_in(broker, state)

    queue = monitor.shows("queues/default")["current"]
    assert {state: queue[state] for state in STATES} == dict.fromkeys(STATES, 1)
    assert (queue["processed"], queue["failed"], queue["size"]) == (3, 2, 6)
    for state in STATES:
        [shown] = monitor.shows(f"queues/default/{state}_tasks")["tasks"]
        assert (shown["id"], shown["type"], shown["payload"]) == (state, "demo", '{"n":1}')


async def test_members_of_groups_are_shown(monitor: Monitor, broker: RedisBroker) -> None:
    await broker.enqueue([Job("j1", "demo", "default", b"{}", state=State.AGGREGATING, group="g")])

    assert monitor.shows("queues/default/groups")["groups"] == [{"group": "g", "size": 1}]
    [shown] = monitor.shows("queues/default/groups/g/aggregating_tasks")["tasks"]
    assert shown["id"] == "j1"


@pytest.mark.parametrize("action", ["run", "archive"])
async def test_its_buttons_move_jobs(monitor: Monitor, broker: RedisBroker, action: str) -> None:
    await a_job_in(broker, "retry")

    monitor.press(f"queues/default/retry_tasks/retry:{action}")

    job = await broker.get("default", "retry")
    assert job
    assert job.state is {"run": State.PENDING, "archive": State.ARCHIVED}[action]


async def test_a_queue_can_be_paused_there(monitor: Monitor, broker: RedisBroker) -> None:
    await a_job_in(broker, "pending")

    monitor.press("queues/default:pause")

    assert not await broker.claim(["default"], limit=1, lease=10, worker="w")
    stats = await broker.stats("default")
    assert stats
    assert stats.paused


async def test_a_worker_is_shown(monitor: Monitor, python_worker: PythonWorker) -> None:
    [shown] = monitor.shows("servers")["servers"]

    assert (shown["pid"], shown["status"]) == (python_worker.pid, "active")
    assert shown["queue_priorities"] == {"default": 1}


async def test_schedules_and_what_they_stored_are_shown(
    monitor: Monitor, broker: RedisBroker
) -> None:
    now = time.time()
    options = EntryOptions(max_retry=3)
    entry = Entry("weekly", "0 9 * * MON", "report:build", b"{}", options, now + 60, now - 60)
    await broker.show("w1", [entry], lifetime=60)
    job = Job("j1", "report:build", "default", b"{}")
    await broker.tick([Tick("weekly", now - 60, job)], worker="w1")

    [shown] = monitor.shows("scheduler_entries")["entries"]
    assert (shown["id"], shown["spec"]) == ("weekly", "0 9 * * MON")
    assert (shown["task_type"], shown["task_payload"]) == ("report:build", "{}")
    [fired] = monitor.shows("scheduler_entries/weekly/enqueue_events")["events"]
    assert fired["task_id"] == "j1"
