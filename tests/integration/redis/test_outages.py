"""Redis goes away, comes back, or is not what it should be."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from atode import Atode
from atode.broker.redis import _link
from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import State
from atode.outcome import Settlement, Tally
from atode.schedule import Tick, Ticked
from tests.integration.plain_job import a_job
from tests.integration.redis.every_call import CALLS, is_unavailable, whole_text
from tests.servers.redis import RedisServer
from tests.servers.redis_store import RedisStore


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server that may be killed; it loses nothing by that."""
    with RedisServer("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
async def broker(server: RedisServer) -> AsyncIterator[RedisBroker]:
    broker = RedisBroker(server.url)
    yield broker
    await broker.close()


async def test_opening_does_not_need_redis() -> None:
    broker = RedisBroker("redis://127.0.0.1:1")

    await broker.open()
    with pytest.raises(BrokerUnavailable, match=r"^Redis at 127\.0\.0\.1:1 refused the connection"):
        await broker.counts("default")
    await broker.close()


async def test_every_call_says_unavailable_while_redis_is_down_and_works_again_after(
    server: RedisServer, broker: RedisBroker
) -> None:
    await broker.enqueue([a_job("j1")])
    [claim] = await broker.claim(["default"], limit=1, lease=60, worker="w1")
    await broker.wait(["default"], at_most=0.05)
    await broker.promote(["default"])

    server.kill()
    raised = [name for name, call in CALLS.items() if await is_unavailable(call(broker), within=10)]
    with pytest.raises(BrokerUnavailable):
        await broker.settle([Settlement(claim, None, Tally.SUCCESS)])
    with pytest.raises(BrokerUnavailable):
        await broker.extend([claim], lease=60)
    server.restart()

    assert raised == list(CALLS)
    assert await broker.extend([claim], lease=60) == []
    assert await broker.settle([Settlement(claim, None, Tally.SUCCESS)]) == []
    assert await broker.enqueue([a_job("j2")]) == []
    for call in CALLS.values():
        await asyncio.wait_for(call(broker), 10)


@pytest.mark.parametrize("name", ["wait", "wait_due", "claim_next"])
async def test_a_wait_ends_when_the_server_dies(
    server: RedisServer, broker: RedisBroker, name: str
) -> None:
    # Until far away, so that it is not the clock that ends it.
    waiting = asyncio.ensure_future(CALLS[name](broker))
    await asyncio.sleep(0.05)

    server.kill()

    with pytest.raises(BrokerUnavailable):
        await asyncio.wait_for(waiting, 10)


async def test_a_restart_between_two_calls_is_not_noticed(
    server: RedisServer, broker: RedisBroker
) -> None:
    await broker.enqueue([a_job("j1")])
    await broker.wait(["default"], at_most=5)
    await broker.promote(["default"])
    server.stop()
    server.restart()

    [claim] = await broker.claim(["default"], limit=1, lease=60, worker="w1")
    await broker.enqueue([a_job("j2")])
    await broker.wait(["default"], at_most=60)
    server.kill()
    server.restart()

    assert await broker.settle([Settlement(claim, None, Tally.SUCCESS)]) == []


async def test_scripts_that_the_server_forgot_are_sent_again(
    broker: RedisBroker, server: RedisServer
) -> None:
    await broker.enqueue([a_job("j1")])
    with RedisStore(server.url) as store:
        store.do("SCRIPT", "FLUSH")

    assert await broker.enqueue([a_job(f"k{n}") for n in range(1200)]) == []
    claims = await broker.claim(["default"], limit=9999, lease=60, worker="w1")

    assert [claim.job.id for claim in claims] == ["j1", *(f"k{n}" for n in range(1200))]


async def test_a_silent_server_is_given_up_after_the_time_limit(
    server: RedisServer, broker: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_link, "TIMEOUT", 0.2)
    await broker.counts("default")

    server.freeze()
    with pytest.raises(BrokerUnavailable, match=r"did not answer within 0\.2 s"):
        await broker.counts("default")
    with pytest.raises(BrokerUnavailable, match=r"did not answer within 0\.2 s"):
        await broker.counts("default")
    server.thaw()

    monkeypatch.undo()
    assert (await broker.counts("default"))[State.PENDING] == 0


async def test_a_password_is_sent_and_never_told() -> None:
    with RedisServer("--requirepass", "s3cret") as server:
        right = RedisBroker(f"redis://:s3cret@127.0.0.1:{server.port}")
        wrong = RedisBroker(f"redis://:hunter2@127.0.0.1:{server.port}")
        without = RedisBroker(server.url)

        assert (await right.counts("default"))[State.PENDING] == 0
        for broker in (wrong, without):
            for name in ("counts", "promote", "wait"):
                with pytest.raises(BrokerRefused) as caught:
                    await CALLS[name](broker)
                assert "hunter2" not in whole_text(caught.value)
        for broker in (right, wrong, without):
            await broker.close()


async def test_a_user_who_may_not_subscribe_still_gets_due_jobs(
    server: RedisServer,
) -> None:
    with RedisStore(server.url) as store:
        store.do("ACL", "SETUSER", "app", "on", ">pw", "~asynq:*", "resetchannels", "+@all")
    broker = RedisBroker(f"redis://app:pw@127.0.0.1:{server.port}")
    await broker.enqueue([a_job("j1")._replace(state=State.SCHEDULED, due=1.5)])

    await broker.promote(["default"])
    await asyncio.wait_for(broker.wait_due(["default"], until=None), 10)

    assert (await broker.counts("default"))[State.PENDING] == 1
    await broker.close()


async def test_a_replica_is_unavailable_until_it_is_the_master(
    server: RedisServer, broker: RedisBroker
) -> None:
    await broker.counts("default")
    with RedisStore(server.url) as store:
        store.do("REPLICAOF", "127.0.0.1", "1")
        for name in ("enqueue", "wait", "beat"):
            with pytest.raises(BrokerUnavailable):
                await asyncio.wait_for(CALLS[name](broker), 10)
        store.do("REPLICAOF", "NO", "ONE")

    assert await broker.enqueue([a_job("j1")]) == []


async def test_a_full_memory_means_unavailable_and_stores_nothing(
    server: RedisServer, broker: RedisBroker
) -> None:
    with RedisStore(server.url) as store:
        store.do("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(BrokerUnavailable):
            await broker.enqueue([a_job("j1")])
        store.do("CONFIG", "SET", "maxmemory", "0")

    assert await broker.get("default", "j1") is None


async def test_a_claim_whose_caller_is_cancelled_goes_back(
    broker: RedisBroker, server: RedisServer
) -> None:
    await broker.enqueue([a_job("j1"), a_job("j2")])
    server.freeze()
    claiming = asyncio.ensure_future(CALLS["claim"](broker))
    await asyncio.sleep(0.05)
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    server.thaw()

    await broker.close()

    claims = await broker.claim(["default"], limit=9, lease=60, worker="w2")
    assert [claim.job.id for claim in claims] == ["j1", "j2"]


async def test_what_was_claimed_before_an_error_is_handed_out(
    broker: RedisBroker, server: RedisServer
) -> None:
    await broker.enqueue([a_job("j1")])
    with RedisStore(server.url) as store:
        store.do("SET", "asynq:{other}:pending", "not a list")

    claims = await broker.claim(["default", "other"], limit=9, lease=60, worker="w1")

    assert [claim.job.id for claim in claims] == ["j1"]
    with pytest.raises(BrokerRefused, match="WRONGTYPE"):
        await broker.claim(["default", "other"], limit=9, lease=60, worker="w1")


async def test_closing_lets_calls_and_waits_end(server: RedisServer) -> None:
    broker = RedisBroker(server.url)
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await asyncio.sleep(0.05)
    calls = [asyncio.ensure_future(broker.counts("default")) for _ in range(40)]
    await asyncio.sleep(0)

    await broker.close()
    await asyncio.wait_for(waiting, 10)
    for call in calls:
        await asyncio.wait_for(call, 10)

    await broker.close()
    with RedisStore(server.url) as store:
        while int(store.do("INFO", "clients")["connected_clients"]) > 1:
            await asyncio.sleep(0.01)


async def test_a_closed_app_has_no_connection_left_not_even_those_of_its_threads(
    redis_url: str, redis_store: RedisStore
) -> None:
    app = Atode(redis_url)

    @app.task
    def note() -> None: ...

    await note.enqueue()
    await asyncio.to_thread(note.enqueue_sync)
    await app.close()

    async with asyncio.timeout(10):
        while int(redis_store.do("INFO", "clients")["connected_clients"]) > 1:
            await asyncio.sleep(0.01)
    await asyncio.to_thread(note.enqueue_sync)
    await app.close()
    assert redis_store.do("LLEN", "asynq:{default}:pending") == 3


class _Proxy:
    """Passes everything on, but loses the answer to the next call after `lose`."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._loses = False
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> "_Proxy":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    def lose(self) -> None:
        self._loses = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, commands = await asyncio.open_connection("127.0.0.1", self._target)
        pipes = {
            asyncio.create_task(self._pipe(reader, commands, may_lose=False)),
            asyncio.create_task(self._pipe(answers, writer, may_lose=True)),
        }
        self._pipes |= pipes
        await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        for end in (commands, writer):
            end.close()

    async def _pipe(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, may_lose: bool
    ) -> None:
        while part := await source.read(65536):
            if may_lose and self._loses:
                self._loses = False
                return
            to.write(part)


async def test_an_answer_that_is_lost_does_not_turn_into_a_refusal(server: RedisServer) -> None:
    async with _Proxy(server.port) as proxy:
        broker = RedisBroker(proxy.url)
        await broker.enqueue([a_job("there")])

        proxy.lose()
        refused = await broker.enqueue([a_job("new"), a_job("there")._replace(payload=b"[]")])
        claims = await broker.claim(["default"], limit=9, lease=60, worker="w1")
        proxy.lose()
        unsettled = await broker.settle([Settlement(c, None, Tally.SUCCESS) for c in claims])

        assert [refusal.job.id for refusal in refused] == ["there"]
        assert [claim.job.id for claim in claims] == ["there", "new"]
        assert unsettled == []
        await broker.close()


async def test_the_jobs_of_a_claim_that_is_sent_twice_are_handed_out(server: RedisServer) -> None:
    async with _Proxy(server.port) as proxy:
        broker = RedisBroker(proxy.url)
        await broker.enqueue([a_job(f"j{n}") for n in range(5)])

        proxy.lose()
        claims = await broker.claim(["default"], limit=3, lease=60, worker="w1")

        assert [claim.job.id for claim in claims] == ["j0", "j1", "j2"]
        assert await broker.extend(claims, lease=60) == []
        rest = await broker.claim(["default"], limit=9, lease=60, worker="w1")
        assert [(claim.job.id, claim.job.retried) for claim in rest] == [("j3", 0), ("j4", 0)]
        await broker.close()


async def test_a_worker_gets_the_jobs_of_a_claim_whose_answer_never_came(
    server: RedisServer, broker: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await broker.enqueue([a_job(f"j{n}") for n in range(5)])
    [held] = await broker.claim(["default"], limit=1, lease=60, worker="w1")
    await asyncio.sleep(0.002)  # Claims of one millisecond are not told apart.
    monkeypatch.setattr(_link, "TIMEOUT", 0.2)
    server.freeze()
    with pytest.raises(BrokerUnavailable):
        await broker.claim(["default"], limit=3, lease=60, worker="w1")
    monkeypatch.setattr(_link, "TIMEOUT", 5.0)
    server.thaw()
    while (await broker.counts("default"))[State.ACTIVE] < 4:
        await asyncio.sleep(0.01)

    other = await broker.claim(["default"], limit=0, lease=60, worker="w2")
    first = await broker.claim(["default"], limit=2, lease=60, worker="w1")
    rest = await broker.claim(["default"], limit=9, lease=60, worker="w1")

    assert other == []
    assert [claim.job.id for claim in first] == ["j1", "j2"]
    assert [claim.job.id for claim in rest] == ["j3", "j4"]
    assert await broker.extend([held, *first, *rest], lease=60) == []
    assert {claim.job.retried for claim in (*first, *rest)} == {0}
    assert await broker.claim(["default"], limit=9, lease=60, worker="w1") == []


async def test_a_tick_whose_answer_is_lost_is_stored_once_and_still_ours(
    server: RedisServer,
) -> None:
    async with _Proxy(server.port) as proxy:
        broker = RedisBroker(proxy.url)
        await broker.counts("default")

        proxy.lose()
        mine = await broker.tick([Tick("nightly", 1.0, a_job("mine"))], worker="w1")
        others = await broker.tick([Tick("nightly", 1.0, a_job("other"))], worker="w2")

        assert [*mine, *others] == [Ticked.STORED, Ticked.LATE]
        assert (await broker.counts("default"))[State.PENDING] == 1
        assert [one.job_id for one in await broker.fired("nightly")] == ["mine"]
        await broker.close()


async def test_an_answer_that_is_lost_doubles_no_member_and_no_batch(server: RedisServer) -> None:
    async with _Proxy(server.port) as proxy:
        broker = RedisBroker(proxy.url)
        one, two, batch = (a_job(name) for name in ("one", "two", "batch"))
        members = [job._replace(state=State.AGGREGATING, group="g") for job in (one, two)]
        await broker.enqueue(members[:1])

        proxy.lose()
        refused = await broker.enqueue([members[0]._replace(payload=b"[]"), members[1]])
        found = await broker.members("default", "g", limit=9)
        proxy.lose()
        merged = await broker.merge("default", "g", found, [batch])

        assert [refusal.job.id for refusal in refused] == ["one"]
        assert [member.job.payload for member in found] == [b"{}", b"{}"]
        assert merged
        claims = await broker.claim(["default"], limit=9, lease=60, worker="w1")
        assert [claim.job.id for claim in claims] == ["batch"]
        await broker.close()


async def test_a_connection_that_breaks_between_commands_costs_no_job_and_stores_none_twice(
    server: RedisServer,
) -> None:
    jobs = [a_job(f"j{n}")._replace(payload=b'"%d"' % n * 50) for n in range(5000)]
    async with _Proxy(server.port) as proxy:
        broker = RedisBroker(proxy.url)
        await broker.enqueue([a_job("first")])

        # The answer to the first of many script calls; the last ones are not sent by then.
        proxy.lose()
        refused = await broker.enqueue(jobs)
        claims = await broker.claim(["default"], limit=9999, lease=60, worker="w1")

        assert refused == []
        assert [claim.job.id for claim in claims] == ["first", *(job.id for job in jobs)]
        await broker.close()


async def test_a_job_that_cannot_be_encoded_leaves_no_answers_to_the_next_call(
    broker: RedisBroker,
) -> None:
    good = [a_job(f"j{n}") for n in range(1000)]
    await broker.counts("default")

    with pytest.raises(ValueError, match="range"):
        await broker.enqueue([*good, a_job("bad")._replace(max_retry=2**40)])

    assert await broker.enqueue([a_job("next")]) == []
    assert (await broker.claim(["other"], limit=1, lease=60, worker="w1")) == []
