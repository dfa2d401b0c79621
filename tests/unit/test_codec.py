"""Arguments and results as JSON, checked against the annotations of the function."""

import dataclasses
import enum
import json
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from atode.codec import LARGEST_PAYLOAD, Arguments, Result
from atode.errors import BadArguments, BadPayload, BadTask, PayloadTooLarge


class Colour(enum.Enum):
    RED = "red"


class Address(BaseModel):
    street: str
    since: date | None = None


class Customer(BaseModel):
    name: str
    addresses: list[Address]


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


def order(id: int, *, note: str = "") -> None: ...


def stay(nights: int, room: str = "single", breakfast: bool = False) -> None: ...


def raw(payload: bytes) -> None: ...


def anything(value: Any) -> None: ...


del anything.__annotations__["value"]


def arguments(function: Callable[..., Any]) -> Arguments:
    return Arguments(function, "shop:task")


def travel(function: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What a handler gets when these arguments are enqueued."""
    codec = arguments(function)
    return codec.decode(codec.encode(args, kwargs))


def taking(kind: Any) -> Callable[..., Any]:
    def function(value: Any) -> None: ...

    function.__annotations__["value"] = kind
    return function


# How arguments are bound


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        ((2,), {}, {"nights": 2}),
        ((2, "double"), {}, {"nights": 2, "room": "double"}),
        ((2,), {"breakfast": True}, {"nights": 2, "breakfast": True}),
        ((), {"room": "double", "nights": 2}, {"nights": 2, "room": "double"}),
    ],
)
def test_arguments_travel_by_name_and_defaults_are_left_out(
    args: tuple[Any, ...], kwargs: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert json.loads(arguments(stay).encode(args, kwargs)) == expected
    assert travel(stay, *args, **kwargs) == expected


def test_keyword_only_parameters_travel_too() -> None:
    assert travel(order, 7, note="fragile") == {"id": 7, "note": "fragile"}


def test_text_travels_as_utf8_without_escapes() -> None:
    assert arguments(order).encode((1,), {"note": "あとで"}) == '{"id":1,"note":"あとで"}'.encode()


@pytest.mark.parametrize(
    ("args", "kwargs", "complaint"),
    [
        ((), {}, "nights: Field required"),
        ((1, "a", True, 4), {}, "too many positional arguments"),
        ((1,), {"nights": 2}, "multiple values for argument 'nights'"),
        ((1,), {"nigths": 2}, "nigths: Extra inputs are not permitted"),
        (("1",), {}, "nights: Input should be a valid integer .*got '1'"),
        ((True,), {}, "nights: Input should be a valid integer"),
        ((1.0,), {}, "nights: Input should be a valid integer"),
        ((1, 2), {}, "room: Input should be a valid string"),
        ((1, "a", 1), {}, "breakfast: Input should be a valid boolean"),
        ((None,), {}, "nights: Input should be a valid integer"),
        ((1, "\ud800"), {}, "surrogates not allowed"),
    ],
    ids=repr,
)
def test_arguments_that_do_not_fit_are_refused_when_they_are_enqueued(
    args: tuple[Any, ...], kwargs: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadArguments, match=f"^Task 'shop:task': .*{complaint}"):
        arguments(stay).encode(args, kwargs)


def test_a_keyword_only_argument_given_by_position_is_refused() -> None:
    with pytest.raises(BadArguments, match="too many positional arguments"):
        arguments(order).encode((1, "fragile"), {})


def test_a_refusal_does_not_repeat_a_huge_value() -> None:
    with pytest.raises(BadArguments) as raw_refusal:
        arguments(raw).encode(("x" * 100_000,), {})
    with pytest.raises(BadArguments) as refusal:
        arguments(stay).encode(("x" * 100_000,), {})

    assert len(str(raw_refusal.value)) < 300
    assert len(str(refusal.value)) < 300


# Values


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, 2**70),
        (float, 3),
        (float, math.inf),
        (float, -math.inf),
        (str, ""),
        (bytes, b"\x00\xff"),
        (bytes | None, b"\xfe"),
        (dict[str, bytes], {"a": b"\xff"}),
        (bool, True),
        (int | None, None),
        (datetime, datetime(2030, 3, 17, 17, 46, 40, 123456, tzinfo=UTC)),
        (datetime, datetime(2030, 3, 17)),
        (date, date(2030, 3, 17)),
        (timedelta, timedelta(days=1, microseconds=1)),
        (UUID, UUID(int=7)),
        (Decimal, Decimal("0.10")),
        (Colour, Colour.RED),
        (list[int], [1, 2]),
        (tuple[int, str], (1, "a")),
        (set[int], {1, 2}),
        (dict[str, list[float]], {"a": [0.5]}),
        (dict[int, str], {1: "a"}),
        (Customer, Customer(name="A", addresses=[Address(street="S", since=date(2030, 1, 1))])),
        (list[Customer], [Customer(name="A", addresses=[])]),
        (Point, Point(1.5, -2.0)),
        (Point, Point(math.inf)),
        (list[Point] | None, [Point(1.5)]),
        (Any, {"a": [1, None, "b", True]}),
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_went(kind: Any, value: Any) -> None:
    found = travel(taking(kind), value)["value"]

    assert found == value
    assert type(found) is type(value) or kind is float


def test_nan_comes_back_as_nan() -> None:
    assert math.isnan(travel(taking(float), math.nan)["value"])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (datetime, "2030-03-17"),
        (UUID, "00000000-0000-0000-0000-000000000007"),
        (Point, {"x": 1.0}),
        (list[int], (1, 2)),
        (Decimal, 1),
        (bytes | None, "text"),
        (Colour, "red"),
    ],
    ids=str,
)
def test_what_is_nearly_of_the_type_is_refused_as_a_type_checker_would(
    kind: Any, value: Any
) -> None:
    with pytest.raises(BadArguments, match="Task 'shop:task': value"):
        arguments(taking(kind)).encode((value,), {})


circle: list[Any] = []
circle.append(circle)


@pytest.mark.parametrize(
    "value", [object(), taking, circle, "\ud800"], ids=["object", "function", "circle", "surrogate"]
)
def test_values_without_a_json_form_are_refused_even_where_nothing_is_annotated(
    value: Any,
) -> None:
    with pytest.raises(BadArguments, match="Task 'shop:task': "):
        arguments(anything).encode((value,), {})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(), st.integers(), st.booleans())
def test_annotated_arguments_round_trip(text: str, number: int, flag: bool) -> None:
    assert travel(stay, number, text, flag) == {"nights": number, "room": text, "breakfast": flag}


@given(json_values)
def test_unannotated_json_values_round_trip(value: Any) -> None:
    assert travel(anything, value) == {"value": value}


@given(st.binary())
def test_no_bytes_break_decoding_otherwise_than_with_bad_payload(payload: bytes) -> None:
    with suppress(BadPayload):
        arguments(stay).decode(payload)


# Payloads of others


def test_a_go_clients_payload_is_read_with_json_types_converted() -> None:
    codec = arguments(taking(datetime))

    assert codec.decode(b'{"value": "2030-03-17T17:46:40Z"}') == {
        "value": datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)
    }


def test_optional_keys_may_be_missing_and_an_empty_payload_is_an_empty_object() -> None:
    def optional(a: int = 1, b: str = "x") -> None: ...

    assert arguments(optional).decode(b"") == {}
    assert arguments(optional).decode(b'{"b":"y"}') == {"b": "y"}


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b'{"room":"single"}', "nights: Field required"),
        (b'{"nights":1.5}', "nights: Input should be a valid integer"),
        (b'{"nights":null}', "nights: Input should be a valid integer"),
        (b'{"nights":', "arguments: Invalid JSON"),
        (b"", "nights: Field required"),
        (b"null", "arguments: Input should be an object"),
        (b"[1]", "arguments: Input should be an object"),
        (b"\xff\xfe", "arguments: Invalid JSON"),
        (b'{"nights":' + b"[" * 5000, "arguments: Invalid JSON"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_payload_that_does_not_fit_is_refused_with_the_place(
    payload: bytes, complaint: str
) -> None:
    with pytest.raises(BadPayload, match=f"^Task 'shop:task': .*{complaint}"):
        arguments(stay).decode(payload)


def test_keys_of_a_newer_client_are_passed_over() -> None:
    assert arguments(stay).decode(b'{"nights":1,"guest":"A"}') == {"nights": 1}


# Raw payloads


def test_a_single_bytes_parameter_gets_the_payload_as_it_is() -> None:
    assert arguments(raw).encode((b"\x00\xff",), {}) == b"\x00\xff"
    assert arguments(raw).encode((), {"payload": b"x"}) == b"x"
    assert arguments(raw).decode(b"not { json") == {"payload": b"not { json"}
    assert arguments(raw).decode(b"") == {"payload": b""}


def test_a_raw_payload_that_is_left_out_is_stored_as_its_default() -> None:
    def ping(payload: bytes = b"ping") -> None: ...

    assert arguments(ping).encode((), {}) == b"ping"


@pytest.mark.parametrize(
    ("args", "kwargs", "complaint"),
    [
        (("text",), {}, "payload is 'text'; it must be bytes"),
        ((bytearray(b"x"),), {}, "it must be bytes"),
        ((), {}, "missing a required argument: 'payload'"),
        ((), {"body": b"x"}, "argument"),
        ((b"a", b"b"), {}, "too many positional arguments"),
        ((b"a",), {"payload": b"b"}, "multiple values for argument 'payload'"),
    ],
)
def test_a_raw_payload_must_be_bytes_and_one(
    args: tuple[Any, ...], kwargs: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(BadArguments, match=complaint):
        arguments(raw).encode(args, kwargs)


# Kinds of functions


class Mailer:
    def send(self, to: str) -> None: ...

    @classmethod
    def check(cls, to: str) -> None: ...

    @staticmethod
    def log(to: str) -> None: ...

    def __call__(self, to: str) -> None: ...


@pytest.mark.parametrize(
    "function", [Mailer().send, Mailer.check, Mailer.log, Mailer()], ids=lambda f: type(f).__name__
)
def test_methods_and_callable_instances_are_checked_by_their_annotations(
    function: Callable[..., Any],
) -> None:
    assert travel(function, "a") == {"to": "a"}
    with pytest.raises(BadArguments, match="to: Input should be a valid string"):
        arguments(function).encode((1,), {})


def test_a_partial_takes_what_is_left() -> None:
    assert travel(partial(stay, 2), room="double") == {"room": "double"}


class Later(BaseModel):
    n: int


def forward(value: "Later") -> "Later":
    return value


def test_forward_references_are_resolved_when_they_are_needed() -> None:
    assert travel(forward, Later(n=1)) == {"value": Later(n=1)}


def test_an_annotation_that_cannot_be_resolved_is_named_at_the_check() -> None:
    function = taking("NoSuchThing")
    codec = arguments(function)

    with pytest.raises(BadTask, match=r"Task 'shop:task': .*'NoSuchThing' is not defined"):
        codec.check()


def test_an_annotation_without_a_json_form_is_named_at_the_check() -> None:
    class Socket: ...

    with pytest.raises(BadTask, match=r"no JSON form for an annotation: .*Socket"):
        arguments(taking(Socket)).check()


def positional_only(a: int, /) -> None: ...


def variadic(*ids: int) -> None: ...


def options(**options: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (positional_only, "parameter a: int is positional-only"),
        (variadic, r"parameter \*ids: int takes any number of values"),
        (options, r"parameter \*\*options: int takes any names"),
    ],
)
def test_parameters_without_a_name_of_their_own_are_refused(
    function: Callable[..., Any], complaint: str
) -> None:
    with pytest.raises(BadTask, match=f"{complaint}; .*give each an ordinary name"):
        arguments(function)


# Limits


def test_arguments_may_take_a_mebibyte_and_no_byte_more() -> None:
    around = len('{"value":""}')
    text = "x" * (LARGEST_PAYLOAD - around)

    assert len(arguments(taking(str)).encode((text,), {})) == 1_048_576
    with pytest.raises(PayloadTooLarge, match="1,048,577 bytes; the limit is 1,048,576") as error:
        arguments(taking(str)).encode((text + "x",), {})
    assert (error.value.size, error.value.limit) == (1_048_577, 1_048_576)


def test_raw_payloads_have_the_same_limit() -> None:
    assert arguments(raw).encode((b"x" * LARGEST_PAYLOAD,), {})
    with pytest.raises(PayloadTooLarge, match="pass its key"):
        arguments(raw).encode((b"x" * (LARGEST_PAYLOAD + 1),), {})


# Results


def returning(kind: Any) -> Result:
    def function() -> Any: ...

    function.__annotations__["return"] = kind
    return Result(function, "shop:task")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, 7),
        (str, "あとで"),
        (bytes, b"\xff"),
        (float, math.inf),
        (None, None),
        (datetime, datetime(2030, 1, 1, tzinfo=UTC)),
        (Customer, Customer(name="A", addresses=[])),
        (list[Customer], [Customer(name="A", addresses=[])]),
        (Point, Point(1.0)),
        (tuple[int, bytes], (1, b"\xff")),
        (Any, {"a": 1}),
    ],
    ids=str,
)
def test_a_result_comes_back_as_it_went(kind: Any, value: Any) -> None:
    result = returning(kind)

    assert result.decode(result.encode(value)) == value


def test_a_result_that_is_not_a_number_comes_back_so() -> None:
    result = returning(float)

    assert math.isnan(result.decode(result.encode(math.nan)))


def test_a_result_of_another_type_than_annotated_is_stored_as_it_is() -> None:
    assert returning(int).encode("seven") == b'"seven"'


def test_a_result_that_does_not_fit_its_annotation_is_refused_when_it_is_read() -> None:
    with pytest.raises(BadPayload, match=r"Result of task 'shop:task': .*valid integer"):
        returning(int).decode(b'"seven"')


def test_no_bytes_are_no_result() -> None:
    assert returning(int).decode(b"") is None


def test_a_result_without_a_json_form_is_refused() -> None:
    with pytest.raises(BadPayload, match="Result of task 'shop:task': "):
        returning(Any).encode(object())


def test_a_result_may_take_a_mebibyte_and_no_byte_more() -> None:
    assert len(returning(str).encode("x" * (LARGEST_PAYLOAD - 2))) == LARGEST_PAYLOAD
    with pytest.raises(PayloadTooLarge, match="Result of task 'shop:task' take"):
        returning(str).encode("x" * LARGEST_PAYLOAD)


@pytest.mark.parametrize(
    ("kind", "worth"), [(int, True), (int | None, True), (None, False), (NoReturn, False)]
)
def test_a_result_is_worth_keeping_if_there_can_be_one(kind: Any, worth: bool) -> None:
    result = returning(kind)
    result.check()

    assert result.is_worth_keeping is worth


def test_a_return_annotation_without_a_json_form_is_named_at_the_check() -> None:
    class Socket: ...

    with pytest.raises(BadTask, match=r"no JSON form for an annotation: .*Socket"):
        returning(Socket).check()
