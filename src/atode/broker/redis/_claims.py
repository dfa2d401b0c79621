"""What claiming asks for, and what claiming and taking over give back."""

from collections.abc import Iterable, Iterator

from atode.broker.redis import messages
from atode.broker.redis._batches import CHUNK, CHUNK_BYTES, lease_score
from atode.broker.redis._link import Reply
from atode.broker.redis._scripts import CLAIM, Command
from atode.broker.redis.keys import keys_of, text_id
from atode.job import Claim, State


def claim_command(queue: str, limit: int, until: float, worker: str) -> Command:
    """The script call that takes up to `limit` jobs of a queue, and holds them until an instant."""
    keys = keys_of(queue)
    return CLAIM.call(
        (keys.pending, keys.paused, keys.active, keys.lease),
        keys.jobs,
        min(limit, CHUNK),
        lease_score(until),
        worker,
        CHUNK_BYTES,
    )


def read_claims(
    replies: Iterable[Reply], queue: str, worker: str, lease_until: float
) -> Iterator[Claim]:
    """Claims from a script's flat reply: id, message, claim number for each.

    The number is negative where the job was cancelled.
    """
    parts = iter(replies)
    # Three times the same iterator: each round takes the next three parts.
    for job_id, message, digits in zip(parts, parts, parts, strict=True):
        text, number = text_id(job_id), int(digits)
        job, problem = messages.read(message, queue, text, State.ACTIVE)
        yield Claim(job, worker, abs(number), lease_until, message, problem, number < 0)
