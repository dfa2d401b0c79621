"""Schedules that are defined at run time: private keys, of which asynq's tools know nothing."""

from collections.abc import Iterator

from atode.broker.redis._cancelling import Cancelling
from atode.broker.redis._scripts import DEFINE, UNDEFINE
from atode.broker.redis.keys import DEFINITIONS
from atode.schedule import Definition, Definitions

_KEYS = (DEFINITIONS,)


class Defining(Cancelling):
    """Definitions in one hash, and messages that tell of new revisions."""

    async def definitions(self, *, since: int | None = None) -> Definitions | None:
        """All definitions; None if they still have the revision `since`."""
        if since is not None:
            [revision] = (await self._link.call([("HGET", DEFINITIONS, "")])).replies
            if _number(revision) == since:
                return None
        [reply] = (await self._link.call([("HGETALL", DEFINITIONS)])).replies
        stored: dict[bytes, bytes] = dict(zip(reply[::2], reply[1::2], strict=True))
        return Definitions(_number(stored.pop(b"", b"0")), sorted(_read(stored)))

    async def define(self, schedule: str, body: str, *, version: int) -> int | None:
        """Store a definition in place of the one that has this version, and tell of it."""
        command = DEFINE.call(_KEYS, schedule, version, body)
        [made] = (await self._link.call([command])).replies
        return int(made) or None

    async def undefine(self, schedule: str, *, version: int) -> bool:
        """Remove the definition that has this version, and tell of it."""
        answer = await self._link.call([UNDEFINE.call(_KEYS, schedule, version)])
        # What was sent twice may have been done by the first sending.
        removed = answer.replies[0]
        return removed == 1 or (removed == 0 and answer.resent)

    async def wait_defined(self, revision: int, *, until: float) -> None:
        """Sleep until the instant `until`, or until told of another revision."""
        await self._listener.defined(revision, until)


def _read(stored: dict[bytes, bytes]) -> Iterator[Definition]:
    for schedule, value in stored.items():
        version, _, body = value.partition(b" ")
        name = schedule.decode("utf-8", "replace")
        yield Definition(name, _number(version), body.decode("utf-8", "replace"))


def _number(text: bytes | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
