"""What can be wrong with the locks of unique jobs (the protocol's section 7.3)."""

from collections.abc import Sequence

from atode.broker.redis._link import Link
from atode.broker.redis._scripts import LOCKS
from atode.broker.redis.health.queue import Subject
from atode.broker.redis.keys import keys_of
from atode.finding import Finding, Severity

_MOST_LOCKS = 20_000
_CHUNK = 500


async def lock_findings(link: Link, subject: Subject) -> list[Finding]:
    """Locks that no job holds any more, and those that never end."""
    looked = subject.seen.locks[:_MOST_LOCKS]
    orphans: list[bytes] = []
    endless: list[bytes] = []
    for start in range(0, len(looked), _CHUNK):
        await _sort(link, subject.queue, looked[start : start + _CHUNK], orphans, endless)
    found: list[Finding] = []
    if orphans:
        text = (
            "locks of unique jobs that are gone, which refuse others until they expire: "
            f"{_amount(orphans, subject)}; the first is {_shown(orphans[0])}"
        )
        remedy = f"wait for that, or DEL '{_shown(orphans[0])}' and its like"
        found.append(subject.finding(Severity.WARNING, "orphaned-lock", text, remedy))
    if endless:
        text = (
            f"locks of unique jobs that never expire: {_amount(endless, subject)}; the first is "
            f"{_shown(endless[0])}"
        )
        remedy = f"EXPIRE '{_shown(endless[0])}' 3600; find out which program writes them"
        found.append(subject.finding(Severity.WARNING, "endless-lock", text, remedy))
    return found


async def _sort(
    link: Link, queue: str, locks: Sequence[bytes], orphans: list[bytes], endless: list[bytes]
) -> None:
    command = LOCKS.call(locks, keys_of(queue).jobs, len(locks))
    [places] = (await link.call([command])).replies
    between = places.index(0)
    orphans += [locks[place - 1] for place in places[:between]]
    endless += [locks[place - 1] for place in places[between + 1 :]]


def _amount(locks: Sequence[bytes], subject: Subject) -> str:
    whole = len(subject.seen.locks) <= _MOST_LOCKS
    return f"{len(locks):,}" if whole else f"at least {len(locks):,} (of {_MOST_LOCKS:,})"


def _shown(lock: bytes) -> str:
    return lock.decode("utf-8", "backslashreplace")
