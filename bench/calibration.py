"""How fast this machine is just now without the library, so that runs can be compared as ratios."""

import socket
import sqlite3
from pathlib import Path
from time import perf_counter

from bench.figure import Figure

_BATCH = 1000
_BATCHES = 50
_ROUNDS_OF_PYTHON = 2_000_000


def python() -> Figure:
    """A fixed loop of plain Python: a dictionary look-up, an addition, a store."""
    table = dict.fromkeys(range(16), 0)
    began = perf_counter()
    for number in range(_ROUNDS_OF_PYTHON):
        table[number & 15] += 1
    return Figure("plain Python loop", "M/s", _ROUNDS_OF_PYTHON / (perf_counter() - began) / 1e6)


def redis(port: int) -> Figure:
    """SET of 100 bytes by one connection, a thousand in each round trip."""
    value = b"x" * 100
    commands = b"".join(
        b"*3\r\n$3\r\nSET\r\n$8\r\n%08d\r\n$100\r\n%b\r\n" % (key, value) for key in range(_BATCH)
    )
    answer_bytes = _BATCH * len(b"+OK\r\n")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = perf_counter()
        for _ in range(_BATCHES):
            connection.sendall(commands)
            left = answer_bytes
            while left:
                left -= len(connection.recv(left))
        seconds = perf_counter() - began
    return Figure("bare SET, 1,000 per round trip", "per s", _BATCH * _BATCHES / seconds)


def sqlite(path: Path, synchronous: str) -> Figure:
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
    return Figure("bare INSERT, 1,000 per transaction", "per s", _BATCH * _BATCHES / seconds)
