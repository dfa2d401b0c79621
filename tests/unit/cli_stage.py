"""The command line in this process, on a memory broker whose clock stands still."""

import asyncio
import json
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner, Result

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker
from atode.cli.main import app
from atode.clock import Clock
from atode.job import Job
from atode.outcome import Failed, Outcome, decide
from atode.presence import Presence
from atode.retry import Retry, fixed
from atode.testing.clock import FakeClock

T = TypeVar("T")


class Stage:
    """A store, and what commands say about it."""

    def __init__(self, broker: MemoryBroker, clock: FakeClock) -> None:
        self.broker = broker
        self.clock = clock

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the broker."""
        return asyncio.run(work)

    def store(self, *jobs: Job) -> None:
        """Enqueue jobs."""
        assert list(self.do(self.broker.enqueue(jobs))) == []

    def end(self, outcome: Outcome | None = None, *, queue: str = "default") -> None:
        """Claim the next job and settle it; as failed if nothing is said."""

        async def work() -> None:
            [claim] = await self.broker.claim([queue], limit=1, lease=10, worker="host:7:w1")
            ending = outcome if outcome is not None else Failed("boom")
            policy = Retry(5, fixed(60))
            await self.broker.settle([decide(claim, ending, policy, self.clock.now())])

        self.do(work())

    def beat(self, presence: Presence) -> None:
        """Show a worker as living."""
        self.do(self.broker.beat(presence, lifetime=60))

    def ask(self, *arguments: str, typed: str = "") -> Result:
        """What a command says."""
        return CliRunner().invoke(app, arguments, input=typed)

    def says(self, *arguments: str, typed: str = "") -> str:
        """Standard output of a command that succeeds."""
        result = self.ask(*arguments, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def document(self, *arguments: str) -> Any:
        """What a command says with --json."""
        return json.loads(self.says(*arguments, "--json"))

    def refuses(self, code: int, *arguments: str, typed: str = "") -> str:
        """The one line on standard error of a command that ends with this exit code."""
        result = self.ask(*arguments, typed=typed)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        last = result.stderr.splitlines()[-1]
        assert last.startswith("atode: "), result.stderr
        return last.removeprefix("atode: ")


def staged(monkeypatch: pytest.MonkeyPatch, broker: MemoryBroker | None = None) -> Stage:
    """Let every URL lead to one memory broker, at UTC, without colours or a width."""
    clock = FakeClock()
    shared = broker or MemoryBroker(clock)

    def found(url: str, clock: Clock) -> Broker:
        return shared.sibling()

    monkeypatch.setattr("atode.cli._deployment.broker_for", found)
    monkeypatch.setattr("atode.cli._deployment.SystemClock", lambda: clock)
    monkeypatch.setenv("ATODE_URL", "memory://")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    return Stage(shared, clock)
