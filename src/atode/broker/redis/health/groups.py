"""What can be wrong with the groups of a queue (the protocol's section 9, traps 9 and 10)."""

from atode.broker.redis._link import Link
from atode.broker.redis._scripts import REGROUP
from atode.broker.redis.health.queue import Subject
from atode.broker.redis.keys import keys_of
from atode.finding import Finding, Severity

_MOST = 1_000
_LATE = 60.0
"""Seconds after its deadline at which a recoverer has put a set back."""


async def group_findings(link: Link, subject: Subject) -> list[Finding]:
    """Groups that nobody looks at, and sets whose aggregation never ended."""
    found: list[Finding] = []
    lost = await lost_groups(link, subject)
    if lost:
        first = repr(lost[0].decode("utf-8", "backslashreplace"))
        text = (
            "groups with jobs that are not in the list of groups, so that nobody aggregates them: "
            f"{len(lost):,}; the first is {first}"
        )
        remedy = "--fix lists them again"
        found.append(subject.fixable(Severity.ERROR, "lost-group", text, remedy))
    keys = keys_of(subject.queue)
    late = ("ZCOUNT", keys.aggregation_sets, "-inf", f"({subject.now - _LATE}")
    [overdue] = (await link.call([late])).replies
    if overdue:
        text = f"sets of jobs whose aggregation began and never ended: {overdue:,}"
        remedy = "start a server that aggregates this queue; it puts their jobs back"
        found.append(subject.finding(Severity.ERROR, "aggregation-overdue", text, remedy))
    return found


async def lost_groups(link: Link, subject: Subject, *, lists: bool = False) -> list[bytes]:
    """Groups that have jobs and are not where aggregators look; with `lists`, they are now."""
    if not subject.seen.groups:
        return []
    keys = keys_of(subject.queue)
    answer = await link.call([("SMEMBERS", keys.groups), ("ZRANGE", keys.aggregation_sets, 0, -1)])
    known, sets = answer.replies
    in_hand = {name.removeprefix(keys.group.encode()) for name in sets}
    unknown = sorted(set(subject.seen.groups) - set(known) - in_hand)[:_MOST]
    flag = "1" if lists else "0"
    commands = [
        REGROUP.call((keys.groups, keys.group.encode() + name), name, flag) for name in unknown
    ]
    lost = (await link.call(commands)).replies
    return [name for name, is_lost in zip(unknown, lost, strict=True) if is_lost]
