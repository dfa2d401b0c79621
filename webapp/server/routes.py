"""What all routes of the API have in common."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends

from webapp.server.openapi import problems

Check = Callable[..., Awaitable[None]]
"""A dependency that lets a request pass, or answers it with a `Problem`."""


def api_router(prefix: str, check: Check) -> APIRouter:
    """A router whose routes all need a token, and none of which may be asked too often."""
    return APIRouter(
        prefix=prefix,
        dependencies=[Depends(check)],
        responses=problems(401, 429, 500),
        tags=[prefix.rpartition("/")[2]],
    )
