"""Arguments and results ⇄ JSON bytes, checked against the function's own annotations.

Arguments travel as one JSON object keyed by parameter name, so that a Go handler reads them
into a struct and a Go client can call a Python task. Never pickle.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Never, NoReturn, NotRequired, get_type_hints

from pydantic import ConfigDict, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic import ValidationError as Invalid
from pydantic_core import CoreConfig, PydanticSerializationError, SchemaSerializer
from typing_extensions import TypedDict

from atode.errors import BadArguments, BadPayload, BadTask, PayloadTooLarge

LARGEST_PAYLOAD = 1_048_576
"""Bytes of encoded arguments, or of an encoded result."""

_CONFIG = ConfigDict(
    extra="forbid",
    ser_json_bytes="base64",
    val_json_bytes="base64",
    # JSON has no NaN and no infinity; as strings they survive the way there and back.
    ser_json_inf_nan="strings",
    arbitrary_types_allowed=False,
)
_AS_WRITTEN = CoreConfig(ser_json_bytes="base64", ser_json_inf_nan="strings")

_UNNAMED: dict[Any, str] = {
    inspect.Parameter.POSITIONAL_ONLY: "is positional-only",
    inspect.Parameter.VAR_POSITIONAL: "takes any number of values",
    inspect.Parameter.VAR_KEYWORD: "takes any names",
}


class Arguments:
    """The parameters of one function, as a schema.

    Raises:
        BadTask: a parameter has no name of its own to travel under.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function = function
        self._task = name
        self._signature = inspect.signature(function)
        for parameter in self._signature.parameters.values():
            if complaint := _UNNAMED.get(parameter.kind):
                raise BadTask(
                    f"Task {name!r}: parameter {parameter} {complaint}; arguments travel as a "
                    "JSON object keyed by parameter name, so give each an ordinary name"
                )
        self._names = tuple(self._signature.parameters)
        self._keyword_only = any(
            parameter.kind is inspect.Parameter.KEYWORD_ONLY
            for parameter in self._signature.parameters.values()
        )

    def encode(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """One call's arguments as JSON.

        Raises:
            BadArguments: they do not fit the parameters, by number, name or type.
            PayloadTooLarge: the JSON takes more than 1,048,576 bytes.
        """
        values = self._by_name(args, kwargs)
        if self._raw_name is not None:
            payload = values[self._raw_name]
            if not isinstance(payload, bytes):
                raise BadArguments(
                    f"Task {self._task!r}: {self._raw_name} is {payload!r:.80}; it must be bytes"
                )
        else:
            try:
                # The schema's own method would pass on eight options one by one.
                checked = self._schema.validator.validate_python(values, strict=True)
                payload = self._serializer.to_json(checked)
            except (Invalid, PydanticSerializationError) as error:
                raise BadArguments(f"Task {self._task!r}: {_complaint(error)}") from error
        if len(payload) > LARGEST_PAYLOAD:
            what = f"Arguments of task {self._task!r}"
            raise PayloadTooLarge(what, len(payload), LARGEST_PAYLOAD)
        return payload

    def decode(self, payload: bytes) -> dict[str, Any]:
        """Keyword arguments from JSON; missing ones with a default are left out, unknown ones too.

        Raises:
            BadPayload: it is not JSON, or does not fit the parameters.
        """
        if self._raw_name is not None:
            return {self._raw_name: payload}
        try:
            # A key that we do not know comes from a newer or foreign client, and is passed
            # over as Go does it: rolling out a new parameter must not archive jobs.
            decoded: dict[str, Any] = self._schema.validator.validate_json(
                payload or b"{}", extra="ignore"
            )
        except Invalid as error:
            raise BadPayload(f"Task {self._task!r}: {_complaint(error)}") from error
        return decoded

    def check(self) -> None:
        """Build what is otherwise built at the first call.

        Raises:
            BadTask: an annotation cannot be resolved, or has no JSON form.
        """
        _ = self._schema if self._raw_name is None else None

    def kind_of(self, name: str) -> Any:
        """What a parameter is annotated with, resolved; BadTask if that is impossible."""
        return self._hints.get(name, inspect.Parameter.empty)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return _hints(self._function, self._task)

    @cached_property
    def _raw_name(self) -> str | None:
        """The one parameter that takes a payload as it is, if the function is of that kind."""
        if len(self._names) == 1 and self._hints.get(self._names[0]) is bytes:
            return self._names[0]
        return None

    @cached_property
    def _schema(self) -> TypeAdapter[dict[str, Any]]:
        fields: dict[str, Any] = {}
        for name, parameter in self._signature.parameters.items():
            kind = self._hints.get(name, Any)
            required = parameter.default is inspect.Parameter.empty
            fields[name] = kind if required else NotRequired[kind]
        # Called through Any: type checkers want the fields of a TypedDict as a literal.
        make: Any = TypedDict
        shape = make(_identifier(self._task), fields)
        shape.__pydantic_config__ = _CONFIG
        return _adapter(shape, self._task)

    @cached_property
    def _serializer(self) -> SchemaSerializer:
        # Not the schema's own: pydantic reads a TypedDict with its configuration, and
        # writes it without.
        return SchemaSerializer(self._schema.core_schema, _AS_WRITTEN)

    def _by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if not args:
            values = dict(kwargs)
        elif len(args) <= len(self._names) and not self._keyword_only:
            values = dict(zip(self._names, args, strict=False))
            if kwargs:
                if values.keys() & kwargs.keys():
                    self._refuse(args, kwargs)
                values.update(kwargs)
        else:
            values = self._bound(args, kwargs)
        if self._raw_name is not None and values.keys() != {self._raw_name}:
            # The payload is the argument, so one that is left out is stored as its default.
            default = self._signature.parameters[self._raw_name].default
            if values or default is inspect.Parameter.empty:
                self._refuse(args, kwargs)
            values = {self._raw_name: default}
        return values

    def _bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        # The exact and slow way, with Python's own words for what is wrong.
        try:
            return self._signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise BadArguments(f"Task {self._task!r}: {error}") from None

    def _refuse(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._bound(args, kwargs)
        raise BadArguments(f"Task {self._task!r} takes {self._signature}")


class Result:
    """The return annotation of one function, as a schema."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function = function
        self._task = name

    @cached_property
    def is_worth_keeping(self) -> bool:
        """Whether the function says that it returns something other than None."""
        return self._kind not in (None, type(None), inspect.Signature.empty)

    def encode(self, value: Any) -> bytes:
        """What a handler returned, as JSON.

        Raises:
            BadPayload: it has no JSON form.
            PayloadTooLarge: the JSON takes more than 1,048,576 bytes.
        """
        try:
            # The type is the type checker's business: a wrong one is stored as it is
            # rather than failing a job whose work is done.
            payload = self._adapter.dump_json(value, warnings=False)
        except PydanticSerializationError as error:
            raise BadPayload(f"Result of task {self._task!r}: {_complaint(error)}") from error
        if len(payload) > LARGEST_PAYLOAD:
            raise PayloadTooLarge(f"Result of task {self._task!r}", len(payload), LARGEST_PAYLOAD)
        return payload

    def decode(self, payload: bytes) -> Any:
        """The value again; None for no bytes.

        Raises:
            BadPayload: it does not fit the return annotation.
        """
        if not payload:
            return None
        try:
            return self._adapter.validate_json(payload)
        except Invalid as error:
            raise BadPayload(f"Result of task {self._task!r}: {_complaint(error)}") from error

    def check(self) -> None:
        """Build what is otherwise built at the first result; BadTask if that is impossible."""
        _ = self._adapter

    @cached_property
    def _kind(self) -> Any:
        kind = _hints(self._function, self._task).get("return", inspect.Signature.empty)
        return None if kind in (NoReturn, Never) else kind

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        kind = Any if self._kind is inspect.Signature.empty else self._kind
        return _adapter(kind, self._task)


def _hints(function: Callable[..., Any], task: str) -> dict[str, Any]:
    target = function if inspect.isroutine(function) else type(function).__call__
    try:
        return get_type_hints(target, include_extras=True)
    except Exception as error:
        raise BadTask(f"Task {task!r}: its annotations cannot be resolved: {error}") from error


def _adapter(kind: Any, task: str) -> TypeAdapter[Any]:
    try:
        try:
            return TypeAdapter(kind, config=_CONFIG)
        except PydanticUserError as error:
            if error.code != "type-adapter-config-unused":
                raise
            return TypeAdapter(kind)  # A model and its like, which bring their own.
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError) as error:
        first_line = str(error).partition("\n")[0]
        raise BadTask(f"Task {task!r}: no JSON form for an annotation: {first_line}") from error


def _identifier(task: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in task)


def _complaint(error: Exception) -> str:
    if not isinstance(error, Invalid):
        return str(error)
    parts: list[str] = []
    for detail in error.errors(include_url=False, include_context=False):
        place = ".".join(str(step) for step in detail["loc"]) or "arguments"
        shown = repr(detail["input"])
        shown = shown if len(shown) <= 80 else shown[:77] + "…"
        parts.append(f"{place}: {detail['msg']} (got {shown})")
    return "; ".join(parts)
