"""The body of a registration, and what is said about a bad one."""

from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from webapp.server.excerpt import excerpt
from webapp.server.problem import FieldError, Problem
from webapp.usecase.message import DEFAULT_MESSAGE, LONGEST_MESSAGE
from webapp.usecase.register_job import LONGEST_DELAY_SECONDS, MOST_RETRIES, Registration

_MOST_ERRORS = 10


class RegisterBody(BaseModel):
    """What the client may send. A description completes "it must be …"."""

    model_config = ConfigDict(extra="forbid", strict=True)

    message: str = Field(
        default=DEFAULT_MESSAGE,
        max_length=LONGEST_MESSAGE,
        description=f"a text of at most {LONGEST_MESSAGE:,} characters",
    )
    delay_seconds: float = Field(
        default=Registration.delay_seconds,
        ge=0,
        le=LONGEST_DELAY_SECONDS,
        allow_inf_nan=False,
        description=f"a number from 0 to {LONGEST_DELAY_SECONDS:,} (one year)",
    )
    max_retry: int = Field(
        default=Registration.max_retry,
        ge=0,
        le=MOST_RETRIES,
        description=f"a whole number from 0 to {MOST_RETRIES:,}",
    )


def parse_registration(body: bytes) -> Registration:
    """The registration that `body` asks for; all defaults where it is empty.

    Raises:
        Problem: 422, with each bad field, its value and its limit.
    """
    if not body.strip():
        return Registration()
    try:
        fields = RegisterBody.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        errors = [_field_error(detail) for detail in details[:_MOST_ERRORS]]
        text = "; ".join(e.message for e in errors)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, errors=errors) from None
    return Registration(fields.message, fields.delay_seconds, fields.max_retry)


def _field_error(detail: Any) -> FieldError:
    """One of pydantic's findings in our words."""
    if not detail["loc"]:
        if detail["type"] == "json_invalid":
            return FieldError("", f"The body is not JSON: {detail['msg'].partition(': ')[2]}")
        return FieldError("", f"The body is {excerpt(detail['input'])}; it must be an object")
    field = str(detail["loc"][0])
    known = RegisterBody.model_fields
    if field not in known:
        close = get_close_matches(field[:100], known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        return FieldError(field[:100], f"{excerpt(field)} is not a field; {hint}")
    value, limit = detail["input"], known[field].description
    return FieldError(field, f"{field} is {excerpt(value)}; it must be {limit}")
