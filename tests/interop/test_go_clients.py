"""Go stores a job, a Python worker runs it."""

import time

import pytest

from atode import State
from atode.broker.redis.broker import RedisBroker
from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec

pytestmark = pytest.mark.usefixtures("python_worker")


async def test_a_typed_handler_gets_the_json_object_of_a_go_program(
    go: Peer, journal: Journal
) -> None:
    payload = b'{"order": {"sku": "a-1", "count": 3}, "express": true, "newer": 1}'

    [job] = go.enqueue({"type": "ship", "payload": payload})

    [end] = await journal.has("end", job.id)
    assert end.detail == "3 of a-1, express true"


async def test_a_handler_of_bytes_gets_any_payload_as_it_is(go: Peer, journal: Journal) -> None:
    [job] = go.enqueue({"type": "swallow", "payload": b"\x00\xff not JSON"})

    [end] = await journal.has("end", job.id)
    assert bytes.fromhex(end.detail) == b"\x00\xff not JSON"


async def test_a_job_without_a_payload_runs_with_the_defaults(go: Peer, journal: Journal) -> None:
    [job] = go.enqueue({"type": "work"})

    await journal.has("end", job.id)


async def test_headers_and_options_of_a_go_program_arrive(go: Peer, journal: Journal) -> None:
    headers = {"trace": "abc", "名": "値"}
    deadline = int(time.time()) + 60

    [job] = go.enqueue(
        {
            "type": "work",
            "payload": b"{}",
            "headers": headers,
            "max_retry": 3,
            "deadline": deadline,
            "id": "chosen",
        }
    )

    [end] = await journal.has("end", "chosen")
    assert (end.headers, end.max_retry, end.deadline) == (headers, 3, deadline)
    assert job.id == "chosen"


async def test_an_idle_worker_starts_the_job_of_a_go_program_at_once(
    go: Peer, journal: Journal
) -> None:
    waits: list[float] = []
    for _ in range(5):
        [stored] = go.try_enqueue({"type": "work", "payload": b"{}"})
        assert stored.task
        [start] = await journal.has("start", stored.task.id)
        waits.append(start.at - stored.at)

    # The best one, so that a busy machine does not count; a worker that polled every
    # second or so would hardly ever be this quick.
    assert min(waits) < 0.1
    assert max(waits) < 2.0


async def test_a_job_that_go_runs_before_its_time_starts_at_once(
    go: Peer, journal: Journal
) -> None:
    [job] = go.enqueue({"type": "work", "payload": b"{}", "delay": 3600})

    told = time.time()
    go.run(job.id)

    [start] = await journal.has("start", job.id)
    assert start.at - told < 1.0


async def test_a_job_that_go_scheduled_starts_at_its_second(go: Peer, journal: Journal) -> None:
    jobs = go.enqueue(*(Spec(type="work", payload=b"{}", delay=n / 2) for n in (2, 3, 4)))

    starts = {start.id: start.at for start in await journal.has("start", *(j.id for j in jobs))}
    # asynq keeps whole seconds, rounded down.
    late = [starts[job.id] - int(job.next_process_at) for job in jobs]
    assert min(late) >= 0
    assert min(late) < 0.2
    assert max(late) < 0.9


async def test_what_a_handler_returns_is_a_result_for_go(go: Peer) -> None:
    before = int(time.time())

    [job] = go.enqueue({"type": "greet", "payload": b'{"name":"\xe5\xbe\x8c"}', "retention": 60})

    done = await go.task_in("completed", job.id)
    assert done.result.decode() == '"Hello, 後"'
    assert done.retention == 60
    assert before <= done.completed_at <= time.time()
    assert [task.id for task in go.tasks("completed")] == [job.id]


async def test_a_failure_is_in_the_retry_list_of_go_with_its_error(go: Peer) -> None:
    before = int(time.time())

    [job] = go.enqueue(
        {"type": "fail", "payload": '{"text": "壊れた"}'.encode(), "headers": {"trace": "abc"}}
    )

    await go.task_in("retry", job.id)
    [failed] = go.tasks("retry")
    assert failed.error.startswith("ValueError: 壊れた\n")
    assert (failed.retried, failed.max_retry) == (1, 25)
    assert failed.headers == {"trace": "abc"}
    assert before <= failed.last_failed_at <= time.time()
    assert before + 3600 <= failed.next_process_at <= time.time() + 3602


async def test_an_error_text_that_is_no_utf8_can_be_read_by_go(go: Peer) -> None:
    [job] = go.enqueue({"type": "garble", "payload": b'{"text": "\xe5\xbe\x8c"}'})

    failed = await go.task_in("retry", job.id)
    assert failed.error.startswith("ValueError: ")
    assert [task.id for task in go.tasks("retry")] == [job.id]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"type": "fail", "payload": b'{"text": "no"}', "max_retry": 0}, "ValueError: no"),
        ({"type": "refuse", "payload": b'{"text": "never"}'}, "never"),
        ({"type": "greet", "payload": b'{"nom": "A"}'}, "name"),
        ({"type": "greet", "payload": b"no JSON"}, "JSON"),
        ({"type": "unheard:of", "payload": b"{}"}, "unheard:of"),
        ({"type": "work", "payload": b"{}", "deadline": 1_700_000_000}, "deadline"),
    ],
    ids=["exhausted", "permanent", "misfit", "broken", "unknown", "too-late"],
)
async def test_what_cannot_succeed_is_in_the_archive_of_go_with_the_reason(
    go: Peer, spec: Spec, reason: str
) -> None:
    [job] = go.enqueue(spec)

    await go.task_in("archived", job.id)
    [archived] = go.tasks("archived")
    assert reason in archived.error
    assert archived.payload == spec.get("payload")


async def test_a_timeout_that_go_set_ends_the_attempt(go: Peer) -> None:
    [job] = go.enqueue({"type": "rest", "payload": b'{"seconds": 3600}', "timeout": 1})

    failed = await go.task_in("retry", job.id)
    assert "ran longer than 1 s" in failed.error
    assert failed.timeout == 1


async def test_what_python_ran_is_in_the_history_of_go(go: Peer, broker: RedisBroker) -> None:
    go.enqueue(*(Spec(type="work", payload=b"{}") for _ in range(3)))
    [failing, hopeless] = go.enqueue(
        {"type": "fail", "payload": b'{"text": "a"}'},
        {"type": "refuse", "payload": b'{"text": "b"}'},
    )

    await go.task_in("retry", failing.id)
    await go.task_in("archived", hopeless.id)
    await eventually(lambda: go.queue().processed == 5)
    info = go.queue()
    today, yesterday = go.history(2)
    assert (info.processed, info.failed) == (5, 2)
    assert (info.processed_total, info.failed_total) == (5, 2)
    assert (today.processed, today.failed) == (5, 2)
    assert today.date == time.strftime("%Y-%m-%d", time.gmtime())
    assert (yesterday.processed, yesterday.failed) == (0, 0)
    assert (await broker.counts("default"))[State.PENDING] == info.pending == 0
