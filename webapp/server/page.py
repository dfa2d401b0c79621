"""The page /dm-jobqueue, and the tokens that it carries where strangers cannot come."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel

from webapp.server.admission import PAGE
from webapp.server.texts import TEXTS, pick_language
from webapp.service.tokens import Tokens
from webapp.usecase.calendar import Calendar
from webapp.usecase.clean_up import DEFAULT_DAYS, LONGEST_DAYS
from webapp.usecase.message import LONGEST_MESSAGE
from webapp.usecase.register_job import LONGEST_DELAY_SECONDS

_TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")


class PageToken(BaseModel):
    """A token for the page, and how long it is good for."""

    token: str
    seconds: int


def page_routes(
    tokens: Tokens,
    calendar: Calendar,
    *,
    shows_outbox: bool,
    carries_token: bool,
    token_seconds: int,
) -> APIRouter:
    """The page; with `carries_token` it gets its tokens from us, else from its user."""
    router = APIRouter(include_in_schema=False)

    def new_token() -> PageToken:
        return PageToken(token=tokens.issue(PAGE, token_seconds), seconds=token_seconds)

    @router.get("/")
    async def root() -> RedirectResponse:
        return RedirectResponse("/dm-jobqueue")

    @router.get("/dm-jobqueue")
    async def page(
        request: Request, lang: str | None = None, accept_language: Annotated[str, Header()] = ""
    ) -> HTMLResponse:
        language = pick_language(lang, accept_language)
        token = new_token() if carries_token else PageToken(token="", seconds=0)
        script_settings = {
            "texts": TEXTS[language],
            "token": token.token,
            "tokenSeconds": token.seconds,
        }
        return _TEMPLATES.TemplateResponse(
            request,
            "page.html",
            {
                "language": language,
                "other_language": "en" if language == "ja" else "ja",
                # Not the mapping itself: in a template, `texts.clear` would be its method.
                "texts": SimpleNamespace(**TEXTS[language]),
                "asks_token": not carries_token,
                "longest_message": LONGEST_MESSAGE,
                "longest_delay": LONGEST_DELAY_SECONDS,
                "last_week": calendar.last_week(),
                "this_week": calendar.this_week(),
                "last_month": calendar.last_month(),
                "this_month": calendar.this_month(),
                "default_days": DEFAULT_DAYS,
                "longest_days": LONGEST_DAYS,
                "shows_outbox": shows_outbox,
                "script_settings": json.dumps(script_settings, ensure_ascii=False),
            },
            headers={"Vary": "Accept-Language"},
        )

    if carries_token:

        @router.post("/dm-jobqueue/token")
        async def token() -> PageToken:
            return new_token()

    return router
