"""Remind everybody whose weekly report is missing."""

from dataclasses import dataclass

from webapp.service.job_runs import ReminderJobs
from webapp.service.staff import Staff
from webapp.usecase.calendar import Calendar
from webapp.usecase.periods import check_week

_AT_ONCE = 500


@dataclass(frozen=True)
class WeekReminded:
    """What the week's run found, and how many jobs it stored."""

    week: str
    active: int
    handed_in: int
    reminded_before: int
    reminders: int


class RemindWeek:
    """Stores a job for each person to be mailed, so that one mail that fails is tried again
    alone. Running it twice mails nobody twice."""

    def __init__(self, staff: Staff, jobs: ReminderJobs, calendar: Calendar) -> None:
        self._staff = staff
        self._jobs = jobs
        self._calendar = calendar

    async def run(self, week: str) -> WeekReminded:
        """Store the jobs of a week.

        Raises:
            BadArgument: there is no such week yet.
            TransientFailure: some jobs may be stored; the run may be repeated.
        """
        check_week(week, latest=self._calendar.this_week())
        headcount = await self._staff.headcount(week)
        reminders, last = 0, 0
        while user_ids := await self._staff.to_remind(week, after=last, limit=_AT_ONCE):
            await self._jobs.add(week, user_ids)
            reminders, last = reminders + len(user_ids), user_ids[-1]
        return WeekReminded(
            week, headcount.active, headcount.handed_in, headcount.reminded, reminders
        )
