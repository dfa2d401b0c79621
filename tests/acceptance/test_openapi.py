"""What the API says of itself, held against what it does."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.application import Application, bearer, running, sqlite_variables
from webapp.server.openapi import ProblemDocument

RULES = Path(__file__).with_name("schemathesis.toml")
OPERATIONS = {
    "GET /api/dm-jobqueue/jobs": {422, 503},
    "GET /api/jobs": {503},
    "GET /api/outbox": set[int](),
    "GET /api/reports": {503},
    "GET /api/reports/{month}/{format}": {404, 422, 503},
    "POST /api/dm-jobqueue/register": {413, 422, 503},
    "POST /api/jobs/data_cleanup/run": {413, 422, 503},
    "POST /api/jobs/demo:delay_print/run": {413, 422, 503},
    "POST /api/jobs/monthly_report_generator/run": {413, 422, 503},
    "POST /api/jobs/weekly_report_reminder/run": {413, 422, 503},
}
EVERYWHERE = {200, 401, 429, 500}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("demo")
    unlimited = {f"RATE_LIMIT__{kind}": "9999999/second" for kind in ("READS", "WRITES")}
    with running({**sqlite_variables(folder), **unlimited}, folder, with_worker=False) as app:
        yield app


@pytest.fixture(scope="module")
def document(demo: Application) -> dict[str, Any]:
    found: dict[str, Any] = demo.get("/openapi.json", headers={}).json()
    return found


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest, document: dict[str, Any]) -> dict[str, Any]:
    method, _, path = request.param.partition(" ")
    found: dict[str, Any] = document["paths"][path][method.lower()]
    return {**found, "expected": OPERATIONS[request.param] | EVERYWHERE, "method": method}


def test_all_operations_are_told_and_no_others(document: dict[str, Any]) -> None:
    told = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }

    assert told == set(OPERATIONS)
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_each_operation_tells_every_answer_and_that_it_needs_a_token(
    operation: dict[str, Any],
) -> None:
    assert {int(status) for status in operation["responses"]} == operation["expected"]
    assert operation["security"] == [{"HTTPBearer": []}]
    assert operation["summary"]
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            problem = answer["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
            assert ProblemDocument.model_validate(problem["example"]).status == int(status)
    for status, header in (("401", "WWW-Authenticate"), ("429", "Retry-After")):
        assert operation["responses"][status]["headers"][header]["required"]


def test_each_field_of_a_body_has_its_limit_and_an_example(operation: dict[str, Any]) -> None:
    if operation["method"] == "POST":
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]
        assert all(each["description"] for each in schema["properties"].values())
        assert all(each["examples"] for each in schema["properties"].values())
        assert schema["additionalProperties"] is False


def test_nothing_that_a_stranger_sends_gets_another_answer_than_is_told(
    demo: Application, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(RULES)]
    options = ["--checks", "all", "--max-examples", "15", "--generation-deterministic"]
    header = f"Authorization: {bearer()['Authorization']}"

    done = subprocess.run(
        [*command, "run", f"{demo.url}/openapi.json", "--header", header, "--no-color", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(OPERATIONS)}" in done.stdout
