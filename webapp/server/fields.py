"""Fields in the body of a request, and what is said about bad ones."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from webapp.server.excerpt import excerpt, hint
from webapp.server.problem import MOST_ERRORS, FieldError, refusal


class Fields(BaseModel):
    """What the client may send. A field's description completes "it must be …"."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[int, BeforeValidator(_whole)]
"""To JSON, 3.0 is a whole number as good as 3."""

F = TypeVar("F", bound=Fields)


def parse_fields(kind: type[F], body: bytes) -> F:
    """The fields in `body`; all defaults where it is empty.

    Raises:
        Problem: 422, with each bad field, its value and its limit.
    """
    try:
        return kind.model_validate_json(body if body.strip() else b"{}")
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        errors = [_field_error(kind, detail) for detail in details[:MOST_ERRORS]]
        raise refusal(errors) from None


def body_documentation(kind: type[Fields]) -> dict[str, Any]:
    """The body as OpenAPI wants it told.

    It is read by hand, because FastAPI would neither limit its size nor say what is wrong
    with it in our words; so its schema has to be given by hand too.
    """
    schema = kind.model_json_schema()
    return {"requestBody": {"required": False, "content": {"application/json": {"schema": schema}}}}


def _field_error(kind: type[Fields], detail: Any) -> FieldError:
    """One of pydantic's findings in our words."""
    if not detail["loc"]:
        if detail["type"] == "json_invalid":
            return FieldError("", f"The body is not JSON: {detail['msg'].partition(': ')[2]}")
        return FieldError("", f"The body is {excerpt(detail['input'])}; it must be an object")
    field = str(detail["loc"][0])
    known = kind.model_fields
    if field not in known:
        return FieldError(field[:100], f"{excerpt(field)} is not a field; {hint(field, known)}")
    value, limit = detail["input"], known[field].description
    return FieldError(field, f"{field} is {excerpt(value)}; it must be {limit}")
