"""One call of each kind, for tests in which the store goes away."""

import asyncio
from collections.abc import Awaitable, Callable

from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerUnavailable
from atode.group import Member
from atode.job import Claim
from atode.presence import Presence
from atode.schedule import Entry, Tick
from atode.size import Wish
from tests.integration.plain_job import a_job

PRESENCE = Presence("h:1:b", "h", 1, 1, {"default": 1}, False, "active", 1.0)
Call = Callable[[RedisBroker], Awaitable[object]]
CALLS: dict[str, Call] = {
    "enqueue": lambda broker: broker.enqueue([a_job("other")]),
    "join": lambda broker: broker.enqueue([a_job("member")._replace(group="g")]),
    "groups": lambda broker: broker.groups(["default"]),
    "members": lambda broker: broker.members("default", "g", limit=1),
    "merge": lambda broker: broker.merge("default", "g", [Member(a_job("m"))], [a_job("b")]),
    "release": lambda broker: broker.release("default", "g", [Member(a_job("m"))]),
    "claim": lambda broker: broker.claim(["default"], limit=1, lease=10, worker="w1"),
    "wait": lambda broker: broker.wait(["default"], at_most=60),
    "promote": lambda broker: broker.promote(["default"]),
    "wait_due": lambda broker: broker.wait_due(["default"], until=None),
    "reap": lambda broker: broker.reap(["default"], limit=1, lease=10, worker="w1"),
    "prune": lambda broker: broker.prune(["default"]),
    "beat": lambda broker: broker.beat(PRESENCE, lifetime=10),
    "resize": lambda broker: broker.resize("h:1:b", Wish(5, "w1")),
    "leave": lambda broker: broker.leave(PRESENCE),
    "cancellations": lambda broker: broker.cancellations(["default"], worker="w1", at_most=0.05),
    "marked": lambda broker: broker.marked([Claim(a_job("j1"), "w1", 1, 0.0)]),
    "cancel": lambda broker: broker.cancel("default", ["never-heard-of"]),
    "get": lambda broker: broker.get("default", "j1"),
    "counts": lambda broker: broker.counts("default"),
    "workers": lambda broker: broker.workers(),
    "show": lambda broker: broker.show("s1", [Entry("nightly", "@daily", "demo")], lifetime=10),
    "hide": lambda broker: broker.hide("s1"),
    "entries": lambda broker: broker.entries(),
    "tick": lambda broker: broker.tick([Tick("nightly", 1.0, a_job("t1"))], worker="w1"),
    "last_ticks": lambda broker: broker.last_ticks("default", ["nightly"], first=1.0),
    "fired": lambda broker: broker.fired("nightly"),
    "take_place": lambda broker: broker.take_place("pay", "j1", limit=1, until=1.0),
    "free_place": lambda broker: broker.free_place("pay", "j1", until=1.0),
    # Last, for it takes what the others wait for.
    "claim_next": lambda broker: broker.claim_next(
        ["default"], limit=9, lease=10, worker="w1", at_most=5
    ),
}


async def is_unavailable(calling: Awaitable[object], *, within: float = 20) -> bool:
    try:
        await asyncio.wait_for(calling, within)
    except BrokerUnavailable:
        return True
    return False


def whole_text(error: BaseException | None) -> str:
    """The error with all that led to it, as a log would show it."""
    parts: list[object] = []
    while error:
        parts.append(error)
        error = error.__cause__ or error.__context__
    return " ".join(f"{part} {part!r}" for part in parts)
