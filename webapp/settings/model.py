"""Every setting with its type, its limit and its default.

A description completes the sentence "it must be …": error messages and documents use it.
"""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from webapp.settings.environment import Environment

PROJECT = Path(__file__).resolve().parents[2]
SHORTEST_SECRET = 32
DEVELOPMENT_SECRET = "for development only: everybody knows this secret"
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+)"
_ADDRESS = re.compile(rf"{_HOST}:(\d{{1,5}})")
_LISTENER = re.compile(rf"(?:{_HOST}:)?(\d{{1,5}})")


def _address(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 65_535:
        raise ValueError("not host:port")
    return text


def _listener(text: str) -> str:
    match = _LISTENER.fullmatch(text)
    if text and (match is None or int(match[2]) > 65_535):
        raise ValueError("neither port nor host:port")
    return text


def _secret(text: SecretStr) -> SecretStr:
    if text and len(text.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError("too short to sign with")
    return text


Secret = Annotated[SecretStr, AfterValidator(_secret)]
Address = Annotated[str, AfterValidator(_address)]
Listener = Annotated[str, AfterValidator(_listener)]
Text = Annotated[str, Field(min_length=1)]


class LogLevel(StrEnum):
    """How much the servers write to standard error."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How log records are written."""

    TEXT = "text"
    JSON = "json"


class StoreKind(StrEnum):
    """Where jobs can live."""

    REDIS = "redis"
    SQLITE = "sqlite"


class Section(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """The API server."""

    host: Text = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(
        default=8080, ge=0, le=65_535, description="a number from 0 (any free one) to 65535"
    )


class AuthSettings(Section):
    """Tokens."""

    secret: Secret = Field(
        default=SecretStr(""),
        description=f"a text of at least {SHORTEST_SECRET} characters",
    )
    page_token_seconds: int = Field(
        default=600, ge=30, le=86_400, description="a number of seconds from 30 to 86400"
    )


class JobQueueSettings(Section):
    """Where jobs live."""

    store: StoreKind = Field(default=StoreKind.REDIS, description="redis or sqlite")


class WorkerSettings(Section):
    """The job server."""

    concurrency: int = Field(default=20, ge=1, le=1000, description="a number from 1 to 1000")
    lease: float = Field(
        default=15.0, ge=5, le=3600, description="a number of seconds from 5 to 3600"
    )
    shutdown_timeout: float = Field(
        default=30.0, ge=0, le=3600, description="a number of seconds from 0 to 3600"
    )
    metrics: Listener = Field(
        default="", description="port or host:port, such as 0.0.0.0:9400; empty means none"
    )


class LogSettings(Section):
    """Logs."""

    level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error")
    format: LogFormat = Field(default=LogFormat.TEXT, description="text or json")


class RedisJobQueue(Section):
    """The one Redis server that holds jobs."""

    addr: Address = Field(default="localhost:6379", description="host:port, such as localhost:6379")
    password: SecretStr = Field(default=SecretStr(""), description="a text; empty means none")
    tls: bool = Field(default=False, description="true or false")
    db: int = Field(default=0, ge=0, le=16_383, description="a number from 0 to 16383")


class RedisCluster(Section):
    """Redis for everything else; nothing reads it yet."""

    addrs: tuple[Address, ...] = Field(default=(), description="a list of host:port")


class RedisDefault(Section):
    """Redis for everything else."""

    cluster: RedisCluster = RedisCluster()


class RedisSettings(Section):
    """Redis servers by purpose: jobs must not be evicted with a cache."""

    jobqueue: RedisJobQueue = RedisJobQueue()
    default: RedisDefault = RedisDefault()


class SqliteJobQueue(Section):
    """The SQLite file that holds jobs."""

    path: Path = Field(
        default=Path("data/jobs.db"),
        description="a file's path; a relative one starts at the project",
    )

    @property
    def file(self) -> Path:
        """The path in full: not from the working directory, since both servers must mean
        the same file."""
        return PROJECT / self.path.expanduser()


class SqliteSettings(Section):
    """SQLite files by purpose."""

    jobqueue: SqliteJobQueue = SqliteJobQueue()


class Settings(Section):
    """All of them."""

    environment: Environment
    server: ServerSettings = ServerSettings()
    auth: AuthSettings = AuthSettings()
    jobqueue: JobQueueSettings = JobQueueSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
    redis: RedisSettings = RedisSettings()
    sqlite: SqliteSettings = SqliteSettings()

    @property
    def token_secret(self) -> str:
        """What tokens are signed with."""
        return self.auth.secret.get_secret_value() or DEVELOPMENT_SECRET


SECTIONS_OF_FILE = {
    "config.yaml": ("server", "auth", "jobqueue", "worker", "log"),
    "cacheserver.yaml": ("redis",),
    "database.yaml": ("sqlite",),
}
