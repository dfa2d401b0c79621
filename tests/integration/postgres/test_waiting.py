"""How workers hear of work: by LISTEN, and by looking where that does not work."""

import asyncio
import logging

import pytest

from atode import Atode
from atode.broker.postgres._address import address_of
from atode.broker.postgres._bell import News, news_in
from atode.broker.postgres._link import Answer, Link
from atode.broker.postgres.broker import PostgresBroker
from atode.errors import BrokerRefused
from atode.outcome import Succeeded
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, ids, take
from tests.integration.postgres.connections import connect
from tests.integration.postgres.stage import Ask
from tests.integration.stage import until, working
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer

BEHIND_POOLER = "?statement_cache_size=0"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first lines of the statements that are sent."""
    sent: list[str] = []
    call = Link.call

    async def noted(link: Link, statement: str, *values: object) -> Answer:
        sent.append(statement.partition("\n")[0])
        return await call(link, statement, *values)

    monkeypatch.setattr(Link, "call", noted)
    return sent


async def test_an_idle_wait_sends_nothing_until_it_is_told(
    broker: PostgresBroker, postgres_url: str, sent: list[str]
) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await until(lambda: any("Whether a claim" in line for line in sent))
    looks = len(sent)

    await asyncio.sleep(1)

    assert len(sent) == looks
    other = PostgresBroker(postgres_url)
    await other.enqueue([a_job()])
    await asyncio.wait_for(waiting, 10)
    await other.close()


async def test_news_of_other_schemas_and_queues_wake_nobody(
    broker: PostgresBroker, postgres_url: str
) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    other = PostgresBroker(f"{postgres_url}?schema=other")
    await other.enqueue([a_job()])
    await broker.enqueue([a_job("mail")])

    done, _ = await asyncio.wait((waiting,), timeout=0.5)

    assert not done
    waiting.cancel()
    await other.close()


async def test_of_many_commits_in_a_moment_few_carry_a_notification_and_none_is_missed(
    broker: PostgresBroker, postgres_url: str
) -> None:
    heard: list[str] = []

    def hear(_: object, __: int, ___: str, word: str) -> None:
        heard.append(word)

    line = await connect(postgres_url)
    await line.add_listener(address_of(postgres_url).channel, hear)
    producer = PostgresBroker(postgres_url)
    for _ in range(200):
        await producer.enqueue([a_job()])
    await producer.close()
    last = a_job("last")
    await broker.enqueue([last])
    await until(lambda: News("pending", "last").word in heard)

    times = heard.count(News("pending", "default").word)
    assert 1 <= times <= 150
    await line.close()


async def test_a_listener_that_was_cut_off_listens_again(
    broker: PostgresBroker, postgres_url: str, ask: Ask, sent: list[str]
) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    listening = "query LIKE 'LISTEN%' AND datname = current_database()"
    await until(lambda: any("Whether a claim" in line for line in sent))
    await asyncio.sleep(0.1)

    ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}")
    # It is woken, in case it has missed something; the next wait hears again.
    await asyncio.wait_for(waiting, 10)
    await until(lambda: ask(f"SELECT count(*) FROM pg_stat_activity WHERE {listening}") == "1")
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await asyncio.sleep(0.3)
    other = PostgresBroker(postgres_url)
    await other.enqueue([a_job()])

    await asyncio.wait_for(waiting, 10)
    await other.close()


async def test_where_listen_is_not_wanted_waits_look_for_themselves(postgres_url: str) -> None:
    broker = PostgresBroker(f"{postgres_url}?listen=never")
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    due = asyncio.ensure_future(broker.wait_due(["default"], until=None))
    await asyncio.sleep(0.1)
    other = PostgresBroker(postgres_url)
    await other.enqueue([a_job()])

    await asyncio.wait_for(waiting, 10)
    await asyncio.wait_for(due, 10)
    await broker.close()
    await other.close()


async def test_behind_a_pooler_everything_works_and_it_is_said_once_that_workers_look(
    postgres_server: PostgresServer, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with PgBouncer(postgres_server) as pooler:
        url = pooler.url(postgres_url.rpartition("/")[2]) + BEHIND_POOLER
        app = Atode(url)
        ran: list[int] = []

        @app.task
        async def note(n: int) -> None:
            ran.append(n)

        with caplog.at_level(logging.WARNING, "atode.broker.postgres"):
            async with app, working(app):
                for n in range(20):
                    await note.options(delay=0.01 * (n % 2)).enqueue(n)
                await until(lambda: len(ran) == 20)
                await note.options(unique_for=60).enqueue(20)
                await until(lambda: len(ran) == 21)
                await until(lambda: caplog.messages)

    assert sorted(ran) == list(range(21))
    # The worker and its heartbeat have a broker each; only the first of them listens.
    assert len([text for text in caplog.messages if "LISTEN" in text]) == 1


async def test_many_clients_behind_a_pooler_do_not_mix_their_statements(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    clock = FakeClock()
    with PgBouncer(postgres_server) as pooler:
        url = pooler.url(postgres_url.rpartition("/")[2]) + BEHIND_POOLER
        brokers = [PostgresBroker(url, clock) for _ in range(8)]
        await asyncio.gather(*(b.enqueue([a_job() for _ in range(50)]) for b in brokers))
        shares = await asyncio.gather(
            *(take(b, limit=50, worker=f"w{n}") for n, b in enumerate(brokers))
        )
        seen = [name for share in shares for name in ids(share)]
        for broker, share in zip(brokers, shares, strict=True):
            for claim in share[:3]:
                assert await end(broker, claim, Succeeded(), clock) == []
        for broker in brokers:
            await broker.close()

    assert len(seen) == len(set(seen)) == 400


async def test_a_pooler_that_nobody_told_of_is_refused_with_the_option_for_it(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    with PgBouncer(postgres_server) as pooler:
        broker = PostgresBroker(pooler.url(postgres_url.rpartition("/")[2]))
        with pytest.raises(BrokerRefused, match=r"\?statement_cache_size=0"):
            await broker.open()
        await broker.close()


async def test_what_is_held_back_is_told_after_its_commit(
    broker: PostgresBroker, postgres_url: str, sent: list[str]
) -> None:
    other = PostgresBroker(postgres_url)
    await broker.enqueue([a_job("mail")])
    for _ in range(20):
        # Each but the first comes too soon after the one before to be told with its commit.
        await take(other, "mail")
        waiting = asyncio.ensure_future(other.wait(["mail"], at_most=60))
        await asyncio.sleep(0)
        await broker.enqueue([a_job("mail")])
        await asyncio.wait_for(waiting, 3)
    await other.close()


@pytest.mark.parametrize("word", ["", "x", "d", "dqueue", "dzero queue"])
def test_words_of_others_are_not_understood(word: str) -> None:
    assert news_in(word) is None


@pytest.mark.parametrize("news", [News("pending", "a b"), News("due", "a b", 1.25)])
def test_words_say_what_was_meant(news: News) -> None:
    assert news_in(news.word) == news
