"""What atode's errors mean to those who store jobs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from atode import BrokerRefused, BrokerUnavailable
from webapp.service.print_jobs import StoreDown

_PATIENCE_SECONDS = 4.0
"""How long a caller waits for a store that neither answers nor refuses."""


@asynccontextmanager
async def store_errors() -> AsyncGenerator[None]:
    """Raise StoreDown where the store does not answer in time, or refuses."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            yield
    except (BrokerUnavailable, BrokerRefused) as error:
        raise StoreDown(str(error)) from error
    except TimeoutError as error:
        raise StoreDown(f"no answer within {_PATIENCE_SECONDS:g} s") from error
