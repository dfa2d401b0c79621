"""Running coroutines: on the fastest loop there is, and from code without one."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from atode import run
from atode._portal import Portal
from atode.context import current_job


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


async def kind_of_loop() -> str:
    return type(asyncio.get_running_loop()).__module__.split(".")[0]


def test_run_gives_what_the_coroutine_returns() -> None:
    assert run(answer()) == 42


def test_run_uses_uvloop_where_it_is_installed() -> None:
    pytest.importorskip("uvloop")

    assert run(kind_of_loop()) == "uvloop"


def test_run_does_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert run(kind_of_loop()) == "asyncio"


def test_a_portal_runs_everything_on_one_loop() -> None:
    portal = Portal()

    async def where() -> tuple[int, str]:
        return id(asyncio.get_running_loop()), threading.current_thread().name

    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(portal.run, where) for _ in range(20)]
        places = {call.result() for call in calls}

    [(_, thread)] = places
    assert thread == "atode-portal"


def test_a_portal_passes_errors_on() -> None:
    async def fail() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        Portal().run(fail)


def test_a_forked_child_has_a_loop_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    portal = Portal()

    async def where() -> int:
        return id(asyncio.get_running_loop())

    parents = portal.run(where)
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)

    assert portal.run(where) != parents


def test_outside_a_handler_there_is_no_current_job() -> None:
    assert current_job() is None
