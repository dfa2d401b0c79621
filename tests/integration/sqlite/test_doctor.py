"""What `examine` says about files in real trouble, and what `mend` makes of it."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from atode.broker.sqlite import _health, _mounts
from atode.broker.sqlite._mounts import file_system
from atode.broker.sqlite.broker import SqliteBroker
from atode.errors import BrokerUnavailable
from atode.finding import Finding, Mended, Severity
from atode.job import Job
from atode.presence import Presence
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


async def store(path: Path, clock: FakeClock, *jobs: Job, served: bool = True) -> None:
    broker = SqliteBroker(path, clock)
    await broker.enqueue(jobs or [a_job("j1")])
    if served:
        await serve(broker, clock)
    await broker.close()


async def serve(broker: SqliteBroker, clock: FakeClock) -> None:
    presence = Presence("h:1:w", "h", 1, 9, {"default": 1}, False, "active", clock.now())
    await broker.beat(presence, lifetime=60)


async def examined(path: Path, clock: FakeClock) -> Sequence[Finding]:
    broker = SqliteBroker(path, clock)
    found = await broker.examine()
    await broker.close()
    return found


async def mended(path: Path, clock: FakeClock) -> Sequence[Mended]:
    broker = SqliteBroker(path, clock)
    done = await broker.mend(await broker.examine())
    await broker.close()
    return done


async def only(path: Path, clock: FakeClock) -> Finding:
    [finding] = await examined(path, clock)
    return finding


def content(path: Path, suffix: str = "") -> bytes:
    return Path(f"{path}{suffix}").read_bytes()


def overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def damage(path: Path) -> None:
    """As a failing disk does."""
    whole = bytearray(content(path))
    for start in range(20_000, 120_000, 4096):
        whole[start : start + 500] = b"\x99" * 500
    overwrite(path, bytes(whole))


async def test_a_file_that_is_served_is_well(path: Path, clock: FakeClock) -> None:
    await store(path, clock)

    assert await examined(path, clock) == []


async def test_a_file_in_use_is_looked_at_and_not_changed(path: Path, clock: FakeClock) -> None:
    broker = SqliteBroker(path, clock)
    await broker.enqueue([a_job("j1")])
    await serve(broker, clock)
    log = content(path, "-wal")

    found = await broker.examine()

    assert found == []
    assert content(path, "-wal") == log
    await broker.close()


def test_without_a_file_there_is_nothing_to_look_at(path: Path, clock: FakeClock) -> None:
    with pytest.raises(BrokerUnavailable, match="there is no database"):
        asyncio.run(examined(path, clock))

    assert not path.exists()


# The file


async def test_a_damaged_file(path: Path, clock: FakeClock) -> None:
    await store(path, clock, *(a_job(f"j{n:04}") for n in range(2000)))
    damage(path)

    codes = {each.code: each for each in await examined(path, clock)}

    finding = codes.get("damage") or codes["unreadable"]
    assert finding.severity is ERROR
    assert ".recover" in finding.what + finding.remedy


async def test_a_file_that_is_no_database(path: Path, clock: FakeClock) -> None:
    overwrite(path, b"name,amount\n" * 100)

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (ERROR, "unreadable")
    assert "not an SQLite database" in finding.what


@pytest.mark.parametrize("mark", ["PRAGMA application_id = 1196444487", "CREATE TABLE t (a)"])
async def test_a_file_of_another_program(path: Path, clock: FakeClock, mark: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(mark)
        db.execute("CREATE TABLE notes (a)")
        db.commit()

    finding = next(each for each in await examined(path, clock) if each.code == "foreign")

    assert finding.severity is ERROR
    assert "another program" in finding.what


async def test_a_file_of_a_newer_version(path: Path, clock: FakeClock) -> None:
    await store(path, clock)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (ERROR, "schema")
    assert "schema version 99" in finding.what


async def test_a_file_of_an_older_version_stays_as_it_is(path: Path, clock: FakeClock) -> None:
    await store(path, clock)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1")

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (INFO, "not-looked-at")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


async def test_a_journal_that_somebody_has_changed(path: Path, clock: FakeClock) -> None:
    await store(path, clock)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (WARNING, "journal")


async def test_a_log_that_a_reader_keeps_from_starting_again(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_health, "HUGE_LOG", 1_000_000)
    monkeypatch.setattr(_health, "PATIENCE", 0.1)
    await store(path, clock)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM jobs").fetchall()
        large = [a_job(f"x{n}")._replace(payload=b"x" * 100_000) for n in range(20)]
        broker = SqliteBroker(path, clock)
        await broker.enqueue(large)
        finding = await only(path, clock)
        held_up = await broker.mend([finding])
        reader.execute("ROLLBACK")
        [done] = await broker.mend([finding])
        after = await examined(path, clock)
        await broker.close()

    assert (finding.severity, finding.code, finding.fixable) == (WARNING, "log", True)
    assert held_up == []
    assert "bytes of log put into the database" in done.what
    assert after == []


async def test_a_disk_that_is_nearly_full(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(path, clock)
    # Any disk is small enough for this.
    monkeypatch.setattr(_health, "LITTLE_SPACE", shutil.disk_usage(path.parent).total)

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (WARNING, "disk")
    assert "bytes left" in finding.what


async def test_many_free_pages(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_health, "_MANY_FREE", 1_000_000)
    broker = SqliteBroker(path, clock)
    await broker.enqueue([a_job(f"x{n}")._replace(payload=b"x" * 100_000) for n in range(20)])
    await broker.delete("default", [f"x{n}" for n in range(20)])
    await broker.close()

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (INFO, "free-pages")
    assert "VACUUM" in finding.remedy


@contextmanager
def as_nobody() -> Generator[None]:
    """Without root's right to do anything, whatever the mode says."""
    if os.geteuid():
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_file_that_this_user_may_only_read(clock: FakeClock) -> None:
    # Not in pytest's own folders, which are closed to others.
    with TemporaryDirectory(prefix="atode-") as folder:
        path = Path(folder) / "jobs.db"
        asyncio.run(store(path, clock))
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with as_nobody():
            found = asyncio.run(examined(path, clock))
        Path(folder).chmod(0o755)

    finding = next(each for each in found if each.code == "read-only")
    assert finding.severity is ERROR
    assert str(path) in finding.what


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/share/jobs.db", "nfs4"),
        ("/srv/shared.db", "ext4"),
        ("/srv/my disk/jobs.db", "cifs"),
        ("/var/jobs.db", "ext4"),
        ("/twice/jobs.db", "tmpfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nnas:/x /srv/share nfs4 rw 0 0\n"
        "//nas/y /srv/my\\040disk cifs rw 0 0\n/dev/sdb /twice ext4 rw 0 0\n"
        "tmpfs /twice tmpfs rw 0 0\n"
    )

    assert file_system(path, mounts)[0] == kind


