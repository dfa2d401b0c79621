"""What `examine` finds in queues that somebody has broken, and what `mend` makes of it.

Each state is written as asynq, a crash or an eviction leaves it behind.
"""

import asyncio
from collections.abc import Sequence

import pytest

from atode.broker.redis import _batches
from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.health import audit
from atode.broker.redis.wire import TaskMessage
from atode.finding import Finding, Mended, Severity
from atode.job import State
from atode.outcome import Succeeded, decide
from atode.presence import Presence
from atode.retry import Retry
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job
from tests.servers.redis import RedisServer
from tests.servers.redis_cluster import RedisCluster
from tests.servers.redis_store import GoPeer, RedisStore

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
HASH = "asynq:{default}:t:"
DAY = 86_400


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def go(redis_store: RedisStore) -> GoPeer:
    redis_store.do("SADD", "asynq:queues", "default")
    return GoPeer(redis_store)


def key(name: str, queue: str = "default") -> str:
    return f"asynq:{{{queue}}}:{name}"


async def serve(broker: RedisBroker, clock: FakeClock, **queues: int) -> None:
    """A worker shows itself."""
    weights = queues or {"default": 1}
    presence = Presence("h:1:w", "h", 1, 9, weights, False, "active", clock.now())
    await broker.beat(presence, lifetime=60)


async def examined(broker: RedisBroker) -> list[Finding]:
    """What is wrong, but for the server, whose clock is another one and whose disk is not used."""
    return [each for each in await broker.examine() if each.code not in {"clock", "persistence"}]


async def only(broker: RedisBroker) -> Finding:
    [finding] = await examined(broker)
    return finding


async def mended(broker: RedisBroker) -> Sequence[Mended]:
    """What is done about it; nothing fixable is left after that, or to do twice."""
    found = await broker.examine()
    done = await broker.mend(found)
    assert not [each for each in await broker.examine() if each.fixable]
    assert await broker.mend(found) == []
    return done


# What is good to know


async def test_a_paused_queue_is_good_to_know(broker: RedisBroker, clock: FakeClock) -> None:
    await broker.enqueue([a_job("j1")])
    await broker.pause("default")
    clock.advance(7200)
    await serve(broker, clock)

    finding = await only(broker)

    assert (finding.severity, finding.code) == (INFO, "paused")
    assert finding.what == "it is paused, for 2.0 hours now"
    assert "atode queues resume default" in finding.remedy


# What is broken, and mended


@pytest.mark.parametrize(
    "state", ["pending", "active", "scheduled", "retry", "archived", "completed"]
)
async def test_ids_without_a_job(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock, state: str
) -> None:
    """Trap 2: asynq's dequeue of such an id leaves a hash with nothing but a state."""
    await serve(broker, clock)
    redis_store.do("HSET", HASH + "g1", "state", "active")
    if state in {"pending", "active"}:
        redis_store.do("LPUSH", key(state), "g1", "g2")
    else:
        redis_store.do("ZADD", key(state), int(clock.now()), "g1", int(clock.now()) + 1, "g2")

    finding = await only(broker)

    assert (finding.severity, finding.code, finding.fixable) == (ERROR, "ids-without-job", True)
    assert finding.what.startswith(f"{state} ids without a job")
    assert ": 2; the first is" in finding.what
    assert "'g" in finding.what
    [done] = await mended(broker)
    assert done.what == "ids without a job dropped: 2"
    assert redis_store.do("EXISTS", key(state), HASH + "g1") == 0


async def test_active_jobs_without_a_lease(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    await serve(broker, clock)
    go.enqueue("g1", clock.now())
    go.dequeue(clock.now())
    redis_store.do("DEL", key("lease"))

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "active-without-lease")
    [done] = await mended(broker)
    assert done.what == "active jobs given a lease that has run out: 1"
    clock.advance(31)
    claims = await broker.reap(["default"], limit=9, lease=9, worker="w2")
    assert [claim.job.id for claim in claims] == ["g1"]


