"""The test vectors of the protocol's section 18; Go's asynq reads and writes the same bytes."""

import pytest

from atode.broker.redis.keys import unique_key
from atode.broker.redis.wire import (
    NEVER,
    DecodeError,
    SchedulerEnqueueEvent,
    SchedulerEntry,
    ServerInfo,
    TaskMessage,
    Timestamp,
    WorkerInfo,
    instant_of,
    set_instant,
)

ID = "00000000-0000-4000-8000-000000000001"
UNIQUE = "asynq:{default}:unique:email:welcome:1181f89307fa271072c095747d5813cc"
PAYLOAD = b'{"user_id":42}'

FRESH = (
    "0a0d656d61696c3a77656c636f6d65120e7b22757365725f6964223a34327d1a2430303030303030302d30303030"
    "2d343030302d383030302d303030303030303030303031220764656661756c74281940880e"
)
FULL = (
    "0a0d656d61696c3a77656c636f6d65120e7b22757365725f6964223a34327d1a2430303030303030302d30303030"
    "2d343030302d383030302d303030303030303030303031220764656661756c74281930033a04626f6f6d40880e48"
    "80a4a7da0652456173796e713a7b64656661756c747d3a756e697175653a656d61696c3a77656c636f6d653a3131"
    "383166383933303766613237313037326330393537343764353831336363"
    "5880e2cfaa066080a30568e4e2cfaa06720267317a0c0a0574726163651203616263"
)
SERVER = (
    "0a0268311092211a03732d31200a2a0b0a0764656661756c7410013a0661637469766542090880e2cfaa0610f403"
    "4801"
)
WORKER = (
    "0a0268311092211a03732d31222430303030303030302d303030302d343030302d383030302d3030303030303030"
    "303030312a0d656d61696c3a77656c636f6d6532027b7d3a0764656661756c7442060880e2cfaa064a060888f0cf"
    "aa06"
)
ENTRY = (
    "0a03652d31120a406576657279203330731a047469636b2a0c517565756528226c6f7722292a0b4d617852657472"
    "792833293206089ee2cfaa063a0b088092b8c398feffffff01"
)
EVENT = (
    "0a2430303030303030302d303030302d343030302d383030302d3030303030303030303030311206089ee2cfaa06"
)

VECTORS = {
    "a fresh task": (
        TaskMessage(
            type="email:welcome",
            payload=PAYLOAD,
            id=ID,
            queue="default",
            retry=25,
            timeout=1800,
        ),
        FRESH,
    ),
    "a task with everything": (
        TaskMessage(
            type="email:welcome",
            payload=PAYLOAD,
            id=ID,
            queue="default",
            retry=25,
            retried=3,
            error_msg="boom",
            timeout=1800,
            deadline=1_800_000_000,
            unique_key=UNIQUE,
            last_failed_at=1_700_000_000,
            retention=86_400,
            completed_at=1_700_000_100,
            group_key="g1",
            headers={"trace": "abc"},
        ),
        FULL,
    ),
    "a server": (
        ServerInfo(
            host="h1",
            pid=4242,
            server_id="s-1",
            concurrency=10,
            queues={"default": 1},
            status="active",
            start_time=Timestamp(seconds=1_700_000_000, nanos=500),
            active_worker_count=1,
        ),
        SERVER,
    ),
    "a running job": (
        WorkerInfo(
            host="h1",
            pid=4242,
            server_id="s-1",
            task_id=ID,
            task_type="email:welcome",
            task_payload=b"{}",
            queue="default",
            start_time=Timestamp(seconds=1_700_000_000),
            deadline=Timestamp(seconds=1_700_001_800),
        ),
        WORKER,
    ),
    "a schedule that never ran": (
        SchedulerEntry(
            id="e-1",
            spec="@every 30s",
            task_type="tick",
            enqueue_options=['Queue("low")', "MaxRetry(3)"],
            next_enqueue_time=Timestamp(seconds=1_700_000_030),
            prev_enqueue_time=Timestamp(seconds=NEVER),
        ),
        ENTRY,
    ),
    "a tick": (
        SchedulerEnqueueEvent(task_id=ID, enqueue_time=Timestamp(seconds=1_700_000_030)),
        EVENT,
    ),
}
Message = TaskMessage | ServerInfo | WorkerInfo | SchedulerEntry | SchedulerEnqueueEvent


@pytest.mark.parametrize(("message", "encoded"), VECTORS.values(), ids=VECTORS.keys())
def test_a_message_is_written_as_go_writes_it(message: Message, encoded: str) -> None:
    assert message.SerializeToString().hex() == encoded


@pytest.mark.parametrize(("message", "encoded"), VECTORS.values(), ids=VECTORS.keys())
def test_what_go_writes_is_read(message: Message, encoded: str) -> None:
    assert type(message).FromString(bytes.fromhex(encoded)) == message


def test_fields_that_nobody_knows_survive_being_read_and_written() -> None:
    # Field 99, a string "new", as a later version of asynq may write it.
    unknown = bytes.fromhex("9a06036e6577")

    message = TaskMessage.FromString(bytes.fromhex(FRESH) + unknown)
    message.retried = 1

    assert unknown in message.SerializeToString()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"\x0a\x05ab", id="cut off"),
        pytest.param(b"\x0a\x02\xff\xfe", id="not UTF-8"),
        pytest.param(b'{"type":"demo"}', id="JSON"),
    ],
)
def test_what_is_no_message_is_an_error(broken: bytes) -> None:
    with pytest.raises(DecodeError):
        TaskMessage.FromString(broken)


def test_the_unique_key_is_the_one_that_go_derives() -> None:
    assert unique_key("default", "email:welcome", PAYLOAD) == UNIQUE


def test_no_payload_and_an_empty_one_have_different_unique_keys() -> None:
    assert unique_key("q", "t", None) == "asynq:{q}:unique:t:"
    assert unique_key("q", "t", b"") == "asynq:{q}:unique:t:d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize("instant", [1_900_000_000.0, 1_900_000_000.123456, 0.5, 1.0])
def test_an_instant_comes_back_as_it_was(instant: float) -> None:
    field = Timestamp()

    set_instant(field, instant)

    assert instant_of(field) == instant


def test_no_instant_is_written_as_gos_never() -> None:
    field = Timestamp()

    set_instant(field, 0.0)

    assert field.SerializeToString().hex() == "088092b8c398feffffff01"
    assert instant_of(field) == 0.0


def test_the_very_start_of_unix_time_is_still_written() -> None:
    # Old readers drop a whole record whose Timestamp is absent.
    info = ServerInfo()

    set_instant(info.start_time, 1e-10)

    assert info.SerializeToString().hex() == "4200"
