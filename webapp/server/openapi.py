"""What /openapi.json says beyond what FastAPI finds out by itself: every error answer."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from webapp.server.problem import RETRY_AFTER_SECONDS

_SCHEMAS = "#/components/schemas/"


class FieldErrorDocument(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="its name; empty where it is the body as a whole")
    message: str


class ProblemDocument(BaseModel):
    """An error answer, as in RFC 9457."""

    status: int
    title: str
    detail: str = Field(description="what is wrong, and what to do, for people")
    errors: list[FieldErrorDocument] = Field(description="each bad field, where that is the cause")


@dataclass(frozen=True)
class _Answer:
    """An error answer as it is told: when it comes, what it says, and which header it has."""

    when: str
    detail: str
    header: str = ""
    value: str | int = ""
    field: str = ""


_ANSWERS = {
    401: _Answer(
        "There is no token, or one that is not valid",
        "Not authorised: the token has expired; get a new one",
        "WWW-Authenticate",
        'Bearer realm="dm-jobqueue", error="invalid_token"',
    ),
    404: _Answer("There is no such thing", 'There is no report of "2026-10"'),
    413: _Answer(
        "The body is too large",
        "The body has 3,145,728 bytes; it must have at most 2,097,152 bytes",
    ),
    422: _Answer(
        "Something in the request is out of its limit",
        "delay_seconds is -1; it must be a number from 0 to 31,536,000 (one year)",
        field="delay_seconds",
    ),
    429: _Answer(
        "Too many requests with one token, or from one address",
        "Too many write requests with this token; at most 600 per minute are answered. "
        "Try again in 7 s",
        "Retry-After",
        7,
    ),
    500: _Answer(
        "Something that nobody has thought of",
        "Something went wrong here; the server's log says what",
    ),
    503: _Answer(
        "A store cannot be reached now",
        "The job store cannot be reached now; try again in a moment",
        "Retry-After",
        RETRY_AFTER_SECONDS,
    ),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These error answers, for a route or a router."""
    return {status: _problem(status, _ANSWERS[status]) for status in statuses}


def describe_problems(app: FastAPI) -> None:
    """Add the shape of all error answers to what the application says of itself."""
    told = app.openapi

    def openapi() -> dict[str, Any]:
        document = told()
        schema = ProblemDocument.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
        parts = {**schema.pop("$defs"), "ProblemDocument": schema}
        document["components"]["schemas"].update(parts)
        return document

    # FastAPI's own way to add something.
    app.openapi = openapi  # type: ignore[method-assign]


def _problem(status: int, answer: _Answer) -> dict[str, Any]:
    errors = [{"field": answer.field, "message": answer.detail}] if answer.field else []
    example = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "detail": answer.detail,
        "errors": errors,
    }
    schema = {"$ref": f"{_SCHEMAS}ProblemDocument"}
    content = {"application/problem+json": {"schema": schema, "example": example}}
    found: dict[str, Any] = {"description": answer.when, "content": content}
    if answer.header:
        kind = "integer" if isinstance(answer.value, int) else "string"
        header = {"schema": {"type": kind}, "required": True, "example": answer.value}
        found["headers"] = {answer.header: header}
    return found
