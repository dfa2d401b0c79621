"""What can be wrong with a server: version, memory, persistence, replicas, clock."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from redis.exceptions import ResponseError

from atode.broker.redis._link import Reply, Server
from atode.broker.redis._scripts import Command
from atode.clock import Clock
from atode.finding import Finding, Severity

OLDEST = (6, 2)
_SKEW = 1.0
_GREAT_SKEW = 10.0
_NEARLY_FULL = 0.8
_FULL = 0.95

_SETTINGS = ("save", "appendfsync", "min-replicas-to-write")


class Facts(NamedTuple):
    """What a server says about itself."""

    subject: str
    info: Mapping[str, str]
    """INFO; empty where this user may not ask."""
    settings: Mapping[str, str]
    """CONFIG; empty where this user may not ask, as with most managed services."""
    cluster: Mapping[str, str]
    """CLUSTER INFO; empty where there is no cluster."""
    ahead: float | None
    """Seconds by which our clock is ahead of the server's; None where it does not tell."""


async def facts_of(server: Server, clock: Clock) -> Facts:
    """Ask a server about itself; BrokerUnavailable or BrokerRefused if it lets nobody in."""
    asked: list[Command] = [("TIME",), ("INFO",), ("CLUSTER", "INFO")]
    asked += [("CONFIG", "GET", name) for name in _SETTINGS]
    await server.send([("PING",)])  # A connection that has yet to be made takes time.
    before = clock.now()
    [time, info, cluster, *settings] = (await server.send(asked)).replies
    return Facts(
        f"server {server.address}",
        {} if isinstance(info, ResponseError) else _fields(info),
        _settings(settings),
        {} if isinstance(cluster, ResponseError) else _fields(cluster),
        _ahead(time, (before + clock.now()) / 2),
    )


def server_findings(facts: Facts) -> list[Finding]:
    """What is wrong with the server."""
    return [finding for check in _CHECKS for finding in check(facts)]


def _sight(facts: Facts) -> Iterator[Finding]:
    if not facts.info:
        yield _finding(
            facts,
            Severity.INFO,
            "not-looked-at",
            "version, memory, persistence and replicas could not be looked at: the user may not "
            "use INFO",
            "give it the right: ACL SETUSER … +info",
        )
    elif not facts.settings:
        yield _finding(
            facts,
            Severity.INFO,
            "not-looked-at",
            "settings could not be looked at: the user may not use CONFIG, or the service has none",
            "look at the service's own page, or give the user the right: ACL SETUSER … +config|get",
        )


def _version(facts: Facts) -> Iterator[Finding]:
    name, version = product(facts.info)
    numbers = tuple(int(part) for part in re.findall(r"\d+", facts.info.get("redis_version", "")))
    if numbers and numbers < OLDEST:
        yield _finding(
            facts,
            Severity.ERROR,
            "version",
            f"{name} {version} is too old; atode and asynq need Redis 6.2, or Valkey",
            "upgrade the server",
        )
    if name == "Dragonfly":
        yield _finding(
            facts,
            Severity.WARNING,
            "version",
            f"Dragonfly {version} refuses scripts that touch keys which they do not name, as "
            "those of atode and asynq do",
            "start it with --default_lua_flags=allow-undeclared-keys",
        )


def product(info: Mapping[str, str]) -> tuple[str, str]:
    """The name of the software and its version."""
    if "dragonfly_version" in info:
        return "Dragonfly", info["dragonfly_version"]
    if info.get("server_name") == "valkey":
        return "Valkey", info.get("valkey_version", "")
    return "Redis", info.get("redis_version", "")


def _eviction(facts: Facts) -> Iterator[Finding]:
    policy = facts.info.get("maxmemory_policy", "noeviction")
    limited = int(facts.info.get("maxmemory", "0")) > 0
    if policy == "noeviction":
        return
    everything = policy.startswith("allkeys-")
    loss = "jobs" if everything else "the locks of unique jobs and the presence of workers"
    when = "once memory is full" if limited else "as soon as it is given a limit of memory"
    yield _finding(
        facts,
        Severity.ERROR if everything and limited else Severity.WARNING,
        "eviction",
        f"with maxmemory-policy {policy} the server deletes {loss} {when}",
        "CONFIG SET maxmemory-policy noeviction, and the same in its configuration",
    )


def _memory(facts: Facts) -> Iterator[Finding]:
    used, limit = (int(facts.info.get(name, "0")) for name in ("used_memory", "maxmemory"))
    if not limit or used < limit * _NEARLY_FULL:
        return
    refuses = facts.info.get("maxmemory_policy", "noeviction") == "noeviction"
    then = "refuses new jobs" if refuses else "deletes keys"
    yield _finding(
        facts,
        Severity.ERROR if used >= limit * _FULL else Severity.WARNING,
        "memory",
        f"memory is {used / limit:.0%} full ({used:,} of {limit:,} bytes); when it is, the server "
        f"{then}",
        "CONFIG SET maxmemory …, or delete what nobody needs: `atode queues` shows which queue "
        "is large, `atode jobs delete QUEUE --all archived` empties an archive",
    )


