"""Schedules that are defined at run time, each change a transaction."""

from functools import partial

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._file import File
from atode.broker.sqlite._transaction import Transaction
from atode.schedule import Definition, Definitions


class Defining(File):
    """Definitions in the file, for all processes that use it."""

    async def definitions(self, *, since: int | None = None) -> Definitions | None:
        return await self._writer.call(partial(_definitions, since=since), writes=False)

    async def define(self, schedule: str, body: str, *, version: int) -> int | None:
        command = partial(_define, schedule=schedule, body=body, version=version)
        return await self._writer.call(command)

    async def undefine(self, schedule: str, *, version: int) -> bool:
        return await self._writer.call(partial(_undefine, schedule=schedule, version=version))


def has_changed(tx: Transaction, revision: int) -> bool:
    """Whether definitions have another revision."""
    return _revision(tx) != revision


def _revision(tx: Transaction) -> int:
    [revision] = tx.row(sql.REVISION)
    return int(revision)


def _definitions(tx: Transaction, since: int | None) -> Definitions | None:
    revision = _revision(tx)
    if revision == since:
        return None
    return Definitions(revision, [Definition(*row) for row in tx.rows(sql.DEFINITIONS)])


def _define(tx: Transaction, schedule: str, body: str, version: int) -> int | None:
    stored, text = tx.row(sql.DEFINITION, schedule) or (0, "")
    if stored != version:
        return int(stored) if stored and text == body else None
    revision = _renewed(tx)
    tx.change(sql.DEFINE, schedule, revision, body)
    return revision


def _undefine(tx: Transaction, schedule: str, version: int) -> bool:
    stored, _ = tx.row(sql.DEFINITION, schedule) or (0, "")
    if not stored or stored != version:
        return False
    _renewed(tx)
    tx.change(sql.UNDEFINE, schedule)
    return True


def _renewed(tx: Transaction) -> int:
    tx.change(sql.RENEW_REVISION)
    tx.now_defined()
    return _revision(tx)
