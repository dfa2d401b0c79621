"""Atode: registering tasks, opening stores by URL, one broker for each event loop."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from atode import Atode, BadOption, BadTask, DuplicateTask, State, UnknownTask, Worker
from atode.broker.memory import MemoryBroker
from atode.clock import SystemClock
from atode.events import JobEnqueued
from atode.stores import broker_for


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://")


# URLs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATODE_URL", raising=False)
    return tmp_path


def test_the_url_comes_from_the_argument_the_environment_or_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Atode().url == "sqlite:///atode.db"

    monkeypatch.setenv("ATODE_URL", "memory://")
    assert Atode().url == "memory://"
    assert Atode("sqlite:///other.db").url == "sqlite:///other.db"


def test_nothing_is_opened_before_it_is_needed(folder: Path) -> None:
    Atode("sqlite:///jobs.db")
    Atode("redis://localhost:1/0")

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "broker URL '' is of no known kind; there are sqlite:///path, redis://"),
        ("jobs.db", "broker URL 'jobs.db' is of no known kind"),
        ("mysql://user:secret@db/jobs", "broker URL 'mysql://…' is of no known kind"),
        ("sqlite://jobs.db", r"broker URL 'sqlite://jobs.db' names no file; write sqlite:///jobs"),
        ("sqlite://", "broker URL 'sqlite://' names no file"),
        ("sqlite:///", "broker URL 'sqlite:///' names no file"),
        (
            "sqlite:///a.db?mode=ro",
            r"SQLite URLs have no option mode; there are \?synchronous",
        ),
        ("sqlite:///a.db?synchronous=off", "synchronous is 'off'; it must be one of normal, full"),
        ("redis://[::1", "broker URL cannot be read: Invalid IPv6 URL"),
    ],
)
def test_a_url_that_names_no_store_is_refused_with_the_way_out(url: str, message: str) -> None:
    with pytest.raises(BadOption, match=message):
        Atode(url)


def test_a_refusal_does_not_show_passwords() -> None:
    with pytest.raises(BadOption) as refusal:
        Atode("amqp://user:secret@host/")

    assert "secret" not in str(refusal.value)


def test_a_store_whose_packages_are_missing_is_refused_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "atode.broker.redis.broker", None)

    with pytest.raises(BadOption, match=r"redis:// needs more packages .*pip install 'atode\[re"):
        Atode("redis://localhost")


def test_memory_urls_give_stores_of_their_own() -> None:
    assert isinstance(broker_for("memory://", SystemClock()), MemoryBroker)


# Tasks


def test_a_name_that_is_taken_is_refused_with_both_places(jobs: Atode) -> None:
    @jobs.task("mail")
    def first() -> None: ...

    with pytest.raises(
        DuplicateTask, match=r"Task name 'mail' is taken by .*test_app.*first; .*second needs"
    ):

        @jobs.task("mail")
        def second() -> None: ...

    assert jobs.registry["mail"] is first


def test_the_registry_knows_tasks_by_name(jobs: Atode) -> None:
    @jobs.task("b")
    def two() -> None: ...

    @jobs.task("a")
    def one() -> None: ...

    assert jobs.registry.names() == ("a", "b")
    assert len(jobs.registry) == 2
    assert list(jobs.registry) == [two, one]


def test_an_unknown_name_is_answered_with_a_close_one(jobs: Atode) -> None:
    jobs.task("report:build")(lambda: None)

    with pytest.raises(UnknownTask, match=r"\(1 are\)\. Did you mean 'report:build'\?"):
        jobs.registry["report:built"]


async def test_a_task_whose_annotations_cannot_be_resolved_stops_the_worker_at_its_start(
    jobs: Atode,
) -> None:
    def broken(value: Any) -> None: ...

    broken.__annotations__["value"] = "NoSuchThing"
    jobs.task(broken)

    with pytest.raises(BadTask, match="'NoSuchThing' is not defined"):
        await jobs.worker().run(signals=False)


# Event loops and threads


async def test_an_event_loop_keeps_its_broker_and_client(jobs: Atode) -> None:
    assert jobs.broker is jobs.broker
    assert jobs.client is jobs.client


def test_each_event_loop_has_a_broker_of_its_own_on_the_same_store(jobs: Atode) -> None:
    @jobs.task
    def note() -> None: ...

    async def use() -> tuple[object, object, int]:
        await note.enqueue()
        counts = await jobs.broker.counts("default")
        return jobs.broker, jobs.client, counts[State.PENDING]

    first, second = asyncio.run(use()), asyncio.run(use())

    assert first[0] is not second[0]
    assert first[1] is not second[1]
    assert (first[2], second[2]) == (1, 2)


async def test_a_closed_app_opens_anew_at_its_next_use(jobs: Atode) -> None:
    @jobs.task
    def note() -> None: ...

    async with jobs:
        before = jobs.broker
        await note.enqueue()
    await jobs.close()
    await note.enqueue()

    assert jobs.broker is not before
    assert (await jobs.broker.counts("default"))[State.PENDING] == 2


def test_enqueue_sync_stores_from_a_thread_without_a_loop(jobs: Atode) -> None:
    @jobs.task
    def note(n: int) -> None: ...

    handle = note.enqueue_sync(1)
    other = note.options(queue="mail").enqueue_sync(2)

    assert asyncio.run(jobs.get(handle.id)) is not None
    assert other.queue == "mail"


def test_enqueue_sync_stores_from_many_threads_at_once(jobs: Atode) -> None:
    @jobs.task
    def note(n: int) -> None: ...

    with ThreadPoolExecutor(8) as threads:
        handles = list(threads.map(note.enqueue_sync, range(100)))

    async def pending() -> int:
        return (await jobs.broker.counts("default"))[State.PENDING]

    assert len({handle.id for handle in handles}) == 100
    assert asyncio.run(pending()) == 100
    assert [thread.name for thread in threading.enumerate()].count("atode-portal") >= 1


async def test_enqueue_sync_stores_from_a_thread_of_a_running_loop(jobs: Atode) -> None:
    @jobs.task
    def note(n: int) -> None: ...

    handle = await asyncio.to_thread(note.enqueue_sync, 1)

    assert (await jobs.get(handle.id)) is not None


async def test_enqueue_sync_raises_what_enqueue_raises(jobs: Atode) -> None:
    @jobs.task
    def note() -> None: ...

    with pytest.raises(BadOption, match="delay is -1 s"):
        await asyncio.to_thread(note.options(delay=-1).enqueue_sync)


def test_cancel_sync_cancels_without_an_event_loop(jobs: Atode) -> None:
    @jobs.task
    def note() -> None: ...

    handle = note.enqueue_sync()

    assert jobs.cancel_sync(handle.id)
    assert not jobs.cancel_sync(handle.id)
    assert not jobs.cancel_sync("never-heard-of", queue="mail")


# Workers


async def test_a_worker_takes_its_options_from_arguments_and_environment(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATODE_CONCURRENCY", "3")

    worker = jobs.worker(queues={"mail": 2}, strict=True)
    shown = worker.presence()

    assert isinstance(worker, Worker)
    assert (shown.concurrency, shown.queues, shown.strict) == (3, {"mail": 2}, True)
    assert (shown.status, shown.running, shown.running_count) == ("active", (), 0)
    assert worker.id.endswith(shown.server_id)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency is 0"),
        ({"lease": 1.0}, "lease is 1.0: Input should be greater than or equal to 2"),
        ({"queues": {"a{": 1}}, "queue name 'a{' may not contain braces"),
        ({"queues": {"a": 0}}, "queue 'a' has weight 0; it must be from 1 to 1,000,000"),
        ({"queues": {}}, "queues is {}"),
    ],
)
async def test_a_workers_options_out_of_range_are_refused(
    jobs: Atode, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadOption, match=message):
        jobs.worker(**options)


# Events


async def test_a_stored_job_is_told_to_those_who_listen(jobs: Atode) -> None:
    heard: list[JobEnqueued] = []

    @jobs.task
    def note() -> None: ...

    await note.enqueue()
    jobs.events.subscribe(JobEnqueued, heard.append)
    handle = await note.enqueue()

    assert [event.job.id for event in heard] == [handle.id]
