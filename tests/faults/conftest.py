import importlib
from pathlib import Path
from types import ModuleType

import pytest

from tests.faults.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def app(url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of jobs, imported afresh for this test's store."""
    monkeypatch.setenv("ATODE_URL", url)
    monkeypatch.setenv("ATODE_TEST_JOURNAL", str(journal.path))
    return importlib.reload(importlib.import_module("tests.faults.jobs"))
