"""Which tasks there are: name, limits, and who processes them.

Both servers register the same tasks: the API server to store calls, the job server to run
them.
"""

from atode import Atode, Task
from webapp.jobqueue.processor import (
    CleanUpProcessor,
    DelayPrintProcessor,
    ReportProcessor,
    UserReminderProcessor,
    WeekReminderProcessor,
)
from webapp.jobqueue.retry_strategy import RetryStrategy
from webapp.usecase.clean_up import DEFAULT_DAYS, CleanedUp
from webapp.usecase.make_report import ReportMade
from webapp.usecase.remind_user import UserReminded
from webapp.usecase.remind_week import WeekReminded
from webapp.usecase.run_job import (
    DATA_CLEANUP,
    DELAY_PRINT,
    MONTHLY_REPORT_GENERATOR,
    USER_REMINDER,
    WEEKLY_REPORT_REMINDER,
)

QUEUES = {"default": 3, "mail": 2, "batch": 1}
"""What the job server looks at, and how often: a thousand mails or a long report must not
make others wait."""

_KEPT_SECONDS = 3600
"""How long a completed job stays, so that the page can show it."""
_PRINT_RETRIES = 10


class Registration:
    """Registers the application's tasks with `jobs`, all under one retry strategy."""

    def __init__(self, jobs: Atode, strategy: RetryStrategy) -> None:
        self._jobs = jobs
        self._retry = strategy.retry()
        self._print_retry = strategy.retry(_PRINT_RETRIES)
        self._timeout = strategy.timeout

    def delay_print(self, processor: DelayPrintProcessor) -> Task[[str], None]:
        """Print a message."""

        # A plain function, because writing to standard output may block: it runs in a thread.
        @self._jobs.task(
            DELAY_PRINT, timeout=self._timeout, retention=_KEPT_SECONDS, retry=self._print_retry
        )
        def delay_print(message: str) -> None:
            processor.process(message)

        return delay_print

    def remind_user(self, processor: UserReminderProcessor) -> Task[[int, str], UserReminded]:
        """Mail one person about one week."""

        @self._jobs.task(
            USER_REMINDER,
            queue="mail",
            timeout=self._timeout,
            retention=_KEPT_SECONDS,
            retry=self._retry,
        )
        async def remind_user(user_id: int, week: str) -> UserReminded:
            return await processor.process(user_id, week)

        return remind_user

    def remind_week(self, processor: WeekReminderProcessor) -> Task[[str], WeekReminded]:
        """Mail everybody whose report of the week is missing."""

        @self._jobs.task(
            WEEKLY_REPORT_REMINDER,
            queue="batch",
            timeout=self._timeout,
            retention=_KEPT_SECONDS,
            retry=self._retry,
        )
        async def remind_week(week: str) -> WeekReminded:
            return await processor.process(week)

        return remind_week

    def make_report(self, processor: ReportProcessor) -> Task[[str], ReportMade]:
        """Make the report of a month."""

        @self._jobs.task(
            MONTHLY_REPORT_GENERATOR,
            queue="batch",
            timeout=self._timeout,
            retention=_KEPT_SECONDS,
            retry=self._retry,
        )
        async def make_report(month: str) -> ReportMade:
            return await processor.process(month)

        return make_report

    def clean_up(self, processor: CleanUpProcessor) -> Task[[int], CleanedUp]:
        """Delete old audit logs."""

        @self._jobs.task(
            DATA_CLEANUP,
            queue="batch",
            timeout=self._timeout,
            retention=_KEPT_SECONDS,
            retry=self._retry,
        )
        async def clean_up(days: int = DEFAULT_DAYS) -> CleanedUp:
            return await processor.process(days)

        return clean_up
