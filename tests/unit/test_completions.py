"""What was written in a handler's transaction, while nobody knows how that ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Refused
from atode.clock import SystemClock
from atode.events import Events
from atode.job import Claim, Job
from atode.outcome import Settlement, Succeeded, Written, decide
from atode.retry import Retry
from atode.worker._attempt import Attempt, Cause
from atode.worker._completions import Completions
from atode.worker._ledger import Ledger
from atode.worker._settler import Settler

OPEN = None


class Database(MemoryBroker):
    """A store in whose transactions nothing happens but what a test says."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.answer: bool | None = OPEN
        self.questions = 0

    async def committed(self, written: Sequence[Written]) -> Sequence[bool | None]:
        self.questions += 1
        return [self.answer for _ in written]

    async def enqueue_within(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        raise NotImplementedError

    def enqueue_within_sync(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        raise NotImplementedError

    async def settle_within(self, transaction: object, settlement: Settlement) -> Written | None:
        raise NotImplementedError

    def settle_within_sync(self, transaction: object, settlement: Settlement) -> Written | None:
        raise NotImplementedError


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
async def attempt() -> Attempt:
    """One that runs, and has completed its job in a transaction."""
    claim = Claim(Job("j1", "pay", "default", b"{}"), "w1", 1, 0.0)
    attempt = Attempt(claim, 0.0, 0.0)
    attempt.task = asyncio.ensure_future(asyncio.sleep(60))
    attempt.written = Written(decide(claim, Succeeded(), Retry(0), 0.0))
    return attempt


@pytest.fixture
async def completions(database: Database) -> AsyncIterator[Completions]:
    ledger, events = Ledger(), Events()
    settler = Settler(database, ledger, events)
    service = Completions(database, ledger, settler, SystemClock(), events)
    service.start()
    yield service
    await service.stop()


async def test_a_lost_claim_is_asked_about_now_and_then_while_the_transaction_is_open(
    completions: Completions, database: Database, attempt: Attempt
) -> None:
    completions.doubt(attempt)
    await asyncio.sleep(0.3)

    assert 1 < database.questions < 20

    database.answer = False
    await asyncio.sleep(0.6)
    assert attempt.cause is Cause.LOST


async def test_a_claim_that_is_lost_while_its_handler_writes_lets_the_event_loop_turn(
    completions: Completions, database: Database, attempt: Attempt
) -> None:
    attempt.is_writing = True
    database.answer = True
    completions.doubt(attempt)

    await asyncio.sleep(0.1)

    assert database.questions == 0
    attempt.is_writing = False
    await asyncio.sleep(0.6)
    assert attempt.is_completed
