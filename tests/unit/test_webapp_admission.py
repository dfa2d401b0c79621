"""Who is counted with whom, and the headers of every answer."""

from collections.abc import Mapping

import httpx
import pytest
from fastapi import Depends, FastAPI

from webapp.server.admission import PAGE, Rates, admission
from webapp.server.problem import answer_problems
from webapp.server.security_headers import HEADERS, SecurityHeaders
from webapp.service.limits_rate_limiter import counted_here
from webapp.service.rate_limiter import Rate
from webapp.service.tokens import Tokens

TOKENS = Tokens("a secret of more than thirty-two characters")
ONE_A_DAY = Rate.parse("1/day")


def application() -> FastAPI:
    app = FastAPI()
    check = admission(TOKENS, counted_here(), Rates(ONE_A_DAY, ONE_A_DAY))

    @app.api_route("/", methods=["GET", "POST"], dependencies=[Depends(check)])
    async def root() -> str:
        return "ok"

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("nobody thought of that")

    answer_problems(app)
    return app


class Callers:
    """Ask one application from several addresses."""

    def __init__(self) -> None:
        self._app = SecurityHeaders(application())

    async def ask(
        self, address: str, token: str = "", *, method: str = "GET", url: str = "http://here/"
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=(address, 1), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, headers=headers)

    async def status(self, address: str, token: str = "", *, method: str = "GET") -> int:
        return (await self.ask(address, token, method=method)).status_code


@pytest.fixture
def callers() -> Callers:
    return Callers()


async def test_each_token_is_counted_by_itself_wherever_it_comes_from(callers: Callers) -> None:
    first, second = TOKENS.issue("first", 60), TOKENS.issue("second", 60)

    assert await callers.status("10.0.0.1", first) == 200
    assert await callers.status("10.0.0.2", first) == 429
    assert await callers.status("10.0.0.1", second) == 200


async def test_reading_and_writing_are_counted_apart(callers: Callers) -> None:
    token = TOKENS.issue("someone", 60)

    assert await callers.status("10.0.0.1", token) == 200
    assert await callers.status("10.0.0.1", token, method="POST") == 200
    assert await callers.status("10.0.0.1", token, method="POST") == 429


async def test_a_refusal_says_how_often_and_when_again(callers: Callers) -> None:
    token = TOKENS.issue("someone", 60)
    await callers.ask("10.0.0.1", token, method="POST")

    answer = await callers.ask("10.0.0.1", token, method="POST")

    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    seconds = int(answer.headers["retry-after"])
    assert 0 < seconds <= 86_400
    assert answer.json()["detail"] == (
        "Too many write requests with this token; at most 1 per day are answered. "
        f"Try again in {seconds} s"
    )


async def test_without_a_good_token_an_address_is_counted(callers: Callers) -> None:
    assert await callers.status("10.0.0.1", "guess") == 401
    assert await callers.status("10.0.0.1", "another guess") == 429
    assert await callers.status("10.0.0.1") == 429
    assert await callers.status("10.0.0.2") == 401
    # Whoever shares an address with a guesser is not shut out.
    assert await callers.status("10.0.0.1", TOKENS.issue("someone", 60)) == 200


async def test_tokens_that_anybody_gets_are_worth_an_address(callers: Callers) -> None:
    assert await callers.status("10.0.0.1", TOKENS.issue(PAGE, 60)) == 200
    assert await callers.status("10.0.0.1", TOKENS.issue(PAGE, 61)) == 429
    assert await callers.status("10.0.0.2", TOKENS.issue(PAGE, 62)) == 200


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", 429),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", 401),
        ("::ffff:10.0.0.1", "10.0.0.1", 429),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", 401),
        ("not an address", "nor this", 429),
    ],
)
async def test_a_customer_of_ipv6_is_one_caller(
    callers: Callers, first: str, second: str, status: int
) -> None:
    assert await callers.status(first) == 401
    assert await callers.status(second) == status


@pytest.mark.parametrize("path", ["", "bug", "nothing"])
async def test_every_answer_has_the_headers_even_to_a_bug(callers: Callers, path: str) -> None:
    answer = await callers.ask("10.0.0.1", url=f"http://here/{path}")

    assert answer.status_code in (401, 404, 500)
    assert HEADERS.items() <= dict(_capitalised(answer.headers)).items()
    assert answer.headers["cache-control"] == "no-store"
    assert "nobody thought" not in answer.text


async def test_https_is_insisted_on_only_where_it_is_spoken(callers: Callers) -> None:
    plain = await callers.ask("10.0.0.1")
    encrypted = await callers.ask("10.0.0.1", url="https://here/")

    assert "strict-transport-security" not in plain.headers
    assert encrypted.headers["strict-transport-security"] == "max-age=31536000"


def _capitalised(headers: Mapping[str, str]) -> Mapping[str, str]:
    known = {name.lower(): name for name in HEADERS}
    return {known.get(name, name): value for name, value in headers.items()}
