"""Which tasks this process knows."""

from collections.abc import Iterator
from typing import Any

from atode.batch import BatchTask
from atode.errors import DuplicateTask, UnknownTask
from atode.task import AnyTask


class Registry:
    """Tasks by name."""

    def __init__(self) -> None:
        self._tasks: dict[str, AnyTask[..., Any]] = {}

    def add(self, task: AnyTask[..., Any]) -> None:
        """Make a task known.

        Raises:
            DuplicateTask: its name is taken.
        """
        known = self._tasks.get(task.name)
        if known:
            raise DuplicateTask(task.name, _place(known), _place(task))
        self._tasks[task.name] = task

    def __getitem__(self, name: str) -> AnyTask[..., Any]:
        """The task of this name.

        Raises:
            UnknownTask: there is none; the message suggests a close one.
        """
        try:
            return self._tasks[name]
        except KeyError:
            raise UnknownTask(name, self._tasks) from None

    def __iter__(self) -> Iterator[AnyTask[..., Any]]:
        return iter(self._tasks.values())

    def __len__(self) -> int:
        return len(self._tasks)

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._tasks))

    def batches(self) -> dict[str, BatchTask[Any, Any]]:
        """The batch tasks, by name."""
        return {task.name: task for task in self if isinstance(task, BatchTask)}

    def check(self) -> None:
        """Resolve every task's annotations; BadTask names the first that cannot be."""
        for task in self:
            task.check()


def _place(task: AnyTask[..., Any]) -> str:
    function = task.function
    name = getattr(function, "__qualname__", repr(function))
    return f"{getattr(function, '__module__', '?')}.{name}"
