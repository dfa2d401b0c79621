"""No secret and no token is in anything that the programs say, whatever goes wrong."""

import signal
from collections.abc import Iterable
from pathlib import Path

from tests.acceptance.application import (
    JOBS,
    Application,
    bearer,
    redis_variables,
    running,
    sqlite_variables,
)
from tests.acceptance.program import Program
from tests.servers.redis import RedisServer, free_port
from webapp.service.tokens import Tokens

SECRETS = {
    "AUTH__SECRET": "signing-secret-that-nobody-may-ever-see",
    "AUTH__OLD_SECRETS": "earlier-signing-secret-that-nobody-may-see",
    "REDIS__JOBQUEUE__PASSWORD": "password-of-the-job-store",
    "REDIS__DEFAULT__CLUSTER__PASSWORD": "password-of-the-rate-limits",
    "MAIL__PASSWORD": "password-of-the-mail-server",
    "STORAGE__ACCESS_KEY": "access-key-of-the-object-store",
    "STORAGE__SECRET_KEY": "secret-key-of-the-object-store",
    "POSTGRES__DEFAULT__PASSWORD": "password-of-the-database",
}
GOOD = Tokens(SECRETS["AUTH__SECRET"]).issue("somebody", 600)
BAD = Tokens("a secret that is not in use here, and long enough").issue("somebody", 600)


def nowhere() -> str:
    return str(free_port())


def talkative(folder: Path, redis: RedisServer, password: str) -> dict[str, str]:
    """Everything is logged, and every store but the jobs' and the tables' is out of reach."""
    return {
        **sqlite_variables(folder),
        **redis_variables(redis.port),
        **SECRETS,
        "APP_ENV": "demo",
        "JOBQUEUE__STORE": "redis",
        "REDIS__JOBQUEUE__PASSWORD": password,
        "RATE_LIMIT__STORAGE": "redis",
        "RATE_LIMIT__WRITES": "9/minute",
        "REDIS__DEFAULT__CLUSTER__ADDRS": f"127.0.0.1:{redis.port}",
        "MAIL__TRANSPORT": "smtp",
        "MAIL__HOST": "127.0.0.1",
        "MAIL__PORT": nowhere(),
        "MAIL__USER": "webapp",
        "MAIL__ENCRYPTION": "none",
        "STORAGE__KIND": "s3",
        "STORAGE__URL": f"http://127.0.0.1:{nowhere()}",
        "LOG__LEVEL": "debug",
        "RETRY__ATTEMPTS": "1",
    }


def try_everything(app: Application) -> set[int]:
    """Good and bad requests; the statuses that they got."""
    runs = [f"/api/jobs/{job}/run" for job in ("weekly_report_reminder", "monthly", "x:y")]
    runs.append("/api/jobs/monthly_report_generator/run")
    found: set[int] = set()
    for headers in (bearer(GOOD), bearer(BAD), {}):
        found |= {app.post_to(path, headers=headers).status_code for path in runs}
        found |= {app.post(headers=headers, content=body).status_code for body in ("{", "", "[]")}
        found |= {app.post(headers=headers, content=b"x" * 3 * 1024 * 1024).status_code}
        found |= {app.post(headers=headers).status_code for _ in range(3)}
        for path in (JOBS, "/api/jobs", "/api/reports", "/readyz", "/metrics", "/nothing"):
            found.add(app.get(path, headers=headers).status_code)
    return found


def told(programs: Iterable[Program]) -> str:
    for program in programs:
        program.send(signal.SIGTERM)
        program.ended()
    return "\n".join(line for program in programs for line in program.out + program.err)


def assert_silent(text: str) -> None:
    assert len(text.splitlines()) > 20
    for secret in SECRETS.values():
        assert secret not in text
    for token in (GOOD, BAD):
        for part in token.split("."):
            assert part not in text


def test_nothing_that_is_logged_tells_a_secret(tmp_path: Path) -> None:
    password = SECRETS["REDIS__JOBQUEUE__PASSWORD"]
    with (
        RedisServer("--requirepass", password) as redis,
        running(talkative(tmp_path, redis, password), tmp_path) as app,
    ):
        # The store of rate limits has another password, so it cannot be used.
        app.server.says("store of rate limits is down")

        assert try_everything(app) >= {200, 401, 404, 413, 422, 429}

        app.worker.says("monthly_report_generator.*(fail|archiv)")
        redis.kill()
        assert 503 in try_everything(app)
        said = told([app.server, app.worker])

    assert "/api/dm-jobqueue/register" in said
    assert_silent(said)


def test_a_wrong_password_of_the_job_store_is_not_told_either(tmp_path: Path) -> None:
    with RedisServer("--requirepass", "another") as redis:
        variables = talkative(tmp_path, redis, SECRETS["REDIS__JOBQUEUE__PASSWORD"])
        variables["LOG__FORMAT"] = "json"
        with running(variables, tmp_path, with_worker=False) as app:
            app.server.says("job store is down")
            assert 503 in try_everything(app)
            said = told([app.server])

    assert_silent(said)
