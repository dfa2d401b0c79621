"""Bearer tokens: JSON Web Tokens, signed with HS256."""

from datetime import UTC, datetime, timedelta

import jwt
from jwt.types import Options

ALGORITHM = "HS256"


class BadToken(Exception):
    """A token that proves nothing; the text says why and what to do."""


class Tokens:
    """Signs tokens and checks them, with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def issue(self, subject: str, seconds: float) -> str:
        """A token that is good for `seconds` from now."""
        now = datetime.now(UTC)
        claims = {"sub": subject, "iat": now, "exp": now + timedelta(seconds=seconds)}
        return jwt.encode(  # pyright: ignore[reportUnknownMemberType] - keys of a package we lack
            claims, self._secret, algorithm=ALGORITHM
        )

    def check(self, token: str) -> None:
        """Return if the token is ours and still good.

        Raises:
            BadToken: it is expired, forged, signed in another way, or has no end.
        """
        try:
            # When it was issued is not checked: a clock that runs behind is no forgery.
            options = Options(require=["exp"], verify_iat=False)
            jwt.decode(  # pyright: ignore[reportUnknownMemberType] - as above
                token, self._secret, algorithms=[ALGORITHM], options=options
            )
        except jwt.ExpiredSignatureError:
            raise BadToken("the token has expired; get a new one") from None
        except jwt.InvalidAlgorithmError:
            raise BadToken(f"the token is not signed with {ALGORITHM}") from None
        except jwt.InvalidSignatureError:
            raise BadToken("the token is signed with another secret") from None
        except jwt.MissingRequiredClaimError:
            raise BadToken("the token has no end; it needs an `exp` claim") from None
        except jwt.PyJWTError:
            raise BadToken("the token is not a valid JSON Web Token") from None
