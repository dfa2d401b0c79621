"""What operators see of both servers."""

import json
import re
import signal
from functools import partial
from pathlib import Path

import httpx

from tests.acceptance.application import (
    Application,
    redis_variables,
    running,
    sqlite_variables,
)
from tests.acceptance.program import eventually
from tests.exposition import Exposition, read
from tests.servers.redis import RedisServer

OBSERVED = {"WORKER__METRICS": "0", "LOG__FORMAT": "json", "LOG__LEVEL": "debug"}
TASK = "demo:delay_print"
PROMISED = {
    "jobs_processed_total",
    "job_duration_seconds",
    "job_lateness_seconds",
    "queue_jobs",
    "queue_oldest_pending_seconds",
}


def ask(url: str) -> httpx.Response:
    """Without a token, as machines of operators do."""
    return httpx.get(url, trust_env=False, verify=False, timeout=20)


def is_ready(url: str) -> bool:
    return ask(f"{url}/readyz").status_code == 200


def scraped(url: str) -> Exposition:
    answer = ask(f"{url}/metrics")
    assert answer.status_code == 200
    return read(answer.content)


def metric_names(url: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+) ", ask(f"{url}/metrics").text, re.MULTILINE))


def job_server_url(app: Application) -> str:
    return str(app.worker.says(r"are at (http://[\d.]+:\d+)/metrics")[1])


def test_both_servers_tell_what_they_do_and_how_the_store_stands(tmp_path: Path) -> None:
    with running({**sqlite_variables(tmp_path), **OBSERVED}, tmp_path) as app:
        job_server = job_server_url(app)
        job_id = app.register(message="seen", delay_seconds=0)
        app.reaches(job_id, "completed")

        eventually(
            lambda: scraped(job_server).value(
                "jobs_processed_total", job_type=TASK, status="succeeded"
            ),
            "the job is counted",
        )
        api = scraped(app.url)

        assert api.value("jobs_enqueued_total", job_type=TASK) == 1
        assert api.value("queue_jobs", queue="default", state="completed") == 1
        assert api.value("queue_workers", queue="default") == 1
        for url in (app.url, job_server):
            assert metric_names(url) >= PROMISED
            assert ask(f"{url}/healthz").status_code == 200
            assert ask(f"{url}/readyz").status_code == 200
        assert "/metrics" not in ask(f"{app.url}/openapi.json").text


def test_logs_are_json_by_setting_and_name_the_job_but_not_its_message(tmp_path: Path) -> None:
    with running({**sqlite_variables(tmp_path), **OBSERVED}, tmp_path) as app:
        job_id = app.register(message="swordfish", delay_seconds=0)
        app.reaches(job_id, "completed")
        app.worker.says('"event": "job_succeeded"')
        app.worker.send(signal.SIGTERM)
        assert app.worker.ended() == 0
        lines = [json.loads(line) for line in app.worker.err]

    [told] = [line for line in lines if line.get("event") == "job_succeeded"]
    assert (told["job_id"], told["task"], told["attempt"]) == (job_id, TASK, 1)
    assert told["duration"] > 0
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert "swordfish" not in "".join(app.worker.err)
    assert all(json.loads(line) for line in app.server.err)


def test_without_its_redis_neither_server_is_ready_and_both_live(tmp_path: Path) -> None:
    with (
        RedisServer() as redis,
        running({**redis_variables(redis.port), "WORKER__METRICS": "0"}, tmp_path) as app,
    ):
        urls = (app.url, job_server_url(app))
        redis.kill()
        for url in urls:
            answer = ask(f"{url}/readyz")
            assert answer.status_code == 503
            assert str(redis.port) in answer.text
            assert ask(f"{url}/healthz").status_code == 200
            assert scraped(url).value("broker_up") == 0
        redis.restart()
        for url in urls:
            eventually(partial(is_ready, url), "ready again")
