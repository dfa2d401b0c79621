"""The files of deployment and the application's settings agree."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.deploy.files import Started, make_secrets, started, with_secrets
from webapp.settings import Environment, Settings, load_settings
from webapp.settings.choices import DatabaseKind, MailTransport, StorageKind, StoreKind
from webapp.settings.key import KEYS

STARTED = list(started())
each_program = pytest.mark.parametrize("program", STARTED, ids=lambda program: program.place)

# What is meant for Python, and not for the application.
OF_PYTHON = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secrets(tmp_path_factory.mktemp("deploy") / "secrets")


def settings_of(program: Started, secrets: Path) -> Settings:
    return load_settings(with_secrets(program.variables, secrets))


def test_each_kind_of_deployment_starts_both_servers_and_the_migrations() -> None:
    modules: Mapping[str, set[str]] = {
        kind: {each.module for each in STARTED if each.place.startswith(kind)}
        for kind in ("compose", "kubernetes", "systemd")
    }

    everything = {"webapp.server", "webapp.jobqueue", "webapp.migrate"}
    assert modules == dict.fromkeys(modules, everything)
    assert all(find_spec(module) for module in everything)


@each_program
def test_every_variable_is_a_setting_with_a_value_that_it_takes(
    program: Started, secrets: Path
) -> None:
    known = {key.variable for key in KEYS.values()} | {f"{k.variable}_FILE" for k in KEYS.values()}

    settings = settings_of(program, secrets)

    assert set(program.variables) <= known | OF_PYTHON | {"APP_ENV"}
    assert settings.environment in (Environment.STAGING, Environment.PRODUCTION)
    assert settings.log.format == "json"


@each_program
def test_what_several_machines_share_is_on_servers(program: Started, secrets: Path) -> None:
    settings = settings_of(program, secrets)

    assert settings.jobqueue.store is StoreKind.REDIS
    assert settings.database.store is DatabaseKind.POSTGRES
    assert settings.mail.transport is MailTransport.SMTP
    assert settings.storage.kind is StorageKind.S3


@each_program
def test_every_secret_is_in_a_file_and_none_has_a_default(program: Started) -> None:
    secret = [key for key in KEYS.values() if key.is_secret]
    by_file = {key.name for key in secret if f"{key.variable}_FILE" in program.variables}

    assert not [key.name for key in secret if key.variable in program.variables]
    assert by_file >= {
        "auth.secret",
        "redis.jobqueue.password",
        "postgres.default.password",
        "storage.access_key",
        "storage.secret_key",
    }
    # A mail server that delivers nothing asks for none.
    assert ("mail.password" in by_file) == (not program.place.startswith("compose"))


@each_program
def test_there_is_time_for_running_jobs_and_for_handing_back_the_rest(
    program: Started, secrets: Path
) -> None:
    if program.module == "webapp.migrate":
        assert program.stop_seconds is None
    else:
        assert program.stop_seconds is not None
        wanted = settings_of(program, secrets).worker.shutdown_timeout
        assert program.stop_seconds >= wanted + 10


@each_program
def test_job_servers_show_their_metrics_and_others_have_no_use_for_the_setting(
    program: Started, secrets: Path
) -> None:
    metrics = settings_of(program, secrets).worker.metrics

    assert bool(metrics) == (program.module == "webapp.jobqueue")
