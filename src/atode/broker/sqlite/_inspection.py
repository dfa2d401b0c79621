"""Looking at queues and what operators do to them, each a transaction or a few."""

from collections.abc import Mapping, Sequence
from functools import partial

from atode.broker.protocol import Which
from atode.broker.sqlite import _inspect, _operations, _upkeep
from atode.broker.sqlite._file import File
from atode.broker.sqlite._operations import Operation
from atode.job import Job, State
from atode.presence import Presence
from atode.statistics import Day, QueueStats


class Inspection(File):
    """An operator's eyes and hands on the file."""

    async def queues(self) -> Sequence[str]:
        return await self._writer.call(_inspect.queues, writes=False)

    async def stats(self, queue: str) -> QueueStats | None:
        return await self._writer.call(partial(_inspect.stats, queue=queue), writes=False)

    async def history(self, queue: str, days: int) -> Sequence[Day]:
        command = partial(_inspect.history, clock=self._clock, queue=queue, days=days)
        return await self._writer.call(command, writes=False)

    async def find(
        self, queue: str, state: State, *, offset: int = 0, limit: int = 30
    ) -> Sequence[Job]:
        command = partial(_inspect.find, queue=queue, state=state, offset=offset, limit=limit)
        return await self._writer.call(command, writes=False)

    async def get(self, queue: str, job_id: str) -> Job | None:
        command = partial(_inspect.get, queue=queue, job_id=job_id)
        return await self._writer.call(command, writes=False)

    async def counts(self, queue: str) -> Mapping[State, int]:
        return await self._writer.call(partial(_inspect.counts, queue=queue), writes=False)

    async def workers(self) -> Sequence[Presence]:
        command = partial(_upkeep.workers, clock=self._clock)
        return await self._writer.call(command, writes=False)

    async def run(self, queue: str, which: Which) -> int:
        return await self._in_parts(_operations.run, queue, which)

    async def archive(self, queue: str, which: Which) -> int:
        return await self._in_parts(_operations.archive, queue, which)

    async def delete(self, queue: str, which: Which) -> int:
        return await self._in_parts(_operations.delete, queue, which)

    async def replace_payload(self, queue: str, job_id: str, payload: bytes) -> bool:
        command = partial(_operations.replace_payload, queue=queue, job_id=job_id, payload=payload)
        return await self._writer.call(command)

    async def pause(self, queue: str) -> bool:
        return await self._writer.call(partial(_operations.pause, queue=queue))

    async def resume(self, queue: str) -> bool:
        return await self._writer.call(partial(_operations.resume, queue=queue))

    async def remove(self, queue: str, *, force: bool = False) -> bool:
        return await _operations.remove(self._writer, queue, force=force)

    async def _in_parts(self, operation: Operation, queue: str, which: Which) -> int:
        return await _operations.in_parts(self._writer, operation, self._clock, queue, which)
