"""What `docker-compose.yml` starts, on the loopback: real servers, the environment as it stands."""

import re
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.application import Application
from tests.acceptance.mail_server import MailServer
from tests.acceptance.object_store import ObjectStore
from tests.acceptance.office import Office
from tests.acceptance.program import Program
from tests.deploy.files import make_secrets, service, services, with_secrets
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from webapp.service.database import postgres_database


@dataclass
class Stack:
    """The neighbours of the application, and what it is told of them."""

    folder: Path
    secrets: Path
    hosts: Mapping[str, str]
    """Addresses of the compose file, and what stands for them here."""
    redis: RedisServer
    mail: MailServer
    store: ObjectStore
    office: Office

    def variables(self, name: str) -> dict[str, str]:
        """The environment of a service."""
        given = with_secrets(service(name).variables, self.secrets)
        moved = {key: self.hosts.get(value, value) for key, value in given.items()}
        if moved["MAIL__HOST"] == "mailpit":
            moved |= {"MAIL__HOST": "127.0.0.1", "MAIL__PORT": str(self.mail.port)}
        return moved | {"SERVER__HOST": "127.0.0.1", "SERVER__PORT": "0"}

    def program(self, name: str) -> Program:
        """A service, started."""
        return Program(service(name).module, self.variables(name), self.folder)


@contextmanager
def stack(folder: Path, postgres: PostgresServer) -> Generator[Stack]:
    """All neighbours, running; nothing of the application yet."""
    secrets = make_secrets(folder / "secrets")
    password = (secrets / "redis_password").read_text()
    database = services()["postgres"]["environment"]
    name, user = database["POSTGRES_DB"], database["POSTGRES_USER"]
    postgres.do(
        f"CREATE ROLE {user} LOGIN PASSWORD '{(secrets / 'postgres_password').read_text()}'"
    )
    postgres.do(f"CREATE DATABASE {name} OWNER {user}")
    with ExitStack() as opened:
        redis = opened.enter_context(RedisServer(*redis_options(password)))
        mail = opened.enter_context(MailServer())
        store = opened.enter_context(ObjectStore(bucket()))
        hosts = {
            "redis:6379": f"127.0.0.1:{redis.port}",
            "postgres:5432": postgres.address,
            "http://minio:9000": store.url,
            "0.0.0.0:9400": "127.0.0.1:0",
        }
        address = postgres.address
        office = Office(lambda: postgres_database(address, name, user, "", tls=False))
        yield Stack(folder, secrets, hosts, redis, mail, store, office)


@contextmanager
def running(stack: Stack) -> Generator[Application]:
    """The API server and a job server, ready."""
    with stack.program("api") as server, stack.program("jobqueue") as jobqueue:
        jobqueue.says("serves default")
        url = str(server.says(r"listens on (http://[\d.]+:\d+)")[1])
        yield Application(server, jobqueue, url)


def redis_options(password: str) -> list[str]:
    """What the file's Redis is started with."""
    [_, _, line] = services()["redis"]["command"]
    options = line.removeprefix("exec redis-server ").split(" --requirepass")[0]
    return [*options.split(), "--requirepass", password]


def bucket() -> str:
    """The bucket that is made."""
    [found] = re.findall(r"mc mb --ignore-existing store/(\S+)", services()["bucket"]["command"][0])
    return str(found)
