"""Ticks in PostgreSQL: what is there when something goes wrong, and which index finds it."""

import asyncio
import re

import pytest

from atode.broker.postgres import _statements as sql
from atode.broker.postgres.broker import PostgresBroker
from atode.errors import BrokerRefused
from atode.schedule import HISTORY_AGE, Ticked
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job
from atode.testing.schedule_contract import NINE, TEN, a_tick
from tests.integration.postgres.plan import SETTINGS, plan
from tests.integration.postgres.stage import Ask, under_way, waiting

INDEXES = {
    sql.HOLD_TICKS: None,
    sql.FIRST_TICKS: None,
    sql.RECORD_TICKS: ("job_ticks_pkey", "queue = .* AND .*schedule = ANY"),
    sql.LAST_TICKS: ("job_ticks_pkey", "queue = .* AND .*schedule = ANY"),
    sql.FORGET: ("job_ticks_pkey", "queue ="),
    sql.FIRED: ("job_fired_pkey", "schedule ="),
    sql.PRUNE_FIRED: ("job_fired_by_time", "at <"),
    sql.TAKE_PLACE: ("job_places_pkey", "scope ="),
    sql.FREE_PLACE: ("job_places_pkey", "scope = .* AND .*holder ="),
}


@pytest.fixture
def broker(timed: PostgresBroker) -> PostgresBroker:
    return timed


async def test_a_tick_that_cannot_be_recorded_stores_no_job(
    broker: PostgresBroker, ask: Ask
) -> None:
    ask("ALTER TABLE job_fired RENAME TO gone")

    with pytest.raises(BrokerRefused, match="job_fired"):
        await broker.tick([a_tick()], worker="w1")

    assert ask("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_ticks)") == "0"
    ask("ALTER TABLE gone RENAME TO job_fired")
    assert await broker.tick([a_tick()], worker="w1") == [Ticked.STORED]


async def test_who_waited_for_a_tick_of_another_sees_it(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    await broker.tick([a_tick(NINE)], worker="w1")
    later = f"UPDATE job_ticks SET at = {TEN}, worker = 'other'"

    async with under_way(postgres_url, later) as transaction:
        ticking = await waiting(broker.tick([a_tick(TEN)], worker="w1"), ask)
        await transaction.commit()

    assert await ticking == [Ticked.LATE]
    assert ask("SELECT count(*) FROM jobs") == "1"


async def test_ticks_are_exact_where_transactions_are_serializable(
    postgres_url: str, ask: Ask
) -> None:
    database = postgres_url.rpartition("/")[2]
    ask(f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    brokers = [PostgresBroker(postgres_url) for _ in range(4)]
    for broker in brokers:
        await broker.open()

    answers: list[Ticked] = []
    for n in range(5):
        calls = (
            broker.tick([a_tick(NINE + n)], worker=f"w{m}") for m, broker in enumerate(brokers)
        )
        answers += [answer for [answer] in await asyncio.gather(*calls)]
    for broker in brokers:
        await broker.close()

    assert answers.count(Ticked.STORED) == 5
    assert answers.count(Ticked.LATE) == 15


async def test_what_schedules_became_long_ago_is_forgotten_by_any_tick(
    broker: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    await broker.tick([a_tick(NINE, "old", a_job(id="old"))], worker="w1")
    clock.advance(HISTORY_AGE - 1)
    await broker.tick([a_tick(NINE, "a", a_job(id="a"))], worker="w1")
    kept = ask("SELECT count(*) FROM job_fired")
    clock.advance(2)

    await broker.tick([a_tick(NINE, "b", a_job(id="b"))], worker="w1")

    assert kept == "2"
    assert ask("SELECT string_agg(name, ' ' ORDER BY name) FROM job_fired") == "a b"


async def test_a_late_tick_costs_no_job_and_no_number(broker: PostgresBroker, ask: Ask) -> None:
    await broker.tick([a_tick()], worker="w1")
    before = ask("SELECT last_value FROM job_numbers")

    assert await broker.tick([a_tick()], worker="w2") == [Ticked.LATE]

    assert ask("SELECT last_value FROM job_numbers") == before


async def test_two_ticks_may_hand_in_the_same_job(broker: PostgresBroker, ask: Ask) -> None:
    job = a_job(id="j1")

    answers = await broker.tick([a_tick(NINE, "a", job), a_tick(NINE, "b", job)], worker="w1")

    assert list(answers) == [Ticked.STORED, Ticked.REFUSED]
    ticked = ask(
        "SELECT string_agg(schedule || ' ' || ticked, ', ' ORDER BY schedule) FROM job_ticks"
    )
    assert ticked == "a stored, b refused"
    assert [one.job_id for one in await broker.fired("a")] == ["j1"]
    assert list(await broker.fired("b")) == []


@pytest.mark.parametrize("statement", INDEXES, ids=lambda text: text.split("\n")[0][3:40])
async def test_statements_search_their_index(
    broker: PostgresBroker, ask: Ask, statement: str
) -> None:
    ask("VACUUM ANALYZE")

    steps = plan(ask, statement, SETTINGS)

    ours = [step for step in steps if re.match("job_(ticks|fired|places)", _relation(step))]
    assert [step for step in ours if step["Node Type"] == "Seq Scan"] == []
    if wanted := INDEXES[statement]:
        index, condition = wanted
        conditions = [
            step.get("Index Cond", "") for step in ours if step.get("Index Name") == index
        ]
        assert [text for text in conditions if re.search(condition, text)], steps


def _relation(step: dict[str, object]) -> str:
    return str(step.get("Relation Name", ""))
