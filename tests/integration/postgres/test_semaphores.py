"""Places in PostgreSQL: by whose clock they end, and what is left of them."""

import asyncio

from atode.broker.postgres.broker import PostgresBroker
from atode.clock import SystemClock
from atode.testing.clock import FakeClock
from tests.integration.postgres.stage import Ask

LEFT = "SELECT round((expires - extract(epoch FROM now()))::numeric) FROM job_places"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


class LateClock(SystemClock):
    """The clock of a machine that is an hour behind."""

    def now(self) -> float:
        return super().now() - 3600


async def test_a_place_lasts_as_long_as_it_should_whatever_the_machines_clock_says(
    postgres_url: str, ask: Ask
) -> None:
    clock = LateClock()
    late = PostgresBroker(postgres_url, clock)
    right = PostgresBroker(postgres_url)
    until = clock.now() + 600

    assert await late.take_place("pay", "a", limit=1, until=until)
    assert 590 <= int(ask(LEFT)) <= 600
    assert not await right.take_place("pay", "b", limit=1, until=until)
    assert await late.free_place("pay", "a", until=until)
    assert await right.take_place("pay", "b", limit=1, until=SystemClock().now() + 600)
    await late.close()
    await right.close()


async def test_places_of_the_dead_are_removed_by_whoever_comes_next(
    postgres_url: str, ask: Ask
) -> None:
    clock = FakeClock()
    broker = PostgresBroker(postgres_url, clock)
    for name in "abc":
        await broker.take_place("pay", name, limit=3, until=clock.now() + 10)
    clock.advance(11)

    assert not await broker.free_place("pay", "a", until=clock.now() - 1)
    assert await broker.take_place("pay", "b", limit=1, until=clock.now() + 10)

    assert ask("SELECT string_agg(holder, ' ' ORDER BY holder) FROM job_places") == "b"
    await broker.close()


async def test_who_takes_a_place_waits_for_who_is_about_to(postgres_url: str, ask: Ask) -> None:
    brokers = [PostgresBroker(postgres_url) for _ in range(3)]
    until = SystemClock().now() + 60
    await brokers[0].open()
    # Slow inserts, so that all of them would count the same places.
    ask(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END$$;"
        "CREATE TRIGGER slow BEFORE INSERT ON job_places FOR EACH ROW EXECUTE FUNCTION slow()"
    )

    taken = await asyncio.gather(
        *(
            broker.take_place("pay", f"h{n}", limit=1, until=until)
            for n, broker in enumerate(brokers)
        )
    )

    assert sorted(taken) == [False, False, True]
    assert ask(WAITING) == "0"
    for broker in brokers:
        await broker.close()
