"""Claims that stand in Redis until a job comes.

A claim that is sent behind a command that blocks is done the moment there is a job. The news
of it and the job itself then come in one answer: no round trip lies between them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import islice
from typing import Any

from redis.exceptions import NoScriptError, ResponseError

from atode.broker.redis._claims import claim_command, read_claims
from atode.broker.redis._failures import has_moved
from atode.broker.redis._link import Line, Link, Reply
from atode.broker.redis._scripts import Command, whole, with_text
from atode.broker.redis.keys import keys_of
from atode.clock import Clock
from atode.errors import BrokerError
from atode.job import Claim

_SHARE = 1 / 15
"""Of a lease: how long a claim stands before it is sent anew. Its lease is counted from when it
was sent, for the script knows no clock, so this much of it may be over when a job comes."""

_LEAST = 0.01
"""Seconds; to Redis, 0 means for ever."""

_GRACE = 5.0
"""Seconds beyond its time in which the answer must have come."""

_ATTEMPTS = 3
"""Connections that are tried: one from earlier, and where a moved queue is now."""

Orphaned = Callable[[Coroutine[Any, Any, Sequence[Claim]]], None]
"""Takes in what a cancelled claim brings nevertheless."""


class StandingClaims:
    """A post for each claim that stands at a time, each with a connection of its own."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._free: dict[str, Post] = {}
        self._taken: set[Post] = set()

    async def take(
        self,
        queue: str,
        *,
        limit: int,
        lease: float,
        worker: str,
        at_most: float,
        orphaned: Orphaned,
    ) -> tuple[bool, Sequence[Claim]]:
        """Whether the queue had a job within `at_most` seconds, and the claims.

        A caller that is cancelled gets nothing; `orphaned` gets what comes nevertheless.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + at_most
        post = self._free.pop(queue, None) or Post(self._link, queue)
        self._taken.add(post)
        rung, claims = False, list[Claim]()
        try:
            while not (rung or claims or post.is_closing) and (left := end - loop.time()) > 0:
                until = self._clock.now() + lease
                command = claim_command(queue, limit, until, worker)
                seconds = max(min(left, lease * _SHARE), _LEAST)
                try:
                    rung, reply = await post.ask(command, seconds)
                except asyncio.CancelledError:
                    orphaned(_late(post, queue, worker, until))
                    raise
                claims = list(read_claims(islice(reply, 1, None), queue, worker, until))
        finally:
            self._taken.discard(post)
        if queue in self._free or post.is_closing:
            await post.close()
        else:
            self._free[queue] = post
        return rung, claims

    async def close(self) -> None:
        """End the claims that stand; who waits for one gets what it has brought."""
        for post in (*self._free.values(), *self._taken):
            await post.close()
        self._free.clear()


class Post:
    """Where one claim at a time stands. After an `ask` was cancelled, only `withdraw`."""

    def __init__(self, link: Link, queue: str) -> None:
        self._link = link
        self._pending = keys_of(queue).pending
        self._line: Line | None = None
        self._replies: list[Reply] | None = None
        """To the commands that are under way; None if none are."""
        self._within = 0.0
        self.is_closing = False
        """Whether `close` was called."""

    async def ask(self, claim: Command, seconds: float) -> tuple[bool, list[Reply]]:
        """Whether the queue had a job within so many seconds, and what the claim answered."""
        kept = self._line is not None
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._stand(whole(claim), seconds)
            except BrokerError as error:
                await self._hang_up()
                if self.is_closing:
                    break
                # A connection from earlier may have died while nobody used it, and a queue may
                # have moved to another node; a new one tells whether Redis is there.
                if attempt == _ATTEMPTS or not (kept or has_moved(error)):
                    raise
            kept = False
        return False, []

    async def withdraw(self) -> list[Reply]:
        """End a cancelled `ask`; what its claim has answered by then, nothing if it is undone."""
        line, replies = self._line, self._replies
        try:
            if line is None or replies is None:
                return []
            line.say_no_more()
            await self._read(line, replies)
            return [] if isinstance(replies[1], ResponseError) else replies[1]
        except BrokerError:
            return []
        finally:
            await self._hang_up()

    async def close(self) -> None:
        """Let an `ask` that is under way end; the connection is closed then."""
        self.is_closing = True
        if self._line and self._replies is not None:
            self._line.say_no_more()
        else:
            await self._hang_up()

    async def _stand(self, claim: Command, seconds: float) -> tuple[bool, list[Reply]]:
        line = self._line = self._line or await self._link.line(self._pending)
        replies = self._replies = []
        self._within = seconds + _GRACE
        blocking = ("BLMOVE", self._pending, self._pending, "RIGHT", "RIGHT", repr(seconds))
        await line.send_all([blocking, claim])
        await self._read(line, replies)
        if isinstance(replies[1], NoScriptError):
            # The server was restarted since it learnt the script.
            replies.pop()
            await line.send_all([with_text(claim)])
            await self._read(line, replies)
        self._replies = None
        rung, reply = replies
        if isinstance(reply, ResponseError):
            raise line.failure(reply)
        if isinstance(rung, ResponseError) and len(reply) < 2:
            # Only then: what was claimed counts, even where nobody may block.
            raise line.failure(rung)
        return rung is not None, reply

    async def _read(self, line: Line, replies: list[Reply]) -> None:
        while len(replies) < 2:
            replies.append(await line.answer(within=self._within))

    async def _hang_up(self) -> None:
        line, self._line, self._replies = self._line, None, None
        if line:
            await line.close()


async def _late(post: Post, queue: str, worker: str, until: float) -> Sequence[Claim]:
    reply = await post.withdraw()
    return list(read_claims(islice(reply, 1, None), queue, worker, until))
