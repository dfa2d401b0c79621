"""Remind one person of a weekly report, by mail, once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.mail import HandoverUnknown, Mail, Mailer
from webapp.service.reminders import Reminders, ReminderState
from webapp.service.staff import Staff, User
from webapp.usecase.calendar import Calendar
from webapp.usecase.failure import MailInDoubt, UnknownUser
from webapp.usecase.periods import check_week


@dataclass(frozen=True)
class UserReminded:
    """Whom the job was about, and what it did."""

    user_id: int
    week: str
    outcome: str
    """`mailed`, or why not: `inactive`, `handed in`, `mailed before`."""


class RemindUser:
    """The record says before and after each mail how it stands.

    A mail that was begun and neither confirmed nor withdrawn may have arrived: whoever sent
    it was killed, or lost the connection, between the last byte and the answer. No protocol
    tells more (RFC 1047). It is sent again only where that is harmless.
    """

    def __init__(
        self, staff: Staff, reminders: Reminders, mailer: Mailer, calendar: Calendar
    ) -> None:
        self._staff = staff
        self._reminders = reminders
        self._mailer = mailer
        self._calendar = calendar

    async def run(self, user_id: int, week: str) -> UserReminded:
        """Mail the user if the report is missing and no mail was sent.

        Raises:
            BadArgument, UnknownUser: there is no such week or user.
            MailInDoubt: a mail was begun before; nobody knows whether it arrived.
            TransientFailure, PermanentFailure: the mail was not sent.
        """
        check_week(week, latest=self._calendar.this_week())
        user = await self._staff.get(user_id)
        if user is None:
            raise UnknownUser(user_id)
        reason = await self._reason_not_to(user, week)
        if reason is None:
            await self._mail(user, week)
        return UserReminded(user_id, week, reason or "mailed")

    async def _reason_not_to(self, user: User, week: str) -> str | None:
        if not user.is_active:
            return "inactive"
        if await self._staff.has_handed_in(user.id, week):
            return "handed in"
        state = await self._reminders.state(user.id, week)
        if state is ReminderState.BEGUN and not self._mailer.safe_to_repeat:
            raise _doubt(user, week)
        return "mailed before" if state is ReminderState.SENT else None

    async def _mail(self, user: User, week: str) -> None:
        mail = reminder(user, week, self._calendar)
        try:
            await self._mailer.send(mail, self._handover(user, week, mail.id))
        except HandoverUnknown as error:
            if self._mailer.safe_to_repeat:
                raise TransientFailure(str(error)) from error
            raise _doubt(user, week, str(error)) from error

    @asynccontextmanager
    async def _handover(self, user: User, week: str, message_id: str) -> AsyncGenerator[None]:
        now, again = self._calendar.now(), self._mailer.safe_to_repeat
        if not await self._reminders.begin(user.id, week, message_id, now, again=again):
            raise _doubt(user, week, "another attempt is at it")
        try:
            yield
        except (TransientFailure, PermanentFailure):
            await self._reminders.withdraw(user.id, week)
            raise
        await self._reminders.confirm(user.id, week, self._calendar.now())


def reminder(user: User, week: str, calendar: Calendar) -> Mail:
    """The mail to one user about one week."""
    return Mail(
        id=f"weekly-report-reminder.{week}.{user.id}",
        to_name=user.name,
        to_address=user.email,
        subject=f"Weekly report {week} / 週報のご提出について",
        text=(
            f"Hello {user.name},\n\n"
            f"your weekly report for {week} is not there yet. Please hand it in.\n\n"
            f"{user.name} さん\n\n"
            f"{week} の週報がまだ提出されていません。ご提出をお願いします。\n"
        ),
        date=calendar.now(),
    )


def _doubt(user: User, week: str, reason: str = "") -> MailInDoubt:
    cause = f": {reason}" if reason else ""
    return MailInDoubt(
        f"Whether user {user.id} was mailed about {week} is not known{cause}. The mail is not "
        "sent again, so that nobody gets it twice; to send it all the same, set "
        "mail.in_doubt to resend and run this job again"
    )
