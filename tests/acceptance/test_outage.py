"""Redis is down: both servers start, say so, answer 503, and recover by themselves."""

from pathlib import Path

import pytest

from tests.acceptance.application import JOBS, redis_variables, running
from tests.servers.redis import RedisServer


def warnings(lines: list[str]) -> list[str]:
    return [line for line in lines if " WARNING " in line]


def test_servers_start_without_redis_and_go_on_when_it_is_there(tmp_path: Path) -> None:
    with RedisServer() as redis:
        redis.stop()
        with running(redis_variables(redis.port), tmp_path) as app:
            app.server.says(f"job store is down: Redis at 127.0.0.1:{redis.port} .*answers 503")
            app.worker.says(f"WARNING atode: .*Redis at 127.0.0.1:{redis.port} .*; next try in")
            response = app.post()
            assert response.status_code == 503
            assert "cannot be reached" in response.json()["detail"]
            assert int(response.headers["retry-after"]) > 0
            assert response.elapsed.total_seconds() < 8

            redis.restart()

            app.server.says("is back after")
            app.worker.says("the broker answers again after")
            app.register(message="after the outage", delay_seconds=0)
            app.worker.prints("after the outage")
            assert len(warnings(app.server.err)) == 1
            assert len(warnings(app.worker.err)) == 1


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_redis_goes_and_comes_while_servers_run(tmp_path: Path, how: str) -> None:
    with (
        RedisServer("--appendonly", "yes", "--appendfsync", "always") as redis,
        running(redis_variables(redis.port), tmp_path) as app,
    ):
        waiting = app.register(message="through the outage", delay_seconds=3)

        redis.kill() if how == "kill" else redis.freeze()
        for response in (app.post(), app.get(JOBS, params={"id": waiting})):
            assert response.status_code == 503
            assert response.elapsed.total_seconds() < 8
        redis.restart() if how == "kill" else redis.thaw()

        app.worker.prints("through the outage")
        app.reaches(waiting, "completed")
