"""What claiming and taking over give back."""

from collections.abc import Iterable, Iterator

from atode.broker.redis import messages
from atode.broker.redis._link import Reply
from atode.job import Claim, State


def read_claims(
    replies: Iterable[Reply], queue: str, worker: str, lease_until: float
) -> Iterator[Claim]:
    """Claims from a script's flat reply: id, message, claim number for each."""
    parts = iter(replies)
    # Three times the same iterator: each round takes the next three parts.
    for job_id, message, number in zip(parts, parts, parts, strict=True):
        job, problem = messages.read(message, queue, _text(job_id), State.ACTIVE)
        yield Claim(job, worker, int(number), lease_until, message, problem)


def _text(job_id: bytes) -> str:
    # Foreign ids may hold anything; what is not UTF-8 must find its way back all the same.
    return job_id.decode("utf-8", "surrogateescape")
