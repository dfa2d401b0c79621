"""Code around every enqueue and every attempt: traces, and what else has to be there meanwhile.

Who only wants to know afterwards subscribes to events.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from atode.job import Job
from atode.outcome import Outcome


class Middleware(Protocol):
    """Two context managers; `jobs.events.layers.add(…)` puts them around what an app does."""

    def enqueuing(self, jobs: Sequence[Job]) -> AbstractContextManager[Sequence[Job]]:
        """Entered before new jobs are stored, and left afterwards, with the error if there is one.

        It gives the jobs to store: the same, in the same order, perhaps with more headers. An
        error of its own goes to who enqueues.
        """
        ...

    def attempting(self, job: Job) -> AbstractContextManager[Callable[[Outcome], None]]:
        """Entered before a handler runs, in the context in which it will, and left afterwards.

        It gives a function that is told how the attempt ended. An error of its own is reported
        and changes nothing for the job.
        """
        ...


class Layers:
    """The middleware of an app, the first one outermost; false while there is none."""

    def __init__(self) -> None:
        self._layers: list[Middleware] = []

    def __bool__(self) -> bool:
        return bool(self._layers)

    def add(self, middleware: Middleware) -> None:
        """Put `middleware` around what happens from now on, inside what is there already."""
        self._layers.append(middleware)

    @contextmanager
    def enqueuing(self, jobs: Sequence[Job]) -> Generator[Sequence[Job]]:
        """Inside all layers; gives the jobs to store."""
        with ExitStack() as stack:
            for layer in self._layers:
                jobs = stack.enter_context(layer.enqueuing(jobs))
            yield jobs

    @contextmanager
    def attempting(self, job: Job) -> Generator[Callable[[Outcome], None]]:
        """Inside all layers; gives a function that tells all of them how the attempt ended."""
        with ExitStack() as stack:
            listeners = [stack.enter_context(layer.attempting(job)) for layer in self._layers]

            def tell(outcome: Outcome) -> None:
                for listener in reversed(listeners):
                    listener(outcome)

            yield tell
