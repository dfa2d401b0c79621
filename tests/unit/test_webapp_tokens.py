"""Tokens that are refused, and what is said about them."""

import time

import jwt
import pytest

from webapp.service.tokens import BadToken, Tokens

SECRET = "a secret of more than thirty-two characters, for SHA-512 more than sixty-four"


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    key = None if algorithm == "none" else secret
    return jwt.encode(dict(claims), key, algorithm)  # pyright: ignore


def test_an_issued_token_is_good() -> None:
    tokens = Tokens(SECRET)

    tokens.check(tokens.issue("someone", 60))


def test_a_token_of_a_clock_that_runs_ahead_is_good() -> None:
    now = time.time()

    Tokens(SECRET).check(token(iat=now + 60, exp=now + 120))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (token(exp=time.time() - 1), "expired"),
        (token("another secret, also longer than thirty-two", exp=time.time() + 60), "secret"),
        (token(algorithm="none", exp=time.time() + 60), "not signed with HS256"),
        (token(algorithm="HS512", exp=time.time() + 60), "not signed with HS256"),
        (token(sub="x"), "no end"),
        (token(exp="tomorrow"), "not a valid"),
        ("a.b.c", "not a valid"),
        ("ü", "not a valid"),
        ("", "not a valid"),
    ],
)
def test_a_bad_token_is_refused_with_the_reason(bad: str, reason: str) -> None:
    with pytest.raises(BadToken, match=reason):
        Tokens(SECRET).check(bad)
