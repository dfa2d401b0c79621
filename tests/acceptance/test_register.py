"""Registering through HTTP, on both stores: every status, and the printed line."""

import re
import time
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import jwt
import pytest

from tests.acceptance.application import JOBS, Application, bearer
from webapp.service.tokens import Tokens
from webapp.settings.model import DEVELOPMENT_SECRET

MIB = 1024 * 1024


def problem(response: httpx.Response, status: int) -> str:
    """The detail of an error answer of the one shape that all have."""
    assert response.status_code == status, response.text
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["title"]
    assert len(response.content) < 4000
    detail: str = body["detail"]
    return detail


def test_a_job_can_be_registered_without_any_body(app: Application) -> None:
    response = app.post()

    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"job_id", "status"}
    assert body["status"] == "registered"
    assert str(UUID(body["job_id"])) == body["job_id"]
    state = app.state(body["job_id"])
    assert state["state"] == "scheduled"
    assert state["max_retry"] == 10
    due_in = datetime.fromisoformat(state["due_at"]).timestamp() - time.time()
    assert 150 < due_in <= 180


def test_the_line_comes_after_the_delay_and_never_before(app: Application) -> None:
    message = f"Hello, 世界! {uuid4()}"
    job_id = app.register(message=message, delay_seconds=2)
    registered_at = time.monotonic()

    line = app.worker.prints(re.escape(message))

    waited = time.monotonic() - registered_at
    stamp = re.fullmatch(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] (.*)", line.string)
    assert stamp
    assert stamp[2] == message
    assert abs(datetime.strptime(stamp[1], "%Y-%m-%d %H:%M:%S") - datetime.now()).seconds < 10
    # The delay counts from the registration, a moment before its answer was here.
    assert 1.9 < waited < 10
    app.reaches(job_id, "completed")


def test_without_delay_it_runs_at_once_and_stays_visible(app: Application) -> None:
    message = f"now {uuid4()}"

    job_id = app.register(message=message, delay_seconds=0, max_retry=0)

    app.worker.prints(re.escape(message))
    app.reaches(job_id, "completed")
    assert sum(message in line for line in app.worker.out) == 1


def test_standard_output_holds_nothing_but_lines_of_jobs(app: Application) -> None:
    message = f"line {uuid4()}"
    app.register(message=message, delay_seconds=0)
    app.worker.prints(re.escape(message))

    assert all(line.startswith("[20") for line in app.worker.out)
    assert app.server.out == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"delay_seconds": -1}', "delay_seconds is -1; it must be a number from 0"),
        ('{"delay_seconds": 1e300}', "delay_seconds is 1e+300"),
        ('{"delay_seconds": "5"}', 'delay_seconds is "5"'),
        ('{"max_retry": true}', "max_retry is true"),
        ('{"mesage": "Hi"}', "did you mean message?"),
        ('{"message": ', "not JSON"),
        ("[]", "must be an object"),
    ],
)
def test_bad_input_is_422_and_says_what_is_wrong(app: Application, body: str, text: str) -> None:
    assert text in problem(app.post(content=body), 422)


def test_a_message_of_a_mebibyte_is_422_with_size_and_limit(app: Application) -> None:
    detail = problem(app.post(json={"message": "x" * MIB}), 422)

    assert "1,048,576" in detail
    assert "10,000" in detail


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_body_over_two_mebibytes_is_413(app: Application, chunked: bool) -> None:
    body = b'{"message": "' + b"x" * (3 * MIB) + b'"}'

    response = app.post(content=iter([body[:MIB], body[MIB:]]) if chunked else body)

    assert "2,097,152 bytes" in problem(response, 413)


def forged(algorithm: str, secret: str | None) -> str:
    claims = {"exp": time.time() + 60}
    return jwt.encode(claims, cast(Any, secret), algorithm)  # pyright: ignore


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, "token is missing"),
        ({"Authorization": "Basic YTpi"}, "token is missing"),
        ({"Authorization": "Bearer"}, "token is missing"),
        (bearer("nonsense"), "not a valid"),
        (bearer(Tokens(DEVELOPMENT_SECRET).issue("x", -1)), "expired"),
        (bearer(Tokens("another secret, as long as it has to be").issue("x", 60)), "secret"),
        (bearer(forged("none", None)), "not signed with HS256"),
        (bearer(forged("HS384", DEVELOPMENT_SECRET)), "not signed with HS256"),
    ],
)
def test_without_a_good_token_it_is_401(
    app: Application, headers: dict[str, str], text: str
) -> None:
    for response in (app.post(headers=headers), app.get(JOBS, headers=headers)):
        assert text in problem(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer ")


def test_states_of_several_jobs_come_in_one_answer(app: Application) -> None:
    first, second, stranger = app.register(), app.register(delay_seconds=500), str(uuid4())

    response = app.get(JOBS, params={"id": [second, stranger, first]})

    states = {job["job_id"]: job["state"] for job in response.json()["jobs"]}
    assert list(states) == [second, stranger, first]
    assert states == {second: "scheduled", stranger: "unknown", first: "scheduled"}


@pytest.mark.parametrize(
    ("ids", "text"),
    [([], "id is missing"), (["x"], 'id is "x"'), ([str(uuid4())] * 51, "at most 50")],
    ids=["none", "bad", "many"],
)
def test_states_of_no_bad_or_many_ids_are_422(app: Application, ids: list[str], text: str) -> None:
    assert text in problem(app.get(JOBS, params={"id": ids}), 422)


def test_everything_else_is_404_or_405_in_the_same_shape(app: Application) -> None:
    problem(app.get("/api/dm-jobqueue/nothing"), 404)
    problem(app.get("/static/../../settings/model.py"), 404)
    problem(app.get("/api/dm-jobqueue/register"), 405)


def test_the_server_tells_that_it_lives(app: Application) -> None:
    assert app.get("/healthz", headers={}).json() == {"status": "ok"}