async def test_a_job_that_is_archived_by_half(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    """Trap 6: asynq's archive failed after it had taken the job out of active and lease."""
    await serve(broker, clock)
    go.enqueue("g1", clock.now())
    go.dequeue(clock.now())
    redis_store.do("LREM", key("active"), 0, "g1")
    redis_store.do("ZREM", key("lease"), "g1")
    redis_store.do("ZADD", key("archived"), int(clock.now()), "g1")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "archived-by-half")
    await mended(broker)
    job = await broker.get("default", "g1")
    assert job
    assert job.state is State.ARCHIVED
    assert await broker.run("default", ["g1"]) == 1


async def test_a_job_that_says_it_is_elsewhere_is_left_alone(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    await serve(broker, clock)
    go.schedule("g1", int(clock.now()) + 60)
    redis_store.do("HSET", HASH + "g1", "state", "retry")

    finding = await only(broker)

    assert (finding.severity, finding.code, finding.fixable) == (WARNING, "state-mismatch", False)
    assert "scheduled ids of jobs that say they are in another state: 1" in finding.what
    assert await mended(broker) == []


@pytest.mark.parametrize("state", ["scheduled", "retry", "archived", "completed"])
async def test_instants_with_a_fraction(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock, state: str
) -> None:
    """Trap 8: one of them makes the whole page fail in asynqmon."""
    await serve(broker, clock)
    go.schedule("g1", 0)
    redis_store.do("ZREM", key("scheduled"), "g1")
    redis_store.do("HSET", HASH + "g1", "state", state)
    redis_store.do("ZADD", key(state), repr(clock.now() + 9.25), "g1")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "fractional-score")
    [done] = await mended(broker)
    assert done.what == "instants rounded up: 1"
    assert float(redis_store.do("ZSCORE", key(state), "g1")) == clock.now() + 10
    job = await broker.get("default", "g1")
    assert job
    assert job.due == (clock.now() + 9.25 if state in {"scheduled", "retry"} else 0)


@pytest.mark.parametrize(
    "state", ["pending", "active", "scheduled", "retry", "archived", "completed"]
)
async def test_a_job_in_no_list(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock, state: str
) -> None:
    """Trap 1: asynq's scripts are not rolled back."""
    await serve(broker, clock)
    go.enqueue("g1", clock.now())
    redis_store.do("DEL", key("pending"))
    redis_store.do("HSET", HASH + "g1", "state", state)
    await broker.enqueue([a_job("j1")])

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "stray")
    assert "jobs in no list" in finding.what
    assert ": 1 of 2; the first is" in finding.what
    assert "'g1'" in finding.what
    [done] = await mended(broker)
    assert done.what == "jobs in no list put into the archive: 1"
    archived = await broker.find("default", State.ARCHIVED)
    assert [job.id for job in archived] == ["g1"]
    assert [job.id for job in await broker.find("default", State.PENDING)] == ["j1"]


