"""The API of the outbox: mails that stay here instead of being sent."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from webapp.server.problem import problems
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


def outbox_routes(outbox: Outbox, check_token: Callable[..., Awaitable[None]]) -> APIRouter:
    """The route /api/outbox; it needs a token. There is none where mails are sent."""
    router = APIRouter(prefix="/api/outbox", dependencies=[Depends(check_token)], tags=["outbox"])

    @router.get("", responses=problems(401))
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
