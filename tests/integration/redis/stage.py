"""The queue `mail` in Redis with its job `j1`, and what its keys should hold."""

from typing import Any

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.wire import TaskMessage
from atode.job import Claim, Job
from atode.outcome import Outcome, decide
from atode.retry import Retry, fixed
from atode.testing.clock import FakeClock

START = 1_900_000_000  # where the fake clock starts; the tests run a quarter of a second later
NOW_NS = "1900000000250000000"
DAY = "2030-03-17"
LEASE = 1_900_000_030.2505  # 30 seconds from then, with the mark of ours
FIRST_LEASE = 1_900_000_030.2507  # the same for a claim that has not been extended
WORKER = "h1:4242:s-1"
JOB = "asynq:{mail}:t:j1"


def a_job(**fields: Any) -> Job:
    job = Job(id="j1", task="mail:send", queue="mail", payload=b'{"n":1}', max_retry=3)
    return job._replace(timeout=30.0, headers={"trace": "abc"}, **fields)


def a_message(**fields: object) -> TaskMessage:
    return TaskMessage(
        **{
            "type": "mail:send",
            "payload": b'{"n":1}',
            "id": "j1",
            "queue": "mail",
            "retry": 3,
            "timeout": 30,
            "headers": {"trace": "abc"},
        }
        | fields
    )


async def claimed(broker: RedisBroker, **fields: Any) -> Claim:
    await broker.enqueue([a_job(**fields)])
    [claim] = await broker.claim(["mail"], limit=9, lease=30, worker=WORKER)
    return claim


async def end(broker: RedisBroker, claim: Claim, outcome: Outcome, clock: FakeClock) -> None:
    settlement = decide(claim, outcome, Retry(3, fixed(60.5)), clock.now())
    assert await broker.settle([settlement]) == []


def counters(processed: int, failed: int = 0) -> dict[str, object]:
    found: dict[str, object] = {
        "asynq:{mail}:processed": str(processed),
        f"asynq:{{mail}}:processed:{DAY}": str(processed),
    }
    if failed:
        found["asynq:{mail}:failed"] = str(failed)
        found[f"asynq:{{mail}}:failed:{DAY}"] = str(failed)
    return found


def stored(**keys: object) -> dict[str, object]:
    """The whole database: the queue's containers, and job `j1` under `job`."""
    found: dict[str, object] = {"asynq:queues": {"mail"}}
    for name, content in keys.items():
        found[JOB if name == "job" else f"asynq:{{mail}}:{name}"] = content
    return found
