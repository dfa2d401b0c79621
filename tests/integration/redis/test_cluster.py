"""Queues on several nodes, slots that move, and nodes that go away."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import Claim, Job, State
from atode.outcome import Settlement, Tally
from atode.presence import Presence
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job
from tests.integration.redis.every_call import CALLS, is_unavailable, whole_text
from tests.servers.redis_cluster import RedisCluster

QUEUES = [f"queue{n}" for n in range(12)]

# What a user must be allowed at least; two commands are for finding the nodes.
RIGHTS = (
    *("~asynq:*", "resetchannels", "&asynq:*"),
    *("+@read", "+@write", "+@scripting", "+@pubsub", "-@dangerous"),
    *("+cluster|slots", "+cluster|info", "+asking", "+ping", "+auth"),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisCluster]:
    with RedisCluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(shared: RedisCluster) -> RedisCluster:
    shared.flush()
    return shared


@pytest.fixture
def failing() -> Iterator[RedisCluster]:
    """A cluster in which a master may be killed."""
    with RedisCluster(replicas=True) as cluster:
        yield cluster


@pytest.fixture
async def broker(cluster: RedisCluster) -> AsyncIterator[RedisBroker]:
    broker = RedisBroker(cluster.url)
    yield broker
    await broker.close()


async def test_one_call_may_concern_queues_on_all_nodes(
    cluster: RedisCluster, broker: RedisBroker
) -> None:
    jobs = [a_job(f"{queue}-{n}", queue) for n in range(3) for queue in QUEUES]

    refused = await broker.enqueue([*jobs, jobs[5]])
    claims = await broker.claim(QUEUES, limit=99, lease=60, worker="w1")
    lost = await broker.extend([*claims, claims[7]._replace(worker="w2")], lease=60)
    unsettled = await broker.settle(
        [Settlement(claim, None, Tally.SUCCESS) for claim in [*claims, claims[0]]]
    )

    assert {cluster.node_of(pending(queue)) for queue in QUEUES} == set(cluster.nodes)
    assert [refusal.job.id for refusal in refused] == [jobs[5].id]
    assert {claim.job.id for claim in claims} == {job.id for job in jobs}
    assert [claim.worker for claim in lost] == ["w2"]
    assert [settlement.claim.job.id for settlement in unsettled] == [claims[0].job.id]


async def test_a_wait_hears_of_a_job_in_any_of_its_queues(broker: RedisBroker) -> None:
    await broker.wait(QUEUES, at_most=0.05)
    for queue in QUEUES:
        waiting = asyncio.ensure_future(broker.wait(QUEUES, at_most=60))
        await asyncio.sleep(0.02)
        await broker.enqueue([a_job("j", queue)])
        await asyncio.wait_for(waiting, 10)

        [claim] = await broker.claim(QUEUES, limit=9, lease=60, worker="w1")
        assert claim.job.queue == queue


async def test_a_due_job_is_told_of_across_nodes(cluster: RedisCluster) -> None:
    # A clock that stands still: only a message ends the wait.
    clock = FakeClock()
    listening, other = RedisBroker(cluster.url, clock), RedisBroker(cluster.url, clock)
    await listening.promote(QUEUES)
    for queue in QUEUES:
        due = clock.now() + 0.5
        waiting = asyncio.ensure_future(listening.wait_due(QUEUES, until=None))
        await other.enqueue([a_job("j", queue, due=due)])
        await asyncio.wait_for(waiting, 10)
    await listening.close()
    await other.close()


async def test_presences_of_workers_on_different_nodes_are_found(broker: RedisBroker) -> None:
    presences = [
        Presence(f"h:{n}:b", "h", n, 1, {"default": 1}, False, "active", 1.0) for n in range(9)
    ]
    for presence in presences:
        await broker.beat(presence, lifetime=60)

    found = await broker.workers()

    assert {presence.pid for presence in found} == set(range(9))


async def test_queues_that_have_moved_are_followed(
    cluster: RedisCluster, broker: RedisBroker
) -> None:
    await broker.enqueue([a_job("j1"), a_job("j2")])
    await broker.enqueue([a_job("k1", queue) for queue in QUEUES])
    [claim] = await broker.claim(["default"], limit=1, lease=60, worker="w1")
    await broker.wait(["default"], at_most=5)

    home = cluster.node_of(pending("default"))
    cluster.move("default").end()
    [second] = await broker.claim(["default"], limit=9, lease=60, worker="w1")
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await asyncio.sleep(0.05)
    # Back again, while a command blocks where the queue was.
    cluster.move("default", home).end()
    await broker.enqueue([a_job("j3")])
    await asyncio.wait_for(waiting, 10)

    settlements = [Settlement(claim, None, Tally.SUCCESS) for claim in (claim, second)]
    assert await broker.settle(settlements) == []
    assert (await broker.counts("default"))[State.PENDING] == 1


@pytest.mark.parametrize("word", ["t:", "pending", "active", "lease", ""])
async def test_a_queue_of_which_a_part_has_moved_is_unavailable_and_whole_afterwards(
    cluster: RedisCluster, broker: RedisBroker, word: str
) -> None:
    # Expired already, so that reaping would be tempted; one active job has no lease at all.
    await broker.enqueue([a_job("j1"), a_job("j2"), a_job("j3"), due(a_job("j4"))])
    claims = list(await broker.claim(["default"], limit=2, lease=-60, worker="w1"))
    source = cluster.node_of(pending("default"))
    cluster.do(source, "ZREM", "asynq:{default}:lease", "j2")
    move = cluster.move("default")
    move.keys(lambda key: word.encode() in key)

    raised = {name for name in CALLS if await is_unavailable(CALLS[name](broker))}
    raised |= {"settle"} if await is_unavailable(broker.settle(successes(claims))) else set()
    raised |= {"extend"} if await is_unavailable(broker.extend(claims, lease=9)) else set()
    move.end()

    assert raised >= {"enqueue", "claim", "reap", "promote", "settle", "extend", "counts", "tick"}
    counts = await broker.counts("default")
    assert (counts[State.ACTIVE], counts[State.PENDING], counts[State.SCHEDULED]) == (2, 1, 1)
    reaped = await broker.reap(["default"], limit=9, lease=60, worker="w2")
    assert [claim.job.id for claim in reaped] == ["j1"]
    [claim] = await broker.claim(["default"], limit=9, lease=9, worker="w2")
    assert claim.job.id == "j3"


async def test_while_the_slot_of_the_list_of_queues_moves_jobs_are_stored(
    cluster: RedisCluster, broker: RedisBroker
) -> None:
    await broker.enqueue([a_job("j1")])
    move = cluster.move("asynq:queues")
    move.keys()

    assert await broker.enqueue([a_job("j2", queue) for queue in QUEUES]) == []
    move.end()

    there = cluster.node_of("asynq:queues")
    assert cluster.do(there, "SCARD", "asynq:queues") == len(QUEUES) + 1


async def test_every_call_goes_on_when_a_replica_takes_over(failing: RedisCluster) -> None:
    broker = RedisBroker(failing.url)
    victim = failing.node_of(pending("default"))
    await broker.enqueue([a_job("j1"), a_job("j2")])
    [claim] = await broker.claim(["default"], limit=1, lease=60, worker="w1")
    await broker.wait(["default"], at_most=5)
    await broker.promote(["default"])
    failing.do(victim, "SET", "{default}mark", "1")
    assert failing.do(victim, "WAIT", 1, 10_000) == 1

    victim.kill()
    for name in CALLS:
        while await is_unavailable(CALLS[name](broker)):
            await asyncio.sleep(0.1)

    assert await broker.extend([claim], lease=60) == []
    assert await broker.settle([Settlement(claim, None, Tally.SUCCESS)]) == []
    await broker.close()


async def test_a_part_of_the_nodes_is_enough_to_find_the_others(cluster: RedisCluster) -> None:
    for host in (f"127.0.0.1:1,127.0.0.1:{cluster.nodes[2].port}", cluster.url[16:].split(",")[0]):
        broker = RedisBroker(f"redis+cluster://{host}")
        assert await broker.enqueue([a_job(host, queue) for queue in QUEUES]) == []
        await broker.close()


async def test_a_cluster_that_is_away_is_unavailable() -> None:
    broker = RedisBroker("redis+cluster://127.0.0.1:1,127.0.0.1:2")

    for call in CALLS.values():
        with pytest.raises(BrokerUnavailable, match="refused the connection"):
            await call(broker)
    await broker.close()


async def test_a_server_that_is_no_cluster_is_refused(redis_url: str) -> None:
    broker = RedisBroker(redis_url.replace("redis://", "redis+cluster://"))

    with pytest.raises(BrokerRefused, match="cluster support disabled"):
        await broker.counts("default")
    await broker.close()


async def test_a_node_without_the_others_tells_how_to_name_a_cluster(cluster: RedisCluster) -> None:
    other = next(node for node in cluster.nodes if node is not cluster.node_of(pending("default")))
    broker = RedisBroker(other.url)

    with pytest.raises(BrokerUnavailable, match=r"redis\+cluster://"):
        await broker.counts("default")
    await broker.close()


async def test_a_user_with_few_rights_and_a_password_can_do_every_call(
    cluster: RedisCluster,
) -> None:
    for node in cluster.nodes:
        cluster.do(node, "ACL", "SETUSER", "app", "on", ">p@ss", *RIGHTS)
    hosts = cluster.url[16:]
    broker = RedisBroker(f"redis+cluster://app:p%40ss@{hosts}")
    await broker.enqueue([a_job("j1")])
    for call in CALLS.values():
        await asyncio.wait_for(call(broker), 10)
    await broker.close()

    wrong = RedisBroker(f"redis+cluster://app:hunter2@{hosts}")
    with pytest.raises(BrokerRefused, match="does not accept the user name") as caught:
        await wrong.counts("default")
    assert "hunter2" not in whole_text(caught.value)
    await wrong.close()


def pending(queue: str) -> str:
    return f"asynq:{{{queue}}}:pending"


def due(job: Job) -> Job:
    return job._replace(state=State.SCHEDULED, due=4e9)


def successes(claims: list[Claim]) -> list[Settlement]:
    return [Settlement(claim, None, Tally.SUCCESS) for claim in claims]
