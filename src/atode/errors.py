"""Every error that atode raises, in one tree.

AtodeError
├── BadOption (ValueError)        an option is out of its range, or unknown
│   └── BadSchedule               a cron expression that is wrong, or never fires
├── BadArguments (TypeError)      arguments do not fit the task's parameters
├── BadTask (TypeError)           a function that cannot be a task
├── DuplicateTask (ValueError)    two tasks under one name
├── UnknownTask (LookupError)     no task under this name here
├── DuplicateSchedule (ValueError)  two schedules under one id
├── UnknownSchedule (LookupError) no schedule under this id
├── ScheduleChanged               somebody else has changed the schedule meanwhile
├── BadPayload (ValueError)       stored bytes that do not fit the task's parameters
├── PayloadTooLarge (ValueError)  arguments or result over the size limit
├── Misused (RuntimeError)        something is used where it cannot work
├── NotHeld (RuntimeError)        a handler completes a job that is not its own any more
├── DuplicateJob                  a job with this id is stored already
│   └── NotUnique                 a job that does the same is stored already
├── ResultError
│   ├── ResultNotKept             the job's result is, or was, not kept
│   ├── ResultTimeout (TimeoutError)   no result yet
│   └── JobFailed                 the job ended archived
│       └── JobCancelled          because somebody cancelled it
├── BrokerError
│   ├── BrokerUnavailable (ConnectionError)   the store cannot be reached now
│   └── BrokerRefused             the store answered, and said no
└── Signal                        raised by a handler to end its attempt in a special way
    ├── Permanent                 do not retry
    └── Snooze                    run again later, nothing counted
"""

from collections.abc import Collection
from datetime import timedelta
from difflib import get_close_matches


class AtodeError(Exception):
    """Root of everything that atode raises on purpose."""


class BadOption(AtodeError, ValueError):
    """An option has a value that is out of its range, or a name that does not exist."""


class BadSchedule(BadOption):
    """A cron expression cannot be understood or never fires, or its time zone is unknown."""

    def __init__(self, spec: object, reason: str) -> None:
        super().__init__(f"schedule {spec!r:.80}: {reason}")
        self.spec = spec
        self.reason = reason


class BadArguments(AtodeError, TypeError):
    """The arguments of a call do not fit the task's parameters; nothing was stored."""


class BadTask(AtodeError, TypeError):
    """A function that cannot be registered as a task, and why."""


class DuplicateTask(AtodeError, ValueError):
    """A second task was registered under a name that is taken."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(
            f"Task name {name!r} is taken by {first}; {second} needs another one: "
            f'pass it as the first argument, @jobs.task("{name}2")'
        )
        self.name = name


class UnknownTask(AtodeError, LookupError):
    """A stored job names a task that this process has not registered."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        close = get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        super().__init__(
            f"No task named {name!r} is registered here ({len(known)} are).{hint} "
            "Import the module that defines it before the worker starts"
        )
        self.name = name


class DuplicateSchedule(AtodeError, ValueError):
    """A second schedule was defined under an id that is taken."""

    def __init__(self, schedule: str) -> None:
        super().__init__(
            f"there is a schedule {schedule!r} already; give this one another id, as in "
            f"id={schedule + '-2'!r}"
        )
        self.schedule = schedule


class UnknownSchedule(AtodeError, LookupError):
    """Neither the code nor the store has a schedule of this id."""

    def __init__(self, schedule: str, known: Collection[str]) -> None:
        close = get_close_matches(schedule, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        super().__init__(f"there is no schedule {schedule!r}{hint}")
        self.schedule = schedule


class ScheduleChanged(AtodeError):
    """The schedule was changed by somebody else meanwhile; nothing was written."""

    def __init__(self, schedule: str) -> None:
        super().__init__(
            f"schedule {schedule!r} was changed meanwhile; look at it again, and change it then"
        )
        self.schedule = schedule


class BadPayload(AtodeError, ValueError):
    """Stored bytes cannot be turned into the task's arguments."""


class PayloadTooLarge(AtodeError, ValueError):
    """Arguments or a result take more bytes than the limit."""

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(
            f"{what} take {size:,} bytes; the limit is {limit:,}. "
            "Store the data elsewhere and pass its key"
        )
        self.size = size
        self.limit = limit


class Misused(AtodeError, RuntimeError):
    """Something is used where it cannot work: outside of a job, or blocking an event loop."""


class NotHeld(AtodeError, RuntimeError):
    """A handler completes a job in its transaction, but the job is not its own any more."""

    def __init__(self, task: str, job_id: str, reason: str) -> None:
        super().__init__(
            f"Job {job_id} of task {task!r} cannot be completed by this attempt: {reason}; "
            "roll the transaction back, or its effect may happen twice"
        )
        self.job_id = job_id
        self.reason = reason


class DuplicateJob(AtodeError):
    """A job with the same id is stored in this queue already; the new one was not."""

    def __init__(self, queue: str, job_id: str) -> None:
        super().__init__(
            f"Queue {queue!r} already holds a job with id {job_id!r}; it was left as it is"
        )
        self.queue = queue
        self.job_id = job_id


class NotUnique(DuplicateJob):
    """A job that does the same thing is stored already, and asked to be the only one.

    `job_id` is the id of that other job.
    """

    def __init__(self, queue: str, job_id: str) -> None:
        AtodeError.__init__(
            self,
            f"Job {job_id!r} in queue {queue!r} does the same already, and is to be the only "
            "one until it has succeeded or its `unique_for` is over",
        )
        self.queue = queue
        self.job_id = job_id


class ResultError(AtodeError):
    """A job's result cannot be had."""


class ResultNotKept(ResultError):
    """The job keeps no result, or its retention is over, or it was deleted."""


class ResultTimeout(ResultError, TimeoutError):
    """The job had not ended when the caller's time was up."""


class JobFailed(ResultError):
    """The job ended archived: its retries are used up, or its error was permanent."""

    def __init__(self, task: str, job_id: str, error: str) -> None:
        super().__init__(f"Job {job_id} of task {task!r} failed: {error}")
        self.job_id = job_id
        self.error = error


class JobCancelled(JobFailed):
    """The job was cancelled, and does not run (again)."""

    def __init__(self, task: str, job_id: str, error: str) -> None:
        AtodeError.__init__(self, f"Job {job_id} of task {task!r} was {error}")
        self.job_id = job_id
        self.error = error


class BrokerError(AtodeError):
    """Something between us and the place where jobs live."""


class BrokerUnavailable(BrokerError, ConnectionError):
    """The store cannot be reached, or is starting, or lost its writable master.

    Nothing is known to be wrong with the request: the same call may succeed later.
    """


class BrokerRefused(BrokerError):
    """The store answered with an error that waiting does not mend: its text says which."""


class Signal(AtodeError):
    """What a handler raises to end its attempt in a special way."""


class Permanent(Signal):
    """Raised by a handler whose job must not be retried: it is archived with this text."""


class Snooze(Signal):
    """Raised by a handler to run the same job again after `delay`, seconds or a timedelta.

    A snooze is not a failure: no retry is used up.
    """

    def __init__(self, delay: float | timedelta) -> None:
        seconds = delay.total_seconds() if isinstance(delay, timedelta) else delay
        if not 0 <= seconds <= 315_360_000:
            raise BadOption(f"Snooze of {seconds} s; it must be from 0 to 315,360,000 s (10 years)")
        super().__init__(f"snoozed for {seconds:g} s")
        self.delay = float(seconds)
