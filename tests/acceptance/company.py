"""The whole application with the real world around it: mail, files, database, queue."""

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from atode import Atode
from tests.acceptance.application import Application, running
from tests.acceptance.mail_server import MailServer
from tests.acceptance.object_store import ACCESS_KEY, BUCKET, SECRET_KEY, ObjectStore
from tests.acceptance.office import Office
from tests.acceptance.program import eventually
from tests.servers.postgres import USER, PostgresServer
from tests.servers.redis import RedisServer
from webapp.service.database import postgres_database, sqlite_database

USER_REMINDER = "weekly_report_reminder:user"


@dataclass
class Company:
    """Everything but the servers of the application, which a test starts, kills and starts."""

    folder: Path
    office: Office
    mail: MailServer
    store: ObjectStore
    queue_url: str
    variables: Mapping[str, str]
    app: Application = field(init=False)

    @contextmanager
    def open(self, **variables: str) -> Generator[Application]:
        """Both servers."""
        with running({**self.variables, **variables}, self.folder) as self.app:
            yield self.app

    def run(self, job: str, **arguments: Any) -> str:
        """The id of a new run."""
        answer = self.ask(job, **arguments)
        assert answer.status_code == 200, answer.text
        run_id: str = answer.json()["job_id"]
        return run_id

    def ask(self, job: str, **arguments: Any) -> httpx.Response:
        return self.app.post_to(f"/api/jobs/{job}/run", json=arguments)

    def runs(self, job: str) -> list[dict[str, Any]]:
        """The newest runs of a job, up to five in each state."""
        answer = self.app.get("/api/jobs")
        assert answer.status_code == 200, answer.text
        [runs] = [entry["runs"] for entry in answer.json()["jobs"] if entry["name"] == job]
        found: list[dict[str, Any]] = runs
        return found

    def reaches(self, job: str, run_id: str, state: str) -> dict[str, Any]:
        """Wait until a run is in a state; the run."""

        def reached() -> dict[str, Any] | None:
            # While a run moves from one state to another, it may be in none of those listed.
            found = [run for run in self.runs(job) if run["job_id"] == run_id]
            return found[0] if found and found[0]["state"] == state else None

        return eventually(reached, f"{job} {run_id} {state}")

    def completes(self, job: str, **arguments: Any) -> dict[str, Any]:
        """The result of a new run."""
        run = self.reaches(job, self.run(job, **arguments), "completed")
        result: dict[str, Any] = run["result"]
        return result

    def mails_are_over(self) -> None:
        """Wait until no mail waits, is sent or will be tried again."""

        def over() -> bool:
            return all(
                run["state"] in ("completed", "archived") for run in self.runs(USER_REMINDER)
            )

        eventually(over, "all mails over")

    def enqueue(self, task: str, queue: str, **arguments: Any) -> str:
        """Store a job past the API, as a schedule or a Go program would."""
        jobs = Atode(self.queue_url)

        @jobs.task(task, queue=queue)
        def stranger(payload: bytes) -> None:
            raise NotImplementedError

        async def store() -> str:
            async with jobs:
                return (await stranger.enqueue(json.dumps(arguments).encode())).id

        return asyncio.run(store())


@contextmanager
def company(folder: Path, postgres: PostgresServer | None = None) -> Generator[Company]:
    """The world on SQLite alone, or on Redis and PostgreSQL; each with mail and S3."""
    with ExitStack() as stack:
        mail, store = stack.enter_context(MailServer()), stack.enter_context(ObjectStore())
        variables = {"APP_ENV": "develop", "PORT": "0", **_outside(mail, store)}
        if postgres is None:
            jobs, file = folder / "jobs.db", folder / "app.db"
            variables |= {"JOBQUEUE__STORE": "sqlite", "SQLITE__JOBQUEUE__PATH": str(jobs)}
            variables |= {"DATABASE__STORE": "sqlite", "SQLITE__DEFAULT__PATH": str(file)}
            office, queue_url = Office(lambda: sqlite_database(file)), f"sqlite:///{jobs}"
        else:
            redis = stack.enter_context(RedisServer())
            address, name = postgres.address, postgres.created()
            variables |= {"REDIS__JOBQUEUE__ADDR": f"127.0.0.1:{redis.port}"}
            variables |= {"POSTGRES__DEFAULT__ADDR": address, "POSTGRES__DEFAULT__DATABASE": name}
            variables |= {"POSTGRES__DEFAULT__USER": USER}
            queue_url = redis.url
            office = Office(lambda: postgres_database(address, name, USER, "", tls=False))
        office.migrate()
        yield Company(folder, office, mail, store, queue_url, variables)


def _outside(mail: MailServer, store: ObjectStore) -> dict[str, str]:
    return {
        "MAIL__HOST": "127.0.0.1",
        "MAIL__PORT": str(mail.port),
        "STORAGE__URL": store.url,
        "STORAGE__BUCKET": BUCKET,
        "STORAGE__ACCESS_KEY": ACCESS_KEY,
        "STORAGE__SECRET_KEY": SECRET_KEY,
        # Nobody waits for a whole second here.
        "RETRY__FIRST": "0.05",
        "RETRY__CAP": "0.2",
        "WORKER__LEASE": "5",
    }
