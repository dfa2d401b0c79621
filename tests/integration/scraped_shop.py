"""An application whose workers are scraped."""

import urllib.error
import urllib.request

from tests.integration.program import PATIENCE

SHOP = """
import os
import threading

from atode import Atode, Permanent, Retry, fixed

jobs = Atode()


@jobs.task("shop:sell")
async def sell(number: int) -> None:
    if number == 3:
        raise Permanent("3 is not for sale")


@jobs.task("shop:try", retry=Retry(1, fixed(0.01)))
def attempt() -> None:
    raise ValueError("again")
"""

STORE = """
import asyncio
import shop

async def main():
    async with shop.jobs as jobs:
        await jobs.enqueue_many([shop.sell.call(n) for n in range(5)])
        await shop.sell.options(delay=0.2).enqueue(9)
        await shop.attempt.enqueue()

asyncio.run(main())
"""


def get(url: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
