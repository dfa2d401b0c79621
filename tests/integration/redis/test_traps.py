"""The traps of the protocol's section 16 and the improvements of section 17, and their tests.

A test is named by file and function; `test_every_trap_has_its_test` sees that it exists. What is
not tested elsewhere is tested here, on states written as Go leaves them behind.
"""

import ast
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from atode import Atode
from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.wire import TaskMessage
from atode.errors import BadOption, BrokerRefused
from atode.job import Claim, Job
from atode.outcome import Crashed, Failed, Outcome, Released, Snoozed, Succeeded, decide
from atode.retry import Retry, fixed
from atode.testing.clock import FakeClock
from atode.testing.jobs import take
from tests.integration.plain_job import a_job
from tests.servers.redis_store import GoPeer, RedisStore

ROOT = Path(__file__).parents[3]
HERE = "integration/redis/test_traps"
PEERS = "integration/redis/test_peers"
DOCTOR = "integration/redis/test_doctor_jobs"

TRAPS: Mapping[int, Sequence[str]] = {
    1: (
        f"{HERE}::test_a_container_of_a_wrong_type_fails_before_anything_is_written",
        f"{HERE}::test_a_job_that_go_has_half_ended_is_not_settled",
        f"{DOCTOR}::test_a_job_in_no_list",
    ),
    2: (
        f"{PEERS}::test_ids_without_a_job_are_dropped_and_leave_nothing",
        f"{PEERS}::test_a_hash_of_nothing_but_a_state_no_longer_blocks_its_id",
        f"{PEERS}::test_due_ids_without_a_job_are_dropped_and_leave_nothing",
        f"{PEERS}::test_active_ids_without_a_job_are_dropped",
        f"{DOCTOR}::test_ids_without_a_job",
        "integration/redis/test_doctor_server::test_an_eviction_policy_deletes_jobs",
    ),
    3: (
        f"{HERE}::test_no_script_looks_through_a_whole_list_for_one_id",
        "integration/redis/test_active::"
        "test_those_that_ended_leave_and_the_others_keep_their_places",
    ),
    4: (
        f"{HERE}::test_what_is_no_utf8_is_refused_before_anything_is_written",
        f"{PEERS}::test_a_message_that_nobody_can_read_blocks_nobody",
        f"{PEERS}::test_an_id_that_is_not_utf8_can_be_settled_with_its_batch",
        "interop/test_go_clients::test_an_error_text_that_is_no_utf8_can_be_read_by_go",
        f"{DOCTOR}::test_an_unreadable_message_in_dead_hands_can_be_recovered_by_go_again",
    ),
    5: ("integration/redis/test_doctor_server::test_a_server_that_cannot_do_it",),
    6: (
        f"{PEERS}::test_a_huge_old_archive_is_taken_down_with_its_hashes",
        f"{DOCTOR}::test_an_archive_that_asynq_cannot_trim_any_more",
        f"{DOCTOR}::test_a_job_that_is_archived_by_half",
    ),
    7: (
        f"{HERE}::test_go_and_python_stand_in_one_line",
        "integration/redis/test_format::test_requeue",
    ),
    8: (
        f"{HERE}::test_only_leases_have_fractions",
        "interop/test_inspector::test_a_job_in_each_state_is_listed_with_all_it_has",
        f"{DOCTOR}::test_instants_with_a_fraction",
    ),
    9: (
        "integration/redis/test_groups::test_schedule_with_a_group",
        "integration/redis/test_groups::"
        "test_a_scheduled_job_of_a_go_client_with_a_group_runs_alone",
    ),
    10: (
        "integration/redis/test_groups::"
        "test_a_stale_set_goes_back_to_its_group_which_is_known_again",
        "integration/redis/test_groups::test_what_gos_recoverer_gave_back_is_known_again",
        "integration/redis/test_groups::"
        "test_a_member_that_go_ran_alone_does_not_join_again_with_its_retry",
        f"{PEERS}::test_a_grouped_job_goes_back_to_its_group_which_is_known_again",
        "integration/redis/test_operations::test_a_job_that_is_run_alone_has_left_its_group",
        f"{DOCTOR}::test_a_group_that_nobody_looks_at",
    ),
    11: (
        f"{HERE}::test_the_job_of_a_worker_whose_clock_is_behind_is_fenced",
        f"{PEERS}::test_the_job_of_a_dead_go_worker_is_taken_over_after_thirty_more_seconds",
        "integration/redis/test_doctor_server::test_clocks_that_differ",
        "integration/redis/test_doctor_presence::test_a_worker_whose_clock_is_wrong",
    ),
    12: (
        "integration/redis/test_outages::test_an_answer_that_is_lost_does_not_turn_into_a_refusal",
        "integration/redis/test_unique::test_a_call_that_is_sent_twice_knows_its_jobs_and_locks",
        "integration/redis/test_outages::"
        "test_a_worker_gets_the_jobs_of_a_claim_whose_answer_never_came",
    ),
    13: ("faults/test_blocking::*",),
    14: (
        "integration/redis/test_unique::test_no_other_ending_releases_it",
        "integration/redis/test_unique::test_a_lock_that_has_gone_over_to_another_job_stays",
        "integration/redis/test_unique::test_a_refused_job_changes_nothing",
        "unit/test_unique::*",
    ),
    15: (
        f"{HERE}::test_what_we_do_not_know_survives_every_ending",
        f"{HERE}::test_what_we_do_not_know_survives_an_operators_hand",
        "integration/redis/test_operations::test_replace_payload",
        "interop/test_go_clients::test_headers_and_options_of_a_go_program_arrive",
    ),
    16: (
        f"{HERE}::test_a_removed_queue_is_listed_again_with_its_next_job",
        "interop/test_inspector::test_a_queue_that_go_removed_is_there_again_with_the_next_job",
        f"{DOCTOR}::test_a_queue_that_is_in_use_and_not_listed",
    ),
    17: (
        "integration/redis/test_schedules::test_entries_are_asynqs_byte_for_byte_and_in_order",
        "interop/test_schedules::test_what_python_shows_is_read_by_asynqs_inspector",
    ),
    18: (
        f"{HERE}::test_a_result_after_the_end_leaves_nothing",
        f"{DOCTOR}::test_a_hash_that_is_no_job_gives_its_id_free",
    ),
    19: (
        "integration/redis/test_format::test_a_retry_that_is_no_failure_counts_nothing",
        "integration/redis/test_format::test_full_counters_start_again",
        "integration/redis/test_format::test_the_daily_counters_are_those_of_the_day_of_the_end",
        "integration/redis/test_operations::test_archive_a_pending_job",
    ),
    20: (
        f"{HERE}::test_a_job_never_has_neither_timeout_nor_deadline",
        "interop/test_python_clients::test_a_job_without_a_limit_has_ten_years_in_go",
    ),
    21: (
        f"{HERE}::test_a_queue_name_with_braces_is_refused",
        f"{DOCTOR}::test_a_name_with_braces",
    ),
    22: (
        "integration/redis/test_waiting::test_jobs_of_a_paused_queue_do_not_end_a_wait",
        f"{PEERS}::test_a_paused_queue_gives_no_jobs_but_promotes_and_recovers",
    ),
    23: (
        "integration/redis/test_schedules::test_the_event_is_asynqs_byte_for_byte",
        "integration/redis/test_doctor_presence::"
        "test_the_history_of_a_schedule_that_nobody_runs_gets_an_end",
    ),
    24: (
        "integration/redis/test_operations::test_remove_by_force_leaves_nothing",
        "integration/redis/test_operations::test_remove_takes_what_an_empty_queue_has_left",
        f"{DOCTOR}::test_what_a_removed_queue_has_left",
    ),
    25: ("integration/redis/test_operations::test_run_from_the_archive",),
}

