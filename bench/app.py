"""What the worker process serves: `atode worker bench.app:jobs`."""

import os
from pathlib import Path

from bench.board import VARIABLE, Board
from bench.tasks import tasks_on

jobs = tasks_on(None, Board(Path(os.environ[VARIABLE]))).jobs
