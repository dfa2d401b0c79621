"""The ASGI application."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from webapp.server.api import api_routes
from webapp.server.bearer import bearer_check
from webapp.server.page import page_routes
from webapp.server.problem import answer_problems
from webapp.server.security_headers import SecurityHeaders
from webapp.service.tokens import Tokens
from webapp.settings import Settings
from webapp.usecase.job_states import JobStates
from webapp.usecase.register_job import RegisterJob


def create_app(
    settings: Settings, register_job: RegisterJob, job_states: JobStates, tokens: Tokens
) -> FastAPI:
    """The API, the page and the static files, with one shape for all errors."""
    # FastAPI's own documentation pages load scripts from elsewhere; /openapi.json stays.
    app = FastAPI(title="dm-jobqueue", version="1", docs_url=None, redoc_url=None)
    app.include_router(api_routes(register_job, job_states, bearer_check(tokens)))
    app.include_router(
        page_routes(
            tokens,
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
    app.add_middleware(SecurityHeaders)
    return app
