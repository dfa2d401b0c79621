"""Run one of the application's jobs now."""

from webapp.service.job_runs import Added, JobRuns
from webapp.usecase.calendar import Calendar
from webapp.usecase.clean_up import DEFAULT_DAYS, check_days
from webapp.usecase.message import DEFAULT_MESSAGE, check_message
from webapp.usecase.periods import check_month, check_week

DELAY_PRINT = "demo:delay_print"
WEEKLY_REPORT_REMINDER = "weekly_report_reminder"
USER_REMINDER = "weekly_report_reminder:user"
"""One person's share of it; only the job above stores these."""
MONTHLY_REPORT_GENERATOR = "monthly_report_generator"
DATA_CLEANUP = "data_cleanup"


class RunJob:
    """What a button, a person with a token or a schedule calls.

    What is left out gets its value here, when the job is stored, and not when it runs: an
    attempt on the next day must be about the same month. Each may raise StoreDown: whether
    the job is stored is not known.
    """

    def __init__(self, runs: JobRuns, calendar: Calendar) -> None:
        self._runs = runs
        self._calendar = calendar

    async def delay_print(self, message: str = DEFAULT_MESSAGE) -> Added:
        """Print a message now.

        Raises:
            MessageTooLong: nothing was stored.
        """
        check_message(message)
        return await self._runs.add(DELAY_PRINT, {"message": message})

    async def weekly_report_reminder(self, week: str | None = None) -> Added:
        """Remind everybody whose report of the week (default: the last one) is missing.

        Raises:
            BadArgument: there is no such week yet.
        """
        week = week or self._calendar.last_week()
        check_week(week, latest=self._calendar.this_week())
        return await self._runs.add(WEEKLY_REPORT_REMINDER, {"week": week})

    async def monthly_report_generator(self, month: str | None = None) -> Added:
        """Make the report of a month (default: the last one).

        Raises:
            BadArgument: there is no such month yet.
        """
        month = month or self._calendar.last_month()
        check_month(month, latest=self._calendar.this_month())
        return await self._runs.add(MONTHLY_REPORT_GENERATOR, {"month": month})

    async def data_cleanup(self, days: int = DEFAULT_DAYS) -> Added:
        """Delete audit logs that are older than `days` days.

        Raises:
            BadArgument: `days` is out of its limit.
        """
        check_days(days)
        return await self._runs.add(DATA_CLEANUP, {"days": days})
