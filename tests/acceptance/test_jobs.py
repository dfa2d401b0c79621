"""The three real jobs with real servers around them, on both stores and both databases."""

import csv
import io
from collections import Counter

from pypdf import PdfReader

from tests.acceptance.company import USER_REMINDER, Company
from tests.acceptance.program import Program, eventually
from webapp.service.tables import audit_logs, reminders, reports

WEEK = "2026-W10"
REMINDER = "weekly_report_reminder"
REPORT = "monthly_report_generator"
CLEANUP = "data_cleanup"


def addresses(*numbers: int) -> Counter[str]:
    return Counter(f"user{number}@example.com" for number in numbers)


def test_the_reminder_mails_who_is_active_and_has_not_handed_in_once_a_week(firm: Company) -> None:
    firm.office.add_users(range(1, 7))
    firm.office.add_users([7], is_active=False)
    firm.office.hand_in(WEEK, [1, 2])
    firm.office.hand_in("2026-W09", [3])
    with firm.open():
        first = firm.completes(REMINDER, week=WEEK)
        eventually(lambda: len(firm.mail.mails) == 4, "four mails")
        firm.mails_are_over()

        second = firm.completes(REMINDER, week=WEEK)
        firm.mails_are_over()

        assert first == {
            "week": WEEK,
            "active": 6,
            "handed_in": 2,
            "reminded_before": 0,
            "reminders": 4,
        }
        assert second == {**first, "reminded_before": 4, "reminders": 0}
        assert firm.mail.recipients == addresses(3, 4, 5, 6)
        assert f"<weekly-report-reminder.{WEEK}.3@example.com>" in firm.mail.ids

        firm.completes(REMINDER, week="2026-W11")
        eventually(lambda: len(firm.mail.mails) == 10, "six more of another week")


def test_a_mail_that_is_refused_for_now_is_sent_later_and_one_refused_for_good_is_not(
    remote: Company,
) -> None:
    remote.office.add_users([1, 2])
    remote.mail.refusals = ["451 Try again later"]
    remote.mail.bad_addresses["user2@example.com"] = "550 No such mailbox"
    with remote.open():
        remote.completes(REMINDER, week=WEEK)
        eventually(lambda: len(remote.mail.mails) == 1, "the first one's mail")
        remote.mails_are_over()

        runs = {run["arguments"]["user_id"]: run for run in remote.runs(USER_REMINDER)}
        assert runs[1]["state"] == "completed"
        assert runs[1]["retried"] == 1
        assert runs[2]["state"] == "archived"
        assert runs[2]["retried"] == 0
        assert "answered 550 No such mailbox" in runs[2]["error"]
        assert remote.mail.recipients == addresses(1)

        del remote.mail.bad_addresses["user2@example.com"]
        remote.completes(REMINDER, week=WEEK)
        eventually(lambda: remote.mail.recipients == addresses(1, 2), "the mended one's mail")


def test_a_mail_server_that_is_down_for_a_while_delays_the_mail(local: Company) -> None:
    local.office.add_users([1])
    local.mail.stop()
    with local.open(RETRY__STRATEGY="fixed", RETRY__FIRST="0.5"):
        local.completes(REMINDER, week=WEEK)
        eventually(lambda: local.runs(USER_REMINDER)[0]["state"] == "retry", "a failed attempt")

        local.mail.start()

        eventually(lambda: local.mail.recipients == addresses(1), "the mail")


def test_a_lost_answer_leaves_the_mail_alone_and_says_so(local: Company) -> None:
    local.office.add_users([1])
    local.mail.hangs_up = True
    with local.open():
        local.completes(REMINDER, week=WEEK)
        eventually(lambda: local.runs(USER_REMINDER), "the mail's job")
        local.mails_are_over()

        [run] = local.runs(USER_REMINDER)
        assert run["state"] == "archived"
        assert "is not known" in run["error"]
        assert local.mail.recipients == addresses(1)


def test_a_lost_answer_is_followed_by_the_same_mail_where_that_is_wanted(local: Company) -> None:
    local.office.add_users([1])
    local.mail.hangs_up = True
    with local.open(MAIL__IN_DOUBT="resend", RETRY__STRATEGY="fixed", RETRY__FIRST="0.5"):
        local.completes(REMINDER, week=WEEK)
        eventually(lambda: local.mail.mails, "the first mail")
        local.mail.hangs_up = False
        eventually(lambda: local.runs(USER_REMINDER)[0]["state"] == "completed", "the second one")

        assert len(set(local.mail.ids)) == 1
        assert len(local.mail.ids) >= 2


def test_the_report_is_computed_stored_and_recorded_once_however_often(firm: Company) -> None:
    firm.office.add_users([1, 2])
    for week in ("2026-W10", "2026-W11"):
        firm.office.hand_in(week, [1], hours="37.5")
    with firm.open():
        result = firm.completes(REPORT, month="2026-03")
        firm.office.hand_in("2026-W12", [2], hours="8")
        again = firm.completes(REPORT, month="2026-03")

        assert result == {"month": "2026-03", "users": 2, "handed_in": 2, "expected": 8}
        assert again["handed_in"] == 3
        assert firm.store.keys() == ["monthly/2026-03.csv", "monthly/2026-03.pdf"]
        [record] = firm.office.rows(reports)
        assert (record["month"], record["handed_in"]) == ("2026-03", 3)
        assert record["hours"] == 83

        kind, content = firm.store.file("monthly/2026-03.csv")
        lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert kind == "text/csv; charset=utf-8"
        assert [(line["name"], line["handed_in"], line["hours"]) for line in lines] == [
            ("User 1", "2", "75.00"),
            ("User 2", "1", "8.00"),
        ]
        kind, content = firm.store.file("monthly/2026-03.pdf")
        assert kind == "application/pdf"
        assert "3 of 8 handed in" in PdfReader(io.BytesIO(content)).pages[0].extract_text()
        assert firm.app.get("/api/reports/2026-03/pdf").content == content


