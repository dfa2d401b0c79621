"""Who may call the API, and how often: whoever brings a valid token, at a rate."""

import ipaddress
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from webapp.server.problem import Problem
from webapp.server.routes import Check
from webapp.service.rate_limiter import Rate, RateLimiter
from webapp.service.tokens import BadToken, Holder, Tokens

PAGE = "page"
"""Whose tokens are those that the page gets from us. Anybody may have as many of them as he
likes, so they are worth no more than an address."""

# Only tells OpenAPI that there is a token: what is wrong with one we say ourselves.
_SCHEME = HTTPBearer(
    bearerFormat="JWT", description="From `python -m webapp.token`", auto_error=False
)
_CHALLENGE = 'Bearer realm="dm-jobqueue"'
_CUSTOMERS_BITS = 64


@dataclass(frozen=True)
class Rates:
    """How often one caller may ask: for something, and to have something done."""

    reads: Rate
    writes: Rate


def admission(tokens: Tokens, limiter: RateLimiter, rates: Rates) -> Check:
    """A dependency that answers 429 to those who ask too often, and 401 to those without a
    valid token, who are counted too, so that nobody can try tokens at will."""

    async def admit(request: Request, _: Annotated[object, Depends(_SCHEME)]) -> None:
        try:
            holder, refusal = _holder(request, tokens), None
        except Problem as problem:
            holder, refusal = None, problem
        await _count(request, holder, limiter, rates)
        if refusal:
            raise refusal

    return admit


def _holder(request: Request, tokens: Tokens) -> Holder:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("A token is missing: send `Authorization: Bearer <token>`")
    try:
        return tokens.check(token.strip())
    except BadToken as error:
        raise _unauthorized(f"Not authorised: {error}", error="invalid_token") from None


def _unauthorized(detail: str, error: str = "") -> Problem:
    challenge = f'{_CHALLENGE}, error="{error}"' if error else _CHALLENGE
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})


async def _count(
    request: Request, holder: Holder | None, limiter: RateLimiter, rates: Rates
) -> None:
    kind, rate = ("read", rates.reads) if request.method == "GET" else ("write", rates.writes)
    if holder and holder.subject != PAGE:
        who, whose = f"token:{holder.fingerprint}", "with this token"
    else:
        who, whose = f"address:{_address(request)}", "from this address"
    if wait := await limiter.take(f"{kind}:{who}", rate):
        seconds = math.floor(wait) + 1
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"Too many {kind} requests {whose}; at most {rate} are answered. "
            f"Try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )


def _address(request: Request) -> str:
    """Who asks, as far as the network tells; in IPv6 one customer has a whole /64."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _CUSTOMERS_BITS), strict=False))
