"""An id is one job's, whichever side stored it."""

from types import ModuleType

import pytest

from atode import DuplicateJob
from tests.interop.journal import Journal
from tests.interop.peer import Peer

ODD = "注文 #1: {a} %s"


async def test_go_refuses_the_id_of_a_job_that_python_stored(app: ModuleType, go: Peer) -> None:
    async with app.jobs:
        await app.work.options(id="taken").enqueue(1)

    [refused] = go.try_enqueue({"type": "work", "id": "taken"})

    assert refused.error == "task ID conflicts with another task"
    assert go.task("taken").payload == b'{"number":1}'


async def test_python_refuses_the_id_of_a_job_that_go_stored(app: ModuleType, go: Peer) -> None:
    go.enqueue({"type": "work", "id": "taken"})

    async with app.jobs:
        with pytest.raises(DuplicateJob):
            await app.work.options(id="taken").enqueue(1)

    assert go.task("taken").payload == b""


@pytest.mark.usefixtures("python_worker")
async def test_any_text_can_be_an_id_from_go(go: Peer, journal: Journal) -> None:
    go.enqueue({"type": "work", "id": ODD})

    await journal.has("end", ODD, side="python")


@pytest.mark.usefixtures("go_server")
async def test_any_text_can_be_an_id_from_python(app: ModuleType, journal: Journal) -> None:
    async with app.jobs:
        await app.work.options(id=ODD).enqueue(1)

    await journal.has("end", ODD, side="go")
