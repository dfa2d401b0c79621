"""asynq's protobuf messages (the protocol's section 4), built from a table at import.

There is no generated code to keep in step with a protobuf version, and no compiler needed.
"""

import math
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import TYPE_CHECKING, Self

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.message import DecodeError

__all__ = [
    "NEVER",
    "DecodeError",
    "SchedulerEnqueueEvent",
    "SchedulerEntry",
    "ServerInfo",
    "TaskMessage",
    "Timestamp",
    "WorkerInfo",
    "instant_of",
    "set_instant",
]

NEVER = -62_135_596_800
"""Seconds of the year 1: how Go writes an instant that has not happened."""

# Fields in the order of their numbers, which start at 1 and have no gaps.
_MESSAGES: Mapping[str, Sequence[str]] = {
    "TaskMessage": (
        "string type", "bytes payload", "string id", "string queue", "int32 retry",
        "int32 retried", "string error_msg", "int64 timeout", "int64 deadline",
        "string unique_key", "int64 last_failed_at", "int64 retention",
        "int64 completed_at", "string group_key", "map<string> headers",
    ),
    "ServerInfo": (
        "string host", "int32 pid", "string server_id", "int32 concurrency",
        "map<int32> queues", "bool strict_priority", "string status",
        "time start_time", "int32 active_worker_count",
    ),
    "WorkerInfo": (
        "string host", "int32 pid", "string server_id", "string task_id",
        "string task_type", "bytes task_payload", "string queue", "time start_time",
        "time deadline",
    ),
    "SchedulerEntry": (
        "string id", "string spec", "string task_type", "bytes task_payload",
        "list<string> enqueue_options", "time next_enqueue_time", "time prev_enqueue_time",
    ),
    "SchedulerEnqueueEvent": ("string task_id", "time enqueue_time"),
}  # fmt: skip

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "bool": _Field.TYPE_BOOL,
}


def _add_field(message: descriptor_pb2.DescriptorProto, number: int, declaration: str) -> None:
    kind, name = declaration.split()
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    outer, _, inner = kind.rstrip(">").partition("<")
    if outer == "time":
        field.type = _Field.TYPE_MESSAGE
        field.type_name = ".google.protobuf.Timestamp"
    elif outer == "map":
        # A protobuf map is a repeated message of two fields, marked as a map entry.
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        _add_field(entry, 1, "string key")
        _add_field(entry, 2, f"{inner} value")
        field.label = _Field.LABEL_REPEATED
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".asynq.{message.name}.{entry.name}"
    elif outer == "list":
        field.label = _Field.LABEL_REPEATED
        field.type = _SCALARS[inner]
    else:
        field.type = _SCALARS[outer]


def _filled_pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(
        name="asynq.proto",
        package="asynq",
        syntax="proto3",
        dependency=["google/protobuf/timestamp.proto"],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, declaration in enumerate(fields, start=1):
            _add_field(message, number, declaration)
    # A pool of our own: another library in this process may know asynq's messages too.
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


if TYPE_CHECKING:

    class _Message:
        def __init__(self, **fields: object) -> None: ...
        def SerializeToString(self) -> bytes: ...  # noqa: N802
        @classmethod
        def FromString(cls, encoded: bytes) -> Self: ...  # noqa: N802

    class Timestamp(_Message):
        """google.protobuf.Timestamp."""

        seconds: int
        nanos: int

    class TaskMessage(_Message):
        """A job as it is stored; zero values are not written."""

        type: str
        payload: bytes
        id: str
        queue: str
        retry: int
        retried: int
        error_msg: str
        timeout: int
        deadline: int
        unique_key: str
        last_failed_at: int
        retention: int
        completed_at: int
        group_key: str
        headers: MutableMapping[str, str]

    class ServerInfo(_Message):
        """A living worker."""

        host: str
        pid: int
        server_id: str
        concurrency: int
        queues: MutableMapping[str, int]
        strict_priority: bool
        status: str
        start_time: Timestamp
        active_worker_count: int

    class WorkerInfo(_Message):
        """A job that a worker is running."""

        host: str
        pid: int
        server_id: str
        task_id: str
        task_type: str
        task_payload: bytes
        queue: str
        start_time: Timestamp
        deadline: Timestamp

    class SchedulerEntry(_Message):
        """A schedule as the dashboards show it."""

        id: str
        spec: str
        task_type: str
        task_payload: bytes
        enqueue_options: MutableSequence[str]
        next_enqueue_time: Timestamp
        prev_enqueue_time: Timestamp

    class SchedulerEnqueueEvent(_Message):
        """One tick that became a job."""

        task_id: str
        enqueue_time: Timestamp

else:
    _pool = _filled_pool()

    def _class(name):
        return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))

    Timestamp = _class("google.protobuf.Timestamp")
    TaskMessage = _class("asynq.TaskMessage")
    ServerInfo = _class("asynq.ServerInfo")
    WorkerInfo = _class("asynq.WorkerInfo")
    SchedulerEntry = _class("asynq.SchedulerEntry")
    SchedulerEnqueueEvent = _class("asynq.SchedulerEnqueueEvent")


def set_instant(field: Timestamp, instant: float) -> None:
    """Write Unix seconds into a Timestamp; 0 becomes the year 1, Go's "never"."""
    # Assigning presses the field into the encoding even where both numbers are zero:
    # old readers drop a whole record whose Timestamp is absent.
    whole = math.floor(instant) if instant else NEVER
    field.seconds = whole
    field.nanos = round((instant - whole) * 1e9) if instant else 0


def instant_of(field: Timestamp) -> float:
    """Unix seconds of a Timestamp; 0 for "never"."""
    return 0.0 if field.seconds == NEVER else field.seconds + field.nanos / 1e9
