"""What claiming asks for, and what claiming and taking over give back."""

import math
from collections.abc import Iterable, Iterator

from atode.broker.redis import messages
from atode.broker.redis._batches import CHUNK, CHUNK_BYTES
from atode.broker.redis._link import Reply
from atode.broker.redis._scripts import CLAIM, Command
from atode.broker.redis.keys import keys_of, text_id
from atode.job import Claim, State


def claim_command(queue: str, limit: int, score: str, worker: str) -> Command:
    """The script call that takes up to `limit` jobs of a queue, under a lease with this score."""
    keys = keys_of(queue)
    return CLAIM.call(
        (keys.pending, keys.paused, keys.active, keys.lease),
        keys.jobs,
        min(limit, CHUNK),
        score,
        worker,
        CHUNK_BYTES,
    )


def read_claims(
    replies: Iterable[Reply], queue: str, worker: str, lease_until: float
) -> Iterator[Claim]:
    """Claims from a script's flat reply: id, message, claim number for each.

    The number is negative where the job was cancelled. Behind it may be `@` and the instant at
    which the job was due.
    """
    parts = iter(replies)
    # Three times the same iterator: each round takes the next three parts.
    for job_id, message, digits in zip(parts, parts, parts, strict=True):
        job, problem = messages.read(message, queue, text_id(job_id), State.ACTIVE)
        before, _, due = digits.partition(b"@")
        number = int(before)
        if due:
            job = job._replace(due=_instant(due))
        yield Claim(job, worker, abs(number), lease_until, message, problem, number < 0)


def _instant(text: bytes) -> float:
    # Anybody may write anything there, and a figure must not keep a job from being run.
    try:
        instant = float(text)
    except ValueError:
        return 0.0
    return instant if math.isfinite(instant) else 0.0
