"""Tokens that are refused, and what is said about them."""

import time
from collections.abc import Callable
from typing import Any, cast

import jwt
import pytest

from webapp.service.tokens import BadToken, Tokens

SECRET = "a secret of more than thirty-two characters, for SHA-512 more than sixty-four"


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    key = None if algorithm == "none" else secret
    return jwt.encode(dict(claims), cast(Any, key), algorithm)  # pyright: ignore


def test_an_issued_token_is_good() -> None:
    tokens = Tokens(SECRET)

    tokens.check(tokens.issue("someone", 60))


def test_a_token_of_a_clock_that_runs_ahead_is_good() -> None:
    now = time.time()

    Tokens(SECRET).check(token(iat=now + 60, exp=now + 120))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda: token(exp=time.time() - 1), "expired", id="expired"),
        pytest.param(
            lambda: token("another secret, also longer than thirty-two", exp=time.time() + 60),
            "another secret",
            id="forged",
        ),
        pytest.param(
            lambda: token(algorithm="none", exp=time.time() + 60), "not signed", id="unsigned"
        ),
        pytest.param(
            lambda: token(algorithm="HS512", exp=time.time() + 60), "not signed", id="HS512"
        ),
        pytest.param(lambda: token(sub="x"), "no end", id="endless"),
        pytest.param(lambda: token(exp="tomorrow"), "not a valid", id="bad-end"),
        pytest.param(lambda: "a.b.c", "not a valid", id="nonsense"),
        pytest.param(lambda: "ü", "not a valid", id="not-ascii"),
        pytest.param(lambda: "", "not a valid", id="empty"),
    ],
)
def test_a_bad_token_is_refused_with_the_reason(make: Callable[[], str], reason: str) -> None:
    with pytest.raises(BadToken, match=reason):
        Tokens(SECRET).check(make())
