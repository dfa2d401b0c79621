"""A job with nothing special about it."""

from typing import Any

from atode.job import Job, State


def a_job(id: str = "j1", queue: str = "default", *, due: float = 0.0, **fields: Any) -> Job:
    """Scheduled if it has a due instant, otherwise pending."""
    state = State.SCHEDULED if due else State.PENDING
    return Job(id, "demo", queue, b"{}", state, due)._replace(**fields)
