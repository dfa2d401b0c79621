"""The table as people see it: their statements as they stand, and what is in each column."""

import asyncio
import json

import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Refused
from atode.job import State, new_id
from atode.outcome import Crashed, Failed, Snoozed, Succeeded, released
from atode.testing.clock import FakeClock
from atode.testing.jobs import LEASE, a_job, end, ids, take
from tests.integration.postgres.connections import connect
from tests.integration.postgres.stage import Ask

FAILED = """SELECT type, COUNT(*) as failed_count FROM jobs WHERE status = 'failed'
AND created_at >= NOW() - INTERVAL '24 hours' GROUP BY type;"""
PENDING = """SELECT type, COUNT(*) as pending_count FROM jobs WHERE status = 'pending'
GROUP BY type ORDER BY pending_count DESC;"""
STUCK = """SELECT id, type, started_at FROM jobs WHERE status = 'processing'
AND started_at < NOW() - INTERVAL '1 hour';"""


async def test_operators_count_failed_jobs_of_the_last_day(
    broker: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    await broker.enqueue([a_job(max_retry=0) for _ in range(3)])
    for claim in await take(broker, limit=2):
        await end(broker, claim, Failed("no"), clock)

    assert ask(FAILED) == "demo|2"
    ask("UPDATE jobs SET created_at = created_at - INTERVAL '25 hours'")
    assert ask(FAILED) == ""


async def test_operators_count_pending_jobs_whatever_they_wait_for(
    broker: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    await broker.enqueue([a_job()._replace(task="mail") for _ in range(2)])
    await broker.enqueue([a_job(due=4_000_000_000.0), a_job(), a_job(), a_job()])
    fails, snoozes, _ = [c for c in await take(broker) if c.job.task == "demo"]
    await end(broker, fails, Failed("again"), clock)
    await end(broker, snoozes, Snoozed(60), clock)

    # Two mails run, and one of the others does.
    assert ask(PENDING) == "demo|3"
    assert ask(
        "SELECT state, count(*) FROM jobs WHERE status = 'pending' GROUP BY 1 ORDER BY 1"
    ) == ("retry|2\nscheduled|1")


async def test_operators_find_jobs_that_run_for_long(broker: PostgresBroker, ask: Ask) -> None:
    job = a_job(id="0189d6f4-5c3a-7f00-8000-000000000001")
    await broker.enqueue([job])
    await take(broker)

    assert ask(STUCK) == ""
    ask("UPDATE jobs SET started_at = started_at - INTERVAL '2 hours'")
    assert ask(STUCK).startswith(f"{job.id}|demo|")


async def test_every_state_has_its_word(timed: PostgresBroker, clock: FakeClock, ask: Ask) -> None:
    names = ("done", "dead", "again", "runs", "waits")
    await timed.enqueue([a_job(id=name, retention=60) for name in names])
    await timed.enqueue([a_job(id="later", due=clock.now() + 60), a_job(id="member", group="g")])
    claims = {claim.job.id: claim for claim in await take(timed, limit=4)}
    await end(timed, claims["done"], Succeeded(), clock)
    await end(timed, claims["dead"], Failed("x", permanent=True), clock)
    await end(timed, claims["again"], Failed("x"), clock)

    assert ask("SELECT name, status, state FROM jobs ORDER BY name").splitlines() == [
        "again|pending|retry",
        "dead|failed|archived",
        "done|completed|completed",
        "later|pending|scheduled",
        "member|pending|aggregating",
        "runs|processing|active",
        "waits|pending|pending",
    ]


async def test_attempts_count_from_the_first_to_the_last(
    timed: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    attempts = "SELECT status, attempts, max_attempts FROM jobs"
    await timed.enqueue([a_job(max_retry=1)])
    seen = [ask(attempts)]
    for _ in range(2):
        [claim] = await take(timed)
        seen.append(ask(attempts))
        await end(timed, claim, Failed("x"), clock)
        seen.append(ask(attempts))
        clock.advance(60)
        await timed.promote(["default"])

    assert seen == [
        "pending|0|2",
        "processing|1|2",
        "pending|1|2",
        "processing|2|2",
        "failed|2|2",
    ]


async def test_instants_are_in_the_columns_that_are_named_for_them(
    timed: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    start = clock.now()
    await timed.enqueue([a_job(due=start + 10, retention=60)])
    clock.advance(10)
    await timed.promote(["default"])
    clock.advance(1)
    [claim] = await take(timed)
    clock.advance(1)
    await end(timed, claim, Succeeded(), clock)

    columns = ("created_at", "scheduled_at", "started_at", "completed_at", "updated_at")
    epochs = ", ".join(f"date_part('epoch', {column}) - {start}" for column in columns)
    assert ask(f"SELECT {epochs} FROM jobs") == "0|10|11|12|12"


async def test_arguments_can_be_asked_for_and_come_back_byte_for_byte(
    broker: PostgresBroker, ask: Ask
) -> None:
    payload = b'{"user": 7,"b":1.0,"a":[1e2,"\xe3\x81\x82"]}'
    await broker.enqueue([a_job(payload=payload)])

    assert ask("SELECT payload->>'user', payload->'a'->>1 FROM jobs") == "7|あ"
    [claim] = await take(broker)
    assert claim.job.payload == payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00\xff\xfe",
        b"{not json",
        b'{"a":"\\u0000"}',
        b'{"a":"\\ud800"}',
        b'{"a":NaN}',
        b'{"a":1e999999}',
        b'{"a":1e-20000}',
        b'{"a":0.' + b"1" * 20_000 + b"}",
        b'{"a":' + b"9" * 10_000 + b"}",
        b"[" * 3000 + b"]" * 3000,
        b"\xef\xbb\xbf{}",
    ],
    ids=range(12),
)
async def test_what_postgresql_cannot_read_as_json_is_stored_all_the_same(
    broker: PostgresBroker, ask: Ask, payload: bytes
) -> None:
    await broker.enqueue([a_job(id="odd", payload=payload), a_job(id="fine", payload=b'{"n":1}')])

    assert ask("SELECT name FROM jobs WHERE payload IS NOT NULL") == "fine"
    assert [claim.job.payload for claim in await take(broker)] == [payload, b'{"n":1}']


async def test_texts_that_look_like_huge_numbers_are_json(broker: PostgresBroker, ask: Ask) -> None:
    digest = json.dumps({"sha": "1e999999aa", "n": 1e22}).encode()

    await broker.enqueue([a_job(payload=digest)])

    assert ask("SELECT payload->>'sha' FROM jobs") == "1e999999aa"


@pytest.mark.parametrize(
    "job_id",
    [
        "0189d6f4-5c3a-7f00-8000-000000000001",
        "0189D6F4-5C3A-7F00-8000-000000000001",
        "order:17",
        "あ",
        "a\0b\\0c\\",
        "x" * 200,
    ],
)
async def test_ids_of_any_kind_come_back(broker: PostgresBroker, job_id: str) -> None:
    await broker.enqueue([a_job(id=job_id)])
    refused = await broker.enqueue([a_job(id=job_id)])
    found = await broker.get("default", job_id)
    [claim] = await take(broker)

    assert ids(refused) == [job_id]
    assert found is not None
    assert found.id == claim.job.id == job_id


async def test_the_largest_number_of_retries_can_be_stored(
    broker: PostgresBroker, ask: Ask
) -> None:
    await broker.enqueue([a_job(max_retry=2**31 - 1)])

    assert ask("SELECT max_attempts FROM jobs") == str(2**31)


async def test_a_crash_shows_as_a_pending_job_with_its_error(
    timed: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    await timed.enqueue([a_job(id="victim")])
    await take(timed)
    clock.advance(LEASE + 1)
    [claim] = await timed.reap(["default"], limit=1, lease=LEASE, worker="w2")
    await end(timed, claim, Crashed(), clock)

    assert ask("SELECT status, attempts, left(error, 13), worker IS NULL FROM jobs") == (
        "pending|1|lease expired|t"
    )


async def test_broken_headers_do_not_block_a_queue(broker: PostgresBroker, ask: Ask) -> None:
    await broker.enqueue([a_job(id="broken"), a_job(id="whole")])
    ask("UPDATE jobs SET headers = '{' WHERE name = 'broken'")

    broken, whole = await take(broker)
    found = await broker.get("default", "broken")

    assert "not JSON" in broken.problem
    assert whole.problem == ""
    assert found is not None


async def test_a_claim_of_a_job_that_had_the_same_id_does_not_settle_its_successor(
    broker: PostgresBroker, clock: FakeClock
) -> None:
    await broker.enqueue([a_job(id="same")])
    [old] = await take(broker)
    await end(broker, old, Succeeded(), clock)
    await broker.enqueue([a_job(id="same")])
    [new] = await take(broker)

    assert (old.worker, old.number) == (new.worker, new.number)
    assert ids(await end(broker, old, Succeeded(), clock)) == ["same"]
    assert await end(broker, new, Succeeded(), clock) == []


async def test_what_is_counted_is_added_up_now_and_then(
    broker: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    await broker.enqueue([a_job() for _ in range(5)])
    for claim in await take(broker):
        await end(broker, claim, Succeeded(), clock)
    before = await broker.stats("default")
    assert ask("SELECT count(*) FROM job_tallies") == "5"

    await broker.prune(["default"])

    assert ask("SELECT count(*), sum(succeeded) FROM job_tallies") == "1|5"
    assert await broker.stats("default") == before


async def test_a_job_that_committed_late_with_an_early_number_is_found(
    broker: PostgresBroker, postgres_url: str
) -> None:
    connection = await connect(postgres_url)
    transaction = connection.transaction()
    await transaction.start()
    await broker.enqueue_within(connection, [a_job(id="early")])
    await broker.enqueue([a_job(id="late")])
    assert ids(await take(broker)) == ["late"]

    await transaction.commit()

    await asyncio.wait_for(broker.wait(["default"], at_most=60), 30)
    assert ids(await take(broker)) == ["early"]
    await connection.close()


async def test_claims_find_their_jobs_while_an_old_snapshot_is_held(
    broker: PostgresBroker, clock: FakeClock, postgres_url: str
) -> None:
    connection = await connect(postgres_url)
    seen = 0
    async with connection.transaction(isolation="repeatable_read"):
        await connection.fetchval("SELECT count(*) FROM jobs")
        for _ in range(10):
            await broker.enqueue([a_job() for _ in range(200)])
            for claim in await take(broker):
                seen += 1
                if seen % 10 == 0:
                    await end(broker, claim, Snoozed(0.0), clock)
                else:
                    await end(broker, claim, Succeeded(), clock)
            await broker.promote(["default"])
    await connection.close()

    left = await broker.counts("default")
    assert seen + left[State.PENDING] + left[State.RETRY] >= 2000
    assert left[State.ACTIVE] == 0


async def test_of_many_new_jobs_only_the_one_whose_uuid_is_taken_is_refused(
    broker: PostgresBroker,
) -> None:
    first, second, third = (a_job(id=new_id()) for _ in range(3))
    await broker.enqueue([second])

    refused = await broker.enqueue([first, second, third])

    assert refused == [Refused(second, second.id)]
    assert ids(await take(broker)) == [second.id, first.id, third.id]


async def test_of_two_new_jobs_with_one_uuid_the_second_is_refused(
    broker: PostgresBroker,
) -> None:
    job, twin = a_job(id=(taken := new_id())), a_job(id=taken, payload=b"2")

    refused = await broker.enqueue([job, twin])

    assert [each.job is twin for each in refused] == [True]
    assert [claim.job.payload for claim in await take(broker)] == [job.payload]


async def test_what_came_back_to_its_earlier_place_is_found_behind_a_backlog(
    broker: PostgresBroker, clock: FakeClock
) -> None:
    other = broker.sibling()
    await broker.enqueue([a_job(id=name) for name in ("1", "2", "3")])
    [claim] = await take(other, limit=1)
    await take(broker, limit=1)
    await other.settle([released(claim)])

    # A look from where it took last finds "3" only.
    found = set(ids(await take(broker)))
    while "1" not in found:
        await broker.wait(["default"], at_most=60)
        found |= set(ids(await take(broker)))
    assert found == {"1", "3"}
    await other.close()
