"""asynq's client and inspector, through the Go program in the folder next door."""

import base64
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Required, TypedDict, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tests.faults.journal import eventually

Answer = TypeVar("Answer")


class GoError(Exception):
    """What asynq said no with."""


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, val_json_bytes="base64")


class Task(_Described):
    id: str
    queue: str
    type: str
    payload: bytes = b""
    headers: Mapping[str, str] = {}
    state: str
    max_retry: int
    retried: int
    error: str
    last_failed_at: float
    timeout: float
    deadline: float
    group: str
    next_process_at: float
    orphaned: bool
    retention: float
    completed_at: float
    result: bytes = b""


class Running(_Described):
    id: str
    type: str
    payload: bytes = b""
    queue: str
    started: float
    deadline: float


class Server(_Described):
    id: str
    host: str
    pid: int
    concurrency: int
    queues: Mapping[str, int] = {}
    strict: bool
    started: float
    status: str
    running: Sequence[Running]


class QueueInfo(_Described):
    name: str
    memory: int
    latency: float
    size: int
    groups: int
    pending: int
    active: int
    scheduled: int
    retry: int
    archived: int
    completed: int
    aggregating: int
    processed: int
    failed: int
    processed_total: int
    failed_total: int
    paused: bool


class Day(_Described):
    date: str
    processed: int
    failed: int


class Entry(_Described):
    id: str
    spec: str
    type: str
    payload: bytes = b""
    options: Sequence[str]
    next: float
    prev: float


class Fired(_Described):
    id: str
    at: float


class Stored(_Described):
    task: Task | None
    error: str
    at: float
    """When the Go client was called."""


class Spec(TypedDict, total=False):
    """A job to be stored by Go; what is absent is asynq's default. Times in seconds."""

    type: Required[str]
    payload: bytes
    headers: Mapping[str, str]
    id: str
    queue: str
    max_retry: int
    delay: float
    at: float
    timeout: float
    deadline: float
    retention: float
    unique: float
    group: str


def in_json(spec: Spec) -> object:
    """The job as the Go program reads it."""
    if "payload" in spec:
        return {**spec, "payload": base64.b64encode(spec["payload"]).decode()}
    return spec


class Peer:
    """asynq's client and inspector on one Redis."""

    def __init__(self, binary: Path, url: str) -> None:
        self.binary = binary
        self.address = urlsplit(url).netloc

    # Client

    def enqueue(self, *specs: Spec) -> list[Task]:
        """Store jobs, all of which must be taken."""
        stored = self.try_enqueue(*specs)
        assert not [one.error for one in stored if one.error]
        return [one.task for one in stored if one.task]

    def try_enqueue(self, *specs: Spec) -> list[Stored]:
        """Store jobs, some of which may be refused."""
        return self._run(list[Stored], "enqueue", [in_json(spec) for spec in specs])

    # Inspector

    def queues(self) -> set[str]:
        return set(self._ask(list[str], "queues"))

    def queue(self, name: str = "default") -> QueueInfo:
        return self._ask(QueueInfo, "queue", queue=name)

    def task(self, id: str, queue: str = "default") -> Task:
        return self._ask(Task, "task", queue=queue, id=id)

    async def task_in(self, state: str, id: str, queue: str = "default") -> Task:
        """The job, as soon as it is in this state."""
        await eventually(
            lambda: self.task(id, queue).state == state, evidence=lambda: str(self.task(id, queue))
        )
        return self.task(id, queue)

    def tasks(self, state: str, queue: str = "default", group: str = "") -> list[Task]:
        return self._ask(list[Task], "tasks", queue=queue, state=state, group=group)

    def groups(self, queue: str = "default") -> dict[str, int]:
        """How many members each group has."""
        return self._ask(dict[str, int], "groups", queue=queue)

    def servers(self) -> list[Server]:
        return self._ask(list[Server], "servers")

    def history(self, days: int, queue: str = "default") -> list[Day]:
        """Today comes first."""
        return self._ask(list[Day], "history", queue=queue, days=days)

    def schedules(self) -> list[Entry]:
        return self._ask(list[Entry], "schedules")

    def fired(self, schedule: str) -> list[Fired]:
        """The newest comes first."""
        return self._ask(list[Fired], "fired", id=schedule)

    def run(self, id: str, queue: str = "default") -> None:
        self._tell("run", queue=queue, id=id)

    def archive(self, id: str, queue: str = "default") -> None:
        self._tell("archive", queue=queue, id=id)

    def delete(self, id: str, queue: str = "default") -> None:
        self._tell("delete", queue=queue, id=id)

    def cancel(self, id: str) -> None:
        """In whatever queue."""
        self._tell("cancel", id=id)

    def update(self, id: str, payload: bytes, queue: str = "default") -> None:
        encoded = base64.b64encode(payload).decode()
        self._tell("update", queue=queue, id=id, payload=encoded)

    def pause(self, queue: str = "default") -> None:
        self._tell("pause", queue=queue)

    def unpause(self, queue: str = "default") -> None:
        self._tell("unpause", queue=queue)

    def remove(self, queue: str) -> None:
        self._tell("remove", queue=queue)

    def run_all(self, state: str, queue: str = "default", group: str = "") -> int:
        return self._ask(int, "run all", queue=queue, state=state, group=group)

    def archive_all(self, state: str, queue: str = "default", group: str = "") -> int:
        return self._ask(int, "archive all", queue=queue, state=state, group=group)

    def delete_all(self, state: str, queue: str = "default", group: str = "") -> int:
        return self._ask(int, "delete all", queue=queue, state=state, group=group)

    def _ask(self, kind: type[Answer], question: str, **details: object) -> Answer:
        return self._run(kind, "inspect", {"ask": question, **details})

    def _tell(self, wish: str, **details: object) -> None:
        self._run(bool, "inspect", {"ask": wish, **details})

    def _run(self, kind: type[Answer], command: str, given: object) -> Answer:
        done = subprocess.run(
            [self.binary, command, self.address],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise GoError(done.stderr.strip())
        return TypeAdapter(kind).validate_json(done.stdout)
