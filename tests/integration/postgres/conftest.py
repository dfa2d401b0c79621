from collections.abc import AsyncIterator

import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.testing.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def broker(postgres_url: str) -> AsyncIterator[PostgresBroker]:
    """By the database's clock, as in production."""
    broker = PostgresBroker(postgres_url)
    await broker.open()
    yield broker
    await broker.close()


@pytest.fixture
async def timed(postgres_url: str, clock: FakeClock) -> AsyncIterator[PostgresBroker]:
    """By a clock that stands still."""
    broker = PostgresBroker(postgres_url, clock)
    await broker.open()
    yield broker
    await broker.close()
