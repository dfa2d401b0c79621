"""What a caller holds of a stored job."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

from atode.duration import Duration
from atode.job import Job

R = TypeVar("R", covariant=True)


class Results(Protocol):
    """Who can look a job up, cancel it and wait for its end; the client fills it in."""

    async def get(self, job_id: str, queue: str = "default") -> Job | None: ...

    async def cancel(self, job_id: str, queue: str = "default") -> bool: ...

    def wait_for_result(
        self, job: Job, decode: Callable[[bytes], Any], timeout: Duration | None
    ) -> Awaitable[Any]: ...


class Decoder(Protocol[R]):
    """Who reads a stored result."""

    def decode(self, payload: bytes) -> R: ...


class JobHandle(Generic[R]):
    """A stored job: its id and queue, its state, and its result once there is one."""

    __slots__ = ("_job", "_result", "_results")

    def __init__(self, job: Job, result: Decoder[R], results: Results) -> None:
        self._job = job
        self._result = result
        self._results = results

    @property
    def id(self) -> str:
        """The job's id, unique within its queue."""
        return self._job.id

    @property
    def queue(self) -> str:
        """The queue that holds the job."""
        return self._job.queue

    async def job(self) -> Job | None:
        """The job as it is stored now, or None if it has ended and is not kept."""
        return await self._results.get(self.id, self.queue)

    async def cancel(self) -> bool:
        """Let the job not run (again), and interrupt it if it runs; see `Atode.cancel`."""
        return await self._results.cancel(self.id, self.queue)

    async def result(self, timeout: Duration | None = None) -> R:
        """What the job's function returned; waits up to `timeout` seconds (None: for ever).

        Raises:
            ResultNotKept: the job has no retention, or ended longer ago than that, or was deleted.
            ResultTimeout: it has not ended within `timeout`.
            JobFailed: it ended archived; JobCancelled if somebody cancelled it.
            BrokerUnavailable: the store cannot be reached.
        """
        value: R = await self._results.wait_for_result(self._job, self._result.decode, timeout)
        return value

    def __repr__(self) -> str:
        return f"<job {self.id} of {self._job.task!r} in {self.queue!r}>"
