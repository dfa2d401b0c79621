"""`atode workers resize` on a memory broker."""

import pytest

from atode.broker.memory import MemoryBroker
from atode.presence import Presence
from atode.size import Wish
from atode.testing import FakeClock
from tests.unit.cli_stage import Stage, staged


class ObedientBroker(MemoryBroker):
    """Whose workers hear every wish at once."""

    async def resize(self, worker: str, wish: Wish) -> bool:
        heard = await super().resize(worker, wish)
        presence, until = self._store.presences.get(worker, (None, 0.0))
        if presence:
            shown = presence._replace(concurrency=wish.concurrency)
            self._store.presences[worker] = (shown, until)
        return heard


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = staged(monkeypatch, ObedientBroker(FakeClock()))
    for worker in ("a:7:cafe-1", "a:7:cafe-2", "b:9:babe-1"):
        host, pid, _ = worker.split(":")
        since = stage.clock.now()
        stage.beat(Presence(worker, host, int(pid), 20, {"default": 1}, False, "active", since))
    return stage


def sizes(stage: Stage) -> dict[str, int]:
    return {each.server_id: each.concurrency for each in stage.do(stage.broker.workers())}


@pytest.mark.parametrize("given", ["b:9:babe-1", "babe-1", "ba", "b:9"])
def test_a_worker_is_named_in_many_ways(stage: Stage, given: str) -> None:
    said = stage.says("workers", "resize", given, "--concurrency", "50")

    assert said == "worker b:9:babe-1 has 50 slots, had 20\n"
    assert sizes(stage) == {"cafe-1": 20, "cafe-2": 20, "babe-1": 50}


def test_several_at_once(stage: Stage) -> None:
    stage.says("workers", "resize", "cafe-1", "b:9", "cafe-1", "-c", "5")

    assert sizes(stage) == {"cafe-1": 5, "cafe-2": 20, "babe-1": 5}


def test_an_ambiguous_name_changes_nothing(stage: Stage) -> None:
    said = stage.refuses(2, "workers", "resize", "babe-1", "caf", "-c", "5")

    assert said == "worker 'caf' may be any of 2: cafe-1, cafe-2"
    assert set(sizes(stage).values()) == {20}


def test_an_unknown_one_is_compared_with_those_that_live(stage: Stage) -> None:
    said = stage.refuses(2, "workers", "resize", "babe-11", "-c", "5")

    assert said == "no worker 'babe-11' lives; did you mean 'babe-1'?"


@pytest.mark.parametrize("wrong", ["0", "10001"])
def test_an_impossible_size_is_refused(stage: Stage, wrong: str) -> None:
    said = stage.refuses(2, "workers", "resize", "babe-1", "-c", wrong)

    assert said == f"concurrency is {wrong}; it must be from 1 to 10,000"
    assert set(sizes(stage).values()) == {20}


def test_a_worker_that_does_not_answer_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atode.cli.workers._PATIENCE", 0.0)
    stage = staged(monkeypatch)
    since = stage.clock.now()
    stage.beat(Presence("a:7:w1", "a", 7, 20, {"default": 1}, False, "active", since))

    said = stage.refuses(1, "workers", "resize", "w1", "-c", "5")

    assert said == "no answer within 0 s; it holds as soon as they hear: a:7:w1"
