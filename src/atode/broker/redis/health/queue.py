"""What can be wrong with one queue and its jobs (the protocol's section 16)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from atode.broker.redis import messages
from atode.broker.redis._batches import ARCHIVE_SIZE, waiting_since
from atode.broker.redis._link import Link
from atode.broker.redis._scripts import WAITING
from atode.broker.redis.health.audit import (
    MOST_JOBS,
    Audit,
    Stored,
    astray,
    audit,
    pending_ids,
    stored,
)
from atode.broker.redis.health.keyspace import QueueKeysSeen
from atode.broker.redis.keys import LISTED, keys_of, text_id
from atode.finding import Finding, Severity
from atode.job import ARCHIVE_AGE, State
from atode.progress import LATE, Progress, progress_findings

_BOMB = 8_000
_LARGE_ARCHIVE = 4_000

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Kind(NamedTuple):
    """How to speak of jobs that have the same thing wrong with them."""

    severity: Severity
    code: str
    what: str
    remedy: str
    fixable: bool = True


KINDS: Mapping[str, Kind] = {
    "ghosts": Kind(
        _ERROR,
        "ids-without-job",
        "{state} ids without a job, which break the pages of asynq's tools",
        "--fix drops the ids; keys were evicted or deleted by hand, so see that "
        "maxmemory-policy is noeviction",
    ),
    "unleased": Kind(
        _ERROR,
        "active-without-lease",
        "active jobs without a lease, which asynq never recovers",
        "--fix gives them one that has run out, and a worker recovers them",
    ),
    "halfway": Kind(
        _ERROR,
        "archived-by-half",
        "archived jobs that call themselves active, as asynq leaves them when an archive is too "
        "full (trap 6)",
        "--fix makes them archived jobs",
    ),
    "elsewhere": Kind(
        _WARNING,
        "state-mismatch",
        "{state} ids of jobs that say they are in another state",
        "look at them with `atode jobs show QUEUE ID`, and delete those that nobody needs",
        fixable=False,
    ),
    "fractions": Kind(
        _ERROR,
        "fractional-score",
        "{state} jobs whose instant is no whole second, which asynqmon and asynq's command cannot "
        "show",
        "--fix rounds them up; find out which program writes them",
    ),
}


class Subject(NamedTuple):
    """A queue, and what is known from elsewhere."""

    queue: str
    now: float
    served: bool
    """Whether a living worker serves it."""
    seen: QueueKeysSeen

    def finding(self, severity: Severity, code: str, what: str, remedy: str) -> Finding:
        """Something that is wrong with it."""
        return Finding(severity, code, f"queue {self.queue}", what, remedy, queue=self.queue)

    def fixable(self, severity: Severity, code: str, what: str, remedy: str) -> Finding:
        """Something that can be put right."""
        return self.finding(severity, code, what, remedy)._replace(fixable=True)


async def queue_findings(link: Link, subject: Subject) -> list[Finding]:
    """What is wrong with the queue and its jobs."""
    found = await _progress(link, subject)
    for state in LISTED:
        seen = await audit(link, subject.queue, state, now=subject.now)
        found += _audited(subject, state, seen)
        found += _messages(
            subject, state, [each async for each in stored(link, subject.queue, state)]
        )
    found += await _archive(link, subject)
    found += await _strays(link, subject)
    return found


async def _progress(link: Link, subject: Subject) -> list[Finding]:
    """Whether jobs move."""
    keys = keys_of(subject.queue)
    late = f"({subject.now - LATE}"
    answer = await link.call(
        [
            ("LLEN", keys.pending),
            WAITING.call((keys.pending,), keys.jobs),
            ("GET", keys.paused),
            ("ZCOUNT", keys.lease, "-inf", late),
            ("ZCOUNT", keys.scheduled, "-inf", late),
            ("ZCOUNT", keys.retry, "-inf", late),
        ]
    )
    pending, since, paused, abandoned, scheduled, retry = answer.replies
    progress = Progress(
        subject.queue,
        subject.served,
        paused is not None,
        float(paused) if paused and paused.isdigit() else 0.0,
        pending,
        waiting_since(since),
        scheduled + retry,
        abandoned,
    )
    return list(progress_findings(progress, subject.now))


def _audited(subject: Subject, state: State, seen: Audit) -> Iterable[Finding]:
    for name, odd in seen.odd.items():
        kind = KINDS[name]
        what = kind.what.format(state=state.value)
        text = f"{what}: {amount(odd.number, seen)}; the first is {_shown(odd.first)}"
        found = subject.finding(kind.severity, kind.code, text, kind.remedy)
        yield found._replace(fixable=kind.fixable)


def _messages(subject: Subject, state: State, jobs: Sequence[Stored]) -> Iterable[Finding]:
    """Messages that nobody can read, and jobs that nobody knows how to run."""
    broken: list[bytes] = []
    unknown: dict[str, int] = {}
    for each in jobs:
        job, problem = messages.read(each.message, subject.queue, text_id(each.id), state)
        if problem:
            broken.append(each.id)
        elif state in (State.RETRY, State.ARCHIVED) and _nobody_knew(job.error):
            unknown[job.task] = unknown.get(job.task, 0) + 1
    if broken:
        text = (
            f"{state.value} jobs whose message cannot be read: {len(broken):,} of {len(jobs):,}; "
            f"the first is {_shown(broken[0])}"
        )
        if state is State.ACTIVE:
            text += "; while its worker is dead, Go servers recover no job at all (trap 4)"
        remedy = "--fix archives them with their bytes as payload, in a form that asynq can read"
        yield subject.fixable(_ERROR, "undecodable", text, remedy)
    for task, number in sorted(unknown.items()):
        text = (
            f"{state.value} jobs that failed because no worker knew the task {task!r}: {number:,}"
        )
        remedy = "start a worker that has it, then `atode jobs run`; or delete the jobs"
        yield subject.finding(_WARNING, "unknown-task", text, remedy)


def _nobody_knew(error: str) -> bool:
    # asynq's words and ours.
    return error.startswith(("handler not found for task", "No task named"))


async def _archive(link: Link, subject: Subject) -> list[Finding]:
    keys = keys_of(subject.queue)
    cutoff = int(subject.now - ARCHIVE_AGE)
    commands = [("ZCOUNT", keys.archived, "-inf", cutoff), ("ZCARD", keys.archived)]
    old, size = (await link.call(commands)).replies
    doomed = max(old, size - ARCHIVE_SIZE)
    if doomed < _LARGE_ARCHIVE:
        return []
    text = (
        f"archived jobs that are to be deleted: {doomed:,}; from {_BOMB:,} on, asynq's archiving "
        "fails by half and leaves jobs in no state at all (trap 6)"
    )
    severity = _ERROR if doomed >= _BOMB else _WARNING
    remedy = "--fix deletes them bit by bit, as an atode worker on this queue does all the time"
    return [subject.fixable(severity, "archive-overdue", text, remedy)]


async def _strays(link: Link, subject: Subject) -> list[Finding]:
    if not subject.seen.ids:
        return []
    found = await stray_ids(link, subject)
    if found is None:
        text = (
            f"more than {MOST_JOBS:,} jobs are pending; none was searched for outside of all lists"
        )
        return [subject.finding(_INFO, "not-looked-at", text, "")]
    if not found:
        return []
    text = (
        "jobs in no list, which nobody sees or runs, and whose ids are taken (trap 1): "
        f"{len(found):,} of {len(subject.seen.ids):,}; the first is {_shown(found[0])}"
    )
    return [subject.fixable(_ERROR, "stray", text, "--fix puts them into the archive")]


async def stray_ids(link: Link, subject: Subject, *, archives: bool = False) -> list[bytes] | None:
    """Jobs that are in no container; None where too many are pending to say so."""
    pending = await pending_ids(link, subject.queue)
    if pending is None:
        return None
    ids = set(subject.seen.ids) - pending
    return await astray(link, subject.queue, ids, now=subject.now, archives=archives)


def amount(number: int, seen: Audit) -> str:
    """`3`, or what is known of more."""
    return f"{number:,}" if seen.whole else f"at least {number:,} (of the first {seen.looked:,})"


def _shown(raw: bytes) -> str:
    return repr(raw.decode("utf-8", "backslashreplace"))
