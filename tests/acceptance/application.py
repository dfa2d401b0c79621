"""Both servers of the web application, and a client for them."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.program import Program, eventually
from webapp.service.tokens import Tokens
from webapp.settings.model import DEVELOPMENT_SECRET

REGISTER = "/api/dm-jobqueue/register"
JOBS = "/api/dm-jobqueue/jobs"


def bearer(token: str | None = None) -> dict[str, str]:
    """A header with this token, or with a good one."""
    token = token or Tokens(DEVELOPMENT_SECRET).issue("test", 600)
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Application:
    """The running servers."""

    server: Program
    jobqueue: Program | None
    url: str

    def post(self, **options: Any) -> httpx.Response:
        """Register with a good token, or as `options` say."""
        return self._request("POST", REGISTER, options)

    def post_to(self, path: str, **options: Any) -> httpx.Response:
        """Post to another path."""
        return self._request("POST", path, options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Get with a good token, or as `options` say."""
        return self._request("GET", path, options)

    def register(self, **fields: Any) -> str:
        """The id of a registered job."""
        response = self.post(json=fields)
        assert response.status_code == 200, response.text
        job_id: str = response.json()["job_id"]
        return job_id

    def state(self, job_id: str) -> dict[str, Any]:
        response = self.get(JOBS, params={"id": job_id})
        assert response.status_code == 200, response.text
        [state] = response.json()["jobs"]
        found: dict[str, Any] = state
        return found

    def reaches(self, job_id: str, state: str) -> None:
        """Wait until the job is in a state."""
        eventually(lambda: self.state(job_id)["state"] == state, f"job {job_id} {state}")

    def _request(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        options = {"headers": bearer(), **options}
        # Nothing is encrypted here; to verify means to read all certificates for each request.
        options |= {"trust_env": False, "verify": False, "timeout": 20}
        return httpx.request(method, self.url + path, **options)

    @property
    def worker(self) -> Program:
        assert self.jobqueue
        return self.jobqueue


def sqlite_variables(folder: Path) -> dict[str, str]:
    """The demo, in a folder of its own and on a free port."""
    return {
        "APP_ENV": "demo",
        "PORT": "0",
        "SQLITE__JOBQUEUE__PATH": str(folder / "demo.db"),
        "SQLITE__DEFAULT__PATH": str(folder / "demo-app.db"),
        "MAIL__OUTBOX": str(folder / "outbox"),
        "STORAGE__PATH": str(folder / "reports"),
    }


def redis_variables(port: int) -> dict[str, str]:
    """Develop, on this Redis and on a free port."""
    return {"APP_ENV": "develop", "PORT": "0", "REDIS__JOBQUEUE__ADDR": f"127.0.0.1:{port}"}


@contextmanager
def running(
    variables: Mapping[str, str], folder: Path, *, with_worker: bool = True
) -> Generator[Application]:
    """Both servers, ready; or without the job server."""
    with Program("webapp.server", variables, folder) as server:
        if not with_worker:
            yield Application(server, None, _url(server))
            return
        with Program("webapp.jobqueue", variables, folder) as jobqueue:
            jobqueue.says("serves default")
            yield Application(server, jobqueue, _url(server))


def _url(server: Program) -> str:
    return str(server.says(r"listens on (http://[\d.]+:\d+)")[1])
