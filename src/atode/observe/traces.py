"""Traces through OpenTelemetry: a span for each enqueue and each attempt, in one trace.

The way from one to the other is W3C's `traceparent`, in the job's headers: it survives retries
and travels with the jobs of Go programs. Attributes follow OpenTelemetry's conventions for
messaging; arguments and results are in no span.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from atode.events import Events
from atode.job import Job
from atode.outcome import Failed, Outcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider


def trace_jobs(events: Events, provider: "TracerProvider | None" = None) -> bool:
    """Trace what an app enqueues and runs from now on; call it once, with `jobs.events`.

    Without a `provider` it is the one that the program has configured for all (also later): as
    long as there is none, nothing is traced and no header is written.

    Returns:
        False, and nothing is traced, if OpenTelemetry is not installed (`atode[otel]`).
    """
    try:
        from opentelemetry import trace
    except ImportError:
        return False
    events.layers.add(Tracing(trace, provider))
    return True


class Tracing:
    """Middleware that makes the spans."""

    def __init__(self, trace: Any, provider: "TracerProvider | None") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._kinds = trace.SpanKind
        self._provider = provider
        self._tracer = trace.get_tracer("atode", tracer_provider=provider)
        self._context = TraceContextTextMapPropagator()

    @contextmanager
    def enqueuing(self, jobs: Sequence[Job]) -> Generator[Sequence[Job]]:
        """A span around the storing of jobs, whose headers name it as their parent."""
        if not jobs or not self._is_on():
            yield jobs
            return
        first = jobs[0]
        name = first.task if all(job.task == first.task for job in jobs) else f"{len(jobs)} jobs"
        with self._tracer.start_as_current_span(
            f"enqueue {name}", kind=self._kinds.PRODUCER, attributes=_sent(jobs)
        ):
            headers: dict[str, str] = {}
            self._context.inject(headers)
            # What a caller has put there himself is what he wants.
            yield [job._replace(headers={**headers, **job.headers}) for job in jobs]

    @contextmanager
    def attempting(self, job: Job) -> Generator[Callable[[Outcome], None]]:
        """A span around one attempt, inside which the handler runs."""
        if not self._is_on():
            yield _ignore
            return
        with self._tracer.start_as_current_span(
            f"run {job.task}",
            context=self._context.extract(job.headers),
            kind=self._kinds.CONSUMER,
            attributes={
                **_about(job, "process"),
                "messaging.message.id": job.id,
                "atode.attempt": job.retried + 1,
            },
        ) as span:
            yield partial(self._tell, span)

    def _is_on(self) -> bool:
        if self._provider is not None:
            return True
        given = self._trace.get_tracer_provider()
        return not isinstance(given, self._trace.ProxyTracerProvider)

    def _tell(self, span: "Span", outcome: Outcome) -> None:
        span.set_attribute("atode.outcome", type(outcome).__name__.lower())
        if isinstance(outcome, Failed):
            summary, _, where = outcome.error.partition("\n")
            kind, _, message = summary.partition(": ")
            span.set_attribute("atode.permanent", outcome.permanent)
            span.set_status(self._trace.StatusCode.ERROR, summary)
            if where:
                # An error that the handler raised; others are told in one line.
                event = {"type": kind, "message": message, "stacktrace": outcome.error}
                span.add_event("exception", {f"exception.{key}": event[key] for key in event})


def _sent(jobs: Sequence[Job]) -> dict[str, str | int]:
    if len(jobs) == 1:
        return {**_about(jobs[0], "send"), "messaging.message.id": jobs[0].id}
    return {**_about(jobs[0], "send"), "messaging.batch.message_count": len(jobs)}


def _about(job: Job, operation: str) -> dict[str, str | int]:
    return {
        "messaging.system": "atode",
        "messaging.operation.type": operation,
        "messaging.destination.name": job.queue,
        "atode.task": job.task,
    }


def _ignore(outcome: Outcome) -> None:
    pass
