"""The servers run with exactly the environment of the compose file; only addresses are others."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.acceptance.application import Application, bearer
from tests.acceptance.program import ROOT, Program, environment, eventually
from tests.deploy.files import services
from tests.deploy.stack import Stack
from tests.servers.redis import free_port
from tests.servers.redis_store import RedisStore
from webapp.service.tables import weekly_reports

WEEK, MONTH = "2026-W45", "2026-11"


def token(neighbours: Stack) -> str:
    """What `docker compose exec api python -m webapp.token` prints."""
    with Program("webapp.token", neighbours.variables("api"), neighbours.folder) as program:
        assert program.ended() == 0, program.err
        [found] = program.out
        return found


def probed(url: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "webapp.probe", url, *more]
    return subprocess.run(
        command, env=environment({}), cwd=ROOT, capture_output=True, text=True, check=False
    )


def metrics_url(application: Application) -> str:
    return str(application.worker.says(r"are at (http://[\d.]+:\d+)/metrics")[1])


def test_the_health_checks_pass(composed: Application) -> None:
    for name, url in (("api", composed.url), ("jobqueue", metrics_url(composed))):
        asked: Sequence[str] = services()[name]["healthcheck"]["test"]
        path = asked[-1].rpartition("/")[2]

        done = probed(f"{url}/{path}")

        assert (done.returncode, done.stdout) == (0, "")


def test_without_a_token_of_this_stack_nobody_registers(
    neighbours: Stack, composed: Application
) -> None:
    with_built_in_secret = composed.post(json={}, headers=bearer())
    with_ours = composed.post(json={}, headers=bearer(token(neighbours)))

    assert (with_built_in_secret.status_code, with_ours.status_code) == (401, 200)


def test_jobs_print_mail_and_report_through_the_neighbours(
    neighbours: Stack, composed: Application
) -> None:
    neighbours.office.add_users([1, 2])
    neighbours.office.hand_in(WEEK, [1])
    headers = bearer(token(neighbours))
    calls = {
        "/api/dm-jobqueue/register": {"message": "from compose", "delay_seconds": 0},
        "/api/jobs/weekly_report_reminder/run": {"week": WEEK},
        "/api/jobs/monthly_report_generator/run": {"month": MONTH},
    }

    for path, body in calls.items():
        answer = composed.post_to(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text

    composed.worker.prints(r"from compose$")
    eventually(lambda: neighbours.mail.recipients == {"user2@example.com": 1}, "one mail")
    eventually(lambda: len(neighbours.store.keys()) == 2, "two files in the bucket")
    assert neighbours.office.count(weekly_reports) == 1


def test_redis_keeps_what_it_has_acknowledged_and_lets_nobody_in_without_the_password(
    neighbours: Stack,
) -> None:
    address = neighbours.redis.url.removeprefix("redis://")
    password = (neighbours.secrets / "redis_password").read_text()
    with RedisStore(f"redis://:{password}@{address}") as store:
        found = {
            name: store.do("CONFIG", "GET", name)[name.encode()].decode()
            for name in ("appendonly", "appendfsync", "maxmemory-policy", "maxmemory")
        }

    assert found == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "maxmemory": str(384 * 1024 * 1024),
    }
    with (
        RedisStore(f"redis://{address}") as stranger,
        pytest.raises(Exception, match="authenticated"),
    ):
        stranger.do("PING")


def test_a_probe_tells_what_is_wrong_by_its_exit_code_and_in_words(
    composed: Application, tmp_path: Path
) -> None:
    nobody = probed(f"http://127.0.0.1:{free_port()}/healthz")
    refused = probed(f"{composed.url}/api/jobs")

    assert nobody.returncode == 1
    assert "refused" in nobody.stdout
    assert refused.returncode == 1
    assert ": 401 " in refused.stdout
    assert probed("file:///etc/passwd").returncode == 2
    assert probed(composed.url, "more").returncode == 2


def test_the_metrics_of_both_servers_are_what_prometheus_reads(composed: Application) -> None:
    for url in (composed.url, metrics_url(composed)):
        answer = httpx.get(f"{url}/metrics", trust_env=False, timeout=20)
        assert "\nbroker_up 1.0\n" in answer.text
