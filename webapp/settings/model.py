"""Every setting with its type, its limit and its default.

A description completes the sentence "it must be …": error messages and documents use it.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from webapp.settings.choices import (
    DatabaseKind,
    InDoubt,
    LogFormat,
    LogLevel,
    MailEncryption,
    MailTransport,
    RateLimitStorage,
    RetryKind,
    StorageKind,
    StoreKind,
)
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


def _network(text: str) -> str:
    ip_network(text)  # raises ValueError
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no time zone") from None
    return name


Secret = Annotated[SecretStr, AfterValidator(_secret)]
Address = Annotated[str, AfterValidator(_address)]
Listener = Annotated[str, AfterValidator(_listener)]
Text = Annotated[str, Field(min_length=1)]
Zone = Annotated[str, AfterValidator(_zone)]
MailAddress = Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$")]
Network = Annotated[str, AfterValidator(_network)]
Rate = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,6}/(second|minute|hour|day)$")]
_RATE_LIMIT = "a number per second, minute, hour or day, such as 600/minute"
Url = Annotated[str, Field(pattern=r"^(https?://[^\s/@?#]+/?)?$")]


class Section(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """The API server."""

    host: Text = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(
        default=8080, ge=0, le=65_535, description="a number from 0 (any free one) to 65535"
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=(), description="a list of addresses or networks, such as 10.0.0.0/8"
    )


class AuthSettings(Section):
    """Tokens."""

    secret: Secret = Field(
        default=SecretStr(""),
        description=f"a text of at least {SHORTEST_SECRET} characters",
    )
    old_secrets: tuple[Secret, ...] = Field(
        default=(), description=f"a list of texts of at least {SHORTEST_SECRET} characters"
    )
    audience: Text = Field(default="dm-jobqueue", description="a text")
    page_token_seconds: int = Field(
        default=600, ge=30, le=86_400, description="a number of seconds from 30 to 86400"
    )


class RateLimitSettings(Section):
    """How often one caller may ask."""

    storage: RateLimitStorage = Field(
        default=RateLimitStorage.MEMORY, description="memory or redis"
    )
    reads: Rate = Field(default="3000/minute", description=_RATE_LIMIT)
    writes: Rate = Field(default="600/minute", description=_RATE_LIMIT)


class JobQueueSettings(Section):
    """Where jobs live."""

    store: StoreKind = Field(default=StoreKind.REDIS, description="redis or sqlite")


class WorkerSettings(Section):
    """The job server."""

    processes: int = Field(default=1, ge=1, le=64, description="a number from 1 to 64")
    concurrency: int = Field(default=20, ge=1, le=1000, description="a number from 1 to 1000")
    lease: float = Field(
        default=15.0, ge=5, le=3600, description="a number of seconds from 5 to 3600"
    )
    shutdown_timeout: float = Field(
        default=30.0, ge=0, le=3600, description="a number of seconds from 0 to 3600"
    )
    schedules: bool = Field(default=True, description="true or false")
    metrics: Listener = Field(
        default="", description="port or host:port, such as 0.0.0.0:9400; empty means none"
    )


class LogSettings(Section):
    """Logs."""

    level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error")
    format: LogFormat = Field(default=LogFormat.TEXT, description="text or json")


class RetrySettings(Section):
    """How often jobs are tried."""

    strategy: RetryKind = Field(default=RetryKind.EXPONENTIAL, description="exponential or fixed")
    first: float = Field(
        default=1.0, ge=0.01, le=3600, description="a number of seconds from 0.01 to 3600"
    )
    cap: float = Field(
        default=16.0, ge=0.01, le=86_400, description="a number of seconds from 0.01 to 86400"
    )
    jitter: float = Field(default=0.1, ge=0, le=1, description="a share from 0 to 1")
    attempts: int = Field(default=5, ge=1, le=1000, description="a number from 1 to 1000")
    timeout: float = Field(
        default=300.0, ge=1, le=86_400, description="a number of seconds from 1 to 86400"
    )


class CalendarSettings(Section):
    """Where the office is whose weeks and months are reported."""

    timezone: Zone = Field(
        default="Asia/Tokyo", description="the name of a time zone, such as Asia/Tokyo"
    )


class MailSettings(Section):
    """Mails."""

    transport: MailTransport = Field(default=MailTransport.SMTP, description="smtp or outbox")
    sender: MailAddress = Field(
        default="noreply@example.com", description="a mail address, such as noreply@example.com"
    )
    in_doubt: InDoubt = Field(default=InDoubt.LEAVE, description="leave or resend")
    host: Text = Field(default="localhost", description="the mail server's name or address")
    port: int = Field(default=587, ge=1, le=65_535, description="a number from 1 to 65535")
    encryption: MailEncryption = Field(
        default=MailEncryption.STARTTLS, description="none, starttls or tls"
    )
    user: str = Field(default="", description="a text; empty means that nobody logs in")
    password: SecretStr = Field(default=SecretStr(""), description="a text; empty means none")
    timeout: float = Field(
        default=30.0, ge=0.1, le=300, description="a number of seconds from 0.1 to 300"
    )
    connections: int = Field(default=5, ge=1, le=100, description="a number from 1 to 100")
    outbox: Path = Field(
        default=Path("data/outbox"),
        description="a folder's path; a relative one starts at the project",
    )

    @property
    def outbox_folder(self) -> Path:
        """The path in full."""
        return PROJECT / self.outbox.expanduser()


class StorageSettings(Section):
    """Files of reports."""

    kind: StorageKind = Field(default=StorageKind.S3, description="s3 or folder")
    url: Url = Field(
        default="", description="http(s)://host:port of an S3-compatible server; empty means Amazon"
    )
    bucket: Text = Field(default="webapp-reports", description="the name of a bucket")
    region: Text = Field(default="us-east-1", description="the name of a region")
    access_key: SecretStr = Field(
        default=SecretStr(""), description="a text; empty means the machine's role"
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="a text; empty means the machine's role"
    )
    path: Path = Field(
        default=Path("data/reports"),
        description="a folder's path; a relative one starts at the project",
    )

    @property
    def folder(self) -> Path:
        """The path in full."""
        return PROJECT / self.path.expanduser()


class CleanUpSettings(Section):
    """How audit logs are deleted."""

    batch: int = Field(default=1000, ge=1, le=100_000, description="a number from 1 to 100000")
    pause: float = Field(default=0.1, ge=0, le=60, description="a number of seconds from 0 to 60")


class RedisJobQueue(Section):
    """The one Redis server that holds jobs."""

    addr: Address = Field(default="localhost:6379", description="host:port, such as localhost:6379")
    password: SecretStr = Field(default=SecretStr(""), description="a text; empty means none")
    tls: bool = Field(default=False, description="true or false")
    db: int = Field(default=0, ge=0, le=16_383, description="a number from 0 to 16383")


class RedisCluster(Section):
    """Redis for everything else: a cluster, or one server where there is one address."""

    addrs: tuple[Address, ...] = Field(default=(), description="a list of host:port")
    password: SecretStr = Field(default=SecretStr(""), description="a text; empty means none")
    tls: bool = Field(default=False, description="true or false")


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


class SqliteDefault(Section):
    """The SQLite file that holds everything else."""

    path: Path = Field(
        default=Path("data/app.db"),
        description="a file's path; a relative one starts at the project",
    )

    @property
    def file(self) -> Path:
        """The path in full."""
        return PROJECT / self.path.expanduser()


class SqliteSettings(Section):
    """SQLite files by purpose."""

    jobqueue: SqliteJobQueue = SqliteJobQueue()
    default: SqliteDefault = SqliteDefault()


class DatabaseSettings(Section):
    """Where users, reports and logs live."""

    store: DatabaseKind = Field(default=DatabaseKind.POSTGRES, description="postgres or sqlite")


class PostgresDefault(Section):
    """The PostgreSQL database of the application."""

    addr: Address = Field(default="localhost:5432", description="host:port, such as localhost:5432")
    database: Text = Field(default="webapp", description="the name of a database")
    user: Text = Field(default="webapp", description="the name of a user")
    password: SecretStr = Field(default=SecretStr(""), description="a text; empty means none")
    tls: bool = Field(default=False, description="true or false")


class PostgresSettings(Section):
    """PostgreSQL databases by purpose."""

    default: PostgresDefault = PostgresDefault()


class Settings(Section):
    """All of them."""

    environment: Environment
    server: ServerSettings = ServerSettings()
    auth: AuthSettings = AuthSettings()
    rate_limit: RateLimitSettings = RateLimitSettings()
    jobqueue: JobQueueSettings = JobQueueSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
    retry: RetrySettings = RetrySettings()
    calendar: CalendarSettings = CalendarSettings()
    mail: MailSettings = MailSettings()
    storage: StorageSettings = StorageSettings()
    cleanup: CleanUpSettings = CleanUpSettings()
    redis: RedisSettings = RedisSettings()
    database: DatabaseSettings = DatabaseSettings()
    sqlite: SqliteSettings = SqliteSettings()
    postgres: PostgresSettings = PostgresSettings()

    @property
    def token_secret(self) -> str:
        """What tokens are signed with."""
        return self.auth.secret.get_secret_value() or DEVELOPMENT_SECRET

    @property
    def old_token_secrets(self) -> tuple[str, ...]:
        """What tokens were signed with before; such tokens are good until they end."""
        return tuple(secret.get_secret_value() for secret in self.auth.old_secrets)


SECTIONS_OF_FILE = {
    "config.yaml": (
        "server",
        "auth",
        "rate_limit",
        "jobqueue",
        "worker",
        "log",
        "retry",
        "calendar",
        "mail",
        "storage",
        "cleanup",
    ),
    "cacheserver.yaml": ("redis",),
    "database.yaml": ("database", "sqlite", "postgres"),
}
