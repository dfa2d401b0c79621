"""Services of the reference application that live in memory, for tests of its rules."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.service.mail import Mail
from webapp.service.reminders import ReminderState
from webapp.service.staff import Headcount, User
from webapp.usecase.calendar import Calendar

TOKYO = ZoneInfo("Asia/Tokyo")
WEEK = "2026-W46"


class StoppedClock:
    """Always Monday, 2026-11-23, 9 o'clock in Tokyo."""

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 9, tzinfo=TOKYO)


CALENDAR = Calendar(StoppedClock(), TOKYO)


class People:
    """`Staff`: users by number, and who has handed in."""

    def __init__(self, *numbers: int, inactive: Sequence[int] = ()) -> None:
        self.handed_in: set[int] = set()
        self.users = {
            number: User(
                number, f"User {number}", f"user{number}@example.com", number not in inactive
            )
            for number in numbers
        }

    async def get(self, user_id: int) -> User | None:
        return self.users.get(user_id)

    async def has_handed_in(self, user_id: int, week: str) -> bool:
        return user_id in self.handed_in

    async def headcount(self, week: str) -> Headcount:
        return Headcount(len(self.users), len(self.handed_in), 0)

    async def to_remind(self, week: str, *, after: int, limit: int) -> Sequence[int]:
        missing = sorted(set(self.users) - self.handed_in)
        return [number for number in missing if number > after][:limit]


class Notebook:
    """`Reminders`"""

    def __init__(self) -> None:
        self.states: dict[int, ReminderState] = {}

    async def state(self, user_id: int, week: str) -> ReminderState:
        return self.states.get(user_id, ReminderState.NONE)

    async def begin(
        self, user_id: int, week: str, message_id: str, at: datetime, *, again: bool
    ) -> bool:
        state = await self.state(user_id, week)
        if state is ReminderState.SENT or (state is ReminderState.BEGUN and not again):
            return False
        self.states[user_id] = ReminderState.BEGUN
        return True

    async def confirm(self, user_id: int, week: str, at: datetime) -> None:
        self.states[user_id] = ReminderState.SENT

    async def withdraw(self, user_id: int, week: str) -> None:
        del self.states[user_id]


class Postman:
    """`Mailer`; `before` and `during` are raised before or in the handover."""

    def __init__(
        self,
        *,
        before: BaseException | None = None,
        during: BaseException | None = None,
        safe_to_repeat: bool = False,
    ) -> None:
        self.before = before
        self.during = during
        self.safe_to_repeat = safe_to_repeat
        self.mails: list[Mail] = []

    async def send(self, mail: Mail, handover: AbstractAsyncContextManager[None]) -> None:
        if self.before:
            raise self.before
        async with handover:
            if self.during:
                raise self.during
            self.mails.append(mail)
