import re
import sqlite3
from collections.abc import Iterator
from importlib.resources import files

import pytest

from atode.broker.sqlite import _statements
from atode.broker.sqlite._schema import migrate
from atode.broker.sqlite._statements import Bulk

PACKAGE = files("atode.broker.sqlite")

TEXTS: dict[str, str] = {
    name: value.text if isinstance(value, Bulk) else value
    for name, value in vars(_statements).items()
    if name.isupper() and not name.startswith("_")
}

# What runs while jobs flow, and the index that keeps it fast however many jobs there are.
HOT = {
    "READY": "jobs_pending",
    "HAS_READY": "jobs_pending",
    "EXPIRED": "jobs_active",
    "NEXT_DUE": "jobs_scheduled",
    "PROMOTE": "jobs_scheduled",
    "PRUNE_COMPLETED": "jobs_completed",
    "PRUNE_OLD": "jobs_archived",
    "PRUNE_SURPLUS": "jobs_archived",
    "STORED_AS": "jobs_by_id",
    "GET": "jobs_by_id",
    "HOLD": "INTEGER PRIMARY KEY",
    "LOST": "INTEGER PRIMARY KEY",
    "EXTEND": "INTEGER PRIMARY KEY",
    "SETTLE": "INTEGER PRIMARY KEY",
    "DELETE": "INTEGER PRIMARY KEY",
    "PAYLOAD": "INTEGER PRIMARY KEY",
    "LISTENERS": "PRIMARY KEY",
    "RUNG": "PRIMARY KEY",
    "TALLY": "",
    "ENTRY": "PRIMARY KEY",
    "OBSTACLES": "jobs_by_id",
    "LOCK": "",
    "UNLOCK": "queue=? AND text=?",
    "UNLOCK_JOBS": "queue=? AND text=?",
    "PRUNE_LOCKS": "locks_by_end",
    "GROUPS": "jobs_grouped",
    "PICK_MEMBERS": "jobs_grouped",
    "UNENDED": "INTEGER PRIMARY KEY",
    "STILL_IN": "INTEGER PRIMARY KEY",
    "MARKS": "jobs_cancelled",
    "MARKED": "INTEGER PRIMARY KEY",
    "LAST_TICK": "PRIMARY KEY",
    "TICK": "",
    "FIRE": "",
    "PRUNE_FIRED": "PRIMARY KEY",
    "BURY_FIRED": "fired_by_time",
    "VACATE": "PRIMARY KEY",
    "TAKE_PLACE": "PRIMARY KEY",
    "FREE_PLACE": "PRIMARY KEY",
}

# What operators ask for: it may read many jobs, but those of its queue and state only.
BY_HAND = {
    "PICK_PENDING": "jobs_pending",
    "PICK_SCHEDULED": "jobs_scheduled",
    "PICK_RETRY": "jobs_retry",
    "PICK_ACTIVE": "jobs_active",
    "PICK_ARCHIVED": "jobs_archived",
    "PICK_COMPLETED": "jobs_completed",
    "PICK_AGGREGATING": "jobs_aggregating",
    "PICK_IDS": "jobs_by_id",
    "PICK_ANY": "jobs_by_id",
    "JOBS_OF": "INTEGER PRIMARY KEY",
    "RUN": "INTEGER PRIMARY KEY",
    "ARCHIVE": "INTEGER PRIMARY KEY",
    "CANCEL": "INTEGER PRIMARY KEY",
    "MARK": "INTEGER PRIMARY KEY",
    "ACTIVE_IDS": "jobs_active",
    "REPLACE_PAYLOAD": "jobs_by_id",
    "HOLDS": "jobs_by_id",
    "STATS": "jobs_pending",
    "HISTORY": "PRIMARY KEY",
    "UNLOCK_QUEUE": "queue=?",
    "FORGET_TALLIES": "PRIMARY KEY",
    "FORGET_QUEUE": "PRIMARY KEY",
    "PAUSE": "",
    "RESUME": "PRIMARY KEY",
    "GIVE": "INTEGER PRIMARY KEY",
    "KNOWN": "PRIMARY KEY",
    "FORGET_GIVEN": "PRIMARY KEY",
    "FORGET_IDS": "PRIMARY KEY",
    "FORGET_RECEIVED": "PRIMARY KEY",
    "FORGET_MOVE": "PRIMARY KEY",
    "FINISH_MOVE": "PRIMARY KEY",
    "MOVE": "PRIMARY KEY",
    "OWN_PAUSE": "PRIMARY KEY",
    "NOTE_GIVEN": "PRIMARY KEY",
    "RECEIVE": "",
    "REMEMBER": "",
    "START_MOVE": "",
    "FIRED": "PRIMARY KEY",
    "FORGET_TICKS": "PRIMARY KEY",
}


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, ":memory:")
    yield db
    db.close()


def plan(db: sqlite3.Connection, statement: str) -> list[str]:
    # The largest parameter number, or as many as there are question marks.
    numbers = [int(number) for number in re.findall(r"\?(\d+)", statement)]
    values = [None] * (max(numbers) if numbers else statement.count("?"))
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@pytest.mark.parametrize("name", TEXTS)
def test_no_statement_reads_all_jobs_or_locks(db: sqlite3.Connection, name: str) -> None:
    steps = plan(db, TEXTS[name])

    assert not [
        step for step in steps if re.match(r"SCAN (TABLE )?(jobs|locks|ticks|fired|places)\b", step)
    ]


@pytest.mark.parametrize(("name", "index"), (HOT | BY_HAND).items())
def test_a_statement_searches_its_index(db: sqlite3.Connection, name: str, index: str) -> None:
    steps = plan(db, TEXTS[name])

    assert not steps or [step for step in steps if "SEARCH" in step and index in step]


def test_claiming_and_promoting_take_jobs_in_the_order_of_the_index(
    db: sqlite3.Connection,
) -> None:
    in_order = {"READY", "EXPIRED", "NEXT_DUE", "PRUNE_SURPLUS", "STATS", "PICK_PENDING"}
    in_order |= {"PICK_SCHEDULED", "PICK_RETRY", "PICK_ARCHIVED", "PICK_COMPLETED"}
    in_order |= {"FIRED", "PRUNE_FIRED"}
    in_order |= {"PICK_AGGREGATING", "GROUPS", "PICK_MEMBERS"}
    for name in in_order:
        assert not [step for step in plan(db, TEXTS[name]) if "TEMP B-TREE" in step]


def test_every_statement_file_is_used() -> None:
    stored = {file.name for file in (PACKAGE / "sql").iterdir()}

    assert stored == {f"{name.lower()}.sql" for name in TEXTS}


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 200])
def test_a_bulk_statement_covers_all_rows_in_order(count: int) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a, b)")
    rows = [(n, str(n)) for n in range(count)]

    for statement, values in Bulk("INSERT INTO t VALUES (?, ?)").parts(rows):
        db.execute(statement, values)

    assert db.execute("SELECT a, b FROM t ORDER BY rowid").fetchall() == rows
    db.close()


def test_a_bulk_statement_needs_few_texts() -> None:
    bulk = Bulk("INSERT INTO t VALUES (?)")

    texts = {text for count in range(1, 300) for text, _ in bulk.parts([(0,)] * count)}

    assert len(texts) == 7
