"""Who was mailed in which week."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ReminderState(StrEnum):
    """What is known of the mail to one person about one week."""

    NONE = "none"
    BEGUN = "begun"
    """It was about to be sent. Whether the server took it is not known, because whoever
    sent it is still at it, or ended before the answer."""
    SENT = "sent"


class Reminders(Protocol):
    """The record. Each call may raise TransientFailure: the database cannot be used now."""

    async def state(self, user_id: int, week: str) -> ReminderState:
        """What is known."""
        ...

    async def begin(
        self, user_id: int, week: str, message_id: str, at: datetime, *, again: bool
    ) -> bool:
        """Record that the mail is about to be sent.

        False if it was begun or sent before; with `again` only if it was sent.
        """
        ...

    async def confirm(self, user_id: int, week: str, at: datetime) -> None:
        """Record that the server took it."""
        ...

    async def withdraw(self, user_id: int, week: str) -> None:
        """Forget a mail that was begun: the server did not take it."""
        ...
