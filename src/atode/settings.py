"""Every option of a worker: as argument, environment variable and file key.

An argument wins over the environment (`ATODE_CONCURRENCY=50`), which wins over the file
`atode.toml` in the working directory (`concurrency = 50`), which wins over the default.
"""

from collections.abc import Mapping
from enum import StrEnum
from tomllib import TOMLDecodeError
from typing import Annotated, Any, TypedDict

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from atode.errors import BadOption
from atode.queues import Queues
from atode.size import LARGEST

MOST_PROCESSES = 256


class LogFormat(StrEnum):
    """How log records are written."""

    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """Where jobs live, and how a worker runs them. Durations are seconds."""

    model_config = SettingsConfigDict(
        env_prefix="ATODE_", toml_file="atode.toml", extra="forbid", frozen=True
    )

    url: str = "sqlite:///atode.db"
    """sqlite:///path, redis://host:port/database, rediss://…, postgresql://host:port/database, or
    memory:// for tests."""
    concurrency: int = Field(20, ge=1, le=LARGEST)
    """Jobs that one worker runs at the same time; to begin with, see `Worker.resize`."""
    processes: int = Field(1, ge=1, le=MOST_PROCESSES)
    """Processes that the command line's worker starts; each is a worker of its own."""
    queues: Annotated[dict[str, int], NoDecode] = Field(default={"default": 1}, min_length=1)
    """Names with weights; in the environment `mail=3,default`."""
    strict: bool = False
    """Serve queues strictly by weight instead of in proportion to it."""
    lease: float = Field(15.0, ge=2.0, le=3600.0)
    """How long a job stays with a worker that gives no sign of life."""
    schedules: bool = True
    """Whether this worker also stores the jobs of schedules."""
    shutdown_timeout: float = Field(30.0, ge=0.0, le=86_400.0)
    """How long running jobs may go on after the signal to stop."""

    log: LogFormat = LogFormat.TEXT
    """How the command line's worker writes its log."""
    metrics: str = Field("", coerce_numbers_to_str=True)
    """Where it serves /metrics, /healthz and /readyz: [host:]port; empty for nowhere."""

    @field_validator("queues", mode="before")
    @classmethod
    def _parse_queues(cls, value: Any) -> Any:
        if isinstance(value, str):
            entries = [entry.strip() for entry in value.split(",") if entry.strip()]
            return Queues.parse(entries).weights
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


class WorkerOptions(TypedDict, total=False):
    """What a worker can be given in code; the fields of `Settings` with these names explain it."""

    concurrency: int | None
    queues: Mapping[str, int] | None
    strict: bool | None
    lease: float | None
    shutdown_timeout: float | None
    schedules: bool | None


def load(**given: Any) -> Settings:
    """Settings from the arguments that are not None, the environment and the file.

    Raises:
        BadOption: a value is out of its range, or a name unknown; it says which and why.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except TOMLDecodeError as error:
        raise BadOption(f"atode.toml is not TOML: {error}") from None
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(step) for step in detail['loc'])} is {detail['input']!r}: "
            f"{detail['msg']}"
            for detail in error.errors(include_url=False)
        ]
        raise BadOption(
            f"{'; '.join(problems)} (argument, ATODE_… variable or atode.toml)"
        ) from None
