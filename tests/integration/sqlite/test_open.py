import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from atode import Atode
from atode.broker.sqlite import _mounts, _schema
from atode.broker.sqlite import broker as broker_module
from atode.broker.sqlite.broker import SqliteBroker
from atode.errors import BadOption, BrokerRefused, BrokerUnavailable
from atode.job import ARCHIVE_AGE
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job


def version_of(path: Path) -> int:
    db = sqlite3.connect(path)
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return version


async def test_a_new_file_is_made_and_has_the_newest_schema(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path / "new.db")

    await broker.open()
    await broker.close()

    assert version_of(tmp_path / "new.db") == _schema.NEWEST


async def test_the_first_use_opens_and_a_use_after_close_opens_again(path: Path) -> None:
    broker = SqliteBroker(path)

    await broker.enqueue([a_job()])
    await broker.close()
    job = await broker.get("default", "j1")
    await broker.close()

    assert job == a_job()


async def test_many_openers_of_one_new_file_all_succeed(path: Path) -> None:
    brokers = [SqliteBroker(path) for _ in range(8)]

    await asyncio.gather(*(broker.open() for broker in brokers))

    for broker in brokers:
        await broker.close()


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path / "no" / "jobs.db")

    with pytest.raises(BrokerRefused, match=r"no/jobs\.db .* create the folder"):
        await broker.open()

    await broker.close()


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path)

    with pytest.raises(BrokerRefused, match="is a folder"):
        await broker.open()

    await broker.close()


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but somebody's notes\n" * 50)
    broker = SqliteBroker(path)

    with pytest.raises(BrokerRefused, match=r"notes\.txt is not an SQLite database"):
        await broker.open()

    await broker.close()
    assert path.read_text().startswith("not a database")