IMPROVEMENTS: Mapping[str, Sequence[str]] = {
    "waiting by BLMOVE": (
        "integration/redis/test_waiting::test_a_wait_polls_nothing",
        f"{PEERS}::test_an_enqueue_of_a_go_client_ends_a_wait_at_once",
        "interop/test_go_clients::test_an_idle_worker_starts_the_job_of_a_go_program_at_once",
    ),
    "batches": (f"{HERE}::test_a_batch_has_the_effects_of_its_parts",),
    "precise delays, rounded up": (
        "integration/redis/test_due::test_a_job_comes_at_its_millisecond",
        "integration/redis/test_format::test_a_schedule_within_a_second",
        "interop/test_python_clients::test_go_starts_a_delayed_job_after_its_instant",
    ),
    "orphan repair": (
        f"{PEERS}::test_active_jobs_without_a_lease_are_recovered",
        f"{PEERS}::test_active_ids_without_a_job_are_dropped",
    ),
    "owner": (
        f"{PEERS}::test_a_job_that_a_go_worker_took_over_cannot_be_settled_by_its_first_holder",
        "integration/redis/test_outages::test_the_jobs_of_a_claim_that_is_sent_twice_are_handed_out",
        "integration/redis/test_outages::"
        "test_a_worker_gets_the_jobs_of_a_claim_whose_answer_never_came",
    ),
    "LREM from the tail": (f"{HERE}::test_no_script_looks_through_a_whole_list_for_one_id",),
    "trimming in chunks, with the hashes": (
        f"{PEERS}::test_a_huge_old_archive_is_taken_down_with_its_hashes",
        "integration/redis/test_operations::test_what_the_archive_drops_is_deleted",
    ),
    "group names in forward and reclaim": (
        "integration/redis/test_groups::"
        "test_a_stale_set_goes_back_to_its_group_which_is_known_again",
        f"{PEERS}::test_a_grouped_job_goes_back_to_its_group_which_is_known_again",
    ),
    "histories that end": (
        "integration/redis/test_schedules::test_the_event_is_asynqs_byte_for_byte",
    ),
    "one job of each tick": (
        "integration/redis/test_outages::"
        "test_a_tick_whose_answer_is_lost_is_stored_once_and_still_ours",
    ),
    "guarded results": (f"{HERE}::test_a_result_after_the_end_leaves_nothing",),
    "queues are listed again": (f"{HERE}::test_a_removed_queue_is_listed_again_with_its_next_job",),
}


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"))
    named = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(node.name for node in named if node.name.startswith("test_"))


