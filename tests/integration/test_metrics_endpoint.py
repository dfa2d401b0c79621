"""A worker that is scraped over HTTP."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from atode import Atode, BadOption
from atode.events import WorkerStarted, WorkerStopping
from atode.observe.endpoint import observed, parse_address
from tests.exposition import Exposition, read
from tests.integration.program import ATODE, PATIENCE, Running, environment
from tests.integration.scraped_shop import SHOP, STORE, get
from tests.integration.stage import heard, until, working
from tests.servers.redis import RedisServer


def scraped(url: str) -> Exposition:
    status, body = get(f"{url}/metrics")
    assert status == 200
    return read(body.encode())


def eventually(fact: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "redis":
        url: str = request.getfixturevalue("redis_url")
        return url
    return f"sqlite:///{tmp_path}/jobs.db"


class Shop:
    """A folder with an application, and workers of it that are scraped."""

    def __init__(self, folder: Path, store: str, stack: ExitStack) -> None:
        (folder / "shop.py").write_text(SHOP)
        self._folder = folder
        self._variables = environment(ATODE_URL=store)
        self._stack = stack

    def worker(self, *options: str) -> tuple[Running, str]:
        """One that works, and where to scrape it."""
        process = subprocess.Popen(
            [ATODE, "worker", "shop:jobs", "--metrics", "0", *options],
            cwd=self._folder,
            env=self._variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        running = Running(process)
        running.until_it_says(" slots; tasks: ")
        url = running.log.partition("are at ")[2].partition("/metrics")[0]
        return running, url

    def store_jobs(self) -> None:
        subprocess.run(
            [sys.executable, "-c", STORE],
            cwd=self._folder,
            env=self._variables,
            timeout=PATIENCE,
            check=True,
        )


@pytest.fixture
def shop(tmp_path: Path, store: str) -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(tmp_path, store, stack)


def test_a_worker_process_tells_what_it_has_done(shop: Shop) -> None:
    worker, url = shop.worker("-q", "default=2", "-q", "mail")
    shop.store_jobs()

    def ended(task: str, status: str) -> float:
        return scraped(url).value("jobs_processed_total", job_type=task, status=status)

    eventually(lambda: ended("shop:sell", "succeeded") == 5 and ended("shop:try", "failed") == 1)
    found = scraped(url)

    assert ended("shop:sell", "failed") == 1
    assert ended("shop:try", "retried") == 1
    assert found.value("job_duration_seconds_count", job_type="shop:sell") == 6
    assert found.value("job_duration_seconds_count", job_type="shop:try") == 2
    # One delayed job and one retry.
    assert found.value("job_lateness_seconds_count", job_type="shop:sell") == 1
    assert found.value("job_lateness_seconds_count", job_type="shop:try") == 1
    assert 0 <= found.value("job_lateness_seconds_sum", job_type="shop:sell") < PATIENCE
    assert found.value("broker_up") == 1
    assert found.value("queue_jobs", queue="default", state="archived") == 2
    assert found.value("queue_processed_total", queue="default") == 8
    assert found.value("queue_failed_total", queue="default") == 3
    assert found.value("queue_workers", queue="default") == 1
    assert found.value("worker_slots") == 20
    assert found.value("process_resident_memory_bytes") > 0
    assert get(f"{url}/healthz") == (200, "ok\n")
    assert get(f"{url}/readyz") == (200, "ok\n")
    assert get(f"{url}/elsewhere") == (404, "there are /metrics, /healthz, /readyz\n")
    assert worker.told(15) == 0


def test_each_of_several_workers_tells_of_itself_and_all_tell_the_same_of_the_store(
    shop: Shop,
) -> None:
    urls = [shop.worker()[1] for _ in range(2)]
    shop.store_jobs()

    def total() -> float:
        return sum(
            scraped(url).value("jobs_processed_total", job_type="shop:sell", status="succeeded")
            for url in urls
        )

    eventually(lambda: total() == 5)
    eventually(lambda: all(scraped(url).value("workers_alive") == 2 for url in urls))
    assert [scraped(url).value("worker_slots") for url in urls] == [40, 40]


def test_a_port_that_is_taken_is_refused_with_the_way_out(shop: Shop, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run(
            [ATODE, "worker", "shop:jobs", "--metrics", str(port)],
            cwd=tmp_path,
            env=environment(ATODE_URL="memory://"),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    assert result.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: " in result.stderr
    assert "Each process needs a port of its own; 0 takes a free one" in result.stderr


# Health, in this process


async def test_nobody_is_ready_before_a_worker_has_started_and_once_it_stops() -> None:
    jobs = Atode("memory://")
    go_on = asyncio.Event()
    started, stopping = heard(jobs, WorkerStarted), heard(jobs, WorkerStopping)

    @jobs.task
    async def wait() -> None:
        await go_on.wait()

    async with jobs, observed(jobs, "0") as url:
        ready = f"{url}/readyz"
        assert await asyncio.to_thread(get, ready) == (503, "no worker has started yet\n")
        async with working(jobs) as worker:
            await until(lambda: started)
            assert await asyncio.to_thread(get, ready) == (200, "ok\n")
            await wait.enqueue()
            await until(lambda: worker.presence().running_count)
            worker.stop()
            await until(lambda: stopping)
            assert await asyncio.to_thread(get, ready) == (503, "the worker stops\n")
            assert (await asyncio.to_thread(get, f"{url}/healthz"))[0] == 200
            go_on.set()


async def test_a_blocked_event_loop_is_not_healthy_but_still_scraped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("atode.observe.health.PATIENCE", 0.05)
    jobs = Atode("memory://")

    async with jobs, observed(jobs, "0") as url:
        # Called on the event loop, these block it until they are answered.
        assert get(f"{url}/healthz") == (
            503,
            "the event loop has not turned for 0.05 s; does a handler block it?\n",
        )
        assert scraped(url).value("broker_up") == 1
        await asyncio.sleep(0)
        assert (await asyncio.to_thread(get, f"{url}/healthz"))[0] == 200


async def test_who_cannot_reach_the_broker_is_not_ready_until_it_is_back() -> None:
    with RedisServer() as server:
        jobs = Atode(server.url)
        async with jobs, observed(jobs, "0") as url, working(jobs):
            ready = f"{url}/readyz"
            while (await asyncio.to_thread(get, ready))[0] != 200:
                await asyncio.sleep(0.01)
            server.kill()
            status, reason = await asyncio.to_thread(get, ready)
            down = await asyncio.to_thread(scraped, url)
            assert (await asyncio.to_thread(get, f"{url}/healthz"))[0] == 200
            server.restart()
            while (await asyncio.to_thread(get, ready))[0] != 200:
                await asyncio.sleep(0.01)
            up = await asyncio.to_thread(scraped, url)

    assert status == 503
    assert str(server.port) in reason
    assert (down.value("broker_up"), up.value("broker_up")) == (0, 1)


async def test_the_endpoint_takes_its_threads_along_when_it_ends() -> None:
    jobs = Atode("memory://")
    others = set(threading.enumerate())

    def threads() -> set[str]:
        return {t.name for t in set(threading.enumerate()) - others if t.name.startswith("atode-")}

    async with jobs, observed(jobs, "127.0.0.1:0") as url:
        assert url.startswith("http://127.0.0.1:")
        await asyncio.to_thread(scraped, url)
        assert threads() == {"atode-http", "atode-portal"}

    await until(lambda: not threads())
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(get, f"{url}/healthz")


async def test_without_an_address_there_is_no_endpoint_and_nothing_is_counted() -> None:
    jobs = Atode("memory://")

    async with jobs, observed(jobs, "") as url:
        assert url == ""
        assert not jobs.events.wanted(WorkerStarted)


async def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("own", "observatory"):
        monkeypatch.delitem(sys.modules, f"atode.observe.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    jobs = Atode("memory://")

    with pytest.raises(BadOption, match=r"pip install 'atode\[metrics\]'"):
        async with jobs, observed(jobs, "0"):
            pass


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9400", ("127.0.0.1", 9400)),
        ("0.0.0.0:9400", ("0.0.0.0", 9400)),
        ("metrics.internal:0", ("metrics.internal", 0)),
        ("[::1]:9400", ("::1", 9400)),
    ],
)
def test_an_address_is_a_port_with_or_without_a_host(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["x", "host:", ":9400", "65536", "::1:9400", "http://a:1", "-1"])
def test_another_address_is_refused_by_its_value(text: str) -> None:
    with pytest.raises(BadOption, match="it must be a port from 0 to 65535, or host:port"):
        parse_address(text)


async def test_ipv6_is_served() -> None:
    jobs = Atode("memory://")

    async with jobs, observed(jobs, "[::1]:0") as url:
        assert url.startswith("http://[::1]:")
        assert (await asyncio.to_thread(get, f"{url}/healthz"))[0] == 200
