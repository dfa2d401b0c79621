from pathlib import Path

import pytest

from atode.testing.clock import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the jobs are to be; there is no file yet."""
    return tmp_path / "jobs.db"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
