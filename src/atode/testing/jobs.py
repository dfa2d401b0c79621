"""Jobs, claims and endings for tests of brokers."""

from collections.abc import Sequence
from itertools import count

from atode.broker.protocol import Broker, Refused
from atode.clock import Clock
from atode.job import Claim, Job, State, fingerprint
from atode.outcome import Outcome, Settlement, decide
from atode.retry import Retry, fixed

LEASE = 10.0
ALL = 1000
POLICY = Retry(5, fixed(60))

_numbers = count(1)


def a_job(
    queue: str = "default",
    *,
    id: str | None = None,
    payload: bytes = b'{"n":1}',
    due: float = 0.0,
    max_retry: int = 3,
    retention: float = 0.0,
    unique_for: float = 0.0,
    group: str = "",
) -> Job:
    """A job of the task `demo`: scheduled if it has a due instant, otherwise a member of its
    group if it has one, otherwise pending."""
    waits = State.AGGREGATING if group else State.PENDING
    return Job(
        id=id or f"job-{next(_numbers):06}",
        task="demo",
        queue=queue,
        payload=payload,
        state=State.SCHEDULED if due else waits,
        due=due,
        max_retry=max_retry,
        timeout=30.0,
        retention=retention,
        headers={"trace": "abc"},
        unique=fingerprint("demo", payload) if unique_for else "",
        unique_for=unique_for,
        group=group,
    )


async def take(broker: Broker, *queues: str, limit: int = ALL, worker: str = "w1") -> list[Claim]:
    """Claim what is there, from the queue `default` if none is named."""
    claims = await broker.claim(queues or ("default",), limit=limit, lease=LEASE, worker=worker)
    return list(claims)


async def take_next(
    broker: Broker, *queues: str, limit: int = ALL, worker: str = "w1", at_most: float = 60
) -> list[Claim]:
    """Wait for a job, and take what the wait brings."""
    claims = await broker.claim_next(
        queues, limit=limit, lease=LEASE, worker=worker, at_most=at_most
    )
    return list(claims)


async def end(broker: Broker, claim: Claim, outcome: Outcome, clock: Clock) -> list[Settlement]:
    """Settle one claim; empty unless that is refused."""
    return list(await broker.settle([decide(claim, outcome, POLICY, clock.now())]))


def ids(items: Sequence[Settlement | Claim | Refused | Job]) -> list[str]:
    """The job ids of claims, settlements or jobs."""
    return [_job(item).id for item in items]


def _job(item: Settlement | Claim | Refused | Job) -> Job:
    match item:
        case Job():
            return item
        case Claim(job=job) | Refused(job=job) | Settlement(claim=Claim(job=job)):
            return job
