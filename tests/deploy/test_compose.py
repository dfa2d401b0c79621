"""The compose file, Prometheus' configuration and Grafana's provisioning, without a container."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.deploy.files import (
    COMPOSE,
    ROOT,
    VERSION,
    compose,
    is_ours,
    make_secrets,
    service,
    services,
)

PROMETHEUS = ROOT / "deploy" / "prometheus" / "prometheus.yml"
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
FILES = sorted(ROOT.glob("docker-compose*.yml"))

each_service = pytest.mark.parametrize("name", services())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the secrets that the script makes."""
    folder = make_secrets(tmp_path_factory.mktemp("deploy") / "secrets")
    return {path.name for path in folder.iterdir()}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def port_of_server(name: str) -> int:
    """Where a service of the application answers."""
    variables = service(name).variables
    return int(variables.get("WORKER__METRICS", "0.0.0.0:8080").rpartition(":")[2])


def test_they_follow_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]

    done = subprocess.run([*command, *FILES], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_everything_that_was_asked_for_is_there() -> None:
    assert set(services()) == {
        *("api", "jobqueue", "migrate", "redis", "postgres", "mailpit", "minio", "bucket"),
        *("prometheus", "grafana"),
    }
    assert services()["jobqueue"]["deploy"]["replicas"] == 2
    # Once, for all of the application's own.
    assert [name for name, each in services().items() if "build" in each] == ["api"]


@each_service
def test_its_image_is_pinned(name: str) -> None:
    image, _, tag = services()[name]["image"].partition(":")

    if is_ours(services()[name]):
        assert (image, tag) == ("atode-webapp", VERSION)
    else:
        assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z]+)?|RELEASE\.[\dTZ-]+", tag)


@each_service
def test_it_has_a_limit_of_memory_a_restart_policy_and_a_health_check(name: str) -> None:
    description = services()[name]
    ends_by_itself = name in ("migrate", "bucket")

    assert re.fullmatch(r"\d+[MG]", description["deploy"]["resources"]["limits"]["memory"])
    assert description["restart"] == ("no" if ends_by_itself else "unless-stopped")
    assert ("healthcheck" in description) != ends_by_itself


@each_service
def test_it_is_reached_from_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in services()[name].get("ports", ()))


@each_service
def test_what_it_waits_for_can_come_about(name: str) -> None:
    for other, wait in services()[name].get("depends_on", {}).items():
        assert wait["condition"] == (
            "service_healthy"
            if "healthcheck" in services()[other]
            else "service_completed_successfully"
        )


@each_service
def test_its_secrets_are_made_by_the_script(name: str, made: set[str]) -> None:
    declared = compose()["secrets"]
    given = set(services()[name].get("secrets", ()))
    named = set(re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(services()[name])))

    assert given <= declared.keys() <= made
    assert named <= given
    assert all(each == {"file": f"./secrets/{key}"} for key, each in declared.items())


@each_service
def test_its_volumes_are_declared_and_its_folders_exist(name: str) -> None:
    for volume in services()[name].get("volumes", ()):
        source, target, *_ = volume.split(":")
        assert (
            (ROOT / source).exists() if source.startswith(".") else source in compose()["volumes"]
        )
        assert target.startswith("/")


def test_secrets_are_never_overwritten_and_nobody_else_gets_into_their_folder(
    tmp_path: Path,
) -> None:
    folder = make_secrets(tmp_path / "secrets")
    before = {path.name: path.read_text() for path in folder.iterdir()}

    make_secrets(folder)

    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    assert len(set(before.values())) == len(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    # A container's user is a stranger to this machine.
    assert {(folder / name).stat().st_mode & 0o777 for name in compose()["secrets"]} == {0o444}


def test_the_health_checks_of_both_servers_ask_where_they_answer() -> None:
    for name in ("api", "jobqueue"):
        test = services()[name]["healthcheck"]["test"]
        assert test == [
            *("CMD", "python", "-m", "webapp.probe"),
            f"http://127.0.0.1:{port_of_server(name)}/readyz",
        ]


def test_the_application_asks_its_neighbours_by_their_names() -> None:
    variables = service("jobqueue").variables
    hosts = {
        variables["REDIS__JOBQUEUE__ADDR"].partition(":")[0],
        variables["POSTGRES__DEFAULT__ADDR"].partition(":")[0],
        variables["MAIL__HOST"],
        urlsplit(variables["STORAGE__URL"]).hostname,
    }

    assert hosts == {"redis", "postgres", "mailpit", "minio"}
    assert f"store/{variables['STORAGE__BUCKET']}" in services()["bucket"]["command"][0]


def test_redis_refuses_jobs_before_the_kernel_kills_it() -> None:
    redis = services()["redis"]
    [most] = re.findall(r"--maxmemory (\d+)mb", " ".join(redis["command"]))
    limit = redis["deploy"]["resources"]["limits"]["memory"]

    # A rewrite of the file may copy every page in the meantime.
    assert int(limit.removesuffix("M")) >= 2 * int(most)
    assert redis["image"] == read(ROOT / "docker-compose.redis.yml")["services"]["redis"]["image"]


def targets() -> Iterator[str]:
    for job in read(PROMETHEUS)["scrape_configs"]:
        for static in job.get("static_configs", ()):
            yield from static["targets"]
        for found in job.get("dns_sd_configs", ()):
            assert found["type"] == "A"
            yield from (f"{name}:{found['port']}" for name in found["names"])


def test_prometheus_scrapes_both_servers_where_they_answer() -> None:
    assert set(targets()) == {f"{name}:{port_of_server(name)}" for name in ("api", "jobqueue")}
    assert all("metrics_path" not in job for job in read(PROMETHEUS)["scrape_configs"])


def test_prometheus_loads_the_alerts() -> None:
    rules = [PROMETHEUS.parent / name for name in read(PROMETHEUS)["rule_files"]]

    assert rules == [PROMETHEUS.parent / "alerts.yml"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in services()["prometheus"]["volumes"]


def test_promtool_finds_nothing_wrong() -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("no promtool: it comes with Debian's package prometheus")

    done = subprocess.run(
        [promtool, "check", "config", PROMETHEUS], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_grafana_has_its_data_source_and_its_dashboard() -> None:
    [source] = read(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    [provider] = read(PROVISIONING / "dashboards" / "atode.yml")["providers"]
    grafana = services()["grafana"]

    assert source["isDefault"]
    assert urlsplit(str(source["url"])).hostname in services()
    dashboard = f"{provider['options']['path']}/atode.json"
    assert f"./deploy/grafana/atode.json:{dashboard}:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == dashboard


def test_the_file_has_no_variables_that_somebody_could_forget_to_set() -> None:
    # `$$` is a dollar for the shell in the container.
    assert not re.findall(r"(?<!\$)\$(?!\$)", COMPOSE.read_text("utf-8").replace("$$", ""))
