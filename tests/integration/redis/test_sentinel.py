"""The master changes, and sentinels go away."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from redis import exceptions

from atode.broker.protocol import Cancellation
from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import State
from atode.outcome import Settlement, Tally
from tests.faults.journal import eventually
from tests.integration.plain_job import a_job
from tests.integration.redis.every_call import CALLS, is_unavailable, whole_text
from tests.servers.redis import RedisServer
from tests.servers.redis_sentinel import SERVICE, WatchedRedis
from tests.servers.redis_store import RedisStore


@pytest.fixture
def watched() -> Iterator[WatchedRedis]:
    with WatchedRedis() as watched:
        yield watched


@pytest.fixture
async def broker(watched: WatchedRedis) -> AsyncIterator[RedisBroker]:
    broker = RedisBroker(watched.url)
    yield broker
    await broker.close()


async def test_every_call_goes_on_at_the_new_master(
    watched: WatchedRedis, broker: RedisBroker
) -> None:
    old = watched.master
    await broker.enqueue([a_job("j1"), a_job("j2")])
    [claim] = await broker.claim(["default"], limit=1, lease=60, worker="w1")
    await broker.wait(["default"], at_most=5)
    await broker.promote(["default"])
    _replicated(old, 2)

    old.kill()
    for name in CALLS:
        await _until_done(broker, name)

    assert watched.master is not old
    assert await broker.extend([claim], lease=60) == []
    assert await broker.settle([Settlement(claim, None, Tally.SUCCESS)]) == []


async def test_waits_begin_again_at_the_new_master(
    watched: WatchedRedis, broker: RedisBroker
) -> None:
    old = watched.master
    await broker.promote(["default"])
    waits = [asyncio.ensure_future(CALLS[name](broker)) for name in ("wait", "wait_due")]
    await asyncio.sleep(0.05)

    old.kill()
    for waiting in waits:
        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(waiting, 10)
    await _until_done(broker, "counts")
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await _until_done(broker, "promote")
    told = asyncio.ensure_future(broker.wait_due(["default"], until=None))
    await _until_done(broker, "enqueue")

    await asyncio.wait_for(waiting, 10)
    await asyncio.wait_for(told, 10)


async def test_cancellations_are_heard_of_from_the_new_master(
    watched: WatchedRedis, broker: RedisBroker
) -> None:
    def listen() -> "asyncio.Future[Sequence[Cancellation]]":
        return asyncio.ensure_future(broker.cancellations(["default"], worker="w1", at_most=60))

    await listen()
    waiting = listen()
    await asyncio.sleep(0.05)

    watched.master.kill()
    with pytest.raises(BrokerUnavailable):
        await asyncio.wait_for(waiting, 10)
    await _until_done(broker, "cancellations")
    waiting = listen()
    await broker.enqueue([a_job("j1")])
    await broker.claim(["default"], limit=1, lease=60, worker="w1")
    await broker.cancel("default", ["j1"])

    assert await asyncio.wait_for(waiting, 10) == [Cancellation("j1", "default")]


async def test_a_planned_failover_is_not_noticed(
    watched: WatchedRedis, broker: RedisBroker
) -> None:
    old = watched.master
    await broker.enqueue([a_job("j1")])
    await broker.claim(["default"], limit=1, lease=60, worker="w1")
    with RedisStore(f"redis://127.0.0.1:{watched.sentinels[0].port}") as sentinel:
        sentinel.do("SENTINEL", "FAILOVER", SERVICE)
    await eventually(lambda: watched.master is not old)
    await eventually(lambda: _is_replica(old))

    assert await broker.enqueue([a_job("j2")]) == []
    assert (await broker.counts("default"))[State.PENDING] == 1


def _is_replica(server: RedisServer) -> bool:
    try:
        with RedisStore(server.url) as store:
            return bool(store.do("ROLE")[0] == b"slave")
    except exceptions.ConnectionError:
        # Who makes it a replica ends all of its connections, this one too.
        return False


async def test_a_master_that_is_silent_is_left_for_the_new_one(
    watched: WatchedRedis, broker: RedisBroker
) -> None:
    old = watched.master
    await broker.enqueue([a_job("j1")])
    _replicated(old, 2)

    old.freeze()
    await _until_done(broker, "enqueue")
    old.thaw()

    assert await broker.enqueue([a_job("j2")]) == []
    assert (await broker.counts("default"))[State.PENDING] == 3


async def test_sentinels_may_go_away_one_by_one(watched: WatchedRedis, broker: RedisBroker) -> None:
    for n, sentinel in enumerate(watched.sentinels[:2]):
        sentinel.kill()
        fresh = RedisBroker(watched.url)
        assert await fresh.enqueue([a_job(f"j{n}")]) == []
        await fresh.close()
    await broker.counts("default")

    watched.sentinels[2].kill()
    await broker.enqueue([a_job("j9")])
    await broker.wait(["default"], at_most=5)
    lost = RedisBroker(watched.url)
    with pytest.raises(BrokerUnavailable, match="refused the connection"):
        await lost.counts("default")

    watched.sentinels[0].start()
    assert (await lost.counts("default"))[State.PENDING] == 3
    await lost.close()


async def test_a_name_that_no_sentinel_knows_is_told(watched: WatchedRedis) -> None:
    broker = RedisBroker(f"redis+sentinel://{watched.hosts}/other")

    with pytest.raises(BrokerUnavailable, match="watch no master named 'other'"):
        await broker.counts("default")
    await broker.close()


async def test_passwords_of_servers_and_sentinels_are_two() -> None:
    locked = ("--requirepass", "s3cret", "--masterauth", "s3cret")
    settings = (
        f"sentinel auth-pass {SERVICE} s3cret\nrequirepass gu4rd\nsentinel sentinel-pass gu4rd"
    )
    with WatchedRedis(*locked, settings=settings, password="s3cret", guard="gu4rd") as watched:
        right = f"redis+sentinel://:s3cret@{watched.hosts}/{SERVICE}/0?sentinel_password=gu4rd"
        broker = RedisBroker(right)
        await broker.enqueue([a_job("j1")])
        await broker.wait(["default"], at_most=5)
        await broker.close()
        for wrong in (right.replace("gu4rd", "hunter2"), right.replace("s3cret", "hunter2")):
            broker = RedisBroker(wrong)
            with pytest.raises(BrokerRefused, match="does not accept the user") as caught:
                await broker.counts("default")
            assert "hunter2" not in whole_text(caught.value)
            await broker.close()


async def test_a_sentinel_that_was_cut_off_is_not_believed(
    redis_server: RedisServer, redis_url: str
) -> None:
    async with _Told(port=1, epoch=3) as old, _Told(redis_server.port, epoch=4) as new:
        for hosts in (f"{old.host},{new.host}", f"{new.host},{old.host}"):
            broker = RedisBroker(f"redis+sentinel://{hosts}/{SERVICE}")
            assert (await broker.counts("default"))[State.PENDING] == 0
            await broker.close()


class _Told:
    """What looks like a sentinel and always tells the same."""

    def __init__(self, port: int, epoch: int) -> None:
        self._address = b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%d\r\n" % (len(str(port)), port)
        fields = [b"name", SERVICE.encode(), b"config-epoch", str(epoch).encode()]
        self._masters = b"*1\r\n*4\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(f), f) for f in fields)
        self._server: asyncio.Server | None = None
        self.host = ""

    async def __aenter__(self) -> "_Told":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line == b"GET-MASTER-ADDR-BY-NAME\r\n":
                writer.write(self._address)
            elif line == b"MASTERS\r\n":
                writer.write(self._masters)
            elif line == b"SETINFO\r\n":
                writer.write(b"+OK\r\n")
        writer.close()


async def _until_done(broker: RedisBroker, name: str) -> None:
    while await is_unavailable(CALLS[name](broker)):
        await asyncio.sleep(0.1)


def _replicated(master: RedisServer, replicas: int) -> None:
    with RedisStore(master.url) as store:
        store.do("SET", "mark", "1")
        assert store.do("WAIT", replicas, 10_000) >= replicas
