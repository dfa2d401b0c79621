"""What operators and their machines ask: `/metrics` and `/readyz`; `/healthz` is the app's own."""

from typing import Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse


class Page(Protocol):
    """An answer to a scraper."""

    @property
    def content_type(self) -> str: ...

    @property
    def body(self) -> bytes: ...


class Observatory(Protocol):
    """Who knows how this process and the job store stand."""

    async def page(self, accept: str = "") -> Page:
        """All figures, in the format that `accept` asks for."""
        ...

    async def trouble(self) -> str:
        """Why the job store cannot be used now; empty if it can be."""
        ...


def observation_routes(observatory: Observatory) -> APIRouter:
    """The routes; they need no token, so keep them from strangers at the proxy."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        page = await observatory.page(request.headers.get("accept", ""))
        return Response(page.body, headers={"Content-Type": page.content_type})

    @router.get("/readyz")
    async def readyz() -> Response:
        trouble = await observatory.trouble()
        if trouble:
            return JSONResponse({"status": "not ready", "reason": trouble}, status_code=503)
        return JSONResponse({"status": "ok"})

    return router
