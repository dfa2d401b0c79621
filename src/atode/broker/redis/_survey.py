"""Asking several servers the same, some of which may be down."""

import asyncio
from collections.abc import Collection, Sequence
from typing import NamedTuple

from atode.broker.redis._link import Reply, Server
from atode.broker.redis._scripts import Command
from atode.errors import BrokerError, BrokerRefused, BrokerUnavailable

_PATIENCE = 1.0
"""Seconds for all of them together: a server that is silent must not hold up the others."""


class Finding(NamedTuple):
    """What one server answered."""

    server: Server
    replies: Sequence[Reply]


async def survey(servers: Collection[Server], commands: Sequence[Command]) -> list[Finding]:
    """The answers of those who answered in time, at least one.

    Raises:
        BrokerUnavailable: nobody did.
        BrokerRefused: nobody did, and one said no.
    """
    asked = await asyncio.gather(
        *(_asked(server, commands) for server in servers), return_exceptions=True
    )
    found = [answer for answer in asked if isinstance(answer, Finding)]
    if found:
        return found
    failures = [answer for answer in asked if isinstance(answer, BaseException)]
    refusals = [failure for failure in failures if isinstance(failure, BrokerRefused)]
    raise (refusals or failures)[0]


async def _asked(server: Server, commands: Sequence[Command]) -> Finding:
    try:
        async with asyncio.timeout(_PATIENCE):
            return Finding(server, (await server.call(commands)).replies)
    except TimeoutError as error:
        text = f"Redis at {server.address} did not answer within {_PATIENCE:g} s"
        raise BrokerUnavailable(text) from error


def is_silence(error: BrokerError) -> bool:
    """Whether a call ended because no answer came, so that it may still be done."""
    return isinstance(error.__cause__, TimeoutError)