async def test_a_network_file_system(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(path, clock)
    mounts = path.with_name("mounts")
    overwrite(mounts, f"/dev/sda1 / ext4 rw 0 0\nnas:/jobs {path.parent} nfs4 rw 0 0\n".encode())
    monkeypatch.setattr(_mounts, "MOUNTS", mounts)

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (ERROR, "network-disk")
    assert "nfs4" in finding.what


# Its jobs


async def test_a_lease_that_was_given_by_a_wrong_clock_is_ended(
    path: Path, clock: FakeClock
) -> None:
    ahead = FakeClock(clock.now() + 30 * 86_400)
    broker = SqliteBroker(path, ahead)
    await broker.enqueue([a_job("j1")])
    await broker.claim(["default"], limit=1, lease=30, worker="h:1:gone")
    await broker.close()

    finding = await only(path, clock)
    [done] = await mended(path, clock)

    assert (finding.severity, finding.code, finding.fixable) == (ERROR, "endless-lease", True)
    assert done.what.endswith("recovers the jobs: 1")
    broker = SqliteBroker(path, clock)
    [claim] = await broker.reap(["default"], limit=9, lease=9, worker="w2")
    assert claim.job.id == "j1"
    await broker.close()


async def test_a_worker_whose_clock_is_wrong(path: Path, clock: FakeClock) -> None:
    ahead = FakeClock(clock.now() + 60)
    await store(path, ahead)

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (WARNING, "clock")
    assert "60 s in the future" in finding.what


async def test_locks_of_jobs_that_are_gone(path: Path, clock: FakeClock) -> None:
    await store(path, clock, a_job("j1")._replace(unique="demo:1", unique_for=60.0))
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM jobs")
        db.commit()

    finding = await only(path, clock)

    assert (finding.severity, finding.code) == (WARNING, "orphaned-lock")
    assert ": 1; the first is" in finding.what
    assert "'demo:1'" in finding.what
