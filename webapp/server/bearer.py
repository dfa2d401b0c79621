"""Who may call the API: whoever brings a valid token."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from webapp.server.problem import Problem
from webapp.service.tokens import BadToken, Tokens

# Only tells OpenAPI that there is a token: what is wrong with one we say ourselves.
_SCHEME = HTTPBearer(bearerFormat="JWT", auto_error=False)
_CHALLENGE = 'Bearer realm="dm-jobqueue"'


def bearer_check(tokens: Tokens) -> Callable[..., Awaitable[None]]:
    """A dependency that answers 401 to requests without a valid token."""

    async def check(request: Request, _: Annotated[object, Depends(_SCHEME)]) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthorized("A token is missing: send `Authorization: Bearer <token>`")
        try:
            tokens.check(token.strip())
        except BadToken as error:
            raise _unauthorized(f"Not authorised: {error}", error="invalid_token") from None

    return check


def _unauthorized(detail: str, error: str = "") -> Problem:
    challenge = f'{_CHALLENGE}, error="{error}"' if error else _CHALLENGE
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})
