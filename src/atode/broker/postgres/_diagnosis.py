"""Finding out what is wrong with a server, a schema and the jobs in it."""

import asyncio
import secrets
from collections.abc import Awaitable, Iterable, Sequence
from functools import partial

from atode.broker.postgres import _health, _standstill
from atode.broker.postgres import _statements as sql
from atode.broker.postgres._link import TIMEOUT, Ask, Connection, Rows
from atode.broker.postgres._schema import NEWEST, quoted, version_of
from atode.broker.postgres._store import Store
from atode.clock import SystemClock
from atode.errors import BrokerRefused
from atode.finding import Finding, Mended, Severity
from atode.progress import LONGEST_LEASE, leases_ended

_ECHO = 2.0
"""Seconds within which a notification must arrive."""

_VACUUM = 3600.0


class Diagnosis(Store):
    """A physician's eyes and hands."""

    async def examine(self) -> Sequence[Finding]:
        """What is wrong, seen through connections of its own that cannot write."""
        line = await self._link.stranger()
        ask = partial(self._look, line)
        schema = self._link.address.schema
        try:
            found = await self._server(ask)
            version = await self._schema(line, ask, found)
            if version >= NEWEST:
                for statement, check in _health.CHECKS:
                    found += await self._checked(check, ask(statement, schema))
                if not any(each.code == "rights" for each in found):
                    found += await _standstill.findings(ask, self._now())
        finally:
            line.terminate()
        return [*found, *await self._hearing()]

    async def mend(self, findings: Sequence[Finding]) -> Sequence[Mended]:
        """Put right what is fixable; errors as for all calls, and what was done stays done."""
        done: list[Mended] = []
        for each in findings:
            text = ""
            if each.fixable and each.code == "endless-lease":
                text = await self._shorten(each.queue)
            elif each.fixable and each.code == "dead-worker":
                rows = await self._link.rows(sql.BURY, self._now())
                text = f"workers forgotten: {len(rows):,}" if rows else ""
            elif each.fixable and each.code == "dead-rows":
                text = await self._vacuum(each.subject.rpartition(".")[2])
            if text:
                done.append(Mended(each.code, each.subject, text))
        return done

    async def _look(self, line: Connection, statement: str, *values: object) -> Rows:
        async def read() -> Rows:
            # Whatever happens here, it changes nothing.
            async with line.transaction(readonly=True):
                rows: Rows = await line.fetch(self._link.text(statement), *values, timeout=TIMEOUT)
                return rows

        return await self._link.guarded(read)

    async def _server(self, ask: Ask) -> list[Finding]:
        before = self._clock.now()
        [row] = await ask(sql.SERVER)
        server = _health.Server(*row)
        ahead = 0.0
        if isinstance(self._clock, SystemClock):
            ahead = (before + self._clock.now()) / 2 - server.instant
        found = list(_health.server_findings(self._link.address, server, ahead))
        looking = ask(sql.HORIZON, _health.LONG_TRANSACTION)
        found += await self._checked(_health.horizon_findings, looking)
        return found

    async def _schema(self, line: Connection, ask: Ask, found: list[Finding]) -> int:
        address = self._link.address
        try:
            [(_, has_jobs)] = await ask(sql.HERE, f"{quoted(address.schema)}.jobs")
            version = await self._link.guarded(lambda: version_of(line, address))
        except BrokerRefused as error:
            looking = ask(sql.RIGHTS, address.schema)
            found += await self._checked(_health.right_findings, looking)
            found.append(_hidden(f"schema {address.schema}", error))
            return 0
        found += _health.schema_findings(address, version, has_jobs=has_jobs)
        return version

    async def _checked(self, check: _health.Check, looking: Awaitable[Rows]) -> Iterable[Finding]:
        address = self._link.address
        try:
            return list(check(address, await looking))
        except BrokerRefused as error:
            return [_hidden(f"schema {address.schema}", error)]

    async def _hearing(self) -> list[Finding]:
        """Whether what is told on one connection is heard on another."""
        address = self._link.address
        if not address.listens:
            return []
        heard = asyncio.Event()
        word = f"e{secrets.token_hex(8)}"

        def hear(_: Connection, __: int, ___: str, told: str) -> None:
            if told == word:
                heard.set()

        line, teller = await self._link.stranger(), await self._link.stranger()
        try:
            await self._link.guarded(lambda: line.add_listener(address.channel, hear))
            tell = partial(teller.fetch, self._link.text(sql.NOTIFY), address.channel, [word])
            await self._link.guarded(tell)
            async with asyncio.timeout(_ECHO):
                await heard.wait()
        except TimeoutError:
            return [_health.deaf(address)]
        finally:
            line.terminate()
            teller.terminate()
        return []

    async def _shorten(self, queue: str) -> str:
        [[now]] = await self._link.rows(sql.MOMENT, self._now())
        rows = await self._link.rows(sql.SHORTEN, queue, now + LONGEST_LEASE, now)
        return leases_ended(len(rows))

    async def _vacuum(self, table: str) -> str:
        line = await self._link.stranger()
        try:
            text = f"VACUUM {quoted(self._link.address.schema)}.{quoted(table)}"
            await self._link.guarded(lambda: line.execute(text, timeout=_VACUUM))
        finally:
            line.terminate()
        return "VACUUM has run on it"


def _hidden(subject: str, error: BrokerRefused) -> Finding:
    text = f"it could not be looked at: {error}"
    remedy = "give the role the right that the server names; then look again"
    return Finding(Severity.WARNING, "not-looked-at", subject, text, remedy)
