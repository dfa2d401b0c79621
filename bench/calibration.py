"""How fast this machine is just now without the library, so that runs can be compared as ratios."""

import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from bench.figure import Figure

_BATCH = 1000
_BATCHES = 50
_PINGS = 50
_REST = 0.02
_ROUNDS_OF_PYTHON = 2_000_000


def python() -> Figure:
    """A fixed loop of plain Python: a dictionary look-up, an addition, a store."""
    table = dict.fromkeys(range(16), 0)
    began = perf_counter()
    for number in range(_ROUNDS_OF_PYTHON):
        table[number & 15] += 1
    return Figure("plain Python loop", "M/s", _ROUNDS_OF_PYTHON / (perf_counter() - began) / 1e6)


def redis(port: int) -> list[Figure]:
    """Throughput and idle latency of the bare server, on one connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return [_sets(connection), _idle_ping(connection)]


def _sets(connection: socket.socket) -> Figure:
    # 100 bytes under each key, as much as a small job.
    value = b"x" * 100
    commands = b"".join(
        b"*3\r\n$3\r\nSET\r\n$8\r\n%08d\r\n$100\r\n%b\r\n" % (key, value) for key in range(_BATCH)
    )
    began = perf_counter()
    for _ in range(_BATCHES):
        connection.sendall(commands)
        _receive(connection, _BATCH * len(b"+OK\r\n"))
    seconds = perf_counter() - began
    return Figure("bare SET, 1,000 per round trip", "per s", _BATCH * _BATCHES / seconds)


def _idle_ping(connection: socket.socket) -> Figure:
    # With a rest before each, like the jobs of the idle latency: much of what those take is
    # the machine waking up, several times for each job.
    seconds: list[float] = []
    for _ in range(_PINGS):
        sleep(_REST)
        began = perf_counter()
        connection.sendall(b"PING\r\n")
        _receive(connection, len(b"+PONG\r\n"))
        seconds.append(perf_counter() - began)
    return Figure("bare PING, idle, p50", "ms", median(seconds) * 1000)


def _receive(connection: socket.socket, size: int) -> None:
    while size:
        answer = connection.recv(size)
        if not answer:
            raise ConnectionError("the server closed the connection")
        size -= len(answer)


def sqlite(path: Path, synchronous: str) -> list[Figure]:
    """INSERT of 100 bytes under a text key, a thousand in each transaction."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {synchronous}")
        database.execute("CREATE TABLE raw (id TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        value = b"x" * 100
        began = perf_counter()
        for batch in range(_BATCHES):
            rows = [(f"{batch * _BATCH + row:08}", value) for row in range(_BATCH)]
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO raw VALUES (?, ?)", rows)
            database.execute("COMMIT")
        seconds = perf_counter() - began
    finally:
        database.close()
    return [Figure("bare INSERT, 1,000 per transaction", "per s", _BATCH * _BATCHES / seconds)]


def postgres(do: Callable[[str], str]) -> list[Figure]:
    """INSERT of 100 bytes under a text key, a thousand in each transaction, inside the server."""
    do("DROP TABLE IF EXISTS raw; CREATE TABLE raw (id text PRIMARY KEY, value text)")
    began = perf_counter()
    do(
        f"DO $$ BEGIN FOR batch IN 1..{_BATCHES} LOOP INSERT INTO raw "
        f"SELECT batch || '-' || row, repeat('x', 100) FROM generate_series(1, {_BATCH}) AS row; "
        "COMMIT; END LOOP; END $$"
    )
    seconds = perf_counter() - began
    return [Figure("bare INSERT, 1,000 per transaction", "per s", _BATCH * _BATCHES / seconds)]
