"""The bodies of wishes to run a job now: its arguments, all optional."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from webapp.server.fields import Fields, WholeNumber, parse_fields
from webapp.server.problem import FieldError, refusal
from webapp.server.register_body import Message
from webapp.service.job_runs import Added
from webapp.usecase.clean_up import DAYS_LIMIT, DEFAULT_DAYS, LONGEST_DAYS
from webapp.usecase.failure import BadArgument
from webapp.usecase.message import DEFAULT_MESSAGE
from webapp.usecase.periods import MONTH_LIMIT, WEEK_LIMIT
from webapp.usecase.run_job import (
    DATA_CLEANUP,
    DELAY_PRINT,
    MONTHLY_REPORT_GENERATOR,
    WEEKLY_REPORT_REMINDER,
    RunJob,
)


class DelayPrintBody(Fields):
    """Arguments of `demo:delay_print`."""

    message: Message = DEFAULT_MESSAGE


class WeeklyReportReminderBody(Fields):
    """Arguments of `weekly_report_reminder`; without a week it is the last one."""

    week: str = Field(
        default="",
        description=WEEK_LIMIT,
        examples=["2026-W46"],
        json_schema_extra={"pattern": "^([0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3]))?$"},
    )


class MonthlyReportGeneratorBody(Fields):
    """Arguments of `monthly_report_generator`; without a month it is the last one."""

    month: str = Field(
        default="",
        description=MONTH_LIMIT,
        examples=["2026-10"],
        json_schema_extra={"pattern": "^([0-9]{4}-(0[1-9]|1[0-2]))?$"},
    )


class DataCleanupBody(Fields):
    """Arguments of `data_cleanup`."""

    days: WholeNumber = Field(
        default=DEFAULT_DAYS, ge=1, le=LONGEST_DAYS, description=DAYS_LIMIT, examples=[90]
    )


@dataclass(frozen=True)
class Runner:
    """How one job is asked for."""

    summary: str
    body: type[Fields]
    run: Callable[..., Awaitable[Added]]

    async def __call__(self, body: bytes) -> Added:
        """Store a run with the arguments in `body`.

        Raises:
            Problem: 422, with each bad argument, its value and its limit.
        """
        arguments: dict[str, Any] = parse_fields(self.body, body).model_dump()
        try:
            return await self.run(**arguments)
        except BadArgument as error:
            raise refusal([FieldError(error.name, str(error))]) from None


def runners(run_job: RunJob) -> Mapping[str, Runner]:
    """Each job by its name."""
    return {
        DELAY_PRINT: Runner("Print a message", DelayPrintBody, run_job.delay_print),
        WEEKLY_REPORT_REMINDER: Runner(
            "Mail those whose weekly report is missing",
            WeeklyReportReminderBody,
            run_job.weekly_report_reminder,
        ),
        MONTHLY_REPORT_GENERATOR: Runner(
            "Make the report of a month",
            MonthlyReportGeneratorBody,
            run_job.monthly_report_generator,
        ),
        DATA_CLEANUP: Runner("Delete old audit logs", DataCleanupBody, run_job.data_cleanup),
    }
