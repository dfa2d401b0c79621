"""Finding out what is wrong with a Redis and with what is in it (the protocol's section 16)."""

from collections.abc import AsyncIterator, Awaitable, Sequence

from atode.broker.redis._link import Link, Server
from atode.broker.redis._operations import Operations
from atode.broker.redis.health.groups import group_findings
from atode.broker.redis.health.keyspace import Census, QueueKeysSeen, walk
from atode.broker.redis.health.locks import lock_findings
from atode.broker.redis.health.mending import CURES, Ward
from atode.broker.redis.health.presence import Presences, presence_findings, presences_of
from atode.broker.redis.health.queue import Subject, queue_findings
from atode.broker.redis.health.rights import right_findings
from atode.broker.redis.health.server import facts_of, server_findings
from atode.broker.redis.keys import QUEUES, keys_of
from atode.errors import BrokerError, BrokerRefused, BrokerUnavailable
from atode.finding import Finding, Mended, Severity

_NOBODY = Presences((), frozenset())


class Diagnosis(Operations):
    """A physician's eyes and hands."""

    async def examine(self) -> Sequence[Finding]:
        """What is wrong with the servers, the queues, the workers and the schedulers.

        At most 200,000 keys and 100,000 jobs of a container are looked at, in steps that leave
        Redis time for others.
        """
        found: list[Finding] = []
        masters = await self._link.masters()
        reached, ahead = await self._servers(masters, found)
        census = Census()
        presences = _NOBODY
        try:
            census = await walk(reached)
            presences = await presences_of(self._link, self._clock.now())
            found += await presence_findings(
                self._link, census, presences, now=self._clock.now(), ahead=ahead
            )
        except BrokerError as error:
            found.append(_hidden("keyspace", error))
        if not census.whole:
            text = f"only {census.looked:,} of asynq's keys were looked at; there are more"
            found.append(Finding(Severity.INFO, "not-looked-at", "keyspace", text, ""))
        async for subject in self._subjects(census, presences, found):
            for examining in (queue_findings, group_findings, lock_findings):
                found += await _seen(examining(self._link, subject), f"queue {subject.queue}")
        return found

    async def mend(self, findings: Sequence[Finding]) -> Sequence[Mended]:
        """Put right what is fixable; errors as for all calls, and what was done stays done."""
        wanted = [each for each in findings if each.fixable and each.code in CURES]
        if not wanted:
            return []
        census = await walk(await self._link.masters())
        done: list[Mended] = []
        tried: set[tuple[object, str]] = set()
        for each in wanted:
            cure = CURES[each.code]
            if (cure, each.queue) in tried:
                continue  # One look through the containers mends several kinds of things.
            tried.add((cure, each.queue))
            seen = census.queues.get(each.queue.encode(), QueueKeysSeen())
            subject = Subject(each.queue, self._clock.now(), True, seen)
            if text := await cure(Ward(self._link, census, subject, self.archive)):
                done.append(Mended(each.code, each.subject, text))
        return done

    async def _servers(
        self, masters: Sequence[Server], found: list[Finding]
    ) -> tuple[list[Server], float]:
        """Those that answer, and by how much our clock is ahead of theirs."""
        reached: list[Server] = []
        failures: list[BrokerError] = []
        ahead = 0.0
        for server in masters:
            try:
                facts = await facts_of(server, self._clock)
                found += server_findings(facts)
                found += await _seen(right_findings(server), facts.subject)
            except BrokerError as error:
                failures.append(error)
                found.append(_hidden(f"server {server.address}", error))
                continue
            reached.append(server)
            ahead = facts.ahead or ahead
        if not reached:
            raise failures[0] if failures else BrokerUnavailable("no server has any slots now")
        return reached, ahead

    async def _subjects(
        self, census: Census, presences: Presences, found: list[Finding]
    ) -> AsyncIterator[Subject]:
        try:
            [listed] = (await self._link.call([("SMEMBERS", QUEUES)])).replies
        except BrokerError as error:
            found.append(_hidden("list of queues", error))
            listed = set[bytes]()
        for raw in sorted({*listed, *census.queues}):
            queue = raw.decode("utf-8", "backslashreplace")
            seen = census.queues.get(raw, QueueKeysSeen())
            subject = Subject(queue, self._clock.now(), queue in presences.served, seen)
            if (problem := _name_problem(raw)) is not None:
                found.append(
                    subject.finding(Severity.ERROR, "queue-name", problem, "use another name")
                )
            if problem is None:
                if raw not in listed:
                    found += await _seen(_unlisted(self._link, subject), f"queue {queue}")
                yield subject


def _name_problem(raw: bytes) -> str | None:
    if b"{" in raw or b"}" in raw:
        return "its name has braces, which tear its keys apart in a cluster (trap 21)"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "its name is not UTF-8"
    return None


async def _unlisted(link: Link, subject: Subject) -> list[Finding]:
    keys = keys_of(subject.queue)
    places = (keys.pending, keys.active, keys.scheduled, keys.retry, keys.archived)
    [in_use] = (await link.call([("EXISTS", *places)])).replies
    if in_use:
        text = "it is in use, but not in the list of queues: no tool shows it (trap 16)"
        remedy = "--fix lists it again"
        return [subject.fixable(Severity.WARNING, "unlisted-queue", text, remedy)]
    if subject.seen.kinds.keys() <= {"ticks", "ticked", "visits"}:
        return []  # Our own notes, such as about schedules that have not fired yet.
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(subject.seen.kinds.items()))
    text = f"it was removed, and has left keys behind: {kinds} (trap 24)"
    remedy = (
        f"SADD asynq:queues '{subject.queue}', then `atode queues remove '{subject.queue}' --force`"
    )
    return [subject.finding(Severity.WARNING, "leftovers", text, remedy)]


async def _seen(examining: Awaitable[list[Finding]], subject: str) -> list[Finding]:
    try:
        return await examining
    except BrokerError as error:
        return [_hidden(subject, error)]


def _hidden(subject: str, error: BrokerError) -> Finding:
    text = f"it could not be looked at: {error}"
    if isinstance(error, BrokerRefused):
        remedy = "give the user the right, or mend the key, that the server names; then look again"
        return Finding(Severity.WARNING, "not-looked-at", subject, text, remedy)
    remedy = "see the server's log, and look again"
    return Finding(Severity.ERROR, "not-looked-at", subject, text, remedy)
