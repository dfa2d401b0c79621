"""How the programs start, refuse to, and stop."""

import signal
from pathlib import Path

import pytest

from tests.acceptance.application import running, sqlite_variables
from tests.acceptance.program import Program
from webapp.service.tokens import Tokens
from webapp.settings.model import DEVELOPMENT_SECRET

SERVERS = ["webapp.server", "webapp.jobqueue"]
SECRET = "a secret of more than thirty-two characters"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both_servers_with_exit_code_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running(sqlite_variables(tmp_path), tmp_path) as app:
        app.server.send(number)
        app.worker.send(number)

        assert app.server.ended() == 0
        assert app.worker.ended() == 0
        assert not [line for line in app.server.err + app.worker.err if "Traceback" in line]


@pytest.mark.parametrize("module", [*SERVERS, "webapp.token"])
@pytest.mark.parametrize("name", ["staging", "production"])
def test_public_environments_refuse_to_start_without_a_secret(
    tmp_path: Path, module: str, name: str
) -> None:
    with Program(module, {"APP_ENV": name}, tmp_path) as program:
        assert program.ended() == 1
        assert "AUTH__SECRET" in "".join(program.err)
        assert program.out == []


@pytest.mark.parametrize("module", SERVERS)
def test_a_bad_setting_is_named_in_one_line_per_problem(tmp_path: Path, module: str) -> None:
    variables = {"REDIS__JOBQUEUE__ADR": "x", "WORKER__CONCURRENCY": "0"}

    with Program(module, variables, tmp_path) as program:
        assert program.ended() == 1
        assert len(program.err) == 2
        assert "Did you mean 'REDIS__JOBQUEUE__ADDR'?" in program.err[0]
        assert "worker.concurrency is '0'; it must be a number from 1 to 1000" in program.err[1]


@pytest.mark.parametrize("module", SERVERS)
@pytest.mark.parametrize("setting", ["SQLITE__JOBQUEUE__PATH", "SQLITE__DEFAULT__PATH"])
def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path, module: str, setting: str) -> None:
    (tmp_path / "file").touch()
    path = str(tmp_path / "file" / "demo.db")
    variables = {**sqlite_variables(tmp_path), setting: path}

    with Program(module, variables, tmp_path) as program:
        assert program.ended() == 1
        assert str(tmp_path / "file") in program.err[-1]
        assert "Traceback" not in "".join(program.err)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with running(sqlite_variables(tmp_path), tmp_path, with_worker=False) as app:
        port = app.url.rpartition(":")[2]
        variables = {**sqlite_variables(tmp_path), "PORT": port}

        with Program("webapp.server", variables, tmp_path) as second:
            assert second.ended() != 0
            assert port in second.says("address already in use").string


@pytest.mark.parametrize(
    ("variables", "secret"),
    [
        ({}, DEVELOPMENT_SECRET),
        ({"APP_ENV": "demo"}, DEVELOPMENT_SECRET),
        ({"APP_ENV": "production", "AUTH__SECRET": SECRET}, SECRET),
    ],
    ids=["develop", "demo", "production"],
)
def test_the_token_command_prints_a_good_token(
    tmp_path: Path, variables: dict[str, str], secret: str
) -> None:
    with Program("webapp.token", variables, tmp_path) as program:
        assert program.ended() == 0
        [token] = program.out

    Tokens(secret).check(token)


def test_several_processes_run_jobs_grow_by_a_signal_and_stop_together(tmp_path: Path) -> None:
    variables = {**sqlite_variables(tmp_path), "WORKER__PROCESSES": "2", "WORKER__METRICS": "0"}
    with running(variables, tmp_path) as app:
        for number in (1, 2):
            app.worker.says(rf"\[{number}\] worker \S+ serves .* with 20 slots")
        app.worker.send(signal.SIGTTIN)
        for number in (1, 2):
            app.worker.says(rf"\[{number}\] worker \S+ has 21 slots now")
        job_id = app.register(message="many hands", delay_seconds=0)
        app.reaches(job_id, "completed")
        app.worker.send(signal.SIGTERM)

        assert app.worker.ended() == 0
        assert [line for line in app.worker.out if "many hands" in line]
