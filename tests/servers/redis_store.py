"""What is in a Redis, seen past the broker; and what a Go worker would do to it."""

from typing import Any, Self, cast

from redis import Redis

from atode.broker.redis.wire import TaskMessage


class RedisStore:
    """Commands and dumps on a connection of its own."""

    def __init__(self, url: str) -> None:
        # redis-py's own annotations are partial.
        self._client = cast("Any", Redis).from_url(url, decode_responses=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def do(self, *command: str | bytes | float) -> Any:
        """The reply to one command."""
        return self._client.execute_command(*command)

    def dump(self) -> dict[str, object]:
        """Every key with its whole content; messages are decoded."""
        return {name: self._content(name) for name in sorted(self._names())}

    def dump_names(self) -> list[str]:
        """Every key."""
        return sorted(self._names())

    def fields(self, queue: str, job_id: str) -> dict[str, object]:
        """The hash of one job, empty if there is none."""
        return self._hash(f"asynq:{{{queue}}}:t:{job_id}")

    def expiring(self) -> dict[str, int]:
        """The keys that have a time to live, with the seconds left."""
        left = {name: int(self.do("TTL", name)) for name in self._names()}
        return {name: seconds for name, seconds in left.items() if seconds >= 0}

    def _names(self) -> list[str]:
        return [name.decode() for name in self._client.keys("*")]

    def _content(self, name: str) -> object:
        match self.do("TYPE", name):
            case b"hash":
                return self._hash(name)
            case b"list":
                return [_text(item) for item in self.do("LRANGE", name, 0, -1)]
            case b"set":
                return {item.decode() for item in self.do("SMEMBERS", name)}
            case b"zset":
                pairs = self._client.zrange(name, 0, -1, withscores=True)
                return {_text(member): score for member, score in pairs}
            case _:
                return _text(self.do("GET", name))

    def _hash(self, name: str) -> dict[str, object]:
        found = self._client.hgetall(name)
        return {key.decode(): _value(key, value) for key, value in found.items()}


def _value(key: bytes, value: bytes) -> object:
    if key == b"msg":
        return TaskMessage.FromString(value)
    return _text(value)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


class GoPeer:
    """The effects of asynq v0.26 on one queue, as the protocol describes them."""

    def __init__(self, store: RedisStore, queue: str = "default") -> None:
        self._store = store
        self._prefix = f"asynq:{{{queue}}}:"
        self._queue = queue

    def message(self, job_id: str, **fields: object) -> TaskMessage:
        """A message of a Go client."""
        return TaskMessage(
            **{
                "type": "demo",
                "payload": b"{}",
                "id": job_id,
                "queue": self._queue,
                "retry": 25,
                "timeout": 1800,
            }
            | fields
        )

    def enqueue(self, job_id: str, now: float, **fields: object) -> None:
        """Section 7.1."""
        self._run(
            """redis.call('HSET', KEYS[1], 'msg', ARGV[1], 'state', 'pending',
                          'pending_since', ARGV[3])
               redis.call('LPUSH', KEYS[2], ARGV[2])""",
            ("t:" + job_id, "pending"),
            self.message(job_id, **fields).SerializeToString(),
            job_id,
            str(int(now * 1e9)),
        )

    def schedule(self, job_id: str, second: int, **fields: object) -> None:
        """Section 7.2."""
        self._run(
            """redis.call('HSET', KEYS[1], 'msg', ARGV[1], 'state', 'scheduled')
               redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])""",
            ("t:" + job_id, "scheduled"),
            self.message(job_id, **fields).SerializeToString(),
            str(second),
            job_id,
        )

    def dequeue(self, now: float) -> None:
        """Section 8.1."""
        self._run(
            """local id = redis.call('RPOPLPUSH', KEYS[1], KEYS[2])
               redis.call('HSET', ARGV[2] .. id, 'state', 'active')
               redis.call('HDEL', ARGV[2] .. id, 'pending_since')
               redis.call('ZADD', KEYS[3], ARGV[1], id)""",
            ("pending", "active", "lease"),
            str(int(now + 30)),
            self._prefix + "t:",
        )

    def retry(self, job_id: str, second: int) -> None:
        """Section 8.4, without counters: also what its recoverer does."""
        self._run(
            """redis.call('LREM', KEYS[1], 0, ARGV[2])
               redis.call('ZREM', KEYS[2], ARGV[2])
               redis.call('ZADD', KEYS[3], ARGV[1], ARGV[2])
               redis.call('HSET', KEYS[4], 'state', 'retry')""",
            ("active", "lease", "retry", "t:" + job_id),
            str(second),
            job_id,
        )

    def forward(self, job_id: str, now: float) -> None:
        """Section 8.7 for one job of the retry set."""
        self._run(
            """redis.call('LPUSH', KEYS[1], ARGV[1])
               redis.call('ZREM', KEYS[2], ARGV[1])
               redis.call('HSET', KEYS[3], 'state', 'pending', 'pending_since', ARGV[2])""",
            ("pending", "retry", "t:" + job_id),
            job_id,
            str(int(now * 1e9)),
        )

    def _run(self, script: str, keys: tuple[str, ...], *arguments: str | bytes) -> None:
        names = [self._prefix + key for key in keys]
        self._store.do("EVAL", script, len(names), *names, *arguments)