async def test_a_newer_schema_is_refused(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    broker = SqliteBroker(path)

    with pytest.raises(BrokerRefused, match=r"version 99.*upgrade"):
        await broker.open()

    await broker.close()


async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE jobs (title TEXT)")
    db.close()
    broker = SqliteBroker(path)

    with pytest.raises(BrokerRefused, match="another program"):
        await broker.open()

    await broker.close()


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    broker = SqliteBroker(path)
    await broker.enqueue([a_job(str(n)) for n in range(500)])
    await broker.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x07" * (len(whole) - 4096))

    with pytest.raises(BrokerRefused, match="damaged"):
        await broker.claim(["default"], limit=10, lease=10, worker="w1")

    await broker.close()


FIRST_SCHEMA = """
INSERT INTO jobs VALUES
    (1, 'mail', 'waits', 'demo', '{}', 'pending', 1, 0, 25, 0, 1800, 0, 0, '', '', 0, 0, '',
        0, '', 0),
    (2, 'mail', 'dead', 'demo', '{}', 'archived', 2, 0, 0, 0, 1800, 0, 0, '', 'x', 1234.5, 0, '',
        1, 'w1', 99),
    (3, 'mail', 'later', 'demo', '{}', 'scheduled', 3, 1900000005.5, 25, 0, 1800, 0, 0, '', '', 0,
        0, '', 0, '', 0);
UPDATE numbers SET next = 4;
INSERT INTO tallies VALUES ('empty', '2030-03-17', 2, 1);
INSERT INTO paused VALUES ('mail');
PRAGMA user_version = 1;
"""


def write_first_schema(path: Path) -> None:
    first = files("atode.broker.sqlite") / "migrations" / "0001_jobs.sql"
    db = sqlite3.connect(path)
    db.executescript(first.read_text("utf-8") + FIRST_SCHEMA)
    db.close()


async def test_a_file_of_the_first_schema_is_brought_forward(path: Path) -> None:
    write_first_schema(path)
    broker = SqliteBroker(path, FakeClock(1_900_000_000.0))

    assert await broker.queues() == ["empty", "mail"]
    stats = await broker.stats("mail")
    assert stats is not None
    assert (stats.paused, stats.size, stats.waiting_since) == (True, 3, 0.0)
    assert await broker.resume("mail")
    [claim] = await broker.claim(["mail"], limit=5, lease=10, worker="w1")
    assert (claim.job.id, claim.job.unique) == ("waits", "")
    assert await broker.promote(["mail"]) == 1_900_000_005.5
    assert await broker.enqueue([a_job()]) == []

    await broker.close()
    assert version_of(path) == _schema.NEWEST


async def test_a_job_that_the_first_schema_archived_counts_from_its_failure(
    path: Path,
) -> None:
    write_first_schema(path)
    clock = FakeClock(1234.5 + ARCHIVE_AGE - 1)
    broker = SqliteBroker(path, clock)

    assert await broker.prune(["mail"]) == 0
    clock.advance(2)
    assert await broker.prune(["mail"]) == 1

    await broker.close()


async def test_a_folder_that_comes_late_is_found(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path / "late" / "jobs.db")
    with pytest.raises(BrokerRefused):
        await broker.open()

    (tmp_path / "late").mkdir()

    assert await broker.enqueue([a_job()]) == []
    await broker.close()


def remove_all(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


async def test_a_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    broker = SqliteBroker(tmp_path / "jobs.db")
    await broker.enqueue([a_job("before")])

    remove_all(tmp_path)
    await broker.enqueue([a_job("after")])

    other = SqliteBroker(tmp_path / "jobs.db")
    assert await other.get("default", "after") == a_job("after")
    await other.close()
    await broker.close()


@pytest.mark.parametrize("path", [":memory:", "", "file::memory:?cache=shared"])
def test_memory_is_refused_with_a_hint(path: str) -> None:
    with pytest.raises(BadOption, match="memory://"):
        SqliteBroker(path)


def test_an_unknown_synchronous_is_refused(path: Path) -> None:
    with pytest.raises(BadOption, match=r"'off'.*normal, full, extra"):
        SqliteBroker(path, synchronous="off")


async def test_a_full_disk_is_reported_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atode.broker.sqlite import _store

    limits = iter(["PRAGMA max_page_count = 1"])
    prepare = _store._prepare  # pyright: ignore[reportPrivateUsage]

    def small_at_first(db: sqlite3.Connection, synchronous: str, path: str) -> None:
        prepare(db, synchronous, path)
        for limit in limits:
            db.execute(limit)

    broker = SqliteBroker(tmp_path / "jobs.db")
    await broker.open()
    await broker.close()
    monkeypatch.setattr(_store, "_prepare", small_at_first)

    with pytest.raises(BrokerUnavailable, match="full"):
        await broker.enqueue([a_job()._replace(payload=b"x" * 1_000_000)])

    assert await broker.enqueue([a_job()]) == []
    await broker.close()


# Damage, when a worker starts


async def damaged_deep_inside(path: Path) -> None:
    """A file that opens, and whose damage only a look at all of it finds."""
    broker = SqliteBroker(path)
    await broker.enqueue([a_job(str(n))._replace(payload=b"x" * 300) for n in range(2000)])
    await broker.close()
    damage_one_page(path)


def damage_one_page(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\x07" * 4096)


def leave_log(path: Path) -> None:
    """What a power cut leaves: a log that is older than the system's start."""
    log = Path(f"{path}-wal")
    log.write_bytes(b"\0" * 32)
    os.utime(log, (1, 1))


async def test_a_worker_does_not_start_on_a_damaged_file(path: Path) -> None:
    await damaged_deep_inside(path)

    async with Atode(f"sqlite:///{path}") as app:
        with pytest.raises(BrokerRefused, match=r"is damaged \(Page.*restore a backup.*recover"):
            await app.worker().run(signals=False)


async def test_a_worker_looks_for_a_limited_time_unless_the_machine_went_down(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await damaged_deep_inside(path)
    monkeypatch.setattr(broker_module, "AT_START", -1.0)
    broker = SqliteBroker(path)
    await broker.open()
    await broker.inspect_itself()
    await broker.close()

    leave_log(path)
    broker = SqliteBroker(path)
    await broker.open()
    with pytest.raises(BrokerRefused, match="is damaged"):
        await broker.inspect_itself()
    await broker.close()


async def test_a_file_that_others_write_to_is_looked_through_meanwhile(path: Path) -> None:
    broker = SqliteBroker(path)
    await broker.open()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await broker.inspect_itself()
    await broker.close()


# Network file systems


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Writes the table of mounts that is believed; before, there is none."""
    table = tmp_path / "mounts"
    monkeypatch.setattr(_mounts, "MOUNTS", table)
    return table.write_text


@pytest.mark.parametrize(
    ("source", "kind"),
    [("nas:/jobs", "nfs4"), ("//nas/jobs", "cifs"), ("me@nas:/jobs", "fuse.sshfs"), ("C:\\", "9p")],
)
async def test_a_network_file_system_is_refused_before_anything_is_made(
    tmp_path: Path, mounted: Callable[[str], object], source: str, kind: str
) -> None:
    folder = tmp_path / "share of two"
    folder.mkdir()
    place = str(folder).replace(" ", "\\040")
    mounted(f"/dev/sda1 / ext4 rw 0 0\n{source} {place} {kind} rw 0 0\n")
    link = tmp_path / "near.db"
    link.symlink_to(folder / "jobs.db")

    for path in (folder / "jobs.db", link):
        broker = SqliteBroker(path)
        with pytest.raises(BrokerRefused, match=rf"\({kind}\).*local disk.*network=allow"):
            await broker.open()
        with pytest.raises(BrokerRefused, match="network file system"):
            await broker.enqueue([a_job()])
        await broker.close()
    assert list(folder.iterdir()) == []


async def test_who_knows_better_may_use_a_network_file_system(
    tmp_path: Path, mounted: Callable[[str], object]
) -> None:
    mounted(f"nas:/jobs {tmp_path} nfs rw 0 0\n")

    async with Atode(f"sqlite:///{tmp_path}/jobs.db?network=allow") as app:
        await app.broker.enqueue([a_job()])
        sibling = app.broker.sibling()
        assert await sibling.get("default", "j1") is not None
        await sibling.close()

    with pytest.raises(BadOption, match="network is 'yes'; it must be one of refuse, allow"):
        Atode(f"sqlite:///{tmp_path}/jobs.db?network=yes")


@pytest.mark.parametrize(
    "table",
    [None, "", "rubbish\n\n", "none {path} 9p rw,trans=fd 0 0\n", "x {path} strange rw 0 0\n"],
)
async def test_a_file_system_of_which_nothing_bad_is_known_is_used(
    tmp_path: Path, mounted: Callable[[str], object], table: str | None
) -> None:
    if table is not None:
        mounted(table.format(path=tmp_path))

    broker = SqliteBroker(tmp_path / "jobs.db")
    await broker.enqueue([a_job()])
    await broker.close()
