"""What can be wrong with workers and schedulers (the protocol's sections 11 and 12)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from atode.broker.redis._link import Link, Reply
from atode.broker.redis._presences import read_commands, read_presences
from atode.broker.redis._scripts import Command
from atode.broker.redis.health.keyspace import Census
from atode.broker.redis.keys import SCHEDULERS, SERVERS, WORKERS
from atode.broker.redis.wire import DecodeError, SchedulerEntry
from atode.finding import Finding, Severity

_MOST = 2_000
_CHUNK = 500
_GONE = 60.0
"""Seconds after which an entry is not just late."""

_SKEW = 3.0
"""Seconds; entries are whole seconds, and beats take a moment."""

_GREAT_SKEW = 10.0

_DAY = 86_400
HISTORY_LIFE = 90 * _DAY
"""Seconds for which the history of a scheduler that is gone is kept, as long as counters are."""


class Indexed(NamedTuple):
    """An entry in the index of workers."""

    key: bytes
    expires: float
    """By the worker's clock."""
    left: float
    """Milliseconds by the server's; -2 if its record is gone, -1 if it never ends."""


class Presences(NamedTuple):
    """Who lives, and what the dead have left."""

    indexed: Sequence[Indexed]
    served: frozenset[str]
    """Queues that living workers claim from."""


async def presences_of(link: Link, now: float) -> Presences:
    """Look at the index of workers, and change nothing in it."""
    [pairs] = (await link.call([("ZRANGE", SERVERS, 0, _MOST, "WITHSCORES")])).replies
    names = pairs[::2]
    left = await _replies(link, [("PTTL", name) for name in names])
    indexed = [
        Indexed(name, float(score), float(each))
        for name, score, each in zip(names, pairs[1::2], left, strict=True)
    ]
    # By the server's clock: a worker whose clock is wrong serves its queues all the same.
    living = [
        each.key for each in indexed if each.left > 0 or (each.left == -1 and each.expires > now)
    ]
    records = await _replies(link, read_commands(living))
    working = [each for each in read_presences(records) if each.status == "active"]
    return Presences(indexed, frozenset(queue for each in working for queue in each.queues))


async def presence_findings(
    link: Link, census: Census, found: Presences, *, now: float, ahead: float
) -> list[Finding]:
    """`ahead` is by how much our clock is ahead of the server's."""
    findings = [*_clocks(found, now - ahead), *_dead(found, now)]
    unlisted = sorted(set(census.servers) - {each.key for each in found.indexed})
    left = await _replies(link, [("PTTL", key) for key in unlisted])
    hidden = [key for key, each in zip(unlisted, left, strict=True) if each != -2]
    if hidden and len(found.indexed) <= _MOST:
        text = (
            "workers with a record that are not in the index of workers, so that no tool shows "
            f"them: {len(hidden):,}; the first is {_shown(hidden[0])}"
        )
        remedy = "compare its machine's clock with the others': readers drop who seems dead"
        findings.append(_finding(Severity.WARNING, "unlisted-worker", text, remedy))
    findings += await _schedulers(link, census, now)
    return findings


def _clocks(found: Presences, server_now: float) -> Iterable[Finding]:
    for each in found.indexed:
        if each.left <= 0:
            continue
        # Both were set in one moment: the difference is that of the clocks.
        ahead = each.expires - (server_now + each.left / 1000)
        if abs(ahead) > _SKEW:
            way = "ahead of" if ahead > 0 else "behind"
            text = f"its clock is {abs(ahead):,.0f} s {way} the server's"
            remedy = (
                "let its machine follow NTP: where clocks differ by more than a lease, workers "
                "take running jobs from each other (trap 11)"
            )
            severity = Severity.ERROR if abs(ahead) > _GREAT_SKEW else Severity.WARNING
            subject = f"worker {_shown(each.key)}"
            yield Finding(severity, "clock", subject, text, remedy)


def _dead(found: Presences, now: float) -> Iterable[Finding]:
    dead = [each for each in found.indexed if each.left == -2 and each.expires < now - _GONE]
    if dead:
        text = (
            f"workers that ended without taking their leave: {len(dead):,}; the first is "
            f"{_shown(dead[0].key)}"
        )
        remedy = "--fix forgets them; if they were not killed on purpose, see their logs"
        yield _finding(Severity.INFO, "dead-worker", text, remedy, fixable=True)


async def _schedulers(link: Link, census: Census, now: float) -> list[Finding]:
    findings: list[Finding] = []
    [dead] = (await link.call([("ZCOUNT", SCHEDULERS, "-inf", f"({now - _GONE}")])).replies
    if dead:
        text = f"schedulers that ended without taking their leave: {dead:,}"
        remedy = "--fix forgets them; if nobody ticks in their place, start them again"
        findings.append(_finding(Severity.INFO, "dead-scheduler", text, remedy, fixable=True))
    orphans = await orphaned_histories(link, census, now)
    if orphans:
        text = (
            "histories of schedules that nobody runs, which stay for ever (trap 23): "
            f"{len(orphans):,}; the first is {_shown(orphans[0])}"
        )
        remedy = "--fix lets them expire in 90 days"
        found = _finding(Severity.WARNING, "orphaned-history", text, remedy, fixable=True)
        findings.append(found)
    return findings


async def orphaned_histories(link: Link, census: Census, now: float) -> list[bytes]:
    """Histories without an end whose schedule no living scheduler has.

    A scheduler of Go shows itself only some time after its first ticks.
    """
    histories = census.histories[:_MOST]
    if not histories:
        return []
    [names] = (await link.call([("ZRANGE", SCHEDULERS, 0, _MOST)])).replies
    lists = await _replies(link, [("LRANGE", name, 0, -1) for name in names])
    running = {_entry_id(entry) for entries in lists for entry in entries}
    left = await _replies(link, [("TTL", key) for key in histories])
    fresh = await _replies(link, [("ZCOUNT", key, repr(now - _GONE), "+inf") for key in histories])
    return [
        key
        for key, each, ticks in zip(histories, left, fresh, strict=True)
        if each == -1 and not ticks and _schedule(key) not in running
    ]


def _schedule(history: bytes) -> str:
    return history.rpartition(b":")[2].decode("utf-8", "replace")


async def forget_dead(link: Link, now: float, *, index: str) -> int:
    """Take entries out of an index that nobody has renewed for a minute."""
    commands: list[Command] = [("ZREMRANGEBYSCORE", index, "-inf", f"({now - _GONE}")]
    if index == SERVERS:
        commands.append(("ZREMRANGEBYSCORE", WORKERS, "-inf", f"({now - _GONE}"))
    return int((await link.call(commands)).replies[0])


async def _replies(link: Link, commands: Sequence[Command]) -> list[Reply]:
    found: list[Reply] = []
    for start in range(0, len(commands), _CHUNK):
        found += (await link.call(commands[start : start + _CHUNK])).replies
    return found


def _entry_id(record: bytes) -> str:
    try:
        return SchedulerEntry.FromString(record).id
    except DecodeError:
        return ""


def _finding(
    severity: Severity, code: str, what: str, remedy: str, *, fixable: bool = False
) -> Finding:
    return Finding(severity, code, "workers and schedulers", what, remedy, fixable)


def _shown(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace").partition("{")[2].rstrip("}") or key.decode(
        "utf-8", "backslashreplace"
    )
