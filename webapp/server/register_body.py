"""The body of a registration."""

from typing import Annotated

from pydantic import Field

from webapp.server.fields import Fields, WholeNumber, parse_fields
from webapp.usecase.message import DEFAULT_MESSAGE, LONGEST_MESSAGE
from webapp.usecase.register_job import LONGEST_DELAY_SECONDS, MOST_RETRIES, Registration

Message = Annotated[
    str,
    Field(
        max_length=LONGEST_MESSAGE,
        description=f"a text of at most {LONGEST_MESSAGE:,} characters",
        examples=["Hello, World!"],
    ),
]


class RegisterBody(Fields):
    """What to print, when, and how persistently; all optional."""

    message: Message = DEFAULT_MESSAGE
    delay_seconds: float = Field(
        default=Registration.delay_seconds,
        ge=0,
        le=LONGEST_DELAY_SECONDS,
        allow_inf_nan=False,
        description=f"a number from 0 to {LONGEST_DELAY_SECONDS:,} (one year)",
        examples=[5],
    )
    max_retry: WholeNumber = Field(
        default=Registration.max_retry,
        ge=0,
        le=MOST_RETRIES,
        description=f"a whole number from 0 to {MOST_RETRIES:,}",
        examples=[3],
    )


def parse_registration(body: bytes) -> Registration:
    """The registration that `body` asks for; all defaults where it is empty.

    Raises:
        Problem: 422, with each bad field, its value and its limit.
    """
    fields = parse_fields(RegisterBody, body)
    return Registration(fields.message, fields.delay_seconds, fields.max_retry)
