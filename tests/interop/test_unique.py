"""Locks of unique jobs that one side takes and the other releases."""

import pytest

from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec
from tests.servers.redis_store import RedisStore

pytestmark = pytest.mark.usefixtures("python_worker")


@pytest.mark.parametrize("retention", [0, 60])
async def test_the_lock_that_go_took_is_free_when_python_has_run_the_job(
    go: Peer, journal: Journal, retention: int
) -> None:
    spec = Spec(type="work", payload=b'{"number": 1}', unique=3600, retention=retention)
    [first] = go.enqueue(spec)
    await journal.has("end", first.id)
    await eventually(lambda: go.queue().processed == 1)

    [second] = go.enqueue(spec)

    await journal.has("end", second.id)


async def test_the_lock_that_go_took_is_kept_while_the_job_waits_for_its_retry(go: Peer) -> None:
    spec = Spec(type="fail", payload=b'{"text": "no"}', unique=3600)
    [first] = go.enqueue(spec)
    await go.task_in("retry", first.id)

    [second] = go.try_enqueue(spec)

    assert second.error == "task already exists"


async def test_a_lock_that_another_job_holds_by_now_is_left_to_it(
    go: Peer, journal: Journal, redis_store: RedisStore
) -> None:
    spec = Spec(type="work", payload=b"{}", unique=3600, delay=3600)
    [job] = go.enqueue(spec)
    [lock] = [name for name in redis_store.dump() if ":unique:" in name]
    redis_store.do("SET", lock, "other")

    go.run(job.id)

    await journal.has("end", job.id)
    await eventually(lambda: go.queue().processed == 1)
    assert redis_store.dump()[lock] == "other"
