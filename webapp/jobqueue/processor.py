"""One attempt of each job: payload in, errors out.

Use cases raise errors of their own; here they become what the queue understands. Only an
error that no later attempt can cure is permanent; every other one is retried.
"""

from collections.abc import Generator
from contextlib import contextmanager

from atode import Permanent, current_job
from webapp.usecase.clean_up import CleanedUp, CleanUp
from webapp.usecase.delay_print import DelayPrint
from webapp.usecase.failure import PermanentFailure
from webapp.usecase.make_report import MakeReport, ReportMade
from webapp.usecase.message import MessageTooLong
from webapp.usecase.remind_user import RemindUser, UserReminded
from webapp.usecase.remind_week import RemindWeek, WeekReminded


@contextmanager
def _permanent(*kinds: type[Exception]) -> Generator[None]:
    try:
        yield
    except kinds as error:
        raise Permanent(str(error)) from error


class DelayPrintProcessor:
    """Attempts of `demo:delay_print`."""

    def __init__(self, use_case: DelayPrint) -> None:
        self._use_case = use_case

    def process(self, message: str) -> None:
        """Print the message now.

        Raises:
            Permanent: this message cannot be printed.
        """
        with _permanent(MessageTooLong):
            self._use_case.print_now(message)


class WeekReminderProcessor:
    """Attempts of `weekly_report_reminder`."""

    def __init__(self, use_case: RemindWeek) -> None:
        self._use_case = use_case

    async def process(self, week: str) -> WeekReminded:
        """Store a job for each person to be mailed.

        Raises:
            Permanent: there is no such week.
        """
        with _permanent(PermanentFailure):
            return await self._use_case.run(week)


class UserReminderProcessor:
    """Attempts of `weekly_report_reminder:user`."""

    def __init__(self, use_case: RemindUser) -> None:
        self._use_case = use_case

    async def process(self, user_id: int, week: str) -> UserReminded:
        """Mail one person.

        Raises:
            Permanent: the mail cannot be sent, or may have been sent.
        """
        with _permanent(PermanentFailure):
            return await self._use_case.run(user_id, week)


class ReportProcessor:
    """Attempts of `monthly_report_generator`."""

    def __init__(self, use_case: MakeReport) -> None:
        self._use_case = use_case

    async def process(self, month: str) -> ReportMade:
        """Make and store the report.

        Raises:
            Permanent: there is no such month, or the store refuses.
        """
        with _permanent(PermanentFailure):
            return await self._use_case.run(month)


class CleanUpProcessor:
    """Attempts of `data_cleanup`."""

    def __init__(self, use_case: CleanUp) -> None:
        self._use_case = use_case

    async def process(self, days: int) -> CleanedUp:
        """Delete old logs.

        Raises:
            Permanent: `days` is out of its limit.
        """
        job = current_job()
        with _permanent(PermanentFailure):
            return await self._use_case.run(job.id if job else "", days)
