"""People, reports and logs for the demo: plainly invented, the same on each machine."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from webapp.service.database import Database
from webapp.service.tables import audit_logs, users, weekly_reports

_USERS = 12
_INACTIVE = {11, 12}
_LOGS = 6000
_LOG_EVERY = timedelta(minutes=45)
_ACTIONS = ("login", "report.read", "report.write", "settings.change")


async def fill_with_demo_data(database: Database, now: datetime, weeks: Sequence[str]) -> None:
    """Fill an empty database; one that has a user is left as it is.

    `weeks` are those that have reports, oldest first; each active user missed every fourth.
    """
    async with database.transaction() as connection:
        if await connection.scalar(select(users.c.id).limit(1)) is not None:
            return
        await connection.execute(insert(users), [_user(number) for number in _numbers()])
        await connection.execute(insert(weekly_reports), list(_reports(now, weeks)))
        await connection.execute(insert(audit_logs), [_log(now, n) for n in range(_LOGS)])


def _numbers() -> range:
    return range(1, _USERS + 1)


def _user(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"User {number}",
        "email": f"user{number}@example.com",
        "is_active": number not in _INACTIVE,
    }


def _reports(now: datetime, weeks: Sequence[str]) -> Iterator[dict[str, Any]]:
    for age, week in enumerate(reversed(weeks)):
        for number in _numbers():
            if (number + age) % 4:
                yield {
                    "user_id": number,
                    "week": week,
                    "hours": Decimal(30 + (number * 7 + age * 3) % 15),
                    "handed_in_at": now - timedelta(weeks=age),
                }


def _log(now: datetime, number: int) -> dict[str, Any]:
    return {
        "at": now - number * _LOG_EVERY,
        "actor": f"user{number % _USERS + 1}@example.com",
        "action": _ACTIONS[number % len(_ACTIONS)],
        "details": f"entry {number}",
    }
