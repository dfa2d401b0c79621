"""atode: background jobs for Python that nobody loses."""

from atode.app import Atode
from atode.batch import BatchTask
from atode.completion import complete_job, complete_job_sync
from atode.context import current_job
from atode.cron import Cron
from atode.errors import (
    AtodeError,
    BadArguments,
    BadOption,
    BadPayload,
    BadSchedule,
    BadTask,
    BrokerError,
    BrokerRefused,
    BrokerUnavailable,
    DuplicateJob,
    DuplicateSchedule,
    DuplicateTask,
    JobCancelled,
    JobFailed,
    Misused,
    NotHeld,
    NotUnique,
    PayloadTooLarge,
    Permanent,
    ResultError,
    ResultNotKept,
    ResultTimeout,
    ScheduleChanged,
    Snooze,
    UnknownSchedule,
    UnknownTask,
)
from atode.handle import JobHandle
from atode.job import Job, State
from atode.loop import run
from atode.retry import Retry, asynq, exponential, fixed
from atode.schedules import ScheduleInfo, Schedules
from atode.semaphore import Semaphore
from atode.task import Call, Task
from atode.worker import Worker

__all__ = [
    "Atode",
    "AtodeError",
    "BadArguments",
    "BadOption",
    "BadPayload",
    "BadSchedule",
    "BadTask",
    "BatchTask",
    "BrokerError",
    "BrokerRefused",
    "BrokerUnavailable",
    "Call",
    "Cron",
    "DuplicateJob",
    "DuplicateSchedule",
    "DuplicateTask",
    "Job",
    "JobCancelled",
    "JobFailed",
    "JobHandle",
    "Misused",
    "NotHeld",
    "NotUnique",
    "PayloadTooLarge",
    "Permanent",
    "ResultError",
    "ResultNotKept",
    "ResultTimeout",
    "Retry",
    "ScheduleChanged",
    "ScheduleInfo",
    "Schedules",
    "Semaphore",
    "Snooze",
    "State",
    "Task",
    "UnknownSchedule",
    "UnknownTask",
    "Worker",
    "asynq",
    "complete_job",
    "complete_job_sync",
    "current_job",
    "exponential",
    "fixed",
    "run",
]
