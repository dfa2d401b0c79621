"""The page about brokers says what the suites say."""

import inspect
from collections.abc import Sequence

import pytest

from atode.testing.contract import BrokerContract
from atode.testing.differences import Differences, Promise
from tests.contract import (
    differences,
    test_memory,
    test_postgres,
    test_redis,
    test_redis_cluster,
    test_sqlite,
)

# By way of their modules, or pytest would run the suites here, too.
COLUMNS: Sequence[tuple[Differences, str]] = [
    (test_sqlite.TestSqlite.differences, "SQLite"),
    (test_postgres.TestPostgres.differences, "PostgreSQL"),
    (test_redis.TestRedis.differences, "Redis, Valkey, Cluster"),
    (test_redis_cluster.TestRedisCluster.differences, "Redis, Valkey, Cluster"),
    (test_memory.TestMemory.differences, "memory"),
]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_table_of_differences_is_what_the_suites_declare(language: str) -> None:
    assert differences.shown(language) == differences.table(language), (
        "run python -m tests.contract.differences"
    )


def test_each_suite_has_its_column() -> None:
    for declared, column in COLUMNS:
        assert declared is differences.COLUMNS[column]


def test_every_text_is_there_in_japanese() -> None:
    texts = {text for column in differences.COLUMNS.values() for text in column.values()}

    assert {*Promise, *texts} <= differences.JAPANESE.keys()


def test_every_promise_has_its_test() -> None:
    tests = inspect.getmembers(BrokerContract, inspect.isfunction)

    assert {getattr(test, "promise", None) for _, test in tests} >= set(Promise)
