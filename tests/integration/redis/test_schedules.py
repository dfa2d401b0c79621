"""What schedulers show and tick, key by key as asynq's tools read it (protocol, section 12)."""

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.keys import unique_key
from atode.errors import BrokerRefused
from atode.job import State, fingerprint
from atode.schedule import Definition, Definitions, Entry, EntryOptions, Fired, Tick, Ticked
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import NOW_NS, START, a_job, a_message, stored
from tests.servers.redis_store import RedisStore

# The vectors of the protocol's section 18.
ENTRY = bytes.fromhex(
    "0a03652d31120a406576657279203330731a047469636b2a0c517565756528226c6f7722292a0b4d61785265"
    "747279283329"
    "3206089ee2cfaa063a0b088092b8c398feffffff01"
)
EVENT = bytes.fromhex(
    "0a2430303030303030302d303030302d343030302d383030302d3030303030303030303030311206089ee2cfaa06"
)
JOB_ID = "00000000-0000-4000-8000-000000000001"

SCHEDULER = "asynq:schedulers:{h1:4242:s-1}"
HISTORY = "asynq:scheduler_history:nightly"
TICKS = "asynq:{mail}:ticks"
TICKED = "asynq:{mail}:ticked"
DEFINITIONS = "asynq:atode:definitions"
DAYS_400 = 400 * 86_400


def a_tick(at: float = START, schedule: str = "nightly") -> Tick:
    return Tick(schedule, at, a_job())


# Entries


