"""Which tasks a process knows."""

import pytest

from atode import DuplicateTask, UnknownTask
from atode.errors import BadTask
from atode.registry import Registry
from atode.task import Defaults, SyncTask


def note() -> None: ...


class Callable:
    def __call__(self) -> None: ...


def a_task(name: str, function: object = note) -> SyncTask[[], None]:
    assert callable(function)
    return SyncTask(function, name, Defaults())


def test_a_registry_gives_back_what_was_added() -> None:
    registry = Registry()
    tasks = [a_task("b"), a_task("a")]
    for task in tasks:
        registry.add(task)

    assert registry["a"] is tasks[1]
    assert list(registry) == tasks
    assert registry.names() == ("a", "b")


def test_an_empty_registry_says_that_it_knows_none() -> None:
    with pytest.raises(UnknownTask, match=r"No task named 'x' is registered here \(0 are\)\. Imp"):
        Registry()["x"]


@pytest.mark.parametrize(
    ("function", "place"), [(note, r"test_registry\.note"), (Callable(), "<.*Callable object")]
)
def test_a_duplicate_names_both_places(function: object, place: str) -> None:
    registry = Registry()
    registry.add(a_task("x", function))

    with pytest.raises(DuplicateTask, match=rf"'x' is taken by .*{place}"):
        registry.add(a_task("x"))


def test_a_check_names_the_first_task_that_cannot_be_resolved() -> None:
    def broken(value: int) -> None: ...

    broken.__annotations__["value"] = "Nowhere"
    registry = Registry()
    registry.add(a_task("fine"))
    registry.add(a_task("broken", broken))

    with pytest.raises(BadTask, match="Task 'broken': its annotations cannot be resolved"):
        registry.check()
