"""Settings of the reference application: where they may stand, and what is said about bad ones."""

from pathlib import Path

import pytest

from webapp.settings import Environment, Settings, SettingsError, load_settings
from webapp.settings.choices import DatabaseKind, MailTransport, StorageKind, StoreKind
from webapp.settings.files import read_files
from webapp.settings.key import KEYS, Key
from webapp.settings.model import PROJECT

DOCUMENTS = [PROJECT / "docs" / language / "Queue-Job.md" for language in ("en", "ja")]
SECRET = "a secret of more than thirty-two characters"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration folder whose three files for develop are empty."""
    develop = tmp_path / "develop"
    develop.mkdir()
    for file in ("config.yaml", "cacheserver.yaml", "database.yaml"):
        (develop / file).touch()
    return tmp_path


def load(folder: Path, **variables: str) -> Settings:
    return load_settings({"APP_CONFIG_DIR": str(folder), **variables})


def problem(folder: Path, **variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, **variables)
    return str(caught.value)


def write(folder: Path, file: str, text: str) -> Path:
    path = folder / "develop" / file
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("environment", Environment)
def test_every_environment_of_the_project_loads(environment: Environment) -> None:
    settings = load_settings({"APP_ENV": environment, "AUTH__SECRET": SECRET})

    assert environment is settings.environment
    assert settings.server.port == 8080
    assert settings.redis.jobqueue.addr == "localhost:6379"


def test_without_app_env_it_is_develop() -> None:
    assert load_settings({}).environment is Environment.DEVELOP


def test_only_the_demo_needs_no_redis() -> None:
    stores = {
        environment: load_settings({"APP_ENV": environment, "AUTH__SECRET": SECRET}).jobqueue.store
        for environment in Environment
    }

    assert [e for e, store in stores.items() if store is StoreKind.SQLITE] == [Environment.DEMO]


def test_an_unknown_environment_is_named_with_the_closest() -> None:
    with pytest.raises(SettingsError, match=r"APP_ENV is 'prod'.*Did you mean 'production'\?"):
        load_settings({"APP_ENV": "prod"})


def test_the_environment_overrides_a_file_which_overrides_the_default(folder: Path) -> None:
    write(folder, "config.yaml", "server: {host: 10.0.0.1, port: 9000}")

    settings = load(folder, SERVER__PORT="9001")

    assert settings.server.host == "10.0.0.1"
    assert settings.server.port == 9001
    assert settings.worker.concurrency == 20


def test_port_is_short_for_server_port_which_wins(folder: Path) -> None:
    assert load(folder, PORT="1234").server.port == 1234
    assert load(folder, PORT="1234", SERVER__PORT="4321").server.port == 4321


def test_variables_take_texts_numbers_switches_and_lists(folder: Path) -> None:
    redis = load(
        folder,
        REDIS__JOBQUEUE__PASSWORD="12345",
        REDIS__JOBQUEUE__TLS="true",
        REDIS__JOBQUEUE__DB="3",
        REDIS__DEFAULT__CLUSTER__ADDRS="a:7000, b:7001",
    ).redis

    assert redis.jobqueue.password.get_secret_value() == "12345"
    assert redis.jobqueue.tls is True
    assert redis.jobqueue.db == 3
    assert redis.default.cluster.addrs == ("a:7000", "b:7001")


def test_foreign_variables_are_left_alone(folder: Path) -> None:
    load(folder, SERVER_PORT="tcp://10.0.0.1:80", REDIS_HOST="x", GIT__X="y")


def test_an_unknown_key_in_a_file_is_named_with_the_closest(folder: Path) -> None:
    path = write(folder, "cacheserver.yaml", "redis: {jobqueue: {adr: 'localhost:1'}}")

    assert (
        f"{path}: redis.jobqueue.adr is not a setting. Did you mean 'redis.jobqueue.addr'?"
        == problem(folder)
    )


def test_an_unknown_variable_is_named_with_the_closest(folder: Path) -> None:
    assert problem(folder, REDIS__JOBQUEUE__ADR="localhost:1") == (
        "environment variable REDIS__JOBQUEUE__ADR is not a setting. "
        "Did you mean 'REDIS__JOBQUEUE__ADDR'?"
    )


def test_a_key_in_the_wrong_file_is_told_where_it_belongs(folder: Path) -> None:
    path = write(folder, "config.yaml", "redis: {jobqueue: {addr: 'localhost:1'}}")

    assert f"{path}: redis.jobqueue.addr belongs in cacheserver.yaml" == problem(folder)


def test_all_problems_are_told_at_once(folder: Path) -> None:
    write(folder, "config.yaml", "server: {port: 0x1FFFF}\nwork: {}")

    lines = problem(folder, WORKER__LEASE="1").splitlines()

    assert len(lines) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server: {port: 70000}", "server.port is 70000; it must be a number from 0"),
        ("server: {port: '8080'}", "server.port is '8080'; it must be a number"),
        ("server: {port: true}", "server.port is True; it must be a number"),
        ("server: {host: ''}", "server.host is ''; it must be the address"),
        ("server: 8080", "server is 8080; it must hold keys below it"),
        ("worker: {lease: .nan}", "worker.lease is nan; it must be a number of seconds"),
        ("worker: {concurrency: }", "worker.concurrency is None; it must be a number"),
        ("jobqueue: {store: mysql}", "jobqueue.store is 'mysql'; it must be redis or sqlite"),
        ("log: {level: {a: b}}", "log.level is {'a': 'b'}; it must be debug"),
        ("serve: ", "serve is not a setting. Did you mean 'server"),
        ("- server", "the file must hold keys and values"),
        ("server: [", "cannot be read"),
        ("server: {}\nserver: {}", "line 2: 'server' stands here a second time"),
    ],
)
def test_a_bad_file_is_named_with_key_value_and_limit(
    folder: Path, text: str, message: str
) -> None:
    path = write(folder, "config.yaml", text)

    told = problem(folder)

    assert str(path) in told
    assert message in told


@pytest.mark.parametrize("address", ["localhost", "localhost:0", "localhost:99999", "a b:1", ":1"])
def test_an_address_without_a_good_port_is_refused(folder: Path, address: str) -> None:
    assert "it must be host:port" in problem(folder, REDIS__JOBQUEUE__ADDR=address)


def test_an_ipv6_address_is_taken(folder: Path) -> None:
    assert load(folder, REDIS__JOBQUEUE__ADDR="[::1]:6379").redis.jobqueue.addr == "[::1]:6379"


@pytest.mark.parametrize("text", ["", "0", "9400", "0.0.0.0:9400", "[::1]:0"])
def test_metrics_are_served_at_a_port_with_or_without_a_host(folder: Path, text: str) -> None:
    assert load(folder, WORKER__METRICS=text).worker.metrics == text


@pytest.mark.parametrize("text", ["here", "70000", "a:70000", ":1", "::1:9400", "http://a:1"])
def test_another_place_for_metrics_is_refused(folder: Path, text: str) -> None:
    assert "it must be port or host:port" in problem(folder, WORKER__METRICS=text)


def test_a_missing_file_is_an_error(folder: Path) -> None:
    path = folder / "develop" / "database.yaml"
    path.unlink()

    assert f"{path} does not exist" in problem(folder)


def test_a_secret_is_never_shown(folder: Path) -> None:
    told = problem(folder, AUTH__SECRET="hunter2")

    assert "hunter2" not in told
    assert "at least 32 characters" in told
    assert SECRET not in repr(load(folder, AUTH__SECRET=SECRET))


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_public_environments_need_a_secret_of_their_own(environment: str) -> None:
    development = load_settings({}).token_secret
    for given in ({}, {"AUTH__SECRET": ""}, {"AUTH__SECRET": development}):
        with pytest.raises(SettingsError, match="AUTH__SECRET"):
            load_settings({"APP_ENV": environment, **given})

    settings = load_settings({"APP_ENV": environment, "AUTH__SECRET": SECRET})

    assert settings.token_secret == SECRET


def test_a_secret_may_stand_in_a_file_of_its_own(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")

    settings = load(folder, MAIL__PASSWORD_FILE=str(file))

    assert settings.mail.password.get_secret_value() == "hunter2"


def test_a_secret_file_that_is_missing_or_one_too_many_is_named(folder: Path) -> None:
    assert "MAIL__PASSWORD_FILE: " in problem(folder, MAIL__PASSWORD_FILE=str(folder / "nothing"))
    both = problem(folder, MAIL__PASSWORD_FILE="/x", MAIL__PASSWORD="hunter2")
    assert "MAIL__PASSWORD is set, too" in both
    assert "hunter2" not in both
    assert "is not a setting" in problem(folder, MAIL__HOST_FILE="/x")


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_secret_in_the_files_of_a_public_environment_is_refused(
    folder: Path, environment: str
) -> None:
    (folder / "develop").rename(folder / environment)
    (folder / environment / "config.yaml").write_text(f"auth: {{secret: {SECRET!r}}}")

    told = problem(folder, APP_ENV=environment, AUTH__SECRET=SECRET)

    assert told.startswith("auth.secret is a secret and must not stand in config.yaml")
    assert "AUTH__SECRET_FILE" in told
    assert SECRET not in told


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("secret", ["hunter2", "x" * 31])
def test_a_short_secret_is_refused_without_being_shown(environment: str, secret: str) -> None:
    for variable in ("AUTH__SECRET", "AUTH__OLD_SECRETS"):
        with pytest.raises(SettingsError) as caught:
            load_settings({"APP_ENV": environment, "AUTH__SECRET": SECRET, variable: secret})

        assert f"environment variable {variable}" in str(caught.value)
        assert "at least 32 characters" in str(caught.value)
        assert secret not in str(caught.value)


def test_the_secret_for_development_proves_no_token_in_public() -> None:
    development = load_settings({}).token_secret

    with pytest.raises(SettingsError, match=r"auth\.old_secrets has the one for development"):
        load_settings(
            {"APP_ENV": "staging", "AUTH__SECRET": SECRET, "AUTH__OLD_SECRETS": development}
        )


def test_old_secrets_stand_between_commas_or_on_lines_of_a_file(
    folder: Path, tmp_path: Path
) -> None:
    first, second = "1" * 32, "2" * 40
    file = tmp_path / "old"
    file.write_text(f"{first}\n{SECRET}, with a comma\n")

    given = load(folder, AUTH__OLD_SECRETS=f"{first},{second}")
    read = load(folder, AUTH__OLD_SECRETS_FILE=str(file))

    assert given.old_token_secrets == (first, second)
    assert read.old_token_secrets == (first, f"{SECRET}, with a comma")
    assert first not in repr(given)


def test_counts_in_redis_need_an_address(folder: Path) -> None:
    told = problem(folder, RATE_LIMIT__STORAGE="redis")

    assert "redis.default.cluster.addrs is empty" in told
    load(folder, RATE_LIMIT__STORAGE="redis", REDIS__DEFAULT__CLUSTER__ADDRS="a:1")


@pytest.mark.parametrize("environment", Environment)
def test_no_secret_stands_in_a_committed_file(environment: Environment) -> None:
    values, _ = read_files(PROJECT / "config" / environment)

    assert not [name for name in values if KEYS[name].is_secret]


def test_only_the_demo_keeps_mails_reports_and_tables_to_itself() -> None:
    def is_alone(environment: Environment) -> tuple[bool, bool, bool]:
        settings = load_settings({"APP_ENV": environment, "AUTH__SECRET": SECRET})
        return (
            settings.mail.transport is MailTransport.OUTBOX,
            settings.storage.kind is StorageKind.FOLDER,
            settings.database.store is DatabaseKind.SQLITE,
        )

    alone = {environment: is_alone(environment) for environment in Environment}

    assert alone.pop(Environment.DEMO) == (True, True, True)
    assert set(alone.values()) == {(False, False, False)}


@pytest.mark.parametrize(
    ("variable", "value", "limit"),
    [
        ("RETRY__STRATEGY", "linear", "it must be exponential or fixed"),
        ("RETRY__ATTEMPTS", "0", "it must be a number from 1 to 1000"),
        ("CALENDAR__TIMEZONE", "Asia/Nowhere", "it must be the name of a time zone"),
        ("CALENDAR__TIMEZONE", "../etc", "it must be the name of a time zone"),
        ("MAIL__SENDER", "nobody", "it must be a mail address"),
        ("MAIL__ENCRYPTION", "ssl", "it must be none, starttls or tls"),
        ("RATE_LIMIT__STORAGE", "disk", "it must be memory or redis"),
        ("RATE_LIMIT__WRITES", "0/minute", "it must be a number per second, minute, hour or day"),
        ("RATE_LIMIT__READS", "10/week", "such as 600/minute"),
        ("SERVER__TRUSTED_PROXIES", "10.0.0.1/8", "such as 10.0.0.0/8"),
        ("STORAGE__URL", "ftp://x", "it must be http(s)://host:port"),
        ("STORAGE__URL", "http://user:secret@x", "it must be http(s)://host:port"),
    ],
)
def test_bad_settings_are_named(folder: Path, variable: str, value: str, limit: str) -> None:
    assert limit in problem(folder, **{variable: value})


def test_a_relative_sqlite_path_starts_at_the_project(folder: Path) -> None:
    write(folder, "database.yaml", "sqlite: {jobqueue: {path: data/x.db}}")

    assert load(folder).sqlite.jobqueue.file == PROJECT / "data" / "x.db"
    elsewhere = load(folder, SQLITE__JOBQUEUE__PATH="/somewhere/y.db")
    assert elsewhere.sqlite.jobqueue.file == Path("/somewhere/y.db")


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("path", DOCUMENTS, ids=["en", "ja"])
def test_every_setting_is_documented_with_variable_and_default(path: Path, key: Key) -> None:
    rows = [line for line in path.read_text("utf-8").splitlines() if f"| `{key.name}` |" in line]

    assert len(rows) == 1
    assert f"`{key.variable}`" in rows[0]
    assert f"| {_shown(key.default)} |" in rows[0]


def _shown(default: object) -> str:
    text = str(getattr(default, "get_secret_value", lambda: default)())
    return {"": "–", "()": "–", "False": "`false`", "True": "`true`"}.get(text, f"`{text}`")
