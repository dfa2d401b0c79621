"""Which jobs run by themselves, when, and with which arguments. All pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from webapp.usecase.clean_up import DEFAULT_DAYS
from webapp.usecase.periods import last_month, last_week
from webapp.usecase.run_job import DATA_CLEANUP, MONTHLY_REPORT_GENERATOR, WEEKLY_REPORT_REMINDER


@dataclass(frozen=True)
class Appointment:
    """A job that runs by itself. Its times are those that the office's clocks show."""

    job: str
    cron: str
    arguments: Callable[[datetime], Mapping[str, Any]]
    """What it is about, for the instant at which it is due, and not at which it runs: a job that
    is late is still about the same month."""


def timetable(zone: ZoneInfo) -> tuple[Appointment, ...]:
    """All of them, for an office in `zone`."""

    def last_weeks(tick: datetime) -> Mapping[str, Any]:
        return {"week": last_week(tick, zone)}

    def last_months(tick: datetime) -> Mapping[str, Any]:
        return {"month": last_month(tick, zone)}

    def old_logs(_: datetime) -> Mapping[str, Any]:
        return {"days": DEFAULT_DAYS}

    return (
        Appointment(WEEKLY_REPORT_REMINDER, "0 9 * * MON", last_weeks),
        Appointment(MONTHLY_REPORT_GENERATOR, "0 0 1 * *", last_months),
        Appointment(DATA_CLEANUP, "0 2 * * *", old_logs),
    )
