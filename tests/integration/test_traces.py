"""Traces, with OpenTelemetry's own SDK."""

import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from atode import Atode, DuplicateJob, Job, JobHandle, Permanent, Retry, Snooze, State, fixed
from atode.observe.traces import trace_jobs
from tests.integration.stage import archived, until, working


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.fixture(params=["memory", "sqlite", "redis"])
def jobs(request: pytest.FixtureRequest, provider: TracerProvider, tmp_path: Path) -> Atode:
    match request.param:
        case "redis":
            url = request.getfixturevalue("redis_url")
        case "sqlite":
            url = f"sqlite:///{tmp_path}/jobs.db"
        case _:
            url = "memory://"
    app = Atode(url)
    assert trace_jobs(app.events, provider)
    return app


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """The ended spans of this name, in the order of their start."""
    spans = [span for span in exporter.get_finished_spans() if span.name == name]
    return sorted(spans, key=lambda span: span.start_time or 0)


def context(span: ReadableSpan) -> trace.SpanContext:
    found: trace.SpanContext | None = span.context
    assert found is not None
    return found


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def attributes(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})


async def headers(handle: JobHandle[None]) -> Mapping[str, str]:
    job = await handle.job()
    assert job is not None
    return job.headers


async def test_one_trace_leads_from_the_enqueue_through_each_attempt(
    jobs: Atode, exporter: InMemorySpanExporter
) -> None:
    @jobs.task("mail:send", retry=Retry(1, fixed(0.01)))
    async def send() -> None:
        raise ValueError("no such mailbox")

    async with jobs, working(jobs):
        handle = await send.enqueue()
        await archived(handle)
        await until(lambda: len(named(exporter, "run mail:send")) == 2)

    [enqueue] = named(exporter, "enqueue mail:send")
    attempts = named(exporter, "run mail:send")
    assert (enqueue.kind, parent_of(enqueue)) == (SpanKind.PRODUCER, None)
    assert [span.kind for span in attempts] == [SpanKind.CONSUMER] * 2
    assert {context(span).trace_id for span in (enqueue, *attempts)} == {context(enqueue).trace_id}
    assert [parent_of(span) for span in attempts] == [context(enqueue).span_id] * 2
    assert [attributes(span)["atode.attempt"] for span in attempts] == [1, 2]
    assert attributes(enqueue) == {
        "messaging.system": "atode",
        "messaging.operation.type": "send",
        "messaging.destination.name": "default",
        "messaging.message.id": handle.id,
        "atode.task": "mail:send",
    }


async def test_the_span_of_a_failed_attempt_tells_the_error(
    jobs: Atode, exporter: InMemorySpanExporter
) -> None:
    @jobs.task
    def fail(secret: str) -> None:
        raise Permanent("no such mailbox")

    async with jobs, working(jobs):
        await archived(await fail.enqueue("swordfish"))
        await until(lambda: named(exporter, "run fail"))

    [span] = named(exporter, "run fail")
    [event] = span.events
    told = dict(event.attributes or {})
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "atode.errors.Permanent: no such mailbox"
    assert attributes(span)["atode.outcome"] == "failed"
    assert attributes(span)["atode.permanent"] is True
    assert (told["exception.type"], told["exception.message"]) == (
        "atode.errors.Permanent",
        "no such mailbox",
    )
    assert "in fail" in str(told["exception.stacktrace"])
    assert "swordfish" not in "".join(s.to_json() for s in exporter.get_finished_spans())


async def test_what_a_handler_does_is_inside_its_span(
    jobs: Atode, exporter: InMemorySpanExporter
) -> None:
    @jobs.task
    async def second() -> None: ...

    @jobs.task
    async def first() -> None:
        await second.enqueue()

    async with jobs, working(jobs):
        await first.enqueue()
        await until(lambda: named(exporter, "run second") and named(exporter, "run first"))

    chain = ("enqueue first", "run first", "enqueue second", "run second")
    spans = [named(exporter, name)[0] for name in chain]
    for parent, child in pairwise(spans):
        assert parent_of(child) == context(parent).span_id, child.name


