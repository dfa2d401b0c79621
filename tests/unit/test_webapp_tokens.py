"""Tokens that are refused, and what is said about them."""

import time
from collections.abc import Callable
from typing import Any, cast

import jwt
import pytest

from webapp.service.tokens import AUDIENCE, BadToken, Tokens

SECRET = "a secret of more than thirty-two characters, for SHA-512 more than sixty-four"
NEWER = "a newer secret, which has more than thirty-two characters, too"


def token(
    secret: str = SECRET, algorithm: str = "HS256", kid: str | None = None, **claims: object
) -> str:
    key = None if algorithm == "none" else secret
    headers = {"kid": kid} if kid else None
    claims = {name: value for name, value in ({"aud": AUDIENCE} | claims).items() if value}
    return jwt.encode(claims, cast(Any, key), algorithm, headers)  # pyright: ignore


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_an_issued_token_is_good_and_says_whose_it_is() -> None:
    tokens = Tokens(SECRET)

    assert tokens.check(tokens.issue("someone", 60)).subject == "someone"


def test_a_token_of_a_clock_that_runs_ahead_is_good() -> None:
    now = time.time()

    Tokens(SECRET).check(token(iat=now + 60, exp=now + 120))


def test_a_token_of_an_old_secret_is_good_until_that_is_taken_out() -> None:
    before = Tokens(SECRET).issue("someone", 60)

    both = Tokens(NEWER, [SECRET])
    both.check(before)
    after = both.issue("someone", 60)

    assert kid_of(after) == kid_of(Tokens(NEWER).issue("someone", 60)) != kid_of(before)
    Tokens(NEWER).check(after)
    with pytest.raises(BadToken, match="no longer in use"):
        Tokens(NEWER).check(before)


def test_a_token_that_names_no_secret_is_tried_with_all() -> None:
    foreign = token(exp=time.time() + 60)

    Tokens(NEWER, [SECRET]).check(foreign)
    with pytest.raises(BadToken, match="another secret"):
        Tokens(NEWER).check(foreign)


def test_the_name_of_a_secret_alone_proves_nothing() -> None:
    kid = kid_of(Tokens(SECRET).issue("someone", 60))

    with pytest.raises(BadToken, match="another secret"):
        Tokens(SECRET).check(token(NEWER, kid=kid, exp=time.time() + 60))
    assert kid not in SECRET


def test_a_token_is_for_one_audience() -> None:
    staging = Tokens(SECRET, audience="staging")

    with pytest.raises(BadToken, match="not for dm-jobqueue"):
        Tokens(SECRET).check(staging.issue("someone", 60))
    staging.check(staging.issue("someone", 60))


def test_a_fingerprint_is_one_tokens_and_tells_nothing_of_it() -> None:
    tokens = Tokens(SECRET)
    issued = tokens.issue("someone", 60)
    fingerprint = tokens.check(issued).fingerprint

    assert Tokens(NEWER, [SECRET]).check(issued).fingerprint == fingerprint
    assert tokens.check(tokens.issue("another", 60)).fingerprint != fingerprint
    assert fingerprint not in issued


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
        pytest.param(
            lambda: token(aud=None, exp=time.time() + 60), "needs an `aud` claim", id="for-nobody"
        ),
        pytest.param(
            lambda: token(aud="other", exp=time.time() + 60), "not for dm-jobqueue", id="for-others"
        ),
        pytest.param(lambda: token(exp="tomorrow"), "not a valid", id="bad-end"),
        pytest.param(lambda: "a.b.c", "not a valid", id="nonsense"),
        pytest.param(lambda: "ü", "not a valid", id="not-ascii"),
        pytest.param(lambda: "", "not a valid", id="empty"),
    ],
)
def test_a_bad_token_is_refused_with_the_reason(make: Callable[[], str], reason: str) -> None:
    with pytest.raises(BadToken, match=reason):
        Tokens(SECRET).check(make())
