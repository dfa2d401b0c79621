"""What producing and running jobs does to the store, as commands for one transaction."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from atode.broker.protocol import Refused
from atode.broker.sqlite import _cancels, _locks
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._rows import claims_of, row_of, seq_of, settled_row_of
from atode.broker.sqlite._transaction import Transaction, array
from atode.clock import Clock
from atode.job import Claim, Job, State
from atode.outcome import Settlement, Tally

Fence = tuple[int, str, int]
"""A row, who has claimed it, and the number of that claim."""


def enqueue(tx: Transaction, clock: Clock, jobs: Sequence[Job]) -> Sequence[Refused]:
    """Store new jobs; returns those whose id is taken, or what they do locked."""
    now = clock.now()
    refused = _locks.take(tx, now, jobs) if any(job.unique_for for job in jobs) else {}
    first = _enter(tx, {job.queue for job in jobs})
    tx.give_numbers(first + len(jobs))
    numbers = {first + place: job for place, job in enumerate(jobs) if place not in refused}
    stored = tx.change_many(
        sql.ENQUEUE, [row_of(number, job, now) for number, job in numbers.items()]
    )
    if stored < len(numbers):
        for number, job in numbers.items():
            if tx.row(sql.STORED_AS, job.queue, job.id) != (number,):
                refused[number - first] = Refused(job, job.id)
    if stored:
        tell(tx, jobs)
    return [refused[place] for place in sorted(refused)]


def claim(
    tx: Transaction, clock: Clock, queues: Sequence[str], limit: int, lease: float, worker: str
) -> Sequence[Claim]:
    """Hold up to `limit` pending jobs."""
    until = clock.now() + lease
    claims: list[Claim] = []
    for queue in queues:
        if len(claims) == limit:
            break
        [found] = tx.row(sql.READY, queue, limit - len(claims))
        claims += claims_of(found, queue, worker, until)
    return hold(tx, claims)


def hold(tx: Transaction, claims: Sequence[Claim]) -> Sequence[Claim]:
    """Write that these claims hold their jobs; returns them with their whole payload."""
    if claims:
        tx.change(sql.HOLD, array(map(seq_of, claims)), claims[0].worker, claims[0].lease_until)
    return [claim if claim.job.payload else _with_payload(tx, claim) for claim in claims]


def extend(tx: Transaction, clock: Clock, claims: Sequence[Claim], lease: float) -> Sequence[Claim]:
    """Hold claims for longer; returns the lost ones."""
    lost = lost_of(tx, claims)
    held = [seq_of(claim) for claim in claims if fence_of(claim) not in lost]
    tx.change(sql.EXTEND, array(held), clock.now() + lease)
    return [claim for claim in claims if fence_of(claim) in lost]


def settle(
    tx: Transaction, clock: Clock, settlements: Sequence[Settlement]
) -> Sequence[Settlement]:
    """Write how claims ended; returns the refused ones."""
    settled = lost_of(tx, (settlement.claim for settlement in settlements))
    accepted: dict[int, Settlement] = {}
    refused: list[Settlement] = []
    for settlement in settlements:
        seq = seq_of(settlement.claim)
        if fence_of(settlement.claim) in settled or seq in accepted:
            refused.append(settlement)
        else:
            accepted[seq] = settlement
    accepted = _cancels.none_runs_again(tx, accepted, clock.now())
    gone = [seq for seq, settlement in accepted.items() if settlement.after is None]
    if gone:
        tx.change(sql.DELETE, array(gone))
    if len(gone) < len(accepted):
        stay = [(seq, after) for seq, (_, after, _) in accepted.items() if after is not None]
        now = clock.now()
        tx.change_many(sql.SETTLE, [settled_row_of(seq, after, now) for seq, after in stay])
        tell(tx, (after for _, after in stay))
    _locks.release(tx, accepted.values())
    _count(tx, clock, accepted.values())
    return refused


def fence_of(claim: Claim) -> Fence:
    """What tells this claim from all others, also from those on the same job."""
    return seq_of(claim), claim.worker, claim.number


def lost_of(tx: Transaction, claims: Iterable[Claim]) -> set[Fence]:
    """Those claims that do not hold their job (any more)."""
    groups: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for claim in claims:
        groups[claim.worker, claim.number].append(seq_of(claim))
    lost: set[Fence] = set()
    for (worker, number), seqs in groups.items():
        [found] = tx.row(sql.LOST, array(seqs), worker, number)
        lost.update((seq, worker, number) for seq in json.loads(found))
    return lost


def tell(tx: Transaction, jobs: Iterable[Job]) -> None:
    """Wake, after the commit, those whom it concerns that these jobs wait."""
    for job in jobs:
        if job.state is State.PENDING:
            tx.now_ready(job.queue)
        elif job.state in (State.SCHEDULED, State.RETRY):
            tx.now_due(job.queue, job.due)


def _enter(tx: Transaction, queues: set[str]) -> int:
    """See that the queues are known; returns the number that the next job gets."""
    first: int
    first, is_known = tx.row(sql.ENTRY, min(queues))
    if len(queues) > 1 or not is_known:
        tx.change_many(sql.MEET, [(queue,) for queue in queues])
    return first


def _with_payload(tx: Transaction, claim: Claim) -> Claim:
    [payload] = tx.row(sql.PAYLOAD, seq_of(claim))
    return claim._replace(job=claim.job._replace(payload=payload))


def _count(tx: Transaction, clock: Clock, settlements: Iterable[Settlement]) -> None:
    tallies = Counter(
        (settlement.claim.job.queue, settlement.tally)
        for settlement in settlements
        if settlement.tally is not Tally.NOTHING
    )
    if not tallies:
        return
    day = datetime.fromtimestamp(clock.now(), UTC).date().isoformat()
    for (queue, tally), number in tallies.items():
        well = number if tally is Tally.SUCCESS else 0
        tx.change(sql.TALLY, queue, day, well, number - well)
