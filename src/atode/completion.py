"""Completing a job in the handler's own transaction, so that its effect and its end are one."""

from typing import TypeVar, overload

from atode.context import Execution, execution
from atode.errors import Misused

T = TypeVar("T")


@overload
async def complete_job(*, transaction: object) -> None: ...


@overload
async def complete_job(result: T, /, *, transaction: object) -> T: ...


async def complete_job(result: object = None, /, *, transaction: object) -> object:
    """Inside a handler: complete its job in the transaction that is open on this connection.

    When that commits, the job has succeeded in the same instant, with `result`, which is also
    what comes back: `return await complete_job(total, transaction=connection)`. If it is rolled
    back, nothing has happened. Call it last in the transaction. What the handler returns or raises
    after the commit does not count.

    Raises:
        Misused: no job runs here, or not in this process.
        NotHeld: the job is not this attempt's any more, or the attempt is over. Let it pass, so
            that the transaction is rolled back.
        BadOption: the jobs are not in the database of this connection, it has no transaction
            open, or it blocks.
        BadPayload, PayloadTooLarge: the result cannot be stored.
    """
    await _here().complete(result, transaction)
    return result


@overload
def complete_job_sync(*, transaction: object) -> None: ...


@overload
def complete_job_sync(result: T, /, *, transaction: object) -> T: ...


def complete_job_sync(result: object = None, /, *, transaction: object) -> object:
    """`complete_job` with a connection that blocks, on the thread that uses it."""
    _here().complete_sync(result, transaction)
    return result


def _here() -> Execution:
    found = execution.get()
    if found is None:
        raise Misused(
            "there is no job to complete here: call it in a task's handler, in the worker's own "
            "process, and not in a thread or process that the handler has started"
        )
    return found
