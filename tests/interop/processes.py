"""A Python worker and a Go server, each as a process of its own."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.faults.process import Process
from tests.faults.worker_process import WorkerProcess
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec, in_json


class PythonWorker(WorkerProcess):
    def __init__(self, url: str, journal: Journal, *options: str) -> None:
        super().__init__(url, journal.path, *options, app="tests.interop.jobs:jobs")


class GoServer(Process):
    READY = "ready"

    def __init__(self, go: Peer, journal: Journal, **settings: object) -> None:
        """Settings are those of go/serve.go, in seconds; the pauses are short unless given."""
        usual = {"concurrency": 10, "check": 0.05, "delayed_check": 0.1, "retry_delay": 3600}
        super().__init__(
            [str(go.binary), "serve", go.address, str(journal.path)],
            journal.path.parent,
            {},
            json.dumps(usual | settings),
        )


class GoScheduler(Process):
    READY = "ready"

    def __init__(self, go: Peer, folder: Path, entries: Mapping[str, Spec]) -> None:
        """What asynq's Scheduler is to store: a job for each cron expression."""
        given = [{"cron": cron, "job": in_json(job)} for cron, job in entries.items()]
        command = [str(go.binary), "schedule", go.address]
        super().__init__(command, folder, {}, json.dumps(given))
