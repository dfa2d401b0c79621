"""Too many requests: 429, counted in one API server or in the Redis of several."""

from functools import cache
from pathlib import Path

import httpx

from tests.acceptance.application import Application, bearer, running, sqlite_variables
from tests.servers.redis import RedisServer
from webapp.service.tokens import Tokens
from webapp.settings.model import DEVELOPMENT_SECRET

REPORTS = "/api/reports"


def limited(folder: Path, **variables: str) -> dict[str, str]:
    """The demo, in which a token may store two jobs a day and read five times."""
    limits = {"RATE_LIMIT__WRITES": "2/day", "RATE_LIMIT__READS": "5/day"}
    return {**sqlite_variables(folder), **limits, **variables}


@cache
def somebody(name: str) -> dict[str, str]:
    """A header with a token that nobody else has, the same each time."""
    return bearer(Tokens(DEVELOPMENT_SECRET).issue(name, 600))


def statuses(app: Application, name: str, times: int) -> list[int]:
    return [app.post(headers=somebody(name)).status_code for _ in range(times)]


def forwarded(app: Application, address: str) -> httpx.Response:
    """A request without a token that seems to come through a proxy."""
    return app.post(headers={"X-Forwarded-For": address, "X-Forwarded-Proto": "https"})


def test_too_many_requests_are_refused_with_the_time_to_wait(tmp_path: Path) -> None:
    with running(limited(tmp_path), tmp_path, with_worker=False) as app:
        mine = somebody("one")
        assert [app.post(headers=mine).status_code for _ in range(2)] == [200, 200]

        refused = app.post(headers=mine)

        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
        assert "at most 2 per day" in refused.json()["detail"]
        assert app.get(REPORTS, headers=mine).status_code == 200
        assert app.post(headers=somebody("two")).status_code == 200
        # Nobody is trusted to say that he is somebody else.
        strangers = [forwarded(app, f"10.0.0.{n}") for n in range(3)]
        assert [answer.status_code for answer in strangers] == [401, 401, 429]
        assert "strict-transport-security" not in strangers[0].headers
        # What operators and browsers ask without a token is not counted.
        asked = {app.get(path, headers={}).status_code for path in ["/healthz", "/readyz"] * 5}
        assert asked == {200}


def test_only_a_trusted_proxy_says_who_asks_and_by_which_scheme(tmp_path: Path) -> None:
    trusting = limited(tmp_path) | {"SERVER__TRUSTED_PROXIES": "127.0.0.0/8"}
    with running(trusting, tmp_path, with_worker=False) as app:
        assert [forwarded(app, f"10.0.0.{n}").status_code for n in range(3)] == [401, 401, 401]
        # What a client says of itself stands before what the proxy adds.
        assert forwarded(app, "1.2.3.4, 10.0.0.0").status_code == 401
        assert forwarded(app, "5.6.7.8, 10.0.0.0").status_code == 429
        assert "strict-transport-security" in forwarded(app, "10.0.0.9").headers


def test_servers_count_together_and_each_alone_while_redis_is_down(tmp_path: Path) -> None:
    with RedisServer() as redis:
        address = f"127.0.0.1:{redis.port}"
        variables = limited(
            tmp_path, RATE_LIMIT__STORAGE="redis", REDIS__DEFAULT__CLUSTER__ADDRS=address
        )
        with (
            running(variables, tmp_path, with_worker=False) as here,
            running(variables, tmp_path, with_worker=False) as there,
        ):
            assert statuses(here, "together", 1) + statuses(there, "together", 2) == [200, 200, 429]

            redis.kill()

            for app in (here, there):
                app.server.says(
                    f"store of rate limits is down: Redis at {address}: .*counts by itself"
                )
                assert statuses(app, "alone", 3) == [200, 200, 429]
                assert app.get("/readyz", headers={}).status_code == 200

            redis.restart()

            for app in (here, there):
                app.server.says(f"Redis at {address} is back after")
            assert statuses(there, "again", 1) + statuses(here, "again", 2) == [200, 200, 429]


def test_a_server_starts_without_the_redis_of_its_limits(tmp_path: Path) -> None:
    with RedisServer() as redis:
        redis.freeze()
        address = f"127.0.0.1:{redis.port}"
        variables = limited(
            tmp_path, RATE_LIMIT__STORAGE="redis", REDIS__DEFAULT__CLUSTER__ADDRS=address
        )
        with running(variables, tmp_path, with_worker=False) as app:
            app.server.says("store of rate limits is down: .*no answer within 1 s")
            assert statuses(app, "somebody", 3) == [200, 200, 429]

            redis.thaw()

            app.server.says("is back after")
            assert statuses(app, "somebody else", 3) == [200, 200, 429]