async def test_entries_are_asynqs_byte_for_byte_and_in_order(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    options = EntryOptions("low", max_retry=3)
    entries = [
        Entry("e-1", "@every 30s", "tick", options=options, next=1_700_000_030.0),
        Entry("e-2", "@daily", "tick", b"{}", next=1_700_000_031.5, prev=1.0),
    ]

    await broker.show("h1:4242:s-1", entries, lifetime=20)

    first, _ = redis_store.do("LRANGE", SCHEDULER, 0, -1)
    left = redis_store.expiring()
    assert first == ENTRY
    assert redis_store.dump()["asynq:schedulers"] == {SCHEDULER: START + 20}
    assert set(left) == {SCHEDULER}
    assert 18 <= left[SCHEDULER] <= 20
    assert list(await broker.entries()) == entries


async def test_hiding_leaves_nothing_but_the_history(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.show("h1:4242:s-1", [Entry("nightly", "@daily", "tick")], lifetime=20)
    await broker.tick([a_tick()], worker="w1")

    await broker.hide("h1:4242:s-1")

    assert [name for name in redis_store.dump_names() if "scheduler" in name] == [HISTORY]


async def test_entries_of_schedulers_that_died_are_forgotten(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.show("h1:4242:s-1", [Entry("nightly", "@daily", "tick")], lifetime=20)
    clock.advance(30)

    assert list(await broker.entries()) == []
    assert redis_store.do("EXISTS", "asynq:schedulers") == 0


async def test_an_entry_that_nobody_can_read_spoils_no_other(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.show("h1:4242:s-1", [Entry("nightly", "@daily", "tick")], lifetime=20)
    redis_store.do("LPUSH", SCHEDULER, b"\xff\xff")

    assert [entry.id for entry in await broker.entries()] == ["nightly"]


async def test_text_that_is_no_utf8_is_shown_in_a_form_that_go_can_read(
    broker: RedisBroker,
) -> None:
    broken = Entry("a\udcff", "@daily\udcff", "t\udcff", options=EntryOptions("q\udcff"))

    await broker.show("h1:4242:s-1", [broken], lifetime=20)

    assert list(await broker.entries()) == [
        Entry("a?", "@daily?", "t?", options=EntryOptions("q?"))
    ]


# Ticks


async def test_a_tick_is_an_ordinary_job_a_record_and_an_event(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    assert await broker.tick([a_tick(START)], worker="w 1") == [Ticked.STORED]

    found = redis_store.dump()
    del found[HISTORY]
    assert found == stored(
        pending=["j1"],
        job={"msg": a_message(), "state": "pending", "pending_since": NOW_NS},
        ticks={"nightly": f"{START} stored {START}.25 w 1"},
        ticked={"nightly": "j1"},
    )


async def test_the_event_is_asynqs_byte_for_byte(redis_url: str, redis_store: RedisStore) -> None:
    broker = RedisBroker(redis_url, FakeClock(1_700_000_030.0))
    job = a_job()._replace(id=JOB_ID)

    await broker.tick([Tick("nightly", 1_700_000_000.0, job)], worker="w1")

    assert redis_store.do("ZRANGE", HISTORY, 0, -1) == [EVENT]
    assert redis_store.do("ZSCORE", HISTORY, EVENT) == 1_700_000_030
    left = redis_store.expiring()
    assert set(left) == {HISTORY}
    assert DAYS_400 - 10 <= left[HISTORY] <= DAYS_400
    assert list(await broker.fired("nightly")) == [Fired(JOB_ID, 1_700_000_030.0)]
    await broker.close()


async def test_a_unique_job_of_a_tick_takes_asynqs_lock(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    lock = unique_key("mail", "mail:send", b'{"n":1}')
    job = a_job(unique=fingerprint("mail:send", b'{"n":1}'), unique_for=60.0)

    await broker.tick([Tick("nightly", START, job)], worker="w1")

    assert redis_store.dump()[lock] == "j1"
    assert redis_store.fields("mail", "j1")["unique_key"] == lock
    assert 58 <= redis_store.expiring()[lock] <= 60


async def test_a_tick_for_later_has_a_whole_score_and_its_exact_instant(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    job = a_job(state=State.SCHEDULED, due=START + 9.5)

    await broker.tick([Tick("nightly", START, job)], worker="w1")

    found = redis_store.dump()
    assert found["asynq:{mail}:scheduled"] == {"j1": START + 10}
    assert redis_store.fields("mail", "j1") == {
        "msg": a_message(),
        "state": "scheduled",
        "due": f"{START + 9}.5",
    }


async def test_a_tick_that_is_late_or_refused_writes_no_job_and_no_event(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job()])
    before = redis_store.dump()

    assert await broker.tick([a_tick()], worker="w1") == [Ticked.REFUSED]
    assert await broker.tick([a_tick()], worker="w2") == [Ticked.LATE]

    record = {"nightly": f"{START} refused {START}.25 w1"}
    assert redis_store.dump() == before | {TICKS: record}


@pytest.mark.parametrize("key", [TICKS, TICKED, "asynq:{mail}:pending", "asynq:{mail}:scheduled"])
async def test_a_key_of_a_wrong_type_is_refused_before_anything_is_written(
    broker: RedisBroker, redis_store: RedisStore, key: str
) -> None:
    redis_store.do("SET", key, "x")

    with pytest.raises(BrokerRefused, match="WRONGTYPE"):
        await broker.tick([a_tick()], worker="w1")

    assert redis_store.dump() == {"asynq:queues": {"mail"}, key: "x"}


async def test_a_history_that_cannot_be_written_does_not_keep_the_job_from_being_stored(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("SET", HISTORY, "x")

    assert await broker.tick([a_tick()], worker="w1") == [Ticked.STORED]
    assert (await broker.counts("mail"))[State.PENDING] == 1


@pytest.mark.parametrize("text", ["", "x", "x stored 1.0 w1", "1.0"])
async def test_a_record_that_makes_no_sense_counts_as_none(
    broker: RedisBroker, redis_store: RedisStore, text: str
) -> None:
    redis_store.do("HSET", TICKS, "nightly", text)

    assert await broker.tick([a_tick()], worker="w1") == [Ticked.STORED]


async def test_an_event_that_nobody_can_read_is_left_out(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.tick([a_tick()], worker="w1")
    redis_store.do("ZADD", HISTORY, START + 9, b"\xff\xff")

    assert [one.job_id for one in await broker.fired("nightly")] == ["j1"]


async def test_a_server_that_has_forgotten_the_script_makes_up_for_ticks_in_their_order(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    ticks = [Tick("nightly", START + n, a_job()._replace(id=f"j{n}")) for n in range(3)]
    redis_store.do("SCRIPT", "FLUSH")

    assert list(await broker.tick(ticks, worker="w1")) == [Ticked.STORED] * 3
    assert redis_store.dump()["asynq:{mail}:pending"] == ["j2", "j1", "j0"]


async def test_removing_a_queue_removes_the_record_of_its_ticks(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.tick([a_tick()], worker="w1")

    assert await broker.remove("mail", force=True)

    assert redis_store.dump_names() == [HISTORY]


# Definitions


async def test_definitions_are_one_private_hash(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.define("nightly", '{"a": 1}', version=0)
    await broker.define("weekly", "text", version=0)
    await broker.undefine("weekly", version=2)

    assert redis_store.dump() == {DEFINITIONS: {"": "3", "nightly": '1 {"a": 1}'}}


@pytest.mark.parametrize("value", ["", "x", "body without version", b"\xff 1"])
async def test_a_definition_that_makes_no_sense_can_be_replaced(
    broker: RedisBroker, redis_store: RedisStore, value: str | bytes
) -> None:
    redis_store.do("HSET", DEFINITIONS, "nightly", value, "", "many")

    found = await broker.definitions()
    assert found
    assert [each.version for each in found.found] == [0]
    assert await broker.define("nightly", "body", version=0) == 1
    assert await broker.definitions() == Definitions(1, [Definition("nightly", 1, "body")])


async def test_who_does_not_hear_of_a_change_sees_it_when_he_looks(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.wait_defined(0, until=0)
    redis_store.do("HSET", DEFINITIONS, "", "1", "nightly", "1 body")

    assert await broker.definitions(since=0) == Definitions(1, [Definition("nightly", 1, "body")])
