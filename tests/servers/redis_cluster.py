"""A real Redis Cluster for tests: masters, and a replica for each if wanted."""

import random
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from tests.servers.redis import RedisServer
from tests.servers.redis_store import RedisStore
from tests.servers.waiting import until

SLOTS = 16384
_BUS = 10_000
"""The nodes talk to each other on their port plus this."""


class RedisCluster:
    """Three masters on free ports of the loopback, ready when it is entered."""

    def __init__(
        self,
        *options: str,
        replicas: bool = False,
        masters: int = 3,
        tls: bool = False,
        binary: str | None = None,
    ) -> None:
        """`options` go to every node; with `tls`, nodes have encrypted ports beside the plain."""
        self._tls, self._binary = tls, binary
        if tls:
            options += ("--tls-cluster", "yes")
        self._options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1500", *options)
        # A replica is shown to clients once it has received something, and be it a ping.
        self._options += ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
        self._open = ExitStack()
        self._masters = masters
        self._count = masters * 2 if replicas else masters
        self.nodes: list[RedisServer] = []
        """The masters, then a replica of each in the same order."""

    @property
    def url(self) -> str:
        """All nodes."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def story(self) -> str:
        """Which node has which slots."""
        living = next(node for node in self.nodes if node.is_running())
        return str(self.do(living, "CLUSTER", "SLOTS"))

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                node = RedisServer(
                    *self._options, binary=self._binary, ports=_free_pair, tls=self._tls
                )
                self.nodes.append(self._open.enter_context(node))
            self._join()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def do(self, node: RedisServer, *command: str | bytes | int) -> Any:
        """The reply of one node."""
        with RedisStore(node.url) as store:
            return store.do(*command)

    def node_of(self, key: str) -> RedisServer:
        """The master that has `key` now."""
        living = next(node for node in self.nodes if node.is_running())
        slot = self.do(living, "CLUSTER", "KEYSLOT", key)
        for first, last, (_, port, *_), *_ in self.do(living, "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(key)

    def flush(self) -> None:
        """Empty all masters."""
        for node in self.nodes[: self._masters]:
            self.do(node, "FLUSHALL")

    def move(self, tag: str, target: RedisServer | None = None) -> "SlotMove":
        """The first half of moving the slot of a queue, or of a key without a hash tag."""
        source = self.node_of(tag)
        masters = self.nodes[: self._masters]
        elsewhere = target or next(node for node in masters if node is not source)
        return SlotMove(self, self.do(source, "CLUSTER", "KEYSLOT", tag), source, elsewhere)

    def _join(self) -> None:
        first = self.nodes[0].tls_port or self.nodes[0].port
        for n, node in enumerate(self.nodes):
            self.do(node, "CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            self.do(node, "CLUSTER", "MEET", "127.0.0.1", first)
        size = SLOTS // self._masters + 1
        for n, node in enumerate(self.nodes[: self._masters]):
            slots = range(n * size, min((n + 1) * size, SLOTS))
            self.do(node, "CLUSTER", "ADDSLOTS", *slots)
        until(lambda: all(self._knows_all(node) for node in self.nodes))
        for n, node in enumerate(self.nodes[self._masters :]):
            self.do(node, "CLUSTER", "REPLICATE", self.do(self.nodes[n], "CLUSTER", "MYID"))
        until(lambda: all(self._is_ready(node) for node in self.nodes))

    def _knows_all(self, node: RedisServer) -> bool:
        return f"cluster_known_nodes:{len(self.nodes)}\r\n".encode() in self._info(node)

    def _is_ready(self, node: RedisServer) -> bool:
        shards = self.do(node, "CLUSTER", "SLOTS")
        replication = self.do(node, "INFO", "replication")
        linked = replication.get("master_link_status", "up") == "up"
        known = sum(len(shard) - 2 for shard in shards)
        return b"cluster_state:ok" in self._info(node) and linked and known == len(self.nodes)

    def _info(self, node: RedisServer) -> bytes:
        found: bytes = self.do(node, "CLUSTER", "INFO")
        return found


class SlotMove:
    """A slot that is being moved: begun when it is made, then key by key, then ended."""

    def __init__(
        self, cluster: RedisCluster, slot: int, source: RedisServer, target: RedisServer
    ) -> None:
        self._cluster, self._slot, self._source, self._target = cluster, slot, source, target
        self._ids = [cluster.do(node, "CLUSTER", "MYID") for node in (source, target)]
        cluster.do(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", self._ids[0])
        cluster.do(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", self._ids[1])

    def keys(self, wanted: Callable[[bytes], bool] = lambda key: True) -> None:
        """Move the keys that are wanted."""
        here = self._cluster.do(self._source, "CLUSTER", "GETKEYSINSLOT", self._slot, 1_000_000)
        to = ("127.0.0.1", self._target.port)
        for key in filter(wanted, here):
            self._cluster.do(self._source, "MIGRATE", *to, key, 0, 5000)

    def end(self) -> None:
        """Move the other keys, and the slot."""
        self.keys()
        for node in (self._target, self._source):
            self._cluster.do(node, "CLUSTER", "SETSLOT", self._slot, "NODE", self._ids[1])
        until(lambda: all(self._has_heard(node) for node in self._cluster.nodes))

    def _has_heard(self, node: RedisServer) -> bool:
        shards = self._cluster.do(node, "CLUSTER", "SLOTS")
        [port] = [port for a, z, (_, port, *_), *_ in shards if a <= self._slot <= z]
        return bool(port == self._target.port)


def _free_pair() -> int:
    # Below the range of ports that the system gives to outgoing connections.
    while True:
        port = random.randrange(12_000, 22_000)
        if _is_free(port) and _is_free(port + _BUS):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
