"""Who is reminded, and what becomes of a mail in each way in which it can go wrong."""

import asyncio
from collections.abc import Sequence

import pytest

from atode import Permanent
from tests.unit.webapp_office import CALENDAR, WEEK, Notebook, People, Postman
from webapp.jobqueue.processor import UserReminderProcessor, WeekReminderProcessor
from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.mail import HandoverUnknown
from webapp.service.reminders import ReminderState
from webapp.usecase.failure import MailInDoubt
from webapp.usecase.remind_user import RemindUser
from webapp.usecase.remind_week import RemindWeek


class Jobs:
    """`ReminderJobs`"""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []

    async def add(self, week: str, user_ids: Sequence[int]) -> None:
        self.batches.append(user_ids)


@pytest.fixture
def people() -> People:
    return People(1, 2, 3, inactive=[2])


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def reminder(people: People, notebook: Notebook, postman: Postman) -> RemindUser:
    return RemindUser(people, notebook, postman, CALENDAR)


async def test_each_person_is_mailed_once(people: People, notebook: Notebook) -> None:
    postman = Postman()
    remind = reminder(people, notebook, postman)

    outcomes = [(await remind.run(1, WEEK)).outcome for _ in range(2)]

    assert outcomes == ["mailed", "mailed before"]
    [mail] = postman.mails
    assert mail.to_address == "user1@example.com"
    assert mail.id == "weekly-report-reminder.2026-W46.1"
    assert WEEK in mail.subject


async def test_who_is_inactive_or_has_handed_in_is_not_mailed(
    people: People, notebook: Notebook
) -> None:
    people.handed_in = {3}
    postman = Postman()
    remind = reminder(people, notebook, postman)

    outcomes = [(await remind.run(user_id, WEEK)).outcome for user_id in (2, 3)]

    assert outcomes == ["inactive", "handed in"]
    assert postman.mails == []


@pytest.mark.parametrize("failure", [TransientFailure("no"), PermanentFailure("never")])
@pytest.mark.parametrize("place", ["before", "during"])
async def test_a_mail_that_was_not_taken_may_be_sent_again(
    people: People, notebook: Notebook, failure: Exception, place: str
) -> None:
    with pytest.raises(type(failure)):
        await reminder(people, notebook, Postman(**{place: failure})).run(1, WEEK)  # type: ignore[arg-type]

    assert notebook.states == {}
    assert (await reminder(people, notebook, Postman()).run(1, WEEK)).outcome == "mailed"


@pytest.mark.parametrize("end", [HandoverUnknown("lost"), asyncio.CancelledError()])
async def test_a_mail_that_may_have_been_taken_is_not_sent_again(
    people: People, notebook: Notebook, end: BaseException
) -> None:
    with pytest.raises((MailInDoubt, asyncio.CancelledError)):
        await reminder(people, notebook, Postman(during=end)).run(1, WEEK)
    postman = Postman()

    with pytest.raises(MailInDoubt, match="user 1 was mailed about 2026-W46 is not known"):
        await reminder(people, notebook, postman).run(1, WEEK)

    assert postman.mails == []


async def test_it_is_sent_again_where_that_is_harmless(people: People, notebook: Notebook) -> None:
    lost = Postman(during=HandoverUnknown("lost"), safe_to_repeat=True)
    with pytest.raises(TransientFailure):
        await reminder(people, notebook, lost).run(1, WEEK)
    postman = Postman(safe_to_repeat=True)

    await reminder(people, notebook, postman).run(1, WEEK)

    assert len(postman.mails) == 1
    assert notebook.states == {1: ReminderState.SENT}


async def test_of_two_attempts_at_a_time_one_sends(people: People, notebook: Notebook) -> None:
    class Slow(Postman):
        async def send(self, mail, handover):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0)
            await super().send(mail, handover)

    postman = Slow()
    remind = reminder(people, notebook, postman)

    ends = await asyncio.gather(*(remind.run(1, WEEK) for _ in range(2)), return_exceptions=True)

    assert len(postman.mails) == 1
    assert sorted(type(end).__name__ for end in ends) == ["MailInDoubt", "UserReminded"]


@pytest.mark.parametrize(
    ("user_id", "week", "reason"),
    [(404, WEEK, "There is no user 404"), (1, "2026-W99", "week is '2026-W99'")],
)
async def test_what_cannot_work_is_permanent(
    people: People, notebook: Notebook, user_id: int, week: str, reason: str
) -> None:
    processor = UserReminderProcessor(reminder(people, notebook, Postman()))

    with pytest.raises(Permanent, match=reason):
        await processor.process(user_id, week)


async def test_a_passing_failure_passes_the_processor(people: People, notebook: Notebook) -> None:
    processor = UserReminderProcessor(
        reminder(people, notebook, Postman(before=TransientFailure("down")))
    )

    with pytest.raises(TransientFailure):
        await processor.process(1, WEEK)


async def test_the_weeks_run_stores_a_job_for_each_missing_report() -> None:
    people = People(*range(1, 1203))
    people.handed_in = {5}
    jobs = Jobs()

    done = await RemindWeek(people, jobs, CALENDAR).run(WEEK)

    assert [len(batch) for batch in jobs.batches] == [500, 500, 201]
    stored = [user_id for batch in jobs.batches for user_id in batch]
    assert stored == [n for n in range(1, 1203) if n != 5]
    assert done.reminders == 1201


async def test_a_week_that_does_not_exist_is_permanent() -> None:
    processor = WeekReminderProcessor(RemindWeek(People(1), Jobs(), CALENDAR))

    with pytest.raises(Permanent, match="week is '2026-W49'"):
        await processor.process("2026-W49")
