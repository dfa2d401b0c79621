"""Whether the user may do all that atode does.

Commands are queued in a transaction that is then thrown away: the server checks the rights of
each when it is queued, and runs none.
"""

from collections.abc import Sequence

from redis.exceptions import NoPermissionError, ResponseError

from atode.broker.redis._link import TIMEOUT, Line, Server
from atode.broker.redis.keys import QUEUES, SCHEDULERS, SERVERS, WORKERS, keys_of
from atode.errors import BrokerError
from atode.finding import Finding, Severity

_KEYS = keys_of("atode-doctor")

NEEDED: Sequence[tuple[str, ...]] = (
    *(("EXISTS", _KEYS.jobs), ("DEL", _KEYS.jobs), ("EXPIRE", _KEYS.jobs, "1")),
    *(("EXPIREAT", _KEYS.processed, "1"), ("RENAME", _KEYS.pending, _KEYS.removed)),
    *(("GET", _KEYS.paused), ("MGET", _KEYS.processed), ("SET", _KEYS.paused, "1")),
    *(("SETEX", SERVERS + ":{atode-doctor}", "1", ""), ("INCRBY", _KEYS.processed, "1")),
    *(("HGET", _KEYS.jobs, "msg"), ("HMGET", _KEYS.jobs, "msg"), ("HEXISTS", _KEYS.jobs, "msg")),
    *(("HSET", _KEYS.jobs, "msg", ""), ("HDEL", _KEYS.jobs, "msg")),
    *(("HSETNX", _KEYS.jobs, "msg", ""), ("HLEN", _KEYS.jobs), ("HGETALL", _KEYS.jobs)),
    *(("HVALS", WORKERS + ":{atode-doctor}"), ("LINDEX", _KEYS.pending, "0")),
    *(("LLEN", _KEYS.pending), ("LPOS", _KEYS.active, ""), ("LPUSH", _KEYS.pending, "")),
    *(("RPUSH", _KEYS.pending, ""), ("LRANGE", _KEYS.pending, "0", "0")),
    *(("LREM", _KEYS.active, "0", ""), ("LSET", _KEYS.active, "0", "")),
    *(("LTRIM", _KEYS.pending, "0", "0"), ("SADD", QUEUES, ""), ("SREM", QUEUES, "")),
    *(("SMEMBERS", QUEUES), ("SISMEMBER", QUEUES, ""), ("SCARD", _KEYS.groups)),
    *(("SSCAN", _KEYS.groups, "0"), ("ZUNIONSTORE", _KEYS.group, "1", _KEYS.group)),
    *(("TTL", _KEYS.unique), ("PTTL", _KEYS.unique)),
    *(("ZADD", _KEYS.scheduled, "1", ""), ("ZREM", _KEYS.scheduled, "")),
    *(("ZCARD", _KEYS.scheduled), ("ZSCORE", _KEYS.scheduled, "")),
    *(("ZMSCORE", _KEYS.lease, ""), ("ZRANGE", _KEYS.retry, "0", "0")),
    *(("ZRANGEBYSCORE", SCHEDULERS, "0", "1"), ("ZREMRANGEBYSCORE", SERVERS, "0", "0")),
    *(("BLMOVE", _KEYS.pending, _KEYS.pending, "RIGHT", "RIGHT", "1"), ("PING",)),
    *(("EVAL", "return 1", "1", _KEYS.pending), ("EVALSHA", "0" * 40, "1", _KEYS.pending)),
)
"""Every command that workers and clients send, on keys of each kind."""

HELPFUL: Sequence[tuple[str, ...]] = (("PUBLISH", _KEYS.soon, ""), ("SUBSCRIBE", _KEYS.soon))
"""Without these, jobs with short delays start late."""

_RIGHTS = "ACL SETUSER … +@read +@write +@scripting +@pubsub +ping ~asynq:* &asynq:*"


async def right_findings(server: Server) -> list[Finding]:
    """The rights that are missing."""
    subject = f"server {server.address}"
    line = await server.line()
    try:
        await line.send("MULTI")
        try:
            await line.read(within=TIMEOUT)
        except BrokerError as error:
            text = f"the user's rights could not be looked at: {error}"
            remedy = "give it the right: ACL SETUSER … +multi +discard"
            return [Finding(Severity.INFO, "not-looked-at", subject, text, remedy)]
        needed = await _forbidden(line, NEEDED)
        helpful = await _forbidden(line, HELPFUL)
        await line.send("DISCARD")
    finally:
        await line.close()
    found: list[Finding] = []
    if needed:
        text = f"the user may not use {', '.join(needed)}, or not on keys that start with asynq:"
        found.append(Finding(Severity.ERROR, "rights", subject, text, _RIGHTS))
    if helpful:
        text = f"the user may not use {', '.join(helpful)}: short delays last up to a second longer"
        found.append(Finding(Severity.WARNING, "rights", subject, text, _RIGHTS))
    return found


async def _forbidden(line: Line, commands: Sequence[tuple[str, ...]]) -> list[str]:
    forbidden: list[str] = []
    for command in commands:
        await line.send(*command)
    for command in commands:
        try:
            await line.read(within=TIMEOUT)
        except BrokerError as error:
            # In a cluster, a key that is elsewhere is another error, which comes after this one.
            if isinstance(error.__cause__, NoPermissionError):
                forbidden.append(command[0])
            elif not isinstance(error.__cause__, ResponseError):
                raise
    return forbidden
