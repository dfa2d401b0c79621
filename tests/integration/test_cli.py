"""The `atode` command, as a process."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.program import ATODE, PATIENCE, Running, atode, environment

SHOP = """
from pathlib import Path

from atode import Atode

jobs = Atode()
other = Atode("memory://")
not_an_app = 3


@jobs.task
async def note(text: str) -> None:
    Path("notes").write_text(text)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with a module `shop`."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "broken.py").write_text("import no_such_package\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "bad_url.py").write_text("from atode import Atode\njobs = Atode('ftp://x')\n")
    (tmp_path / "bad_task.py").write_text(
        "from atode import Atode\njobs = Atode('memory://')\n"
        "@jobs.task\ndef f(x: 'Nothing') -> None: ...\n"
    )
    return tmp_path


@pytest.fixture
def worker(shop: Path) -> Iterator[Running]:
    process = subprocess.Popen(
        [ATODE, "worker", "shop:jobs", "-c", "2", "-q", "default=2", "-q", "mail"],
        cwd=shop,
        env=environment(ATODE_URL="sqlite:///jobs.db"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:
        yield Running(process)
        if process.poll() is None:
            process.kill()


def test_help_names_the_commands(shop: Path) -> None:
    result = atode(shop, "--help")

    assert result.returncode == 0
    assert "worker" in result.stdout
    assert "Run the jobs of an app until SIGINT or SIGTERM." in result.stdout


def test_without_a_command_help_is_shown(shop: Path) -> None:
    assert "Usage: atode" in "".join((atode(shop).stdout, atode(shop).stderr))


def test_help_for_the_worker_names_every_option_with_its_default(shop: Path) -> None:
    shown = atode(shop, "worker", "--help").stdout

    for option in ("--concurrency", "--queue", "--strict", "--lease", "--shutdown-timeout"):
        assert option in shown
    for default in (
        "[default: (20)]",
        "[default: (default)]",
        "[default: (15)]",
        "[default: (30)]",
    ):
        assert default in shown


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("shop", "'shop' must be MODULE:APP, such as shop.jobs:jobs"),
        (":jobs", "':jobs' must be MODULE:APP"),
        ("shop:", "'shop:' must be MODULE:APP"),
        ("shopp:jobs", "there is no module 'shopp' here or among the installed packages"),
        ("shop.jobs:jobs", "there is no module 'shop.jobs' here"),
        (".shop:jobs", "'.shop:jobs' must be MODULE:APP"),
        ("shop:job", "module 'shop' has no Atode object 'job'; it has jobs, other"),
        ("shop:not_an_app", "module 'shop' has no Atode object 'not_an_app'; it has jobs, other"),
        ("empty:jobs", "module 'empty' has no Atode object 'jobs'"),
        ("bad_url:jobs", "broker URL 'ftp://…' is of no known kind"),
        ("bad_task:jobs", "Task 'f': its annotations cannot be resolved: name 'Nothing'"),
    ],
)
def test_a_bad_target_is_refused_in_one_line_with_the_way_out(
    shop: Path, target: str, message: str
) -> None:
    result = atode(shop, "worker", target)

    assert result.returncode == 2
    assert result.stderr.startswith(f"atode: {message}")
    assert len(result.stderr.splitlines()) == 1


def test_an_import_that_fails_inside_the_module_shows_where(shop: Path) -> None:
    result = atode(shop, "worker", "broken:jobs")

    assert result.returncode == 1
    assert "No module named 'no_such_package'" in result.stderr
    assert "broken.py" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--frobnicate"], "No such option: --frobnicate"),
        (["--concurrency", "many"], "Invalid value for '--concurrency'"),
        (["--concurrency", "0"], "concurrency is 0: Input should be greater than or equal to 1"),
        (["--lease", "1"], "lease is 1.0: Input should be greater than or equal to 2"),
        (["-q", "mail=high"], "queue entry 'mail=high': the weight after '=' must be a number"),
        (["-q", "a{"], "queue name 'a{' may not contain braces"),
        (["--log-level", "loud"], "'loud' is not one of debug, info, warning, error"),
        (["--log", "xml"], "'xml' is not one of 'text', 'json'"),
        (["--metrics", "here"], "metrics is 'here'; it must be a port from 0 to 65535"),
    ],
)
def test_a_bad_option_is_refused_with_its_value(
    shop: Path, arguments: list[str], message: str
) -> None:
    result = atode(shop, "worker", "shop:jobs", *arguments, ATODE_URL="memory://")

    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_bad_variable_is_refused_with_its_value(shop: Path) -> None:
    result = atode(shop, "worker", "shop:jobs", ATODE_URL="memory://", ATODE_LEASE="long")

    assert result.returncode == 2
    assert "lease is 'long'" in result.stderr


def test_the_log_is_json_on_demand(shop: Path) -> None:
    with subprocess.Popen(
        [ATODE, "worker", "shop:jobs"],
        cwd=shop,
        env=environment(ATODE_URL="memory://", ATODE_LOG="json"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        worker = Running(process)
        worker.until_it_says("worker_started")
        assert worker.told(signal.SIGTERM) == 0

    events = [json.loads(line)["event"] for line in worker.log.splitlines()]
    assert events == ["worker_started", "worker_stopping", "worker_stopped"]


def test_a_store_that_cannot_be_opened_is_refused_in_one_line(shop: Path) -> None:
    result = atode(shop, "worker", "shop:jobs", ATODE_URL="sqlite:///no/such/folder/jobs.db")

    assert result.returncode == 2
    assert "no/such/folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_worker_says_what_it_serves_and_runs_jobs_of_other_processes(
    shop: Path, worker: Running
) -> None:
    worker.until_it_says("serves default, mail with 2 slots; tasks: note")

    enqueued = subprocess.run(
        [sys.executable, "-c", "import shop; shop.note.enqueue_sync('done')"],
        cwd=shop,
        env=environment(ATODE_URL="sqlite:///jobs.db"),
        timeout=PATIENCE,
        check=False,
    )

    give_up = time.monotonic() + PATIENCE
    while not (shop / "notes").exists() or not (shop / "notes").read_text():
        assert time.monotonic() < give_up
        time.sleep(0.005)
    assert enqueued.returncode == 0
    assert (shop / "notes").read_text() == "done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_signal_to_stop_ends_a_worker_with_exit_code_0(worker: Running, number: int) -> None:
    worker.until_it_says("serves")

    code = worker.told(number)

    assert code == 0
    assert "stops; 0 jobs still run" in worker.log
    assert "stopped; 0 jobs handed back" in worker.log
    assert "Traceback" not in worker.log
