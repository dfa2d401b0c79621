"""`atode worker` as a process of its own."""

import sys
from pathlib import Path

from tests.faults.process import Process

ROOT = Path(__file__).parents[2]


class WorkerProcess(Process):
    """Serves one of the tests' apps, whose handlers write into `journal`."""

    READY = " serves "

    def __init__(
        self, url: str, journal: Path, *options: str, app: str = "tests.faults.jobs:jobs"
    ) -> None:
        super().__init__(
            [sys.executable, "-m", "atode", "worker", app, *options],
            journal.parent,
            {
                "ATODE_URL": url,
                "ATODE_TEST_JOURNAL": str(journal),
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
            },
        )
