"""The API: register a job, ask how jobs stand."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from webapp.server.body import read_body
from webapp.server.excerpt import first_line
from webapp.server.fields import body_documentation
from webapp.server.openapi import problems
from webapp.server.register_body import RegisterBody, parse_registration
from webapp.server.routes import Check, api_router
from webapp.service.print_jobs import PrintJob
from webapp.usecase.job_states import MOST_AT_ONCE, JobStates
from webapp.usecase.register_job import RegisterJob

JobIds = Annotated[list[UUID], Query(alias="id", min_length=1, max_length=MOST_AT_ONCE)]

_EXAMPLE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


class Registered(BaseModel):
    """The answer to a registration."""

    job_id: str = Field(examples=[_EXAMPLE])
    status: Literal["registered"] = "registered"


class JobState(BaseModel):
    """How one job stands; `unknown` where the store has none (any more)."""

    job_id: str = Field(examples=[_EXAMPLE])
    state: str = Field(
        description="scheduled, pending, active, retry, completed, archived or unknown",
        examples=["scheduled"],
    )
    due_at: datetime | None = Field(default=None, description="when it runs, if it waits for that")
    retried: int = Field(default=0, description="retries that have begun")
    max_retry: int = Field(default=0, examples=[10])
    error: str = Field(default="", description="the first line of its last failure")


class JobStateList(BaseModel):
    """How jobs stand at the instant `now` of the server's clock."""

    now: datetime
    jobs: list[JobState]


def api_routes(
    register_job: RegisterJob,
    job_states: JobStates,
    check: Check,
) -> APIRouter:
    """The routes below /api/dm-jobqueue; each needs a token."""
    router = api_router("/api/dm-jobqueue", check)

    @router.post(
        "/register",
        operation_id="register",
        openapi_extra=body_documentation(RegisterBody),
        responses=problems(413, 422, 503),
    )
    async def register(request: Request) -> Registered:
        """Register a job that prints a message later."""
        registration = parse_registration(await read_body(request))
        return Registered(job_id=await register_job.register(registration))

    @router.get("/jobs", operation_id="job_states", responses=problems(422, 503))
    async def jobs(ids: JobIds) -> JobStateList:
        """How registered jobs stand."""
        found = await job_states.of([str(job_id) for job_id in ids])
        states = [_job_state(job_id, job) for job_id, job in found.items()]
        return JobStateList(now=datetime.now(UTC), jobs=states)

    return router


def _job_state(job_id: str, job: PrintJob | None) -> JobState:
    if job is None:
        return JobState(job_id=job_id, state="unknown")
    return JobState(
        job_id=job_id,
        state=job.state,
        due_at=job.due,
        retried=job.retried,
        max_retry=job.max_retry,
        error=first_line(job.error),
    )