@pytest.mark.parametrize("where", [*TRAPS, *IMPROVEMENTS])
def test_every_trap_has_its_test(where: int | str) -> None:
    named = TRAPS[where] if isinstance(where, int) else IMPROVEMENTS[where]

    missing = [
        test
        for test in named
        if test.partition("::")[2] not in {"*", *functions_of(test.partition("::")[0])}
    ]

    assert named
    assert not missing


def test_no_trap_is_forgotten() -> None:
    assert TRAPS.keys() == set(range(1, 26))


# Those that are not tested elsewhere


UNKNOWN = bytes.fromhex("9a06036e6577")  # field 99, a string
HASH = "asynq:{default}:t:"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_900_000_000.375)


@pytest.fixture
def go(redis_store: RedisStore) -> GoPeer:
    return GoPeer(redis_store)


def key(name: str) -> str:
    return f"asynq:{{default}}:{name}"


async def end(broker: RedisBroker, claim: Claim, outcome: Outcome, clock: FakeClock) -> bool:
    """Whether it was accepted."""
    return not await broker.settle([decide(claim, outcome, Retry(5, fixed(60)), clock.now())])


Call = Callable[[RedisBroker, Claim], Awaitable[object]]

CALLS: Mapping[str, tuple[Call, Sequence[str]]] = {
    "enqueue": (
        lambda broker, claim: broker.enqueue([a_job("n1"), a_job("n2", due=2e9)]),
        ["pending", "scheduled"],
    ),
    "claim": (lambda broker, claim: take(broker), ["pending", "active", "lease"]),
    "extend": (lambda broker, claim: broker.extend([claim], lease=10), ["lease"]),
    "settle": (
        lambda broker, claim: broker.settle([decide(claim, Failed("x"), Retry(), 1.9e9)]),
        ["active", "lease", "pending", "retry", "archived", "completed"],
    ),
    "promote": (
        lambda broker, claim: broker.promote(["default"]),
        ["scheduled", "retry", "pending", "groups"],
    ),
    "reap": (
        lambda broker, claim: broker.reap(["default"], limit=9, lease=10, worker="w2"),
        ["active", "lease"],
    ),
    "prune": (lambda broker, claim: broker.prune(["default"]), ["completed", "archived"]),
}


@pytest.mark.parametrize(
    ("call", "container"), [(call, name) for call, (_, names) in CALLS.items() for name in names]
)
async def test_a_container_of_a_wrong_type_fails_before_anything_is_written(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, call: str, container: str
) -> None:
    """Trap 1: a script that fails is not rolled back."""
    await broker.enqueue([a_job(f"j{n}") for n in range(3)])
    await broker.enqueue([a_job("due", due=clock.now() + 1), a_job("old")])
    claims = await take(broker, limit=2)
    clock.advance(11)
    redis_store.do("ZADD", key("completed"), 1, "done")
    redis_store.do("HSET", HASH + "done", "msg", "", "state", "completed")
    redis_store.do("DEL", key(container))
    redis_store.do("SET", key(container), "not what it should be")
    before = redis_store.dump()

    with pytest.raises(BrokerRefused, match="WRONGTYPE"):
        await CALLS[call][0](broker, claims[0])

    assert redis_store.dump() == before


