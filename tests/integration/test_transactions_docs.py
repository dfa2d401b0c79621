"""Every piece of code on the page about transactions, run with the library that it names."""

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from atode import Atode, State
from tests.integration.postgres.connections import django
from tests.integration.postgres.stage import Ask
from tests.integration.stage import until_stored, working

PAGES = Path(__file__).parents[2] / "docs"
TABLE = "CREATE TABLE orders (id integer, paid boolean, shipped boolean)"


def code(language: str) -> list[str]:
    page = (PAGES / language / "Transactions.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def module(url: str, monkeypatch: pytest.MonkeyPatch, names: dict[str, Any]) -> dict[str, Any]:
    monkeypatch.setenv("ATODE_URL", url)
    found = dict(names)
    for block in code("en"):
        exec(block, found)
    return found


def as_alchemy(url: str, driver: str) -> str:
    kind, _, rest = url.partition(":")
    return f"{kind}+{driver}:{rest}"


def test_both_pages_show_the_same_code() -> None:
    def bare(blocks: list[str]) -> list[str]:
        return [re.sub(r" *#.*", "", block) for block in blocks]

    assert bare(code("en")) == bare(code("ja"))


async def test_the_code_for_postgres_enqueues_and_completes(
    postgres_url: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(TABLE)
    opening: Any = cast("Any", asyncpg).create_pool(postgres_url, min_size=1, max_size=2)
    async with opening as pool:
        shown = module(postgres_url, monkeypatch, {"pool": pool, "url": postgres_url})
        jobs: Atode = shown["jobs"]
        async with jobs:
            await jobs.broker.open()
            await shown["order_with_asyncpg"](pool, 1)
            await shown["order_with_psycopg"](postgres_url, 2)
            engine = create_async_engine(as_alchemy(postgres_url, "asyncpg"))
            await shown["order_with_async_sqlalchemy"](async_sessionmaker(engine), 3)
            await engine.dispose()
            await asyncio.to_thread(blocking_ones, shown, postgres_url)
            assert await stored(jobs) == 6

            async with working(jobs):
                paid = await shown["charge"].enqueue(1)
                assert await paid.result(timeout=20) == "order 1 is paid"
                await until_stored(await shown["ship"].enqueue(2), None)

    assert ask("SELECT count(*), count(paid), count(shipped) FROM orders") == "6|1|1"


def blocking_ones(shown: dict[str, Any], url: str) -> None:
    shown["order_with_psycopg_sync"](url, 4)
    engine = sqlalchemy.create_engine(as_alchemy(url, "psycopg"))
    shown["order_with_sqlalchemy"](engine, 5)
    engine.dispose()
    with django(url):
        shown["order_with_django"](6)


async def test_the_code_for_sqlite_enqueues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shop.db"
    shown = module(f"sqlite:///{path}", monkeypatch, {})
    jobs: Atode = shown["jobs"]
    async with jobs:
        with closing(sqlite3.connect(path)) as db:
            db.execute(TABLE.replace("(id integer, paid boolean, shipped boolean)", "(id)"))
        shown["order_with_sqlite3"](path, 1)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        await shown["order_with_async_sqlalchemy"](async_sessionmaker(engine), 2)
        await engine.dispose()
        blocking = sqlalchemy.create_engine(f"sqlite:///{path}")
        await asyncio.to_thread(shown["order_with_sqlalchemy"], blocking, 3)
        blocking.dispose()

        assert await stored(jobs) == 3


async def stored(jobs: Atode) -> int:
    return (await jobs.broker.counts("default"))[State.PENDING]
