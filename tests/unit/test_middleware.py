"""What surrounds enqueues and attempts."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from atode import Atode, DuplicateJob, Job, Permanent, State
from atode.events import JobEnqueued, ServiceFailed
from atode.outcome import Failed, Outcome, Released, Succeeded
from tests.integration.stage import archived, heard, until, working


class Journal:
    """Middleware that writes down what it sees, and stamps jobs with its name."""

    def __init__(self, name: str, lines: list[object]) -> None:
        self._name = name
        self._lines = lines

    @contextmanager
    def enqueuing(self, jobs: Sequence[Job]) -> Generator[Sequence[Job]]:
        self._lines.append(f"{self._name} before {len(jobs)}")
        try:
            yield [job._replace(headers={**job.headers, self._name: "was here"}) for job in jobs]
        except DuplicateJob:
            self._lines.append(f"{self._name} refused")
            raise
        self._lines.append(f"{self._name} after")

    @contextmanager
    def attempting(self, job: Job) -> Generator[Callable[[Outcome], None]]:
        self._lines.append(f"{self._name} runs {job.task}")
        yield self._lines.append
        self._lines.append(f"{self._name} ran")


class Broken:
    """Middleware that fails on entering or on leaving an attempt."""

    def __init__(self, *, before: bool) -> None:
        self._before = before

    @contextmanager
    def enqueuing(self, jobs: Sequence[Job]) -> Generator[Sequence[Job]]:
        yield jobs

    @contextmanager
    def attempting(self, job: Job) -> Generator[Callable[[Outcome], None]]:
        if self._before:
            raise ZeroDivisionError("before")
        yield lambda outcome: None
        raise ZeroDivisionError("after")


@pytest.fixture
def lines() -> list[object]:
    return []


@pytest.fixture
def jobs(lines: list[object]) -> Atode:
    app = Atode("memory://")
    app.events.layers.add(Journal("outer", lines))
    app.events.layers.add(Journal("inner", lines))
    return app


async def test_layers_surround_an_enqueue_and_stamp_what_is_stored(
    jobs: Atode, lines: list[object]
) -> None:
    @jobs.task
    async def task() -> None: ...

    enqueued = heard(jobs, JobEnqueued)

    handle = await task.options(headers={"mine": "1"}).enqueue()

    job = await handle.job()
    assert job is not None
    assert job.headers == {"mine": "1", "outer": "was here", "inner": "was here"}
    assert [event.job for event in enqueued] == [job]
    assert lines == ["outer before 1", "inner before 1", "inner after", "outer after"]


async def test_layers_surround_many_at_once(jobs: Atode, lines: list[object]) -> None:
    @jobs.task
    async def task(n: int) -> None: ...

    handles = await jobs.enqueue_many([task.call(n) for n in range(3)])

    stored = [await handle.job() for handle in handles]
    assert [job.payload for job in stored if job] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert all(job.headers.keys() == {"outer", "inner"} for job in stored if job)
    assert lines == ["outer before 3", "inner before 3", "inner after", "outer after"]


async def test_layers_see_that_an_enqueue_is_refused(jobs: Atode, lines: list[object]) -> None:
    @jobs.task
    async def task() -> None: ...

    await task.options(id="1").enqueue()
    lines.clear()

    again = task.options(id="1").call()
    for enqueue in (jobs.enqueue(again), jobs.enqueue_many([again])):
        with pytest.raises(DuplicateJob):
            await enqueue
        assert lines[-2:] == ["inner refused", "outer refused"]


async def test_layers_surround_an_attempt_and_hear_how_it_ended(
    jobs: Atode, lines: list[object]
) -> None:
    @jobs.task
    def task(fails: bool) -> None:
        lines.append("the handler")
        if fails:
            raise Permanent("no")

    async with working(jobs):
        await task.enqueue(False)
        await until(lambda: "outer ran" in lines)
        assert lines[4:] == [
            *("outer runs task", "inner runs task", "the handler"),
            *(Succeeded(), Succeeded(), "inner ran", "outer ran"),
        ]
        lines.clear()
        await archived(await task.enqueue(True))

    [failed, _] = [line for line in lines if isinstance(line, Failed)]
    assert failed.permanent
    assert failed.error.startswith("atode.errors.Permanent: no")


async def test_an_attempt_that_is_handed_back_is_not_run_twice(
    jobs: Atode, lines: list[object], tmp_path: Path
) -> None:
    @jobs.task
    async def task() -> None:
        import asyncio

        lines.append("the handler")
        await asyncio.sleep(60)

    async with working(jobs):
        handle = await task.enqueue()
        await until(lambda: "the handler" in lines)

    job = await handle.job()
    assert job is not None
    assert job.state is State.PENDING
    assert lines.count("the handler") == 1
    assert lines.count(Released()) == 2


@pytest.mark.parametrize("before", [True, False])
async def test_a_layer_that_fails_costs_no_job_and_runs_none_twice(before: bool) -> None:
    jobs = Atode("memory://")
    jobs.events.layers.add(Broken(before=before))
    failures, ran = heard(jobs, ServiceFailed), list[int]()

    @jobs.task
    async def task() -> int:
        ran.append(1)
        return 5

    async with working(jobs):
        assert await (await task.enqueue()).result(10) == 5

    assert ran == [1]
    [failure] = failures
    assert failure.service == "middleware"
    assert isinstance(failure.error, ZeroDivisionError)