async def test_a_hash_that_is_no_job_gives_its_id_free(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    """Trap 18: a result that was written after the end."""
    await serve(broker, clock)
    redis_store.do("HSET", HASH + "g1", "result", "late")

    assert (await only(broker)).code == "stray"
    await mended(broker)

    assert redis_store.do("EXISTS", HASH + "g1") == 0
    assert await broker.enqueue([a_job("g1")]) == []


async def test_jobs_in_groups_and_sets_are_not_astray(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    await serve(broker, clock)
    for name in ("waits", "taken"):
        fields = ("msg", go.message(name, group_key="g").SerializeToString(), "group", "g")
        redis_store.do("HSET", HASH + name, "state", "aggregating", *fields)
    second = int(clock.now())
    redis_store.do("ZADD", key("g:g"), second, "waits")
    redis_store.do("SADD", key("groups"), "g")
    redis_store.do("ZADD", key("g:g:7c1f"), second, "taken")
    redis_store.do("ZADD", key("aggregation_sets"), second + 120, key("g:g:7c1f"))

    assert await examined(broker) == []


@pytest.mark.parametrize("state", ["pending", "scheduled", "retry"])
@pytest.mark.parametrize("message", [b"\x0a\x02\xff\xfe", b"{", b""])
async def test_a_message_that_nobody_can_read(
    broker: RedisBroker,
    redis_store: RedisStore,
    go: GoPeer,
    clock: FakeClock,
    state: str,
    message: bytes,
) -> None:
    """Trap 4."""
    await serve(broker, clock)
    if state == "pending":
        go.enqueue("g1", clock.now())
    else:
        go.schedule("g1", int(clock.now()) + 60)
        redis_store.do("RENAME", key("scheduled"), key(state))
    redis_store.do("HSET", HASH + "g1", "msg", message, "state", state)

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "undecodable")
    assert f"{state} jobs whose message cannot be read: 1 of 1" in finding.what
    [done] = await mended(broker)
    assert done.what.endswith("archived: 1")
    [job] = await broker.find("default", State.ARCHIVED)
    assert (job.id, job.task) == ("g1", "undecodable")
    assert job.error
    stored = TaskMessage.FromString(redis_store.do("HGET", HASH + "g1", "msg"))
    assert stored.payload == (message or b"")


async def test_an_unreadable_message_in_dead_hands_can_be_recovered_by_go_again(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    """Trap 4: until then asynq's recoverer stops at it, for all queues."""
    go.enqueue("g1", clock.now())
    go.dequeue(clock.now())
    redis_store.do("HSET", HASH + "g1", "msg", b"\x0a\x02\xff\xfe")
    await serve(broker, clock)

    finding = await only(broker)
    held = await broker.mend([finding])
    clock.advance(61)
    await serve(broker, clock)
    [done] = await mended(broker)

    assert "Go servers recover no job at all" in finding.what
    assert held == []
    assert done.code == "undecodable"
    stored = TaskMessage.FromString(redis_store.do("HGET", HASH + "g1", "msg"))
    assert (stored.type, stored.retry, stored.retried) == ("undecodable", 0, 0)
    assert redis_store.do("LRANGE", key("active"), 0, -1) == [b"g1"]


@pytest.mark.parametrize(
    "error", ['handler not found for task "demo"', "No task named 'demo' is registered here"]
)
async def test_jobs_that_no_worker_knew(
    broker: RedisBroker, go: GoPeer, redis_store: RedisStore, clock: FakeClock, error: str
) -> None:
    await serve(broker, clock)
    go.schedule("g1", int(clock.now()), error_msg=error)
    redis_store.do("RENAME", key("scheduled"), key("archived"))
    redis_store.do("HSET", HASH + "g1", "state", "archived")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (WARNING, "unknown-task")
    assert "no worker knew the task 'demo'" in finding.what


@pytest.mark.parametrize(("number", "severity"), [(4500, WARNING), (8100, ERROR)])
async def test_an_archive_that_asynq_cannot_trim_any_more(
    broker: RedisBroker,
    redis_store: RedisStore,
    go: GoPeer,
    clock: FakeClock,
    number: int,
    severity: Severity,
) -> None:
    """Trap 6."""
    await serve(broker, clock)
    _archive(redis_store, number, int(clock.now()) - 91 * DAY)

    finding = await only(broker)

    assert (finding.severity, finding.code) == (severity, "archive-overdue")
    assert f"to be deleted: {number:,};" in finding.what
    [done] = await mended(broker)
    assert done.what == f"jobs that were kept long enough deleted: {number:,}"
    assert redis_store.do("KEYS", HASH + "*") == []


def _archive(store: RedisStore, number: int, second: int) -> None:
    message = TaskMessage(type="demo", id="old1", queue="default").SerializeToString()
    store.do(
        "EVAL",
        """for n = 1, tonumber(ARGV[4]) do
             redis.call('ZADD', KEYS[1], ARGV[1], 'old' .. n)
             local message = string.gsub(ARGV[3], 'old1', 'old' .. n)
             message = string.gsub(message, '\\26.', '\\26' .. string.char(#('old' .. n)), 1)
             redis.call('HSET', ARGV[2] .. 'old' .. n, 'msg', message, 'state', 'archived')
           end""",
        1,
        key("archived"),
        second,
        HASH,
        message,
        number,
    )


# Queues, groups, locks


async def test_a_queue_that_is_in_use_and_not_listed(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    """Trap 16: Go clients list a queue once, even if it is removed after that."""
    await serve(broker, clock)
    await broker.enqueue([a_job("j1")])
    redis_store.do("DEL", "asynq:queues")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (WARNING, "unlisted-queue")
    [done] = await mended(broker)
    assert done.what == "listed among the queues again"
    assert await broker.queues() == ["default"]


async def test_what_a_removed_queue_has_left(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    """Trap 24."""
    await serve(broker, clock)
    await broker.enqueue([a_job("j1", retention=60.0)])
    [claim] = await broker.claim(["default"], limit=1, lease=9, worker="w")
    await broker.settle([decide(claim, Succeeded(b"1"), Retry(), clock.now())])
    redis_store.do("SREM", "asynq:queues", "default")

    finding = await only(broker)

    assert (finding.severity, finding.code, finding.fixable) == (WARNING, "leftovers", False)
    assert "1 completed" in finding.what
    redis_store.do("SADD", "asynq:queues", "default")
    assert await broker.remove("default", force=True)
    assert await examined(broker) == []


async def test_a_queue_whose_schedules_have_not_fired_yet_is_well(broker: RedisBroker) -> None:
    await broker.last_ticks("default", ["nightly"], first=1.9e9)

    assert await examined(broker) == []


async def test_a_name_with_braces(broker: RedisBroker, redis_store: RedisStore) -> None:
    """Trap 21."""
    redis_store.do("SADD", "asynq:queues", "a}b")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "queue-name")
    assert "braces" in finding.what


async def test_a_group_that_nobody_looks_at(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    """Trap 10: asynq's reclaim puts jobs back and forgets the group's name."""
    await serve(broker, clock)
    fields = ("msg", go.message("g1").SerializeToString(), "group", "a:b")
    redis_store.do("HSET", HASH + "g1", "state", "aggregating", *fields)
    redis_store.do("ZADD", key("g:a:b"), int(clock.now()), "g1")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "lost-group")
    assert "'a:b'" in finding.what
    [done] = await mended(broker)
    assert done.what == "groups listed again: 1"
    assert redis_store.do("SMEMBERS", key("groups")) == {b"a:b"}


async def test_an_aggregation_that_never_ended(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    await serve(broker, clock)
    fields = ("msg", go.message("g1").SerializeToString(), "group", "g")
    redis_store.do("HSET", HASH + "g1", "state", "aggregating", *fields)
    redis_store.do("ZADD", key("g:g:7c1f"), int(clock.now()), "g1")
    redis_store.do("ZADD", key("aggregation_sets"), int(clock.now()) - 61, key("g:g:7c1f"))

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "aggregation-overdue")


async def test_locks_of_jobs_that_are_gone_and_locks_without_an_end(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    await serve(broker, clock)
    await broker.enqueue([a_job("j1")._replace(unique="demo:1", unique_for=60.0)])
    redis_store.do("SET", key("unique:demo:2"), "gone", "EX", 60)
    redis_store.do("SET", key("unique:demo:3"), "j1")

    found = {each.code: each for each in await examined(broker)}

    assert found.keys() == {"orphaned-lock", "endless-lock"}
    assert ": 1; the first is" in found["orphaned-lock"].what
    assert key("unique:demo:2") in found["orphaned-lock"].remedy
    assert ": 1; the first is" in found["endless-lock"].what
    assert key("unique:demo:3") in found["endless-lock"].remedy


# Much, and strange


async def test_what_was_not_looked_at_is_told(
    broker: RedisBroker,
    redis_store: RedisStore,
    go: GoPeer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit, "MOST_JOBS", 1000)
    await serve(broker, clock)
    await broker.enqueue([a_job("j1")])
    redis_store.do("LPUSH", key("pending"), *(f"ghost{n}" for n in range(1600)))

    found = {each.code: each for each in await examined(broker)}

    assert "at least 999 (of the first 1,000)" in found["ids-without-job"].what
    assert "none was searched for" in found["not-looked-at"].what


async def test_many_ids_of_all_kinds_are_mended_in_several_calls(
    broker: RedisBroker,
    redis_store: RedisStore,
    go: GoPeer,
    clock: FakeClock,
) -> None:
    await serve(broker, clock)
    await broker.enqueue([a_job(f"j{n}") for n in range(1200)])
    for n in range(0, 1200, 3):
        redis_store.do("DEL", HASH + f"j{n}")
    assert _batches.CHUNK < 1200

    [done] = await mended(broker)

    assert done.what == "ids without a job dropped: 400"
    left = [
        claim.job.id for claim in await broker.claim(["default"], limit=2000, lease=9, worker="w")
    ]
    assert left == [f"j{n}" for n in range(1200) if n % 3]


async def test_many_stray_jobs_among_many_that_are_not(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await serve(broker, clock)
    await broker.enqueue([a_job(f"j{n}") for n in range(3000)])
    redis_store.do("LTRIM", key("pending"), 700, -1)

    finding = await only(broker)

    assert ": 700 of 3,000;" in finding.what
    await mended(broker)
    counts = await broker.counts("default")
    assert (counts[State.PENDING], counts[State.ARCHIVED]) == (2300, 700)


async def test_keys_of_a_wrong_type_hide_only_their_queue(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await serve(broker, clock, default=1, mail=1)
    redis_store.do("SADD", "asynq:queues", "default", "mail")
    redis_store.do("SET", key("scheduled"), "x")
    redis_store.do("LPUSH", key("pending", "mail"), "ghost")

    found = {each.code: each for each in await examined(broker)}

    assert found["not-looked-at"].subject == "queue default"
    assert "WRONGTYPE" in found["not-looked-at"].what
    assert found["ids-without-job"].queue == "mail"


async def test_what_workers_do_meanwhile_is_no_finding(
    broker: RedisBroker, clock: FakeClock
) -> None:
    await serve(broker, clock)
    await broker.enqueue([a_job(f"j{n}", retention=n % 2 * 60.0) for n in range(2000)])

    async def work() -> None:
        while claims := await broker.claim(["default"], limit=20, lease=30, worker="h:1:w"):
            await broker.settle([decide(c, Succeeded(), Retry(), clock.now()) for c in claims])
            await broker.enqueue([a_job(f"{claims[0].job.id}x", due=clock.now() + 60)])

    working = asyncio.create_task(work())
    found: list[Finding] = []
    while not working.done():
        found += await examined(broker)
    await working

    assert found == []


async def test_the_queues_of_a_cluster_are_looked_at_and_mended(clock: FakeClock) -> None:
    with RedisCluster() as cluster:
        broker = RedisBroker(cluster.url, clock)
        queues = [f"q{n}" for n in range(6)]
        for queue in queues:
            node = cluster.node_of(key("pending", queue))
            cluster.do(node, "LPUSH", key("pending", queue), "ghost")
        owners = {cluster.node_of(key("pending", queue)).port for queue in queues}
        await serve(broker, clock, **dict.fromkeys(queues, 1))

        found = await examined(broker)
        done = await broker.mend(found)
        after = await examined(broker)
        await broker.close()

    assert len(owners) > 1
    ghosts = sorted(each.queue for each in found if each.code == "ids-without-job")
    assert ghosts == queues
    assert len([each for each in done if each.code == "ids-without-job"]) == 6
    assert {each.code for each in after} <= {"leftovers"}


async def test_a_master_in_need_of_memory_is_still_looked_at(clock: FakeClock) -> None:
    with RedisServer("--maxmemory", "1") as server:
        broker = RedisBroker(server.url, clock)
        found = await broker.examine()
        await broker.close()

    assert "memory" in {each.code for each in found}