async def test_a_handler_in_a_thread_is_inside_its_span_too(
    jobs: Atode, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    tracer = provider.get_tracer("the application")

    @jobs.task
    def first() -> None:
        with tracer.start_as_current_span("work"):
            pass

    async with jobs, working(jobs):
        await first.enqueue()
        await until(lambda: named(exporter, "run first"))

    assert parent_of(named(exporter, "work")[0]) == context(named(exporter, "run first")[0]).span_id


async def test_many_jobs_share_one_span(jobs: Atode, exporter: InMemorySpanExporter) -> None:
    @jobs.task
    async def one(n: int) -> None: ...

    @jobs.task
    async def other() -> None: ...

    async with jobs:
        alike = await jobs.enqueue_many([one.call(n) for n in range(3)])
        await jobs.enqueue_many([one.call(4), other.call()])
        await jobs.enqueue_many([])
        found = [(await headers(handle))["traceparent"] for handle in alike]

    [span, mixed] = exporter.get_finished_spans()
    assert (span.name, mixed.name) == ("enqueue one", "enqueue 2 jobs")
    assert attributes(span)["messaging.batch.message_count"] == 3
    identity = context(span)
    parent = f"00-{identity.trace_id:032x}-{identity.span_id:016x}-"
    assert len(set(found)) == 1
    assert found[0].startswith(parent)


async def test_an_enqueue_that_is_refused_has_a_span_that_says_so(
    jobs: Atode, exporter: InMemorySpanExporter
) -> None:
    @jobs.task
    async def task() -> None: ...

    async with jobs:
        await task.options(id="7").enqueue()
        with pytest.raises(DuplicateJob):
            await task.options(id="7").enqueue()

    statuses = [span.status.status_code for span in named(exporter, "enqueue task")]
    assert statuses == [StatusCode.UNSET, StatusCode.ERROR]


async def test_a_snooze_is_no_error(jobs: Atode, exporter: InMemorySpanExporter) -> None:
    @jobs.task
    async def task() -> None:
        raise Snooze(60)

    async with jobs, working(jobs):
        handle = await task.enqueue()
        await until(lambda: named(exporter, "run task"))
        await handle.job()

    [span] = named(exporter, "run task")
    assert span.status.status_code is StatusCode.UNSET
    assert attributes(span)["atode.outcome"] == "snoozed"


async def test_a_parent_that_the_caller_names_is_kept(
    jobs: Atode, exporter: InMemorySpanExporter
) -> None:
    mine = f"00-{'a' * 32}-{'b' * 16}-01"

    @jobs.task
    async def task() -> None: ...

    async with jobs, working(jobs):
        await task.options(headers={"traceparent": mine}).enqueue()
        await until(lambda: named(exporter, "run task"))

    assert parent_of(named(exporter, "run task")[0]) == int("b" * 16, 16)


@pytest.mark.parametrize("text", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_broken_traceparent_begins_a_trace_of_its_own(
    jobs: Atode, exporter: InMemorySpanExporter, text: str
) -> None:
    @jobs.task
    async def task() -> int:
        return 5

    async with jobs, working(jobs):
        handle = await task.options(headers={"traceparent": text}).enqueue()
        assert await handle.result(20) == 5
        await until(lambda: named(exporter, "run task"))

    assert parent_of(named(exporter, "run task")[0]) is None


async def test_without_a_configured_provider_nothing_is_written() -> None:
    jobs = Atode("memory://")

    @jobs.task
    async def task() -> int:
        return 5

    assert trace_jobs(jobs.events)
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    async with jobs, working(jobs):
        handle = await task.enqueue()
        assert await handle.result(10) == 5
        job = await handle.job()

    assert job is not None
    assert job.state is State.COMPLETED
    assert not job.headers


async def test_without_the_extra_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    jobs = Atode("memory://")

    assert not trace_jobs(jobs.events)
    assert not jobs.events.layers


def test_spans_are_not_made_for_nothing(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    jobs = Atode("memory://")
    trace_jobs(jobs.events, provider)

    with jobs.events.layers.enqueuing(list[Job]()) as stored:
        assert isinstance(stored, Sequence)

    assert not exporter.get_finished_spans()
