"""The ASGI application."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from webapp.server.admission import Rates, admission
from webapp.server.api import api_routes
from webapp.server.jobs_api import jobs_routes
from webapp.server.openapi import describe_problems
from webapp.server.outbox_api import outbox_routes
from webapp.server.page import page_routes
from webapp.server.problem import answer_problems
from webapp.server.reports_api import reports_routes
from webapp.server.use_cases import UseCases
from webapp.service.rate_limiter import Rate, RateLimiter
from webapp.service.tokens import Tokens
from webapp.settings import Settings


def create_app(
    settings: Settings, use_cases: UseCases, tokens: Tokens, limiter: RateLimiter
) -> FastAPI:
    """The API, the page and the static files, with one shape for all errors."""
    # FastAPI's own documentation pages load scripts from elsewhere; /openapi.json stays.
    app = FastAPI(
        title="dm-jobqueue",
        version="1",
        description="Registers jobs that a job server runs later, and tells how they stand.",
        docs_url=None,
        redoc_url=None,
    )
    limit = settings.rate_limit
    rates = Rates(Rate.parse(limit.reads), Rate.parse(limit.writes))
    check = admission(tokens, limiter, rates)
    app.include_router(api_routes(use_cases.register_job, use_cases.job_states, check))
    app.include_router(jobs_routes(use_cases.run_job, use_cases.jobs_overview, check))
    app.include_router(reports_routes(use_cases.read_reports, check))
    if use_cases.outbox is not None:
        app.include_router(outbox_routes(use_cases.outbox, check))
    app.include_router(
        page_routes(
            tokens,
            use_cases.calendar,
            shows_outbox=use_cases.outbox is not None,
            carries_token=not settings.environment.is_public,
            token_seconds=settings.auth.page_token_seconds,
        )
    )
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        """That this process answers; nothing about the store."""
        return {"status": "ok"}

    answer_problems(app)
    describe_problems(app)
    return app
