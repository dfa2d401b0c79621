"""What `examine` says about servers in real trouble."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from atode.broker.redis import _scripts
from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.health.rights import HELPFUL, NEEDED
from atode.broker.redis.health.server import Facts, server_findings
from atode.clock import Clock, SystemClock
from atode.errors import BrokerUnavailable
from atode.finding import Finding, Severity
from tests.servers.redis import RedisServer, free_port
from tests.servers.redis_cluster import RedisCluster
from tests.servers.redis_sentinel import WatchedRedis
from tests.servers.redis_store import RedisStore
from tests.servers.waiting import until

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
SAFE = ("--appendonly", "yes")


def examined(url: str, clock: Clock | None = None) -> Sequence[Finding]:
    async def look() -> Sequence[Finding]:
        broker = RedisBroker(url, clock or SystemClock())
        try:
            return await broker.examine()
        finally:
            await broker.close()

    return asyncio.run(look())


def one(found: Sequence[Finding], code: str) -> Finding:
    [finding] = [each for each in found if each.code == code]
    return finding


def test_a_server_that_writes_everything_down_is_well() -> None:
    with RedisServer(*SAFE) as server:
        assert examined(server.url) == []


def test_an_examination_changes_nothing(redis_url: str, redis_store: RedisStore) -> None:
    redis_store.do("ZADD", "asynq:servers", 1, "asynq:servers:{dead:1:a}")
    redis_store.do("LPUSH", "asynq:{mail}:pending", "ghost")
    before = redis_store.dump()

    found = examined(redis_url)

    assert {each.code for each in found} >= {"dead-worker", "ids-without-job"}
    assert redis_store.dump() == before


@pytest.mark.parametrize(
    ("policy", "limit", "severity", "loss"),
    [
        ("allkeys-lru", "100mb", ERROR, "deletes jobs once memory is full"),
        ("allkeys-random", "0", WARNING, "deletes jobs as soon as it is given a limit"),
        ("volatile-ttl", "100mb", WARNING, "deletes the locks of unique jobs"),
    ],
)
def test_an_eviction_policy_deletes_jobs(
    policy: str, limit: str, severity: Severity, loss: str
) -> None:
    with RedisServer(*SAFE, "--maxmemory-policy", policy, "--maxmemory", limit) as server:
        finding = one(examined(server.url), "eviction")

    assert finding.severity is severity
    assert f"maxmemory-policy {policy}" in finding.what
    assert loss in finding.what
    assert "CONFIG SET maxmemory-policy noeviction" in finding.remedy
    assert finding.subject == f"server 127.0.0.1:{server.port}"


@pytest.mark.parametrize(("share", "severity"), [(0.88, WARNING), (0.97, ERROR)])
def test_a_memory_that_is_nearly_full(share: float, severity: Severity) -> None:
    with RedisServer(*SAFE) as server:
        with RedisStore(server.url) as store:
            # So much that the buffers of connections do not count.
            store.do("SETRANGE", "ballast", 200_000_000, "x")
            used = store.do("INFO", "memory")["used_memory"]
            store.do("CONFIG", "SET", "maxmemory", int(used / share))
        finding = one(examined(server.url), "memory")

    assert finding.severity is severity
    assert "refuses new jobs" in finding.what
    assert "maxmemory" in finding.remedy


@pytest.mark.parametrize(
    ("settings", "code", "text"),
    [
        ({"save": ""}, "persistence", "nothing is written to disk"),
        ({"save": "3600 1"}, "persistence", "snapshots only (save 3600 1)"),
        ({"appendonly": "yes", "appendfsync": "no"}, "fsync", "appendfsync is no"),
    ],
)
def test_what_a_crash_would_lose(settings: dict[str, str], code: str, text: str) -> None:
    with RedisServer() as server, RedisStore(server.url) as store:
        for name, value in settings.items():
            store.do("CONFIG", "SET", name, value)
        finding = one(examined(server.url), code)

    assert finding.severity is WARNING
    assert text in finding.what
    assert "CONFIG SET" in finding.remedy


def test_a_snapshot_that_failed(tmp_path: Path) -> None:
    with RedisServer(*SAFE) as server, RedisStore(server.url) as store:
        # A folder in the place of the file, which nobody can replace, root neither.
        folder = Path(store.do("CONFIG", "GET", "dir")[b"dir"].decode())
        (folder / "dump.rdb").mkdir()
        (folder / "dump.rdb" / "x").touch()
        store.do("BGSAVE")
        until(lambda: store.do("INFO")["rdb_last_bgsave_status"] == "err")

        finding = one(examined(server.url), "disk")

    assert finding.severity is ERROR
    assert "the last snapshot failed" in finding.what
    assert "BGSAVE" in finding.remedy


def test_a_file_that_cannot_be_appended_to() -> None:
    facts = Facts("server a:1", {"aof_last_write_status": "err"}, {"save": ""}, {}, 0.0)

    [finding] = server_findings(facts)

    assert (finding.code, finding.severity) == ("disk", ERROR)
    assert "cannot append" in finding.what


class WrongClock(SystemClock):
    """The system's, set wrongly."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def now(self) -> float:
        return super().now() + self._ahead


@pytest.mark.parametrize(
    ("ahead", "severity", "text"),
    [
        (5.0, WARNING, "5.0 s ahead of the server's"),
        (-5.0, WARNING, "5.0 s behind the server's"),
        (60.0, ERROR, "60.0 s ahead of"),
    ],
)
def test_clocks_that_differ(redis_url: str, ahead: float, severity: Severity, text: str) -> None:
    finding = one(examined(redis_url, WrongClock(ahead)), "clock")

    assert finding.severity is severity
    assert text in finding.what
    assert "NTP" in finding.remedy


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ({"redis_version": "5.0.7"}, "Redis 5.0.7 is too old"),
        ({"redis_version": "6.0.16"}, "Redis 6.0.16 is too old"),
        ({"redis_version": "7.4.0", "dragonfly_version": "df-v1.27"}, "Dragonfly df-v1.27"),
    ],
)
def test_a_server_that_cannot_do_it(info: dict[str, str], text: str) -> None:
    found = server_findings(Facts("server a:1", info, {"save": ""}, {}, 0.0))

    assert text in one(found, "version").what


