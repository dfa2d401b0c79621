"""PostgreSQL that is away, goes away, comes back, or drops connections."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from atode.broker.postgres._link import Link
from atode.broker.postgres.broker import PostgresBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import State, new_id
from atode.outcome import Succeeded
from atode.testing.clock import FakeClock
from atode.testing.jobs import LEASE, a_job, end, ids, take
from tests.integration.postgres.stage import Ask
from tests.servers.postgres import PostgresServer
from tests.servers.redis import free_port

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One that may be killed."""
    with PostgresServer() as server:
        yield server


Work = Callable[[Any], Awaitable[Any]]

whole: Callable[[Link, Any, Work], Awaitable[Any]] = vars(Link)["_whole"]


def cut_off_after(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> list[str]:
    """Let the next call be done, but its answer be lost; it is noted when that has happened."""
    lost: list[str] = []

    async def cut(link: Link, connection: Any, work: Work) -> Any:
        value = await whole(link, connection, work)
        if not lost:
            lost.append("the answer")
            await asyncio.to_thread(ask, f"SELECT pg_terminate_backend(pid) {OTHERS}")
            raise ConnectionResetError("the answer was lost")
        return value

    monkeypatch.setattr(Link, "_whole", cut)
    return lost


async def test_nobody_there_is_unavailable_with_the_address_but_without_the_password() -> None:
    port = free_port()
    broker = PostgresBroker(f"postgresql://me:secret@127.0.0.1:{port}/shop")

    await broker.open()
    with pytest.raises(BrokerUnavailable, match=rf"127\.0\.0\.1:{port}/shop") as caught:
        await broker.enqueue([a_job()])

    assert "secret" not in str(caught.value)
    await broker.close()


async def test_a_database_that_does_not_exist_is_refused_with_the_way_out(
    postgres_server: PostgresServer,
) -> None:
    broker = PostgresBroker(postgres_server.url("nowhere"))

    with pytest.raises(BrokerRefused, match="create the database"):
        await broker.open()
    await broker.close()


async def test_a_program_that_starts_before_its_server_goes_on_when_it_is_there(
    server: PostgresServer,
) -> None:
    server.stop()
    broker = PostgresBroker(server.url())
    await broker.open()

    server.restart()
    await broker.enqueue([a_job(id="late")])

    assert ids(await take(broker)) == ["late"]
    await broker.close()


async def test_a_restart_between_two_calls_is_not_noticed(server: PostgresServer) -> None:
    broker = PostgresBroker(server.url())
    await broker.enqueue([a_job(id="one")])
    server.kill()
    server.restart()

    await broker.enqueue([a_job(id="two")])

    assert ids(await take(broker)) == ["one", "two"]
    await broker.close()


async def test_terminated_backends_are_replaced(broker: PostgresBroker, ask: Ask) -> None:
    await broker.enqueue([a_job(id="one")])
    for _ in range(3):
        ask(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        await broker.enqueue([a_job()])

    assert len(await take(broker)) == 4


async def test_a_repeated_enqueue_knows_what_its_first_sending_stored(
    broker: PostgresBroker, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="taken")])
    lost = cut_off_after(monkeypatch, ask)

    jobs = [a_job(id="mine"), a_job(id="taken"), a_job(id="twice"), a_job(id="twice")]
    refused = await broker.enqueue(jobs)

    assert lost
    assert ids(refused) == ["taken", "twice"]
    assert ids(await take(broker)) == ["taken", "mine", "twice"]


async def test_a_repeated_enqueue_of_new_jobs_stores_them_once_and_refuses_none(
    broker: PostgresBroker, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="before")])
    lost = cut_off_after(monkeypatch, ask)

    jobs = [a_job(id=new_id()) for _ in range(3)]
    refused = await broker.enqueue(jobs)

    assert lost
    assert refused == []
    assert ids(await take(broker)) == ["before", *(job.id for job in jobs)]


async def test_a_repeated_enqueue_of_unique_jobs_knows_its_own_locks(
    broker: PostgresBroker, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="other", payload=b"2", unique_for=60)])
    lost = cut_off_after(monkeypatch, ask)

    refused = await broker.enqueue(
        [a_job(id="mine", payload=b"1", unique_for=60), a_job(payload=b"2", unique_for=60)]
    )

    assert lost
    assert [refusal.holder for refusal in refused] == ["other"]
    assert [r.holder for r in await broker.enqueue([a_job(payload=b"1", unique_for=60)])] == [
        "mine"
    ]


async def test_a_repeated_settlement_is_not_reported_as_refused(
    broker: PostgresBroker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    await broker.enqueue([a_job()])
    [claim] = await take(broker)
    lost = cut_off_after(monkeypatch, ask)

    assert await end(broker, claim, Succeeded(), clock) == []

    assert lost
    assert (await broker.counts("default"))[State.ACTIVE] == 0


async def test_a_claim_whose_caller_is_cancelled_gives_its_jobs_back(
    broker: PostgresBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await broker.enqueue([a_job(id=name) for name in ("one", "two")])
    done = asyncio.Event()

    async def slow(link: Link, connection: Any, work: Work) -> Any:
        value = await whole(link, connection, work)
        done.set()
        await asyncio.sleep(0.05)
        return value

    monkeypatch.setattr(Link, "_whole", slow)
    claiming = asyncio.ensure_future(take(broker))
    await done.wait()

    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    async with asyncio.timeout(20):
        while (await broker.counts("default"))[State.PENDING] < 2:
            await asyncio.sleep(0.01)

    assert ids(await take(broker)) == ["one", "two"]


async def test_calls_while_the_server_is_away_fail_soon_and_recover(
    server: PostgresServer,
) -> None:
    broker = PostgresBroker(server.url())
    await broker.enqueue([a_job(id="before")])
    server.kill()

    began = time.monotonic()
    results = await asyncio.gather(
        broker.enqueue([a_job()]),
        take(broker),
        broker.promote(["default"]),
        broker.reap(["default"], limit=10, lease=LEASE, worker="w"),
        return_exceptions=True,
    )
    assert time.monotonic() - began < 10
    assert all(isinstance(result, BrokerUnavailable) for result in results), results

    server.restart()
    assert "before" in ids(await take(broker))
    await broker.close()


async def test_a_server_that_does_not_answer_is_unavailable(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atode.broker.postgres._link.TIMEOUT", 0.3)
    broker = PostgresBroker(server.url())
    await broker.open()
    server.do("BEGIN; LOCK TABLE jobs; SELECT pg_sleep(0)")
    locked = asyncio.create_task(
        asyncio.to_thread(server.do, "BEGIN; LOCK TABLE jobs; SELECT pg_sleep(2)")
    )
    while server.do("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'") == "0":
        await asyncio.sleep(0.02)

    with pytest.raises(BrokerUnavailable, match="did not answer within"):
        await broker.enqueue([a_job()])

    await locked
    await broker.enqueue([a_job(id="after")])
    assert "after" in ids(await take(broker))
    await broker.close()


async def test_a_full_server_is_unavailable(postgres_server: PostgresServer) -> None:
    role = "crowded"
    postgres_server.do(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    broker = PostgresBroker(postgres_server.url().replace("postgres@", f"{role}@"))

    with pytest.raises(BrokerUnavailable, match="too many connections"):
        await broker.enqueue([a_job()])
    await broker.close()
