"""The way to a Redis Cluster: each command goes to the node that has its keys."""

import asyncio
import random
from collections.abc import Iterable, Sequence

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, ResponseError

from atode.broker.redis import _link
from atode.broker.redis._address import Address, host_and_port
from atode.broker.redis._failures import translated
from atode.broker.redis._link import Again, Answer, Line, Reply, Server, unchanged
from atode.broker.redis._scripts import Command, is_script, key_of, whole
from atode.broker.redis._survey import Finding, is_silence, survey
from atode.errors import BrokerError, BrokerUnavailable

_MOST_MOVES = 5
"""How often a command is sent elsewhere before the cluster counts as unavailable."""

_ASKED = 4
"""Nodes that are asked at once for the map, of those known and of those in the URL."""


class Cluster:
    """A `Link` that splits a call by node; where one is down, the others do their part."""

    def __init__(self, address: Address) -> None:
        self.address = ",".join(host_and_port(*host) for host in address.hosts)
        self._options = address.options
        self._seeds = address.hosts
        self._servers: dict[tuple[str, int], Server] = {}
        self._owners: list[Server | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self._map_number = 0
        self._mapping = asyncio.Lock()

    async def call(self, commands: Iterable[Command], again: Again = unchanged) -> Answer:
        """As in `Link`, in one round trip to each node."""
        return await self._run([whole(command) for command in commands], again, _MOST_MOVES)

    async def line(self, key: str) -> Line:
        """As in `Link`."""
        # A line cannot be sent elsewhere, so find out first where the key is.
        await self.call([("EXISTS", key)])
        return await (await self._owner(key_slot(key.encode()))).line()

    async def close(self) -> None:
        """As in `Link`."""
        for server in self._servers.values():
            await server.close()

    async def _run(self, commands: Sequence[Command], again: Again, moves: int) -> Answer:
        parts: dict[Server, list[int]] = {}
        for n, command in enumerate(commands):
            parts.setdefault(await self._owner(_slot(command)), []).append(n)
        answers = await asyncio.gather(
            *(
                self._at(node, [commands[n] for n in part], again, moves)
                for node, part in parts.items()
            ),
            return_exceptions=True,
        )
        replies: list[Reply] = [None] * len(commands)
        resent = False
        for part, answer in zip(parts.values(), answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            resent = resent or answer.resent
            for n, reply in zip(part, answer.replies, strict=True):
                replies[n] = reply
        return Answer(replies, resent)

    async def _at(
        self, node: Server, commands: Sequence[Command], again: Again, moves: int
    ) -> Answer:
        number = self._map_number
        try:
            answer = await node.send(commands, again)
        except BrokerUnavailable as error:
            await self._refresh(number)
            if is_silence(error) or not moves or await self._owns(node, commands):
                raise
            repeated = [again(command) for command in commands]
            return (await self._run(repeated, again, moves - 1))._replace(resent=True)
        if answer.resent:
            commands = [again(command) for command in commands]
        await self._redirect(node, commands, again, answer.replies, moves)
        for reply in answer.replies:
            if isinstance(reply, ResponseError):
                if isinstance(reply, ClusterDownError):
                    await self._refresh(number)
                raise translated(reply, node.address, _link.TIMEOUT) from reply
        return answer

    async def _redirect(
        self,
        node: Server,
        commands: Sequence[Command],
        again: Again,
        replies: list[Reply],
        moves: int,
    ) -> None:
        """Replace, among the replies, those that say where else to go."""
        moved: list[int] = []
        for n, reply in enumerate(replies):
            if isinstance(reply, MovedError):
                self._owners[_slot(commands[n])] = self._told(reply, node)
                moved.append(n)
            elif isinstance(reply, AskError) and not is_script(commands[n]):
                target = self._told(reply, node)
                answer = await target.send([("ASKING",), commands[n]])
                replies[n] = answer.replies[1]
        if moved and moves:
            answer = await self._run([commands[n] for n in moved], again, moves - 1)
            for n, reply in zip(moved, answer.replies, strict=True):
                replies[n] = reply

    async def _owns(self, node: Server, commands: Iterable[Command]) -> bool:
        return any([await self._owner(_slot(command)) is node for command in commands])

    async def _owner(self, slot: int) -> Server:
        owner = self._owners[slot]
        if owner is None:
            await self._map(self._map_number)
            owner = self._owners[slot]
        if owner is None:
            raise BrokerUnavailable(
                f"no node of the Redis Cluster at {self.address} has slot {slot} now"
            )
        return owner

    async def _refresh(self, number: int) -> None:
        try:
            await self._map(number)
        except BrokerError:
            return  # What made it necessary is raised anyway.

    async def _map(self, number: int) -> None:
        """Learn which node has which slots, unless that was done since map `number`."""
        async with self._mapping:
            if self._map_number != number:
                return
            known = list(self._servers.values())
            seeds = [self._server(*host) for host in self._seeds]
            asked = {*_some(known), *_some(seeds)}
            findings = await survey(asked, [("CLUSTER", "INFO"), ("CLUSTER", "SLOTS")])
            # One that was cut off from the others may still tell of an old map.
            newest = max(findings, key=_rank)
            self._owners = [None] * REDIS_CLUSTER_HASH_SLOTS
            kept = {*seeds}
            for first, last, (host, port, *_), *_ in newest.replies[1]:
                owner = self._server(_host(host) or newest.server.host, port)
                self._owners[first : last + 1] = [owner] * (last + 1 - first)
                kept.add(owner)
            self._map_number += 1
            await self._forget(kept)

    async def _forget(self, kept: set[Server]) -> None:
        for place, server in list(self._servers.items()):
            if server not in kept:
                del self._servers[place]
                await server.close()

    def _told(self, where: AskError, node: Server) -> Server:
        # MOVED and ASK: "slot host:port", without a host if it is the answering node's.
        host, _, port = str(where).rpartition(" ")[2].rpartition(":")
        return self._server(host or node.host, int(port))

    def _server(self, host: str, port: int) -> Server:
        if (host, port) not in self._servers:
            self._servers[host, port] = Server(host, port, self._options)
        return self._servers[host, port]


def _slot(command: Command) -> int:
    return key_slot(key_of(command))


def _some(servers: Sequence[Server]) -> Sequence[Server]:
    return random.sample(servers, min(_ASKED, len(servers)))


def _rank(finding: Finding) -> tuple[bool, int]:
    lines = (line.partition(b":") for line in finding.replies[0].splitlines())
    fields = {name: value for name, _, value in lines}
    return fields[b"cluster_state"] == b"ok", int(fields[b"cluster_current_epoch"])


def _host(told: bytes | None) -> str:
    # Where a node does not know its own name, it is the one under which it was asked.
    return told.decode() if told and told != b"?" else ""
