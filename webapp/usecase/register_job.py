"""Register a job that prints later."""

from dataclasses import dataclass

from webapp.service.print_jobs import PrintJobs
from webapp.usecase.message import DEFAULT_MESSAGE, check_message

LONGEST_DELAY_SECONDS = 365 * 24 * 3600
MOST_RETRIES = 1000


@dataclass(frozen=True)
class Registration:
    """What to print, when, and how persistently."""

    message: str = DEFAULT_MESSAGE
    delay_seconds: float = 180
    max_retry: int = 10

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            ValueError: a value is out of them.
        """
        check_message(self.message)
        if not 0 <= self.delay_seconds <= LONGEST_DELAY_SECONDS:
            raise ValueError(
                f"delay_seconds is {self.delay_seconds}; "
                f"it must be from 0 to {LONGEST_DELAY_SECONDS:,}"
            )
        if not 0 <= self.max_retry <= MOST_RETRIES:
            raise ValueError(
                f"max_retry is {self.max_retry}; it must be from 0 to {MOST_RETRIES:,}"
            )


class RegisterJob:
    """Stores registrations."""

    def __init__(self, jobs: PrintJobs) -> None:
        self._jobs = jobs

    async def register(self, registration: Registration) -> str:
        """Store the job; its id. It is safe once this returns.

        Raises:
            StoreDown: whether the job is stored is not known.
        """
        return await self._jobs.add(
            registration.message,
            delay_seconds=registration.delay_seconds,
            max_retry=registration.max_retry,
        )