@pytest.mark.parametrize("gone", [["lease"], ["lease", "active"], ["lease", "active", "hash"]])
async def test_a_job_that_go_has_half_ended_is_not_settled(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, gone: list[str]
) -> None:
    """Trap 1: asynq's done takes the id out of the list before it finds that the lease is gone."""
    await broker.enqueue([a_job("j1")])
    [claim] = await take(broker)
    if "lease" in gone:
        redis_store.do("ZREM", key("lease"), "j1")
    if "active" in gone:
        redis_store.do("LREM", key("active"), 0, "j1")
    if "hash" in gone:
        redis_store.do("DEL", HASH + "j1")
    before = redis_store.dump()

    for outcome in (Succeeded(), Failed("x"), Snoozed(9), Released()):
        assert not await end(broker, claim, outcome, clock)

    assert redis_store.dump() == before


def test_no_script_looks_through_a_whole_list_for_one_id() -> None:
    """Trap 3: the oldest are at the tail, and the oldest end first."""
    scripts = list((files("atode.broker.redis") / "lua").iterdir())

    counts = [
        found
        for script in scripts
        for found in re.findall(r"'LREM', [^,]+, ([^,]+),", script.read_text("utf-8"))
    ]

    assert counts
    assert all(count.startswith("-") for count in counts)


@pytest.mark.parametrize(
    "broken",
    [
        a_job("x\ud800"),
        a_job("x")._replace(task="\ud800"),
        a_job("x")._replace(headers={"a": "\ud800"}),
        a_job("x")._replace(error="\ud800"),
    ],
)
async def test_what_is_no_utf8_is_refused_before_anything_is_written(
    broker: RedisBroker, redis_store: RedisStore, broken: Job
) -> None:
    """Trap 4: one such message stops the recovery of every Go server on its queue."""
    with pytest.raises(UnicodeEncodeError):
        await broker.enqueue([a_job("j1"), broken])

    assert redis_store.dump() == {}


async def test_go_and_python_stand_in_one_line(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    """Trap 7: in at the head, out at the tail."""
    go.enqueue("g1", clock.now())
    await broker.enqueue([a_job("j1"), a_job("j2")])
    go.enqueue("g2", clock.now())

    [first] = await take(broker, limit=1)
    go.dequeue(clock.now())
    rest = await take(broker)

    assert first.job.id == "g1"
    assert redis_store.do("LRANGE", key("active"), 0, -1) == [b"g2", b"j2", b"j1", b"g1"]
    assert [claim.job.id for claim in rest] == ["j2", "g2"]


async def test_only_leases_have_fractions(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    """Trap 8: asynq's tools show nothing of a page with a fraction on it."""
    await broker.enqueue([a_job("later", due=clock.now() + 9.5)])
    await broker.enqueue([a_job(f"j{n}")._replace(retention=9.5, max_retry=n) for n in range(5)])
    claims = await take(broker)
    outcomes: list[Outcome] = [Failed("x"), Failed("x"), Succeeded(b"1"), Snoozed(1.5), Crashed()]
    for claim, outcome in zip(claims, outcomes, strict=True):
        assert await end(broker, claim, outcome, clock)
    await broker.archive("default", ["j4"])
    clock.advance(0.25)
    await broker.promote(["default"])

    for name in ("scheduled", "retry", "archived", "completed"):
        found = redis_store.do("ZRANGE", key(name), 0, -1, "WITHSCORES")
        assert found
        assert not [score for _, score in found if score % 1]


async def test_the_job_of_a_worker_whose_clock_is_behind_is_fenced(
    redis_url: str, broker: RedisBroker, clock: FakeClock
) -> None:
    """Trap 11: for the others its lease has ended long ago."""
    behind = FakeClock(clock.now() - 60)
    late = RedisBroker(redis_url, behind)
    await late.enqueue([a_job("j1")])
    [claim] = await take(late)

    [taken] = await broker.reap(["default"], limit=9, lease=10, worker="w2")

    assert list(await late.extend([claim], lease=10)) == [claim]
    assert not await end(late, claim, Succeeded(), behind)
    assert await end(broker, taken, Succeeded(), clock)
    await late.close()


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded(b"1"),
        Failed("boom"),
        Failed("boom", permanent=True),
        Snoozed(9),
        Released(),
        Crashed(),
    ],
    ids=lambda outcome: f"{type(outcome).__name__}{getattr(outcome, 'permanent', '')}",
)
async def test_what_we_do_not_know_survives_every_ending(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock, outcome: Outcome
) -> None:
    """Trap 15: a newer asynq's fields, headers, and the fields of others in the hash."""
    known: dict[str, Any] = {
        "retention": 60,
        "unique_key": "lock",
        "group_key": "g",
        "headers": {"a": "b"},
    }
    go.enqueue("g1", clock.now(), **known)
    message = go.message("g1", **known).SerializeToString() + UNKNOWN
    redis_store.do("HSET", HASH + "g1", "msg", message, "theirs", "kept")

    [claim] = await take(broker)
    assert await end(broker, claim, outcome, clock)

    raw = redis_store.do("HGET", HASH + "g1", "msg")
    stored = TaskMessage.FromString(raw)
    assert UNKNOWN in raw
    assert (stored.unique_key, stored.group_key, dict(stored.headers)) == ("lock", "g", {"a": "b"})
    assert redis_store.do("HGET", HASH + "g1", "theirs") == b"kept"


