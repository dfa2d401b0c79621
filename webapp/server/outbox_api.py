"""The API of the outbox: mails that stay here instead of being sent."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from webapp.server.routes import Check, api_router
from webapp.service.outbox import Outbox

_MOST = 50


class MailInOutbox(BaseModel):
    """One mail."""

    message_id: str
    to: str
    subject: str
    date: datetime | None
    text: str


class MailList(BaseModel):
    """The mails, the last one first."""

    mails: list[MailInOutbox]


def outbox_routes(outbox: Outbox, check: Check) -> APIRouter:
    """The route /api/outbox; it needs a token. There is none where mails are sent."""
    router = api_router("/api/outbox", check)

    @router.get("", operation_id="outbox")
    async def mails() -> MailList:
        """The last mails. They come whole: no part of a file's name comes from the caller."""
        return MailList(
            mails=[
                MailInOutbox(
                    message_id=mail.id,
                    to=mail.to,
                    subject=mail.subject,
                    date=mail.date,
                    text=mail.text,
                )
                for mail in await outbox.newest(_MOST)
            ]
        )

    return router
