"""The way to whichever server is the master now, as sentinels tell it."""

import asyncio
from collections.abc import Iterable
from itertools import tee

from atode.broker.redis._address import Address, host_and_port
from atode.broker.redis._link import Again, Answer, Line, Server, unchanged
from atode.broker.redis._scripts import Command
from atode.broker.redis._survey import Finding, is_silence, survey
from atode.errors import BrokerError, BrokerUnavailable


class Sentinels:
    """A `Link` to the master of one service. Some of the sentinels may be down."""

    def __init__(self, address: Address) -> None:
        self.address = ",".join(host_and_port(*host) for host in address.hosts)
        self._sentinels = [Server(*host, address.sentinel_options) for host in address.hosts]
        self._service = address.service
        self._options = address.options
        self._master: Server | None = None
        self._finding = asyncio.Lock()

    async def call(self, commands: Iterable[Command], again: Again = unchanged) -> Answer:
        """As in `Link`; sent once more to a new master, if there is one."""
        if not commands:
            return Answer([], False)
        first, second = tee(commands)
        master = self._master or await self._find(None)
        try:
            return await master.call(first, again)
        except BrokerUnavailable as error:
            successor = await self._find(master)
            if successor is master or is_silence(error):
                raise
        answer = await successor.call(map(again, second), again)
        return answer._replace(resent=True)

    async def line(self, key: str) -> Line:
        """As in `Link`; the sentinels are asked, for a line would not notice an old master."""
        return await (await self._find(self._master)).line(key)

    async def close(self) -> None:
        """As in `Link`."""
        if self._master:
            await self._master.close()

    async def _find(self, known: Server | None) -> Server:
        """The present master; `known` if it still is, or if nobody can tell."""
        async with self._finding:
            if self._master is not known and self._master:
                return self._master  # Found while this one waited for its turn.
            try:
                host, port = await self._ask()
            except BrokerError:
                if known:
                    return known
                raise
            if known and known.address == host_and_port(host, port):
                return known
            self._master = Server(host, port, self._options)
        if known:
            await known.close()
        return self._master

    async def _ask(self) -> tuple[str, int]:
        commands: list[Command] = [
            ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service),
            # A pattern does not complain about a name that is not there.
            ("SENTINEL", "MASTERS"),
        ]
        try:
            findings = await survey(self._sentinels, commands)
        finally:
            # They are asked too rarely for a connection to stay alive.
            for sentinel in self._sentinels:
                await sentinel.close()
        told = [finding for finding in findings if finding.replies[0]]
        if not told:
            raise BrokerUnavailable(
                f"the sentinels at {self.address} watch no master named {self._service!r}"
            )
        # One that was cut off from the others may still tell of an old master.
        host, port = max(told, key=self._epoch).replies[0]
        return host.decode(), int(port)

    def _epoch(self, finding: Finding) -> int:
        for fields in finding.replies[1]:
            told = dict(zip(fields[::2], fields[1::2], strict=True))
            if told[b"name"] == self._service.encode():
                return int(told[b"config-epoch"])
        return -1
