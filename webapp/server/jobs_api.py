"""The API of the application's jobs: run one now, see how all of them stand."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from webapp.server.body import read_body
from webapp.server.excerpt import excerpt, first_line, hint
from webapp.server.fields import body_documentation
from webapp.server.openapi import problems
from webapp.server.problem import Problem
from webapp.server.routes import Check, api_router
from webapp.server.run_bodies import Runner, runners
from webapp.usecase.job_overview import JobOverview, JobsOverview, RunOverview
from webapp.usecase.run_job import RunJob


class Run(BaseModel):
    """The answer to a wish to run a job."""

    job_id: str
    status: Literal["registered", "already_registered"]
    """`already_registered`: the same job with the same arguments waits or runs, under this id."""


class RunProgress(BaseModel):
    """How far a run has come."""

    done: int
    total: int


class RunState(BaseModel):
    """How one run stands."""

    job_id: str
    state: str
    arguments: dict[str, Any]
    due_at: datetime | None
    ended_at: datetime | None
    retried: int
    max_retry: int
    error: str
    result: Any
    progress: RunProgress | None


class JobRunStates(BaseModel):
    """One job and its newest runs, up to five in each state, the last one first."""

    name: str
    summary: str
    can_be_run: bool
    """Whether there is a route to run it; else other jobs store it."""
    next_run_at: datetime | None
    """When it runs by itself next; null if it does not, or its schedule is paused."""
    runs: list[RunState]


class JobRunsList(BaseModel):
    """All jobs at the instant `now` of the server's clock."""

    now: datetime
    jobs: list[JobRunStates]


def jobs_routes(run_job: RunJob, overview: JobsOverview, check: Check) -> APIRouter:
    """The routes below /api/jobs; each needs a token."""
    router = api_router("/api/jobs", check)
    known = runners(run_job)

    @router.get("", operation_id="jobs", responses=problems(503))
    async def jobs() -> JobRunsList:
        """All jobs, each with its newest runs."""
        found = [_job(job, known.get(job.name)) for job in await overview.all()]
        return JobRunsList(now=datetime.now(UTC), jobs=found)

    for name, runner in known.items():
        router.add_api_route(
            f"/{name}/run",
            _run(runner),
            methods=["POST"],
            summary=runner.summary,
            operation_id=f"run_{name.replace(':', '_')}",
            openapi_extra=body_documentation(runner.body),
            responses=problems(413, 422, 503),
        )

    @router.post("/{name}/run", include_in_schema=False)
    async def unknown(name: str) -> None:
        detail = f"There is no job {excerpt(name)}; {hint(name, known)}"
        raise Problem(HTTPStatus.NOT_FOUND, detail)

    return router


def _run(runner: Runner) -> Callable[[Request], Awaitable[Run]]:
    async def run(request: Request) -> Run:
        added = await runner(await read_body(request))
        return Run(job_id=added.id, status="registered" if added.is_new else "already_registered")

    return run


def _job(job: JobOverview, runner: Runner | None) -> JobRunStates:
    return JobRunStates(
        name=job.name,
        summary=runner.summary if runner else "One person's share of another job",
        can_be_run=runner is not None,
        next_run_at=job.next_run,
        runs=[_state(run) for run in job.runs],
    )


def _state(overview: RunOverview) -> RunState:
    run, progress = overview.run, overview.progress
    return RunState(
        job_id=run.id,
        state=run.state,
        arguments=dict(run.arguments),
        due_at=run.due,
        ended_at=run.ended,
        retried=run.retried,
        max_retry=run.max_retry,
        error=first_line(run.error),
        result=run.result,
        progress=RunProgress(done=progress.done, total=progress.total) if progress else None,
    )
