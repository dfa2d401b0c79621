"""Which tasks there are: name, limits, and who processes them.

Both servers register the same tasks: the API server to store calls, the job server to run
them.
"""

from dataclasses import dataclass

from atode import Atode, Retry, Task, exponential
from webapp.jobqueue.processor import DelayPrintProcessor

_TIMEOUT_SECONDS = 300
_KEPT_SECONDS = 3600
"""How long a completed job stays, so that the page can show it."""


@dataclass(frozen=True)
class Tasks:
    """The registered tasks."""

    delay_print: Task[[str], None]


def register_tasks(jobs: Atode, processor: DelayPrintProcessor) -> Tasks:
    """Register every task of the application with `jobs`."""

    # A plain function, because writing to standard output may block: it runs in a thread.
    @jobs.task(
        "demo:delay_print",
        timeout=_TIMEOUT_SECONDS,
        retention=_KEPT_SECONDS,
        retry=Retry(10, exponential(1, cap=16)),
    )
    def delay_print(message: str) -> None:
        processor.process(message)

    return Tasks(delay_print)
