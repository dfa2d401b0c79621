"""The scripts that start Redis and Redis Insight, with a `docker` that only plays one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ["start-redis.sh", "start-redis-insight.sh"]

# Every call is noted. What it answers is in files: `state` is the container's health (none:
# there is no container), `fails` lists subcommands that fail.
FAKE_DOCKER = """#!/bin/sh
folder=$(dirname "$0")
echo "$*" >> "$folder/calls"
if grep -qxF -- "$1" "$folder/fails" || grep -qxF -- "$1 $2" "$folder/fails"; then
    exit 1
fi
case "$*" in
    inspect*) cat "$folder/state" || { echo; exit 1; } ;;
    *" up -d") cat "$folder/state_after_up" > "$folder/state" ;;
    *" logs "*) echo "last words" ;;
esac
"""


class Docker:
    """A folder for PATH with a fake docker and the few tools that the scripts need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for tool in ("bash", "sh", "dirname", "cat", "grep", "sleep"):
            found = shutil.which(tool)
            assert found
            (folder / tool).symlink_to(found)
        self.write("docker", FAKE_DOCKER).chmod(0o755)
        self.write("calls", "")
        self.write("fails", "")
        self.write("state_after_up", "healthy\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    @property
    def calls(self) -> str:
        return (self.folder / "calls").read_text()

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "scripts" / script, *arguments],
            env={"PATH": str(self.folder), "WAIT_SECONDS": "0", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("arguments", [(), ("restart",), ("start", "now"), ("-h",)])
def test_a_wrong_argument_shows_the_usage(
    docker: Docker, script: str, arguments: tuple[str, ...]
) -> None:
    result = docker.run(script, *arguments)

    assert result.returncode == 2
    assert f"Usage: {script} start|stop|status" in result.stderr
    assert docker.calls == ""


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("command", ["start", "stop", "status"])
def test_without_docker_it_says_so(docker: Docker, script: str, command: str) -> None:
    (docker.folder / "docker").unlink()

    result = docker.run(script, command)

    assert result.returncode == 4
    assert "Docker is not installed" in result.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_compose_it_says_so(docker: Docker, script: str) -> None:
    docker.write("fails", "compose version\n")

    result = docker.run(script, "start")

    assert result.returncode == 4
    assert "Docker has no compose" in result.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_the_daemon_it_says_so(docker: Docker, script: str) -> None:
    docker.write("fails", "info\n")

    result = docker.run(script, "start")

    assert result.returncode == 4
    assert "The Docker daemon does not answer" in result.stderr


@pytest.mark.parametrize(
    ("script", "file", "address"),
    [
        ("start-redis.sh", "docker-compose.redis.yml", "localhost:6379"),
        ("start-redis-insight.sh", "docker-compose.redis-insight.yml", "http://localhost:8001"),
    ],
)
def test_start_waits_until_healthy_and_says_where(
    docker: Docker, script: str, file: str, address: str
) -> None:
    result = docker.run(script, "start")

    assert result.returncode == 0, result.stderr
    assert f"compose -f {file} up -d" in docker.calls
    assert f"is ready: {address}" in result.stdout


def test_start_fails_with_the_last_words_when_it_never_gets_healthy(docker: Docker) -> None:
    docker.write("state_after_up", "unhealthy\n")

    result = docker.run("start-redis.sh", "start")

    assert result.returncode == 1
    assert "Redis is unhealthy after 0 s" in result.stderr
    assert "last words" in result.stderr


def test_insight_needs_the_network_of_redis(docker: Docker) -> None:
    docker.write("fails", "network inspect\n")

    result = docker.run("start-redis-insight.sh", "start")

    assert result.returncode == 1
    assert "Start Redis first: scripts/start-redis.sh start" in result.stderr
    assert " up " not in docker.calls


@pytest.mark.parametrize("script", SCRIPTS)
def test_stop_removes_the_container(docker: Docker, script: str) -> None:
    docker.write("state", "healthy\n")

    result = docker.run(script, "stop")

    assert result.returncode == 0, result.stderr
    assert "rm -s -f" in docker.calls
    assert "is stopped" in result.stdout


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    ("state", "code", "text"),
    [
        ("healthy", 0, "is ready"),
        ("starting", 3, "is starting"),
        ("exited", 3, "is exited"),
        ("", 3, "is not running"),
    ],
)
def test_status_tells_the_state(
    docker: Docker, script: str, state: str, code: int, text: str
) -> None:
    if state:
        docker.write("state", f"{state}\n")

    result = docker.run(script, "status")

    assert code == result.returncode
    assert text in result.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_can_be_executed(script: str) -> None:
    assert os.access(ROOT / "scripts" / script, os.X_OK)
