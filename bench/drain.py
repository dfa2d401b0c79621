"""Jobs per second that one worker process runs, from a backlog stored before it starts."""

import time
from pathlib import Path

from bench.enqueue import enqueue
from bench.figure import Figure
from bench.stage import Stage, stage_on
from bench.store import Store
from bench.usage import memory, processor_time, usage_of
from bench.worker import CONCURRENCY, Worker, worker_on


async def enqueue_and_drain(store: Store, jobs: int, profile: Path | None) -> list[Figure]:
    """Store `jobs` no-op jobs, then have them all run.

    Raises:
        WorkerFailed: see `worker_on`.
    """
    async with stage_on(store, jobs=jobs) as stage:
        stored = await enqueue(stage.tasks, jobs)
        async with worker_on(stage, profile=profile) as worker:
            return stored + await _drain(stage, worker)


async def _drain(stage: Stage, worker: Worker) -> list[Figure]:
    board, server = stage.board, stage.store.server_pid
    numbers = range(board.jobs)
    await stage.all_started(numbers[:1])
    before, server_before = worker.usage(), usage_of(server)
    to_run = board.jobs - board.started(numbers)
    await stage.all_started(numbers)
    await stage.all_settled()
    seconds = time.time() - board.first_start
    after, server_after = worker.usage(), usage_of(server)
    return [
        Figure(
            f"run by one worker, {CONCURRENCY} slots",
            "jobs/s",
            board.jobs / seconds,
            board.complaint(numbers),
        ),
        *processor_time("worker's processor time per job", before, after, to_run),
        *processor_time("server's processor time per job", server_before, server_after, to_run),
        *memory("worker's memory after the backlog", after),
    ]