async def test_what_we_do_not_know_survives_an_operators_hand(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    """Trap 15."""
    go.schedule("g1", int(clock.now()) + 60, headers={"a": "b"})
    message = go.message("g1", headers={"a": "b"}).SerializeToString() + UNKNOWN
    redis_store.do("SADD", "asynq:queues", "default")
    redis_store.do("HSET", HASH + "g1", "msg", message, "theirs", "kept")

    assert await broker.replace_payload("default", "g1", b"new")
    assert await broker.archive("default", ["g1"]) == 1
    assert await broker.run("default", ["g1"]) == 1

    raw = redis_store.do("HGET", HASH + "g1", "msg")
    assert UNKNOWN in raw
    assert dict(TaskMessage.FromString(raw).headers) == {"a": "b"}
    assert redis_store.do("HGET", HASH + "g1", "theirs") == b"kept"


async def test_a_removed_queue_is_listed_again_with_its_next_job(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    """Trap 16: Go clients remember that they have listed it."""
    await broker.enqueue([a_job("j1")])
    redis_store.do("SREM", "asynq:queues", "default")

    await broker.enqueue([a_job("j2")])

    assert redis_store.do("SMEMBERS", "asynq:queues") == {b"default"}


async def test_a_result_after_the_end_leaves_nothing(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    """Trap 18: asynq writes it whether the job is there or not, and its id is taken for ever."""
    await broker.enqueue([a_job("j1")._replace(retention=60.0)])
    [claim] = await take(broker)
    # As asynq's done leaves it, from a worker that took the job over.
    redis_store.do("DEL", HASH + "j1", key("active"), key("lease"))
    before = redis_store.dump()

    assert not await end(broker, claim, Succeeded(b"late"), clock)

    assert redis_store.dump() == before
    assert await broker.enqueue([a_job("j1")]) == []


@pytest.mark.parametrize("timeout", [0.0, 0.001, 0.5])
@pytest.mark.parametrize("deadline", [0.0, 0.25, 1_900_000_100.0])
async def test_a_job_never_has_neither_timeout_nor_deadline(
    broker: RedisBroker, redis_store: RedisStore, timeout: float, deadline: float
) -> None:
    """Trap 20: asynq calls that illegal, and turns fractions into none."""
    await broker.enqueue([a_job("j1")._replace(timeout=timeout, deadline=deadline)])

    stored = TaskMessage.FromString(redis_store.do("HGET", HASH + "j1", "msg"))

    assert stored.timeout >= 1 or stored.deadline
    assert not timeout or stored.timeout == 1


@pytest.mark.parametrize("name", ["a{b", "a}b", "{a}"])
def test_a_queue_name_with_braces_is_refused(name: str) -> None:
    """Trap 21: the keys of one queue would be on several nodes of a cluster."""
    jobs = Atode("memory://")

    with pytest.raises(BadOption, match="may not contain braces"):
        jobs.task("demo", queue=name)


async def test_a_batch_has_the_effects_of_its_parts(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    outcomes: list[Outcome] = [Succeeded(b"1"), Succeeded(), Failed("x"), Snoozed(9), Released()]

    async def run(*, at_once: bool) -> dict[str, object]:
        redis_store.do("FLUSHALL")
        jobs = [a_job(f"j{n}")._replace(retention=60.0 * (n % 2)) for n in range(5)]
        if at_once:
            await broker.enqueue(jobs)
            claims = await take(broker)
        else:
            for job in jobs:
                await broker.enqueue([job])
            claims = [(await take(broker, limit=1))[0] for _ in jobs]
        endings = [
            decide(claim, outcome, Retry(5, fixed(60)), clock.now())
            for claim, outcome in zip(claims, outcomes, strict=True)
        ]
        for part in [endings] if at_once else [[each] for each in endings]:
            assert await broker.settle(part) == []
        return redis_store.dump()

    assert await run(at_once=True) == await run(at_once=False)
