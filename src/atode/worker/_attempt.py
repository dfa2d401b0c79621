"""One attempt to run a job, while it lasts."""

import asyncio
from enum import Enum, auto

from atode.job import Claim
from atode.outcome import Written


class Cause(Enum):
    """Why we cancelled an attempt; the handler itself cannot tell."""

    TIMEOUT = auto()
    CANCEL = auto()
    """The job was cancelled for good."""
    CANCEL_ATTEMPT = auto()
    """The attempt was cancelled, by one of asynq's tools; the job is retried."""
    LOST = auto()
    STOP = auto()


class Attempt:
    """A claim, the asyncio task that runs it, and its times in Unix seconds."""

    __slots__ = (
        "cause",
        "claim",
        "deadline",
        "ended_at",
        "has_begun",
        "is_completed",
        "is_writing",
        "started_at",
        "task",
        "written",
    )

    def __init__(self, claim: Claim, started_at: float, deadline: float) -> None:
        self.claim = claim
        self.started_at = started_at
        self.deadline = deadline
        self.ended_at = 0.0
        """When its handler ended, or was given up; 0 while it runs."""
        self.has_begun = False
        """Whether the asyncio task has taken its first step."""
        self.cause: Cause | None = None
        self.task: asyncio.Task[None] | None = None
        self.is_writing = False
        """Whether the handler is just completing its job in a transaction."""
        self.written: Written | None = None
        """What it has written there, if that may have been committed."""
        self.is_completed = False
        """Whether that was committed for certain, so that there is nothing to hold any more."""

    def cancel(self, cause: Cause) -> None:
        """Interrupt the handler at its next await; the first cause counts."""
        if self.cause is None and self.task is not None and not self.task.done():
            self.cause = cause
            # An asyncio task that is cancelled before its first step never takes it, and
            # nobody would settle the attempt. The first step looks at the cause instead.
            if self.has_begun:
                self.task.cancel()
