"""A worker's presence as asynq's ServerInfo and WorkerInfo and back (the protocol's section 11)."""

import math
from collections.abc import Iterable, Sequence

from atode.broker.redis._link import Reply
from atode.broker.redis._scripts import BEAT, Argument, Command
from atode.broker.redis._store import Store
from atode.broker.redis.keys import SERVERS, WORKERS, server_key, wish_key, workers_key
from atode.broker.redis.wire import (
    DecodeError,
    ServerInfo,
    WorkerInfo,
    instant_of,
    set_instant,
)
from atode.presence import Presence, Running
from atode.size import Wish


class Presences(Store):
    """Workers show themselves, and hear wishes."""

    async def beat(self, presence: Presence, *, lifetime: float) -> Wish | None:
        """Show this worker as living for `lifetime` seconds, rounded up (section 11)."""
        commands = _beat_commands(presence, self._clock.now(), lifetime)
        return Wish.from_json((await self._link.call(commands)).replies[-1])

    async def leave(self, presence: Presence) -> None:
        """Remove this worker's presence."""
        await self._link.call(_leave_commands(presence))

    async def resize(self, worker: str, wish: Wish) -> bool:
        """Wish that a worker be of another size; False if no worker of ours with this id lives."""
        # For as long as the worker keeps the key, and only if it does.
        command = ("SET", wish_key(worker), wish.to_json(), "XX", "KEEPTTL")
        return (await self._link.call([command])).replies[0] is not None


def _beat_commands(presence: Presence, now: float, lifetime: float) -> Sequence[Command]:
    """Show the worker and what it runs until `lifetime` seconds from now."""
    server, workers = server_key(presence.worker), workers_key(presence.worker)
    seconds = math.ceil(lifetime)
    running: list[Argument] = []
    for job in presence.running:
        running += (job.job_id, _encoded_running(presence, job))
    return (
        ("ZADD", SERVERS, math.floor(now) + seconds, server),
        ("ZADD", WORKERS, math.floor(now) + seconds, workers),
        BEAT.call(
            (server, workers, wish_key(presence.worker)),
            *(seconds, _encoded_server(presence)),
            *running,
        ),
    )


def _leave_commands(presence: Presence) -> Sequence[Command]:
    """Take the worker away."""
    server, workers = server_key(presence.worker), workers_key(presence.worker)
    return (
        ("ZREM", SERVERS, server),
        ("ZREM", WORKERS, workers),
        ("DEL", server, workers, wish_key(presence.worker)),
    )


def _encoded_server(presence: Presence) -> bytes:
    info = ServerInfo(
        host=presence.host,
        pid=presence.pid,
        server_id=presence.server_id,
        concurrency=presence.concurrency,
        queues=presence.queues,
        strict_priority=presence.strict,
        status=presence.status,
        active_worker_count=presence.running_count,
    )
    set_instant(info.start_time, presence.started_at)
    return info.SerializeToString()


def _encoded_running(presence: Presence, running: Running) -> bytes:
    info = WorkerInfo(
        host=presence.host,
        pid=presence.pid,
        server_id=presence.server_id,
        task_id=running.job_id,
        task_type=running.task,
        task_payload=running.payload,
        queue=running.queue,
    )
    set_instant(info.start_time, running.started_at)
    set_instant(info.deadline, running.deadline)
    return info.SerializeToString()


def index_commands(now: float) -> Sequence[Command]:
    """Who lives, and the removal of those who have not for a second."""
    return (
        ("ZRANGEBYSCORE", SERVERS, repr(now), "+inf"),
        ("ZREMRANGEBYSCORE", SERVERS, "-inf", math.floor(now) - 1),
        ("ZREMRANGEBYSCORE", WORKERS, "-inf", math.floor(now) - 1),
    )


def read_commands(servers: Sequence[bytes]) -> Sequence[Command]:
    """Fetch the records of the workers in the index."""
    # The two keys of a worker differ in one word.
    jobs = [key.replace(b"asynq:servers:", b"asynq:workers:", 1) for key in servers]
    return [
        command
        for server, running in zip(servers, jobs, strict=True)
        for command in (("GET", server), ("HVALS", running))
    ]


def read_presences(replies: Sequence[Reply]) -> Sequence[Presence]:
    """The workers in the replies to `read_commands`; what cannot be read is left out."""
    found = [
        _read_presence(server, running)
        for server, running in zip(replies[::2], replies[1::2], strict=True)
        if server is not None
    ]
    return [presence for presence in found if presence]


def _read_presence(server: bytes, running: Iterable[bytes]) -> Presence | None:
    try:
        info = ServerInfo.FromString(server)
        jobs = [_read_running(record) for record in running]
    except DecodeError:
        return None
    return Presence(
        worker=f"{info.host}:{info.pid}:{info.server_id}",
        host=info.host,
        pid=info.pid,
        concurrency=info.concurrency,
        queues=dict(info.queues),
        strict=info.strict_priority,
        status=info.status,
        started_at=instant_of(info.start_time),
        running=_oldest_first(jobs),
        running_count=info.active_worker_count,
    )


def _read_running(record: bytes) -> Running:
    info = WorkerInfo.FromString(record)
    return Running(
        info.task_id,
        info.task_type,
        info.queue,
        info.task_payload,
        instant_of(info.start_time),
        instant_of(info.deadline),
    )


def _oldest_first(jobs: Sequence[Running]) -> tuple[Running, ...]:
    # They come out of a hash, which has no order of its own.
    return tuple(sorted(jobs, key=lambda job: (job.started_at, job.job_id)))
