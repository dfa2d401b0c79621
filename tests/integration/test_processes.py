"""A parent and what it starts: its rules, with small programs in the place of workers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from atode import Atode, BadOption
from atode.lifeline import Word
from atode.observe.family import Told, idle, sick
from atode.processes import Processes, work
from tests.exposition import read
from tests.faults.journal import eventually
from tests.integration.program import ATODE, Running, environment
from tests.integration.scraped_shop import SHOP, STORE, get

OBEDIENT = """
import sys, time
from atode.lifeline import Word, lifeline

heard = []
line = lifeline()
line.subscribe(lambda word, number: heard.append((word, number)) or True)
line.answer(Word.HEALTH, ["", ""])
while not {Word.STOP, Word.HURRY} & {word for word, _ in heard}:
    time.sleep(0.01)
open(f"heard-{line.number}", "w").write(" ".join(f"{w} {n}" for w, n in heard if w != Word.HEALTH))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def processes(count: int, program: str, shutdown_timeout: float = 30.0) -> Processes:
    command = [sys.executable, "-c", program]
    return Processes(count, concurrency=5, shutdown_timeout=shutdown_timeout, command=command)


async def answering(family: Processes) -> Sequence[Told]:
    async with asyncio.timeout(60):
        while any(each.starting or not each.pid for each in await family.ask(Word.HEALTH, 0.01)):
            await asyncio.sleep(0.01)
    return await family.ask(Word.HEALTH, 0.01)


async def test_each_hears_what_it_is_told_and_all_end_well(folder: Path) -> None:
    family = processes(2, OBEDIENT)
    running = asyncio.create_task(family.run())
    await answering(family)

    os.kill(os.getpid(), signal.SIGTTIN)
    os.kill(os.getpid(), signal.SIGTTOU)
    await asyncio.sleep(0.05)
    family.stop()

    assert await running
    heard = "grow 1 grow -1 stop 0"
    assert [(folder / f"heard-{n}").read_text() for n in (1, 2)] == [heard, heard]


async def test_one_that_is_started_again_gets_the_size_that_the_others_have(
    folder: Path,
) -> None:
    family = processes(1, OBEDIENT)
    running = asyncio.create_task(family.run())
    [first] = await answering(family)
    os.kill(os.getpid(), signal.SIGTTIN)
    await asyncio.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while (await answering(family))[0].pid in (0, first.pid):
            await asyncio.sleep(0.01)
    family.stop()

    assert await running
    assert (folder / "heard-1").read_text() == "size 6 stop 0"


async def test_one_that_dies_again_and_again_is_started_after_pauses_that_grow(
    caplog: pytest.LogCaptureFixture,
) -> None:
    family = processes(1, "import sys; sys.exit(3)")
    running = asyncio.create_task(family.run())

    await eventually(lambda: "again in 1 s" in caplog.text)
    family.stop()

    assert await running
    assert "process 1 (" in caplog.text
    assert "ended with exit code 3; it is started again in 0.5 s" in caplog.text


async def test_one_that_does_not_end_is_killed_and_that_is_no_good_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("atode.processes.processes._SLACK", 0.1)
    family = processes(1, "import time; time.sleep(3600)", shutdown_timeout=0.1)
    running = asyncio.create_task(family.run())
    await asyncio.sleep(0.05)
    family.stop()

    assert not await running
    assert "does not end, and is killed" in caplog.text


async def test_one_that_is_still_starting_ends_at_once_and_well() -> None:
    program = "from atode.lifeline import lifeline; lifeline(); import time; time.sleep(3600)"
    family = processes(1, program)
    running = asyncio.create_task(family.run())
    async with asyncio.timeout(60):
        while not (await family.ask(Word.HEALTH, 0.01))[0].pid:
            await asyncio.sleep(0.01)
    family.stop()

    assert await running


async def test_a_program_that_cannot_be_started_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    family = Processes(1, concurrency=5, shutdown_timeout=1, command=["/nowhere/at/all"])
    running = asyncio.create_task(family.run())

    await eventually(lambda: "process 1 cannot be started: " in caplog.text)
    family.stop()

    assert await running


@pytest.mark.parametrize("count", [0, 257])
def test_how_many_there_may_be(count: int) -> None:
    with pytest.raises(BadOption, match=f"processes is {count}; it must be from 1 to 256"):
        Processes(count, concurrency=5, shutdown_timeout=1)


async def test_jobs_that_live_in_one_process_cannot_be_shared() -> None:
    with pytest.raises(BadOption, match="processes is 2; jobs in memory:// are in one process"):
        await work(Atode("memory://"), processes=2)


@pytest.mark.parametrize(
    ("told", "is_sick", "is_idle"),
    [
        (Told(1, 77, ["", ""], 0.0), "", ""),
        (Told(1, 77, ["blocked", ""], 0.0), "process 1 (77): blocked", ""),
        (Told(1, 77, ["", "it stops"], 0.0), "", "process 1 (77): it stops"),
        (Told(1, 77, None, 0.0), *["process 1 (77) does not answer"] * 2),
        (Told(1, 77, None, 5.0), "", "process 1 (77) does not answer"),
        (Told(1, 77, None, 61.0), *["process 1 (77) does not answer"] * 2),
        (Told(1, 0, None, 0.0), "", "process 1 has ended, and is about to be started again"),
    ],
)
def test_what_one_says_decides_for_all(told: Told, is_sick: str, is_idle: str) -> None:
    fine = Told(2, 78, ["", ""], 0.0)

    assert (sick([fine, told]), idle([fine, told])) == (is_sick, is_idle)


def test_one_address_tells_of_all_processes_together(folder: Path) -> None:
    (folder / "shop.py").write_text(SHOP)
    variables = environment(ATODE_URL="sqlite:///jobs.db")
    command = [str(ATODE), "worker", "shop:jobs", "--metrics", "0", "--processes", "2", "-c", "1"]
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE) as parent:
        try:
            running = Running(parent)
            running.until_it_says("] worker ")
            url = running.log.partition("are at ")[2].partition("/metrics")[0]
            while get(f"{url}/readyz") != (200, "ok\n"):
                assert parent.poll() is None
            subprocess.run([sys.executable, "-c", STORE], env=variables, check=True, timeout=60)
            sold = 0.0
            while sold < 5:
                before, sold = sold, sales(url)
                assert sold >= before
            pid = int(running.log.partition("process 1 runs as ")[2].split()[0])
            healthy = get(f"{url}/healthz")
            os.kill(pid, signal.SIGKILL)
            while get(f"{url}/readyz")[0] == 200:
                assert parent.poll() is None
            after_kill = sales(url)
            lives = get(f"{url}/healthz")
            code = running.told(signal.SIGTERM)
        finally:
            parent.kill()

    assert healthy == lives == (200, "ok\n")
    assert after_kill == 5
    assert code == 0
    assert "[1] worker " in running.log
    assert "[2] worker " in running.log


def sales(url: str) -> float:
    """What all processes have sold, in an exposition that names nothing twice."""
    status, body = get(f"{url}/metrics")
    assert status == 200
    found = read(body.encode())
    assert found.value("jobs_processed_total", job_type="shop:sell", status="failed") in (0, 1)
    return found.value("jobs_processed_total", job_type="shop:sell", status="succeeded")
