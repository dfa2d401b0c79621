"""The one shape of every error answer, as in RFC 9457."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from webapp.server.excerpt import excerpt
from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.print_jobs import StoreDown

logger = logging.getLogger("webapp.server")

RETRY_AFTER_SECONDS = 5
MOST_ERRORS = 10
"""Bad fields that one answer tells of."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the request."""

    field: str
    message: str


class Problem(Exception):
    """A request that gets an error answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers

    def response(self) -> Response:
        """The answer."""
        body = {
            "status": self.status.value,
            "title": self.status.phrase,
            "detail": self.detail,
            "errors": [{"field": e.field, "message": e.message} for e in self.errors],
        }
        return JSONResponse(
            body, self.status.value, self.headers, media_type="application/problem+json"
        )


def refusal(errors: Sequence[FieldError]) -> Problem:
    """The answer to bad fields."""
    text = "; ".join(error.message for error in errors)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, errors=errors)


def answer_problems(app: FastAPI) -> None:
    """Turn everything that can go wrong into a `Problem`."""

    @app.exception_handler(Problem)
    async def on_problem(_: Request, error: Exception) -> Response:
        return cast(Problem, error).response()

    @app.exception_handler(StoreDown)
    async def on_store_down(_: Request, error: Exception) -> Response:
        # The reason may name hosts and stays in the log.
        detail = "The job store cannot be reached now; try again in a moment"
        return _unavailable(detail)

    @app.exception_handler(TransientFailure)
    async def on_failure(_: Request, error: Exception) -> Response:
        logger.warning("%s", error)
        return _unavailable("The database or the store of files cannot be used now")

    @app.exception_handler(PermanentFailure)
    async def on_refusal(_: Request, error: Exception) -> Response:
        logger.error("%s", error)
        return _unavailable("The store of files refuses; the server's log says why")

    @app.exception_handler(RequestValidationError)
    async def on_bad_query(_: Request, error: Exception) -> Response:
        details = cast(RequestValidationError, error).errors()
        return refusal([_query_error(detail) for detail in details[:MOST_ERRORS]]).response()

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: Exception) -> Response:
        http_error = cast(HTTPException, error)
        detail = f"{request.method} {excerpt(request.url.path)}: {http_error.detail}"
        status = HTTPStatus(http_error.status_code)
        return Problem(status, detail, headers=http_error.headers).response()

    @app.exception_handler(Exception)
    async def on_bug(_: Request, error: Exception) -> Response:
        # Starlette raises it again, so the log gets the traceback and the client does not.
        detail = "Something went wrong here; the server's log says what"
        return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail).response()


def _unavailable(detail: str) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=headers).response()


def _query_error(detail: Any) -> FieldError:
    # The place is ("query", name) or ("query", name, index).
    field = str(detail["loc"][1])
    if detail["type"] == "missing":
        return FieldError(field, f"{field} is missing")
    return FieldError(field, f"{field} is {excerpt(detail['input'])}: {detail['msg']}")
