"""Cancelling jobs, and hearing that running ones were cancelled (the protocol's section 11)."""

import math
from collections.abc import Sequence

from atode.broker.protocol import Cancellation, Which
from atode.broker.redis import messages
from atode.broker.redis._batches import ARCHIVE_SIZE, marked_batches
from atode.broker.redis._link import Link
from atode.broker.redis._listener import Listener
from atode.broker.redis._operations import Operations
from atode.broker.redis._scripts import CANCEL, Command
from atode.broker.redis.keys import CANCEL as GO_CANCEL
from atode.broker.redis.keys import keys_of, text_id
from atode.clock import Clock
from atode.job import ARCHIVE_AGE, CANCELLABLE, Claim, State


class Cancelling(Operations):
    """Marks in the jobs' hashes, and messages that tell of them."""

    def __init__(self, link: Link, clock: Clock) -> None:
        super().__init__(link, clock)
        self._listener = Listener(link, clock)

    async def cancel(self, queue: str, which: Which) -> int:
        """Let jobs not run (again); how many it were.

        Where a Go worker runs one, it is told, too: it fails the attempt, and the job waits for
        its retry. When that comes, one of our workers archives the job; a Go worker, which
        knows nothing of the mark, would run it.
        """
        if which is State.ACTIVE:
            # They stay where they are, so that there is no "first so many that are left".
            [ids] = (await self._link.call([("LRANGE", keys_of(queue).active, 0, -1)])).replies
            which = [text_id(raw) for raw in ids]
        now = self._clock.now()

        def script(state: State | None, limit: int, ids: Sequence[bytes]) -> Command:
            return _cancel_command(queue, now, state, limit, ids)

        return await self._each(queue, which, CANCELLABLE, script)

    async def cancellations(
        self, queues: Sequence[str], *, worker: str, at_most: float
    ) -> Sequence[Cancellation]:
        """Wait for news of our own brokers, and of asynq's tools.

        Nothing in the answer also where the connection is new: what was told before is lost.

        Raises:
            BrokerUnavailable: the connection failed, now or since the last call.
        """
        channels = {keys_of(queue).cancel: queue for queue in queues} | {GO_CANCEL: ""}
        until = self._clock.now() + at_most
        told = await self._listener.cancelled(worker, list(channels), until)
        # The connection is shared: what is told of another worker's queues is not for this one.
        return [
            Cancellation(text_id(raw), channels[channel])
            for channel, raw in told
            if channel in channels
        ]

    async def marked(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Which of these claims hold a job that was cancelled for good."""
        batches = list(marked_batches(claims))
        answer = await self._link.call([batch.command for batch in batches])
        pairs = zip(batches, answer.replies, strict=True)
        return [claim for batch, places in pairs for claim in batch.chosen(places)]


def _cancel_command(
    queue: str, now: float, state: State | None, limit: int, ids: Sequence[bytes]
) -> Command:
    keys = keys_of(queue)
    second = math.floor(now)
    return CANCEL.call(
        (keys.pending, keys.scheduled, keys.retry, keys.archived, keys.groups, keys.lease),
        keys.jobs,
        state or "",
        limit,
        second,
        second - ARCHIVE_AGE,
        ARCHIVE_SIZE,
        keys.group,
        messages.cancellation(now),
        repr(now),
        keys.cancel,
        GO_CANCEL,
        *ids,
    )
