"""Reading a request's body, up to a limit."""

from http import HTTPStatus

from fastapi import Request

from webapp.server.problem import Problem

LARGEST_BODY_BYTES = 2 * 1024 * 1024


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises:
        Problem: 413, it is larger than 2 MiB; no more of it than that was kept.
    """
    # Refuse at once what says itself that it is too large.
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_BODY_BYTES:
        raise _too_large(f"has {int(announced):,} bytes")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY_BYTES:
            raise _too_large("is too large")
    return bytes(body)


def _too_large(what: str) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body {what}; it must have at most {LARGEST_BODY_BYTES:,} bytes",
    )
