"""The compose files, as far as they can be checked without a container engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
REDIS = ROOT / "docker-compose.redis.yml"
INSIGHT = ROOT / "docker-compose.redis-insight.yml"


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return document


def service(path: Path) -> tuple[str, dict[str, Any]]:
    [(name, description)] = read(path)["services"].items()
    return name, description


@pytest.mark.parametrize("path", [REDIS, INSIGHT], ids=lambda path: path.name)
def test_the_image_is_pinned_and_the_service_has_a_health_check(path: Path) -> None:
    _, description = service(path)

    assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-alpine)?", description["image"])
    assert description["healthcheck"]["test"][0] == "CMD-SHELL"


@pytest.mark.parametrize("path", [REDIS, INSIGHT], ids=lambda path: path.name)
def test_the_container_has_the_name_that_the_script_asks_for(path: Path) -> None:
    _, description = service(path)
    scripts = [script.read_text() for script in (ROOT / "scripts").glob("start-redis*.sh")]
    [script] = [text for text in scripts if f"file={path.name}" in text]

    assert f"container={description['container_name']}\n" in script


def test_redis_keeps_its_jobs_in_the_projects_folder_on_its_usual_port() -> None:
    _, redis = service(REDIS)

    assert redis["ports"] == ["127.0.0.1:6379:6379"]
    assert redis["volumes"] == ["./redis/data/jobqueue:/data"]
    command = " ".join(redis["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_insight_joins_the_network_of_redis_and_is_connected_already() -> None:
    redis_name, redis = service(REDIS)
    _, insight = service(INSIGHT)
    [network] = redis["networks"]

    assert insight["ports"] == ["127.0.0.1:8001:5540"]
    assert insight["networks"] == [network]
    assert insight["environment"]["RI_REDIS_HOST"] == redis_name
    ours, theirs = read(REDIS)["networks"][network], read(INSIGHT)["networks"][network]
    assert theirs == {**ours, "external": True}