def test_a_store_of_files_that_is_overloaded_delays_the_report(remote: Company) -> None:
    remote.store.status = 503
    with remote.open(RETRY__STRATEGY="fixed", RETRY__FIRST="0.5"):
        run_id = remote.run(REPORT, month="2026-03")
        run = remote.reaches(REPORT, run_id, "retry")
        assert "503 Service Unavailable" in run["error"]
        assert "test-secret-key" not in run["error"]

        remote.store.status = 0

        assert remote.reaches(REPORT, run_id, "completed")["retried"] > 0


def test_a_store_of_files_that_refuses_archives_the_report_at_once(local: Company) -> None:
    with local.open(STORAGE__BUCKET="no-such-bucket"):
        run = local.reaches(REPORT, local.run(REPORT, month="2026-03"), "archived")

        assert run["retried"] == 0
        assert "no-such-bucket" in run["error"]
        assert local.office.count(reports) == 0


def test_the_cleanup_deletes_what_is_old_and_nothing_else(firm: Company) -> None:
    firm.office.add_logs(250, days_old=91)
    firm.office.add_logs(30, days_old=89)
    with firm.open(CLEANUP__BATCH="100", CLEANUP__PAUSE="0.01"):
        result = firm.completes(CLEANUP)
        again = firm.completes(CLEANUP)

        assert result == {"days": 90, "deleted": 250}
        assert again == {"days": 90, "deleted": 0}
        assert firm.office.count(audit_logs) == 30
        firm.app.worker.says("250 of 250 audit logs deleted")


def test_the_progress_of_a_cleanup_can_be_seen(local: Company) -> None:
    local.office.add_logs(100, days_old=91)
    with local.open(CLEANUP__BATCH="10", CLEANUP__PAUSE="0.3"):
        local.run(CLEANUP, days=90)

        def progress() -> bool:
            [run] = local.runs(CLEANUP)
            seen = run["progress"]
            return seen is not None and seen["total"] == 100 and 0 < seen["done"] < 100

        eventually(progress, "some progress")


def test_what_cannot_work_is_archived_at_once_with_the_reason(local: Company) -> None:
    with local.open():
        hopeless: list[tuple[str, str, dict[str, object], str]] = [
            (REPORT, "batch", {"month": "2026-13"}, "month is '2026-13'; it must be a month"),
            (REPORT, "batch", {"month": "9999-01"}, "not in the future"),
            (REMINDER, "batch", {"week": "2026-W60"}, "week is '2026-W60'; it must be a week"),
            (CLEANUP, "batch", {"days": 0}, "days is 0; it must be"),
            (USER_REMINDER, "mail", {"user_id": 404, "week": WEEK}, "There is no user 404"),
        ]
        for task, queue, arguments, reason in hopeless:
            run = local.reaches(task, local.enqueue(task, queue, **arguments), "archived")

            assert run["retried"] == 0
            assert reason in run["error"]


def test_a_job_is_tried_five_times_in_all(local: Company) -> None:
    local.store.status = 500
    with local.open():
        run = local.reaches(REPORT, local.run(REPORT, month="2026-03"), "archived")

        assert run["retried"] == 4
        assert len(local.store.uploads) == 5


def test_a_second_run_of_what_waits_or_runs_already_is_the_first(local: Company) -> None:
    local.store.opens.clear()
    with local.open():
        first = local.run(REPORT, month="2026-03")
        eventually(lambda: "/reports/monthly/2026-03.pdf" in local.store.uploads, "an upload")

        second = local.ask(REPORT, month="2026-03").json()
        other = local.ask(REPORT, month="2026-02").json()

        assert second == {"job_id": first, "status": "already_registered"}
        assert other["job_id"] != first
        local.store.opens.set()
        local.reaches(REPORT, first, "completed")
        assert local.ask(REPORT, month="2026-03").json()["status"] == "registered"


def test_an_archived_run_does_not_stand_in_the_way_of_the_next(firm: Company) -> None:
    firm.store.status = 403
    with firm.open():
        firm.reaches(REPORT, firm.run(REPORT, month="2026-03"), "archived")
        firm.store.status = 0

        answer = firm.ask(REPORT, month="2026-03").json()

        assert answer["status"] == "registered"
        firm.reaches(REPORT, answer["job_id"], "completed")


def test_two_job_servers_mail_nobody_twice(firm: Company) -> None:
    firm.office.add_users(range(1, 41))
    with firm.open(), Program("webapp.jobqueue", firm.variables, firm.folder) as second:
        second.says("serves default")
        for _ in range(3):
            firm.ask(REMINDER, week=WEEK)
        eventually(lambda: len(firm.mail.mails) >= 40, "forty mails")
        firm.mails_are_over()

        assert firm.mail.recipients == addresses(*range(1, 41))
        assert firm.office.count(reminders) == 40
