"""What was done by whom; it grows for ever unless somebody deletes the old part."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Progress:
    """How far a cleanup has come."""

    done: int
    total: int


class AuditLogs(Protocol):
    """The logs. Each call may raise TransientFailure: the database cannot be used now."""

    async def begin(self, job_id: str, before: datetime) -> Progress:
        """Count what is older than `before`, on top of what the job has done already."""
        ...

    async def delete(self, job_id: str, before: datetime, *, limit: int) -> int:
        """Delete up to `limit` logs older than `before`, and record it; how many it were."""
        ...

    async def progress(self, job_id: str) -> Progress | None:
        """How far the job has come, or None if it has not begun."""
        ...

    async def forget(self, before: datetime) -> None:
        """Delete what is recorded of cleanups that ended before an instant."""
        ...
