"""What becomes of a job that a real worker runs, for every way in which a handler can end."""

import asyncio
import contextvars
import functools
import gc
import threading
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from atode import Atode, Permanent, Retry, Snooze, State, current_job, exponential, fixed
from atode.events import (
    HandlerStuck,
    JobArchived,
    JobRetrying,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    ServiceFailed,
    WorkerStarted,
    WorkerStopped,
)
from atode.job import Claim, Job
from atode.worker import _deadlines
from atode.worker._runner import Runner
from tests.integration.stage import archived, heard, until, until_stored, wait_deaf, working

SOON = Retry(2, fixed(0.001))


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://", retry=SOON)


# Success


async def test_a_job_that_succeeds_is_gone(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.task
    async def note(n: int) -> None:
        ran.append(n)

    succeeded = heard(jobs, JobSucceeded)
    async with working(jobs):
        handle = await note.enqueue(7)
        await until_stored(handle, None)

    assert ran == [7]
    assert [event.job.id for event in succeeded] == [handle.id]


@pytest.mark.parametrize("fails", [False, True])
async def test_what_ran_a_job_goes_without_a_search_for_garbage(jobs: Atode, fails: bool) -> None:
    tasks: list[weakref.ref[Any]] = []

    @jobs.task
    async def note() -> None:
        tasks.append(weakref.ref(asyncio.current_task()))
        if fails:
            raise ValueError

    gc.disable()
    try:
        async with working(jobs):
            await note.enqueue()
            await until(lambda: len(tasks) > 0 and tasks[0]() is None)
    finally:
        gc.enable()


async def test_a_result_comes_back_from_an_async_and_from_a_thread_handler(jobs: Atode) -> None:
    @jobs.task
    async def double(n: int) -> int:
        return n * 2

    @jobs.task
    def triple(n: int) -> int:
        return n * 3

    async with working(jobs):
        two = await (await double.enqueue(7)).result(timeout=20)
        three = await (await triple.enqueue(7)).result(timeout=20)

    assert (two, three) == (14, 21)


async def test_a_sync_handler_runs_in_a_thread_of_its_own(jobs: Atode) -> None:
    @jobs.task
    def where() -> str:
        return threading.current_thread().name

    async with working(jobs):
        name = await (await where.enqueue()).result(timeout=20)

    assert name.startswith("atode-handler")


async def test_a_sync_wrapper_around_an_async_function_is_awaited(jobs: Atode) -> None:
    ran: list[int] = []

    def traced(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @jobs.task
    @traced
    async def note(n: int) -> None:
        await asyncio.sleep(0)
        ran.append(n)

    async with working(jobs):
        await until_stored(await note.enqueue(7), None)

    assert ran == [7]


async def test_a_worker_says_when_it_starts_and_stops(jobs: Atode) -> None:
    @jobs.task
    async def note() -> None: ...

    started, stopped = heard(jobs, WorkerStarted), heard(jobs, WorkerStopped)
    async with working(jobs, concurrency=3, queues={"low": 1, "high": 2}) as worker:
        await until(lambda: started)

    assert started == [WorkerStarted(worker.id, ("high", "low"), 3, ("note",))]
    assert stopped == [WorkerStopped(worker.id, 0)]


# Failure


async def test_a_job_is_retried_until_it_succeeds(jobs: Atode) -> None:
    attempts: list[int] = []

    @jobs.task
    async def flaky() -> None:
        job = current_job()
        assert job is not None
        attempts.append(job.retried)
        if len(attempts) < 3:
            raise ValueError("not yet")

    started, retrying = heard(jobs, JobStarted), heard(jobs, JobRetrying)
    async with working(jobs):
        await until_stored(await flaky.enqueue(), None)

    assert attempts == [0, 1, 2]
    assert [event.job.retried for event in retrying] == [1, 2]
    assert len(started) == 3


async def test_a_job_whose_retries_are_used_up_is_archived_with_its_error(jobs: Atode) -> None:
    @jobs.task
    async def hopeless() -> None:
        raise ValueError("no luck")

    buried = heard(jobs, JobArchived)
    async with working(jobs):
        job = await archived(await hopeless.enqueue())

    assert job.error.startswith("ValueError: no luck")
    assert "in hopeless" in job.error
    assert job.retried == 2
    assert [event.job for event in buried] == [job]


@pytest.mark.parametrize("error", [Permanent("give up"), LookupError("give up")], ids=repr)
async def test_a_permanent_error_is_not_retried(jobs: Atode, error: Exception) -> None:
    @jobs.task(retry=Retry(5, give_up_on=(LookupError,)))
    async def refuse() -> None:
        raise error

    async with working(jobs):
        job = await archived(await refuse.enqueue())

    assert "give up" in job.error
    assert job.retried == 0


async def test_a_snoozed_job_runs_again_and_nothing_is_counted(jobs: Atode) -> None:
    retried: list[int] = []

    @jobs.task
    async def patient() -> None:
        job = current_job()
        assert job is not None
        retried.append(job.retried)
        if len(retried) < 4:
            raise Snooze(0.001)

    snoozed, failed = heard(jobs, JobSnoozed), heard(jobs, JobRetrying)
    async with working(jobs):
        await until_stored(await patient.enqueue(), None)

    assert retried == [0, 0, 0, 0]
    assert (len(snoozed), len(failed)) == (3, 0)


class Unusual(BaseException):
    """Not an Exception, like KeyboardInterrupt."""


@pytest.mark.parametrize(
    "error",
    [
        SystemExit(3),
        asyncio.CancelledError("mine"),
        StopIteration("mine"),
        StopAsyncIteration("mine"),
        GeneratorExit("mine"),
        KeyboardInterrupt("mine"),
        Unusual("mine"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("kind", ["async", "thread"])
async def test_no_exception_of_a_handler_ends_the_worker(
    jobs: Atode, error: BaseException, kind: str
) -> None:
    @jobs.task("async", retry=Retry(0))
    async def on_loop() -> None:
        raise error

    @jobs.task("thread", retry=Retry(0))
    def in_thread() -> None:
        raise error

    @jobs.task
    async def after() -> str:
        return "still here"

    async with working(jobs, concurrency=1):
        job = await archived(await (on_loop if kind == "async" else in_thread).enqueue())
        text = await (await after.enqueue()).result(timeout=20)

    assert text == "still here"
    assert job.error


async def test_an_error_whose_text_cannot_be_made_is_recorded_all_the_same(jobs: Atode) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    @jobs.task(retry=Retry(0))
    async def mute() -> None:
        raise Mute

    async with working(jobs):
        job = await archived(await mute.enqueue())

    assert "Mute" in job.error


async def test_an_error_text_no_store_could_hold_is_cleaned(jobs: Atode) -> None:
    @jobs.task(retry=Retry(0))
    async def dirty() -> None:
        raise ValueError("a\ud800b\0c" + "d" * 20_000)

    async with working(jobs):
        job = await archived(await dirty.enqueue())

    assert job.error.encode("utf-8").startswith(b"ValueError: a?b")
    assert "\0" not in job.error
    assert len(job.error) == 8192


@pytest.mark.parametrize("answer", [float("nan"), float("inf"), "soon", None])
async def test_a_retry_curve_that_fails_costs_the_job_no_retry(jobs: Atode, answer: Any) -> None:
    def curve(retried: int) -> float:
        if answer is None:
            raise ZeroDivisionError("bad curve")
        broken: float = answer
        return broken

    @jobs.task(retry=Retry(3, curve))
    async def fail() -> None:
        raise ValueError("no luck")

    mistakes = heard(jobs, ServiceFailed)
    async with working(jobs):
        job = await until_stored(await fail.enqueue(), State.RETRY)

    assert job is not None
    assert job.error.startswith("ValueError: no luck")
    assert 0.8 < job.due - job.last_failed_at < 1.2
    assert [event.service for event in mistakes] == ["retry curve of task 'fail'"]


# Time


async def test_an_async_handler_is_cancelled_when_its_time_is_up(jobs: Atode) -> None:
    cleaned: list[str] = []

    @jobs.task(retry=Retry(0), timeout=0.02)
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append("up")

    async with working(jobs):
        job = await archived(await slow.enqueue())

    assert job.error == "timed out: the handler ran longer than 0.02 s"
    assert cleaned == ["up"]


async def test_a_timeout_is_retried_like_any_failure(jobs: Atode) -> None:
    attempts: list[int] = []

    @jobs.task
    async def slow_once() -> None:
        attempts.append(1)
        await asyncio.sleep(60 if len(attempts) == 1 else 0)

    async with working(jobs):
        await until_stored(await slow_once.options(timeout=0.02).enqueue(), None)

    assert len(attempts) == 2


async def test_a_handler_that_swallows_its_cancellation_has_timed_out_all_the_same(
    jobs: Atode,
) -> None:
    @jobs.task(retry=Retry(0), timeout=0.02)
    async def deaf() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "what?"
        return "never"

    async with working(jobs):
        job = await archived(await deaf.enqueue())

    assert "timed out" in job.error


async def test_a_handler_that_ignores_its_cancellation_is_settled_without_it(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_deadlines, "PATIENCE", 0.02)
    release = asyncio.Event()
    stuck = heard(jobs, HandlerStuck)

    @jobs.task(retry=Retry(0), timeout=0.02)
    async def deaf() -> None:
        await wait_deaf(release)

    @jobs.task
    async def other() -> None: ...

    async with working(jobs, concurrency=1):
        job = await archived(await deaf.enqueue())
        waiting = await other.enqueue()
        await until(lambda: stuck)
        still = await waiting.job()
        release.set()
        await until_stored(waiting, None)

    assert "timed out" in job.error
    assert len(stuck) == 1
    # Its slot was the only one, and stayed taken until it returned.
    assert still is not None
    assert still.state is State.PENDING


async def test_a_handler_that_is_given_up_has_run_until_then(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_deadlines, "PATIENCE", 0.02)
    release = asyncio.Event()

    @jobs.task(retry=Retry(0), timeout=0.02)
    async def deaf() -> None:
        await wait_deaf(release)

    ended = heard(jobs, JobArchived)
    async with working(jobs):
        await deaf.enqueue()
        await until(lambda: ended)
        release.set()

    assert 0.04 <= ended[0].seconds < 60


async def test_a_handler_that_turns_its_cancellation_into_an_error_has_timed_out(
    jobs: Atode,
) -> None:
    @jobs.task(retry=Retry(5, give_up_on=(RuntimeError,)), timeout=0.02)
    async def rephrasing() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise RuntimeError("connection closed") from None

    retrying = heard(jobs, JobRetrying)
    async with working(jobs):
        await rephrasing.enqueue()
        await until(lambda: retrying)

    assert "timed out" in retrying[0].job.error


async def test_the_earliest_of_many_deadlines_is_kept(jobs: Atode) -> None:
    @jobs.task(retry=Retry(0))
    async def slow() -> None:
        await asyncio.sleep(60)

    async with working(jobs):
        late = await slow.options(timeout=30).enqueue()
        middle = await slow.options(timeout=0.05).enqueue()
        early = await slow.options(timeout=0.01).enqueue()
        ends = [await archived(early), await archived(middle)]
        still = await late.job()

    assert ends[0].last_failed_at < ends[1].last_failed_at
    assert still is not None
    assert still.state is State.ACTIVE


async def test_a_job_whose_deadline_has_passed_is_archived_without_running(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.task
    async def late() -> None:
        ran.append(1)

    async with working(jobs):
        past = datetime(2020, 1, 1, tzinfo=UTC)
        job = await archived(await late.options(deadline=past).enqueue())

    assert job.error == "the job's deadline passed before it could start"
    assert ran == []


async def test_a_delayed_job_never_runs_before_its_time(jobs: Atode) -> None:
    began: list[float] = []

    @jobs.task
    async def note() -> None:
        began.append(datetime.now(UTC).timestamp())

    async with working(jobs):
        before = datetime.now(UTC).timestamp()
        await note.options(delay=0.1).enqueue()
        await until(lambda: began)

    assert began[0] >= before + 0.1


# Jobs that cannot run


async def test_an_unknown_task_is_archived_with_a_hint(jobs: Atode) -> None:
    @jobs.task("mail:send")
    async def send() -> None: ...

    async with working(jobs):
        await jobs.broker.enqueue([Job("1", "mail:sent", "default", b"{}")])
        await until_stored(await send.options(id="2").enqueue(), None)
        job = await jobs.get("1")

    assert job is not None
    assert job.state is State.ARCHIVED
    assert "'mail:sent'" in job.error
    assert "Did you mean 'mail:send'?" in job.error


@pytest.mark.parametrize("payload", [b"{", b"[1]", b"null", b'{"n":"x"}', b'{"m":1}', b"\xff"])
async def test_a_payload_that_does_not_fit_is_archived_and_blocks_nobody(
    jobs: Atode, payload: bytes
) -> None:
    ran: list[int] = []

    @jobs.task("note")
    async def note(n: int) -> None:
        ran.append(n)

    buried = heard(jobs, JobArchived)
    async with working(jobs, concurrency=1):
        await jobs.broker.enqueue([Job("bad", "note", "default", payload)])
        await until_stored(await note.enqueue(1), None)
        await until(lambda: buried)

    assert ran == [1]
    assert buried[0].job.error.startswith("Task 'note': ")
    assert buried[0].job.retried == 0


async def test_a_claim_that_cannot_be_read_is_archived_with_the_brokers_reason(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = jobs.broker
    claim_really = broker.claim

    async def claim(*args: Any, **kwargs: Any) -> list[Claim]:
        claims = await claim_really(*args, **kwargs)
        return [claim._replace(problem="its stored form is broken") for claim in claims]

    monkeypatch.setattr(broker, "claim", claim)

    @jobs.task
    async def note() -> None: ...

    async with working(jobs):
        job = await archived(await note.enqueue())

    assert job.error == "its stored form is broken"


async def test_a_result_that_has_no_json_form_archives_the_job_at_once(jobs: Atode) -> None:
    @jobs.task(retention=60)
    async def odd() -> Any:
        return object()

    async with working(jobs):
        job = await archived(await odd.enqueue())

    assert job.error.startswith("Result of task 'odd': ")
    assert job.retried == 0


async def test_a_result_nobody_keeps_is_not_even_encoded(jobs: Atode) -> None:
    @jobs.task(retention=0)
    async def odd() -> Any:
        return object()

    async with working(jobs):
        await until_stored(await odd.enqueue(), None)


# The handler's surroundings


async def test_current_job_is_known_in_async_and_thread_handlers(jobs: Atode) -> None:
    @jobs.task
    async def on_loop() -> str:
        job = current_job()
        return job.id if job else "none"

    @jobs.task
    def in_thread() -> str:
        job = current_job()
        return job.id if job else "none"

    async with working(jobs):
        first, second = await on_loop.enqueue(), await in_thread.enqueue()
        found = [await first.result(timeout=20), await second.result(timeout=20)]

    assert found == [first.id, second.id]
    assert current_job() is None


async def test_context_variables_do_not_leak_from_one_job_into_the_next(jobs: Atode) -> None:
    who = contextvars.ContextVar("who", default="nobody")

    @jobs.task
    async def on_loop(name: str) -> str:
        before = who.get()
        who.set(name)
        return before

    @jobs.task
    def in_thread(name: str) -> str:
        before = who.get()
        who.set(name)
        return before

    async with working(jobs, concurrency=1):
        found = [
            await (await task.enqueue(name)).result(timeout=20)
            for task in (on_loop, in_thread)
            for name in ("a", "b")
        ]

    assert found == ["nobody"] * 4
    assert who.get() == "nobody"


async def test_a_handler_may_enqueue_other_jobs(jobs: Atode) -> None:
    ran: list[str] = []

    @jobs.task
    async def child(parent: str) -> None:
        ran.append(parent)

    @jobs.task
    async def on_loop() -> None:
        await child.enqueue("loop")

    @jobs.task
    def in_thread() -> None:
        child.enqueue_sync("thread")

    async with working(jobs):
        await on_loop.enqueue()
        await in_thread.enqueue()
        await until(lambda: len(ran) == 2)

    assert sorted(ran) == ["loop", "thread"]


async def test_a_claim_lost_before_its_handler_began_costs_no_slot(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An asyncio task that is cancelled before its first step never takes it.
    ran: list[int] = []
    start_really = Runner.start

    def start(self: Runner, claims: list[Claim]) -> None:
        start_really(self, claims)
        self.lose([claim for claim in claims if claim.job.id == "lost"])

    monkeypatch.setattr(Runner, "start", start)

    @jobs.task
    async def note(n: int) -> None:
        ran.append(n)

    await note.options(id="lost").enqueue(1)
    await note.enqueue(2)
    async with working(jobs, concurrency=1):
        await until(lambda: ran)

    assert ran == [2]


async def test_the_default_policy_of_an_app_holds_for_its_tasks(jobs: Atode) -> None:
    patient = Atode("memory://", retry=Retry(1, exponential(60, jitter=0)))

    @patient.task
    async def fail() -> None:
        raise ValueError("no luck")

    async with working(patient):
        job = await until_stored(await fail.enqueue(), State.RETRY)

    assert job is not None
    assert job.due - job.last_failed_at == pytest.approx(60)
    assert job.max_retry == 1
