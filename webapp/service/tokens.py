"""Bearer tokens: JSON Web Tokens, signed with HS256."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options

ALGORITHM = "HS256"
AUDIENCE = "dm-jobqueue"


class BadToken(Exception):
    """A token that proves nothing; the text says why and what to do."""


@dataclass(frozen=True)
class Holder:
    """Whom a good token stands for."""

    subject: str
    fingerprint: str
    """The same for the same token, and tells nothing of it."""


class Tokens:
    """Signs tokens with one secret; checks them with that and with earlier ones.

    A token names its secret by a `kid`. One that names none is tried with all of them, so that
    others who have the secret can sign tokens, too.
    """

    def __init__(
        self, secret: str, old_secrets: Iterable[str] = (), audience: str = AUDIENCE
    ) -> None:
        self._secret = secret
        self._secrets = {_kid(each): each for each in (secret, *old_secrets)}
        self._audience = audience

    def issue(self, subject: str, seconds: float) -> str:
        """A token that is good for `seconds` from now."""
        now = datetime.now(UTC)
        claims = {
            "sub": subject,
            "aud": self._audience,
            "iat": now,
            "exp": now + timedelta(seconds=seconds),
        }
        return jwt.encode(  # pyright: ignore[reportUnknownMemberType] - keys of a package we lack
            claims, self._secret, algorithm=ALGORITHM, headers={"kid": _kid(self._secret)}
        )

    def check(self, token: str) -> Holder:
        """Who holds the token, if it is ours and still good.

        Raises:
            BadToken: it is expired, forged, signed in another way, for others, or has no end.
        """
        try:
            claims = self._claims(token)
        except jwt.ExpiredSignatureError:
            raise BadToken("the token has expired; get a new one") from None
        except jwt.InvalidAlgorithmError:
            raise BadToken(f"the token is not signed with {ALGORITHM}") from None
        except jwt.InvalidSignatureError:
            raise BadToken(
                "the token is signed with another secret, or with one that is no longer in use; "
                "get a new one"
            ) from None
        except jwt.InvalidAudienceError:
            raise BadToken(f"the token is not for {self._audience}") from None
        except jwt.MissingRequiredClaimError as error:
            raise BadToken(_missing(error.claim, self._audience)) from None
        except jwt.PyJWTError:
            raise BadToken("the token is not a valid JSON Web Token") from None
        return Holder(str(claims.get("sub", "")), _fingerprint(token))

    def _claims(self, token: str) -> Mapping[str, Any]:
        # When it was issued is not checked: a clock that runs behind is no forgery.
        options = Options(require=["exp", "aud"], verify_iat=False)
        for secret in self._candidates(token):
            try:
                return jwt.decode(  # pyright: ignore[reportUnknownMemberType] - as above
                    token,
                    secret,
                    algorithms=[ALGORITHM],
                    options=options,
                    audience=self._audience,
                )
            except jwt.InvalidSignatureError:
                continue
        raise jwt.InvalidSignatureError

    def _candidates(self, token: str) -> Iterable[str]:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != ALGORITHM:
            raise jwt.InvalidAlgorithmError
        if "kid" not in header:
            return self._secrets.values()
        return [self._secrets[header["kid"]]] if header["kid"] in self._secrets else []


def _kid(secret: str) -> str:
    """A secret's name: it need not be configured, and cannot be turned back."""
    return hmac.new(secret.encode(), b"kid", hashlib.sha256).hexdigest()[:12]


def _fingerprint(token: str) -> str:
    # Without the signature: that can be written in several ways, and what it signs cannot.
    return hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()[:32]


def _missing(claim: str, audience: str) -> str:
    if claim == "exp":
        return "the token has no end; it needs an `exp` claim"
    return f"the token does not say whom it is for; it needs an `aud` claim of {audience!r}"
