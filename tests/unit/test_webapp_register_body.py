"""What a registration may look like, and what is said about a bad one."""

import json

import pytest

from webapp.server.problem import Problem
from webapp.server.register_body import parse_registration
from webapp.usecase.register_job import Registration


@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}"])
def test_everything_is_optional_even_the_body(body: bytes) -> None:
    assert parse_registration(body) == Registration("Job executed successfully", 180, 10)


def test_all_fields_are_taken() -> None:
    body = b'{"message": "Hi", "delay_seconds": 0.5, "max_retry": 0}'

    assert parse_registration(body) == Registration("Hi", 0.5, 0)


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert parse_registration(b'{"max_retry": 3.0}').max_retry == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "x" * 10_000},
        {"message": ""},
        {"delay_seconds": 0},
        {"delay_seconds": 31_536_000},
        {"max_retry": 1000},
    ],
)
def test_limits_are_included(fields: dict[str, object]) -> None:
    assert parse_registration(json.dumps(fields).encode()) == Registration(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"delay_seconds": -1}', "delay_seconds is -1; it must be a number from 0 to 31,536,000"),
        ('{"delay_seconds": 31536000.1}', "delay_seconds is 31536000.1; it must be"),
        ('{"delay_seconds": "5"}', 'delay_seconds is "5"; it must be a number'),
        ('{"delay_seconds": true}', "delay_seconds is true; it must be a number"),
        ('{"delay_seconds": NaN}', "delay_seconds is NaN; it must be a number"),
        ('{"delay_seconds": 1e999}', "delay_seconds is Infinity; it must be a number"),
        ('{"delay_seconds": null}', "delay_seconds is null; it must be a number"),
        ('{"max_retry": -1}', "max_retry is -1; it must be a whole number from 0 to 1,000"),
        ('{"max_retry": 1001}', "max_retry is 1001; it must be"),
        ('{"max_retry": 1.5}', "max_retry is 1.5; it must be"),
        ('{"max_retry": true}', "max_retry is true; it must be"),
        ('{"message": 5}', "message is 5; it must be a text of at most 10,000 characters"),
        ('{"message": ["a"]}', "message is a list; it must be a text"),
        ('{"mesage": "a"}', '"mesage" is not a field; did you mean message?'),
        ('{"zzz": "a"}', '"zzz" is not a field; there are message, delay_seconds, max_retry'),
        ("[]", "The body is a list; it must be an object"),
        ("null", "The body is null; it must be an object"),
        ("{", "The body is not JSON: EOF"),
        ('{"message": "\\ud800"}', "The body is not JSON"),
        ('{"max_retry": ' + "9" * 5000 + "}", "The body is not JSON: number out of range"),
        ("[" * 100_000, "The body is not JSON: recursion limit"),
    ],
)
def test_bad_input_is_named_with_field_value_and_limit(body: str, message: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_registration(body.encode())

    assert caught.value.status == 422
    assert message in caught.value.detail


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(Problem, match="not JSON"):
        parse_registration(b'{"message": "\xff"}')


def test_a_megabyte_is_named_by_its_size_and_not_echoed() -> None:
    body = json.dumps({"message": "x" * 1_048_576, "y" * 1_000_000: 1, "z": "z" * 1_000_000})

    with pytest.raises(Problem) as caught:
        parse_registration(body.encode())

    assert "1,048,576 characters); it must be a text of at most 10,000" in caught.value.detail
    assert len(caught.value.response().body) < 2000


def test_many_errors_are_cut_short() -> None:
    body = json.dumps({f"field{i}": i for i in range(10_000)})

    with pytest.raises(Problem) as caught:
        parse_registration(body.encode())

    assert len(caught.value.response().body) < 4000
