"""What claiming and taking over give back."""

import math
from collections.abc import Iterable, Iterator

from atode.broker.redis import messages
from atode.broker.redis._link import Reply
from atode.broker.redis.keys import text_id
from atode.job import Claim, State


def read_claims(
    replies: Iterable[Reply], queue: str, worker: str, lease_until: float
) -> Iterator[Claim]:
    """Claims from a script's flat reply: id, message, claim number for each.

    Behind the number may be `@` and the instant at which the job was due.
    """
    parts = iter(replies)
    # Three times the same iterator: each round takes the next three parts.
    for job_id, message, digits in zip(parts, parts, parts, strict=True):
        text = text_id(job_id)
        job, problem = messages.read(message, queue, text, State.ACTIVE)
        number, _, due = digits.partition(b"@")
        if due:
            job = job._replace(due=_instant(due))
        yield Claim(job, worker, int(number), lease_until, message, problem)


def _instant(text: bytes) -> float:
    # Anybody may write anything there, and a figure must not keep a job from being run.
    try:
        instant = float(text)
    except ValueError:
        return 0.0
    return instant if math.isfinite(instant) else 0.0
