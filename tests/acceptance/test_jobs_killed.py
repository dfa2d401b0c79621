"""`kill -9` of the job server in the middle of each job: one mail each, one report, no loss."""

import signal
from functools import partial

from tests.acceptance.company import USER_REMINDER, Company
from tests.acceptance.program import Program, eventually
from webapp.service.tables import audit_logs, reminders, reports

WEEK = "2026-W10"
PEOPLE = range(1, 41)


def killed(firm: Company) -> Program:
    """A new job server after the sudden death of the present one."""
    firm.app.worker.send(signal.SIGKILL)
    firm.app.worker.ended()
    return Program("webapp.jobqueue", firm.variables, firm.folder)


def test_killed_while_mailing_each_person_gets_one_mail(firm: Company) -> None:
    firm.office.add_users(PEOPLE)
    with firm.open():
        # The server takes mails and does not answer: those are in doubt when we are killed.
        firm.mail.answers.clear()
        run_id = firm.run("weekly_report_reminder", week=WEEK)
        eventually(lambda: len(firm.mail.mails) == 5, "as many mails as there are connections")

        with killed(firm):
            firm.mail.answers.set()
            firm.reaches("weekly_report_reminder", run_id, "completed")
            eventually(lambda: len(firm.mail.mails) == len(PEOPLE), "a mail to each")
            firm.completes("weekly_report_reminder", week=WEEK)
            firm.mails_are_over()

            assert set(firm.mail.recipients.values()) == {1}
            states = [row["sent_at"] is None for row in firm.office.rows(reminders)]
            assert len(states) == len(PEOPLE)
            assert states.count(True) == 5


def test_killed_at_any_moment_nobody_is_mailed_twice_or_forgotten(local: Company) -> None:
    local.office.add_users(PEOPLE)
    with local.open(MAIL__CONNECTIONS="2"):
        run_id = local.run("weekly_report_reminder", week=WEEK)
        for least in (3, 15):
            eventually(partial(enough, local, least), "some mails")
            local.app.jobqueue = killed(local)
            local.app.worker.says("serves default")
        local.reaches("weekly_report_reminder", run_id, "completed")

        def settled() -> bool:
            # Those whose mail was begun and not confirmed are in doubt, and told as such.
            doubts = [run for run in local.runs(USER_REMINDER) if run["state"] == "archived"]
            sent = [row for row in local.office.rows(reminders) if row["sent_at"]]
            return len(sent) + len(doubts) == len(PEOPLE)

        eventually(settled, "everybody mailed, or told to be in doubt")
        local.app.worker.send(signal.SIGKILL)
        local.app.worker.ended()

        assert set(local.mail.recipients.values()) == {1}
        begun = {f"user{row['user_id']}@example.com" for row in local.office.rows(reminders)}
        assert set(local.mail.recipients) <= begun
        assert len(begun) == len(PEOPLE)


def enough(firm: Company, least: int) -> bool:
    return len(firm.mail.mails) >= least


def test_killed_between_two_files_there_is_one_whole_report(firm: Company) -> None:
    firm.office.add_users([1, 2])
    firm.office.hand_in("2026-W10", [1])
    with firm.open():
        firm.store.opens.clear()
        run_id = firm.run("monthly_report_generator", month="2026-03")
        eventually(lambda: "/reports/monthly/2026-03.pdf" in firm.store.uploads, "an upload")
        assert firm.office.count(reports) == 0

        with killed(firm):
            firm.store.opens.set()
            run = firm.reaches("monthly_report_generator", run_id, "completed")

            assert run["retried"] == 1
            assert firm.store.keys() == ["monthly/2026-03.csv", "monthly/2026-03.pdf"]
            [record] = firm.office.rows(reports)
            assert record["handed_in"] == 1
            assert firm.app.get("/api/reports/2026-03/csv").content


def test_killed_while_deleting_no_log_is_lost_and_all_are_counted(firm: Company) -> None:
    firm.office.add_logs(600, days_old=91)
    firm.office.add_logs(50, days_old=89)
    with firm.open(CLEANUP__BATCH="20", CLEANUP__PAUSE="0.05"):
        run_id = firm.run("data_cleanup", days=90)
        eventually(lambda: firm.office.count(audit_logs) < 600, "some logs deleted")

        with killed(firm):
            left = firm.office.count(audit_logs)
            assert left > 50
            run = firm.reaches("data_cleanup", run_id, "completed")

            assert run["retried"] == 1
            assert run["result"] == {"days": 90, "deleted": 600}
            assert firm.office.count(audit_logs) == 50
