"""`make demo`: what a newcomer sees."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.application import sqlite_variables

ROOT = Path(__file__).parents[2]


class Demo:
    """The demo in a process group of its own, as a terminal would start it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._log = (folder / "output").open("w+")
        environment = os.environ | {**sqlite_variables(folder), "PORT": str(self.port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webapp.demo"],
            cwd=ROOT,
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def says(self, pattern: str, within: float = 60.0) -> re.Match[str]:
        limit = time.monotonic() + within
        while not (found := re.search(pattern, self.output(), re.MULTILINE)):
            assert time.monotonic() < limit, f"no {pattern!r} in:\n{self.output()}"
            assert self.process.poll() is None, f"it ended:\n{self.output()}"
            time.sleep(0.02)
        return found

    def output(self) -> str:
        return Path(self._log.name).read_text()

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._log.close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    demo.close()


def test_the_printed_curl_line_registers_a_job_that_prints_at_its_time(demo: Demo) -> None:
    curl = shlex.split(demo.says(r"^curl .*$").group())
    address, header, body = curl[2], curl[4], curl[6]
    name, _, value = header.partition(": ")
    soon = body.replace('"delay_seconds": 5', '"delay_seconds": 1')
    request = urllib.request.Request(address, soon.encode(), {name: value})

    with urllib.request.urlopen(request, timeout=10) as answer:
        assert b'"status":"registered"' in answer.read()

    demo.says(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] Hello, World!$")


def test_the_printed_address_is_the_page(demo: Demo) -> None:
    address = demo.says(r"http://localhost:\d+/dm-jobqueue").group()

    with urllib.request.urlopen(address, timeout=10) as page:
        assert "<button" in page.read().decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_group_stops_both_servers_cleanly(
    demo: Demo, number: signal.Signals
) -> None:
    demo.says(r"^curl ")

    os.killpg(demo.process.pid, number)

    assert demo.process.wait(60) == 0
    assert " stopped; 0 jobs handed back" in demo.output()
    assert "Traceback" not in demo.output()


def test_a_signal_to_the_demo_alone_stops_both_servers_too(demo: Demo) -> None:
    demo.says(r"^curl ")

    demo.process.send_signal(signal.SIGINT)

    assert demo.process.wait(60) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{demo.port}/healthz", timeout=10)


def test_a_server_that_cannot_start_ends_the_demo_with_its_message(
    demo: Demo, tmp_path: Path
) -> None:
    demo.says(r"^curl ")
    second = tmp_path / "second"
    second.mkdir()
    environment = os.environ | {**sqlite_variables(second), "PORT": str(demo.port)}

    clash = subprocess.run(
        [sys.executable, "-m", "webapp.demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert clash.returncode != 0
    assert str(demo.port) in clash.stderr