@pytest.mark.parametrize(
    "info",
    [
        {"redis_version": "6.2.14"},
        {"redis_version": "10.0.1"},
        {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "9.1.2"},
    ],
)
def test_a_server_that_can(info: dict[str, str]) -> None:
    assert server_findings(Facts("server a:1", info, {"save": ""}, {}, 0.0)) == []


def test_a_replica_is_no_place_for_jobs() -> None:
    lost = str(free_port())
    with RedisServer(*SAFE) as server, RedisStore(server.url) as store:
        store.do("REPLICAOF", "127.0.0.1", lost)
        finding = one(examined(server.url), "replica")

    assert finding.severity is ERROR
    assert f"a replica of 127.0.0.1:{lost}, and has lost it" in finding.what
    assert "redis+sentinel://" in finding.remedy


def test_a_master_that_wants_replicas_which_are_not_there() -> None:
    with RedisServer(*SAFE, "--min-replicas-to-write", "2") as server:
        finding = one(examined(server.url), "replicas")

    assert finding.severity is ERROR
    assert "min-replicas-to-write is 2, and 0 replicas follow" in finding.what


def test_replicas_that_the_master_does_not_wait_for() -> None:
    with WatchedRedis(*SAFE) as watched:
        found = examined(watched.url)

    assert one(found, "replicas").severity is INFO
    assert "min-replicas-to-write 1" in one(found, "replicas").remedy


def test_every_master_of_a_cluster_is_looked_at() -> None:
    with RedisCluster("--cluster-require-full-coverage", "no") as cluster:
        for node in cluster.nodes:
            cluster.do(node, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        well = examined(cluster.url)
        cluster.nodes[0].kill()
        until(
            lambda: b"cluster_slots_fail:0" not in cluster.do(cluster.nodes[1], "CLUSTER", "INFO")
        )
        sick = examined(cluster.url)

    assert len([each for each in well if each.code == "eviction"]) == 3
    assert not [each for each in well if each.code == "cluster"]
    assert {each.severity for each in sick if each.code == "cluster"} == {ERROR}
    dead = f"server 127.0.0.1:{cluster.nodes[0].port}"
    assert ERROR in {each.severity for each in sick if each.subject == dead}


def test_a_server_that_is_away_is_no_finding() -> None:
    with pytest.raises(BrokerUnavailable, match="refused the connection"):
        examined(f"redis://127.0.0.1:{free_port()}/0")


# Rights


def as_user(server: RedisServer, *rights: str) -> Sequence[Finding]:
    with RedisStore(server.url) as store:
        store.do("ACL", "SETUSER", "app", "reset", "on", ">secret", *rights)
    return examined(server.url.replace("//", "//app:secret@"))


FULL = ("~asynq:*", "resetchannels", "&asynq:*", "+@all")


def test_rights_that_are_missing_are_named() -> None:
    with RedisServer(*SAFE) as server:
        found = as_user(server, *FULL, "-lpush", "-zadd")

    finding = one(found, "rights")
    assert finding.severity is ERROR
    assert "may not use LPUSH, ZADD" in finding.what
    assert "ACL SETUSER" in finding.remedy


def test_a_user_without_channels_is_only_slower() -> None:
    with RedisServer(*SAFE) as server:
        found = as_user(server, *FULL, "-publish", "-subscribe")

    finding = one(found, "rights")
    assert finding.severity is WARNING
    assert "PUBLISH, SUBSCRIBE" in finding.what


def test_a_user_with_rights_on_other_keys_only() -> None:
    with RedisServer(*SAFE) as server:
        found = as_user(server, "~other:*", "&*", "+@all")

    assert "or not on keys that start with asynq:" in one(found, "rights").what


def test_the_rights_of_the_documentation_are_enough() -> None:
    rights = (
        "~asynq:*",
        "resetchannels",
        "&asynq:*",
        "+@read",
        "+@write",
        "+@scripting",
        "+@pubsub",
        "+ping",
    )
    with RedisServer(*SAFE) as server:
        found = as_user(server, *rights, "+multi", "+discard")

    hidden = [each for each in found if each.code == "not-looked-at"]
    assert {each.code for each in found} == {"not-looked-at"}
    assert {each.severity for each in hidden} == {INFO}
    assert any("INFO" in each.what for each in hidden)
    assert any("TIME" in each.what for each in hidden)


def test_a_user_who_may_not_ask_for_settings_is_told_what_else_is_known() -> None:
    options = (*SAFE, "--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb")
    with RedisServer(*options) as server:
        found = as_user(server, *FULL, "-config")

    assert "CONFIG" in one(found, "not-looked-at").what
    assert one(found, "eviction").severity is ERROR


def test_nothing_that_is_asked_for_while_rights_are_looked_at_is_done(
    redis_url: str, redis_store: RedisStore
) -> None:
    examined(redis_url)

    assert redis_store.dump() == {}


def test_every_command_of_every_script_is_among_the_rights() -> None:
    asked = {command[0] for command in (*NEEDED, *HELPFUL)} | {"MEMORY"}

    used = {word for script in _scripts.ALL for word in commands(script.text)}

    assert used <= asked


def commands(text: str) -> set[str]:
    return set(re.findall(r"redis\.p?call\('([A-Z]+)'", text))
