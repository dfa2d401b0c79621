"""The API of the jobs in the demo: tokens, limits, errors, files and mails."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.application import Application, redis_variables, running, sqlite_variables
from tests.acceptance.program import eventually
from tests.servers.redis import RedisServer

RUN = "/api/jobs/monthly_report_generator/run"
JOBS = (
    "demo:delay_print",
    "weekly_report_reminder",
    "monthly_report_generator",
    "data_cleanup",
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("demo")
    with running(sqlite_variables(folder), folder) as application:
        yield application


def refused(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    detail: str = response.json()["detail"]
    return detail


def jobs(app: Application) -> dict[str, list[dict[str, Any]]]:
    return {job["name"]: job["runs"] for job in app.get("/api/jobs").json()["jobs"]}


def test_the_jobs_that_run_by_themselves_tell_when(demo: Application) -> None:
    found = {job["name"]: job["next_run_at"] for job in demo.get("/api/jobs").json()["jobs"]}

    appointed = {name: datetime.fromisoformat(at) for name, at in found.items() if at}
    assert {name: (at.hour, at.minute) for name, at in appointed.items()} == {
        "weekly_report_reminder": (9, 0),
        "monthly_report_generator": (0, 0),
        "data_cleanup": (2, 0),
    }
    assert appointed["monthly_report_generator"].day == 1
    assert appointed["weekly_report_reminder"].isoweekday() == 1


def test_all_jobs_can_be_run_and_are_seen_to_complete(demo: Application) -> None:
    for job in JOBS:
        answer = demo.post_to(f"/api/jobs/{job}/run")
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "registered"

    def all_completed() -> bool:
        return all(runs and runs[0]["state"] == "completed" for runs in jobs(demo).values())

    eventually(all_completed, "all jobs completed")
    demo.worker.prints("Job executed successfully")
    results = {name: runs[0]["result"] for name, runs in jobs(demo).items()}
    assert results["data_cleanup"]["deleted"] > 1000
    month = results["monthly_report_generator"]["month"]
    [report] = demo.get("/api/reports").json()["reports"]
    assert report["month"] == month
    pdf = demo.get(f"/api/reports/{month}/pdf")
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-disposition"].startswith('attachment; filename="weekly-reports-')
    assert demo.get(f"/api/reports/{month}/csv").text.count("User ") >= 10

    reminders = results["weekly_report_reminder"]["reminders"]
    assert reminders > 0
    mails = eventually(lambda: demo.get("/api/outbox").json()["mails"], "mails")
    assert all(mail["to"].endswith("@example.com>") for mail in mails)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", RUN),
        ("POST", "/api/jobs/nothing/run"),
        ("GET", "/api/jobs"),
        ("GET", "/api/reports"),
        ("GET", "/api/reports/2026-10/pdf"),
        ("GET", "/api/outbox"),
    ],
)
def test_nothing_is_told_or_done_without_a_token(demo: Application, method: str, path: str) -> None:
    ask = demo.post_to if method == "POST" else demo.get
    answer = ask(path, headers={})

    assert "token is missing" in refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("job", "body", "text"),
    [
        ("monthly_report_generator", '{"month": "2026-13"}', "month is '2026-13'; it must be a"),
        ("monthly_report_generator", '{"month": 5}', "month is 5; it must be a month such as"),
        ("monthly_report_generator", '{"moth": "x"}', "did you mean month?"),
        ("weekly_report_reminder", '{"week": "2026-W60"}', "week is '2026-W60'; it must be"),
        ("data_cleanup", '{"days": 0}', "days is 0; it must be a whole number of days from 1"),
        ("data_cleanup", '{"days": "90"}', 'days is "90"; it must be a whole number'),
        ("data_cleanup", "[", "not JSON"),
        ("demo:delay_print", '{"message": 1}', "message is 1; it must be a text"),
    ],
)
def test_bad_arguments_are_422_and_say_what_is_wrong(
    demo: Application, job: str, body: str, text: str
) -> None:
    assert text in refused(demo.post_to(f"/api/jobs/{job}/run", content=body), 422)


def test_a_body_over_two_mebibytes_is_413(demo: Application) -> None:
    refused(demo.post_to(RUN, content=b"x" * (3 * 1024 * 1024)), 413)


def test_an_unknown_job_is_404_with_the_closest_name(demo: Application) -> None:
    answer = demo.post_to("/api/jobs/monthly_report/run")

    assert "did you mean monthly_report_generator?" in refused(answer, 404)
    # One person's share is stored by the whole week's job only.
    refused(demo.post_to("/api/jobs/weekly_report_reminder:user/run"), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/reports/1999-01/pdf",
        "/api/reports/..%2f..%2fetc%2fpasswd/pdf",
        "/api/reports/%2e%2e/csv",
        "/api/reports/../../demo.db/pdf",
        "/api/reports/2026-10.pdf/../../x/pdf",
    ],
)
def test_no_path_leads_to_another_file(demo: Application, path: str) -> None:
    refused(demo.get(path), 404)


def test_a_format_that_there_is_not_is_422(demo: Application) -> None:
    assert "format is" in refused(demo.get("/api/reports/2026-10/exe"), 422)


def test_where_mails_are_sent_there_is_no_outbox_and_outages_are_503(tmp_path: Path) -> None:
    with (
        RedisServer() as redis,
        running(
            # Nobody listens there.
            {**redis_variables(redis.port), "POSTGRES__DEFAULT__ADDR": "127.0.0.1:1"},
            tmp_path,
            with_worker=False,
        ) as app,
    ):
        refused(app.get("/api/outbox"), 404)
        answer = app.get("/api/reports")
        assert "cannot be used now" in refused(answer, 503)
        assert "127.0.0.1:1" not in answer.text
        assert app.get("/api/jobs").status_code == 200

        redis.stop()

        for answer in (app.post_to(RUN), app.get("/api/jobs")):
            assert "job store cannot be reached" in refused(answer, 503)
            assert int(answer.headers["retry-after"]) > 0