def _persistence(facts: Facts) -> Iterator[Finding]:
    if "aof_enabled" not in facts.info:
        return
    appends = facts.info["aof_enabled"] == "1"
    snapshots = facts.settings.get("save")
    turn_on = "CONFIG SET appendonly yes, and the same in its configuration"
    if appends and facts.settings.get("appendfsync") == "no":
        yield _finding(
            facts,
            Severity.WARNING,
            "fsync",
            "appendfsync is no: a power cut loses what the system has not written by itself, "
            "often half a minute",
            "CONFIG SET appendfsync everysec (loses a second) or always (loses nothing)",
        )
    elif not appends and snapshots == "":
        text = "nothing is written to disk: a restart of the server loses all jobs"
        yield _finding(facts, Severity.WARNING, "persistence", text, turn_on)
    elif not appends and snapshots:
        text = (
            f"there are snapshots only (save {snapshots}): a crash of the server loses what came "
            "after the last one"
        )
        yield _finding(facts, Severity.WARNING, "persistence", text, turn_on)


_DISK: Sequence[tuple[str, str, str]] = (
    ("rdb_last_bgsave_status", "the last snapshot failed; until one succeeds, it refuses writes",
     "free space on its disk, see its log, then BGSAVE"),
    ("aof_last_write_status", "it cannot append to its file, and refuses writes",
     "free space on its disk, and see its log"),
    ("aof_last_bgrewrite_status", "the last rewrite of its append-only file failed",
     "free space on its disk, see its log, then BGREWRITEAOF"),
)  # fmt: skip


def _disk(facts: Facts) -> Iterator[Finding]:
    for field, text, remedy in _DISK:
        if facts.info.get(field, "ok") != "ok":
            yield _finding(facts, Severity.ERROR, "disk", text, remedy)


def _replicas(facts: Facts) -> Iterator[Finding]:
    info = facts.info
    if info.get("role") == "slave":
        master = f"{info.get('master_host')}:{info.get('master_port')}"
        link = "" if info.get("master_link_status") == "up" else ", and has lost it"
        yield _finding(
            facts,
            Severity.ERROR,
            "replica",
            f"it is a replica of {master}{link}: it takes no jobs",
            "let the URL lead to the master; redis+sentinel:// finds it by itself",
        )
        return
    wanted = int(facts.settings.get("min-replicas-to-write") or 0)
    good = int(info.get("min_slaves_good_slaves", info.get("connected_slaves", "0")))
    if wanted > good:
        yield _finding(
            facts,
            Severity.ERROR,
            "replicas",
            f"it refuses writes: min-replicas-to-write is {wanted}, and {good} replicas follow",
            "start the replicas, or CONFIG SET min-replicas-to-write",
        )
    elif not wanted and facts.settings and int(info.get("connected_slaves", "0")):
        yield _finding(
            facts,
            Severity.INFO,
            "replicas",
            "a failover may lose more than the last moment: a master that is cut off from its "
            "replicas goes on taking jobs",
            "CONFIG SET min-replicas-to-write 1",
        )


def _cluster(facts: Facts) -> Iterator[Finding]:
    if not facts.cluster:
        return
    failing = int(facts.cluster.get("cluster_slots_fail", "0"))
    covered = int(facts.cluster.get("cluster_slots_assigned", "0")) - failing
    if facts.cluster.get("cluster_state") != "ok" or covered < 16384:
        yield _finding(
            facts,
            Severity.ERROR,
            "cluster",
            f"the cluster is in state {facts.cluster.get('cluster_state')}: {covered:,} of 16,384 "
            "slots are served",
            "start the nodes that are down, or redis-cli --cluster fix",
        )


def _time(facts: Facts) -> Iterator[Finding]:
    if facts.ahead is None:
        text = "its clock could not be looked at: the user may not use TIME"
        yield _finding(
            facts, Severity.INFO, "not-looked-at", text, "give it the right: ACL SETUSER … +time"
        )
        return
    if abs(facts.ahead) > _SKEW:
        way = "ahead of" if facts.ahead > 0 else "behind"
        yield _finding(
            facts,
            Severity.ERROR if abs(facts.ahead) > _GREAT_SKEW else Severity.WARNING,
            "clock",
            f"this machine's clock is {abs(facts.ahead):,.1f} s {way} the server's; where clocks "
            "differ by more than a lease, workers take running jobs from each other",
            "let both machines follow NTP",
        )


_CHECKS: Sequence[Callable[[Facts], Iterator[Finding]]] = (
    *(_sight, _version, _eviction, _memory, _persistence, _disk),
    *(_replicas, _cluster, _time),
)


def _finding(facts: Facts, severity: Severity, code: str, what: str, remedy: str) -> Finding:
    return Finding(severity, code, facts.subject, what, remedy)


def _fields(text: bytes) -> Mapping[str, str]:
    lines = (line.partition(":") for line in text.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in lines if colon}


def _settings(replies: Sequence[Reply]) -> Mapping[str, str]:
    known = [reply for reply in replies if not isinstance(reply, ResponseError)]
    return {
        name.decode(): value.decode("utf-8", "replace")
        for reply in known
        for name, value in zip(reply[::2], reply[1::2], strict=True)
    }


def _ahead(time: Reply, now: float) -> float | None:
    if isinstance(time, ResponseError):
        return None
    seconds, microseconds = time
    return now - (int(seconds) + int(microseconds) / 1e6)
