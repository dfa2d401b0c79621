"""What settings must be together, beyond what each must be by itself."""

from collections.abc import Iterable, Iterator

from webapp.settings.choices import RateLimitStorage
from webapp.settings.environment import Environment
from webapp.settings.key import KEYS
from webapp.settings.model import DEVELOPMENT_SECRET, SHORTEST_SECRET, Settings

_A_NEW_ONE = (
    f"to a random text of at least {SHORTEST_SECRET} characters, such as the output of "
    "`openssl rand -base64 48`"
)


def exposed_secrets(environment: Environment, names: Iterable[str]) -> Iterator[str]:
    """Complaints about secrets among the settings that stand in committed files."""
    if not environment.is_public:
        return
    for name in names:
        if KEYS[name].is_secret:
            variable = KEYS[name].variable
            yield (
                f"{name} is a secret and must not stand in {KEYS[name].file} of {environment}: "
                f"set the environment variable {variable}, or {variable}_FILE to a file's path"
            )


def contradictions(settings: Settings) -> Iterator[str]:
    """Complaints about settings that do not fit each other or the environment."""
    yield from _weak_secrets(settings)
    counts_in_redis = settings.rate_limit.storage is RateLimitStorage.REDIS
    if counts_in_redis and not settings.redis.default.cluster.addrs:
        yield (
            "rate_limit.storage is redis, but redis.default.cluster.addrs is empty: name one "
            "server or the servers of a cluster there, or set rate_limit.storage to memory"
        )


def _weak_secrets(settings: Settings) -> Iterator[str]:
    if not settings.environment.is_public:
        return
    where = f"and {settings.environment} has no built-in one"
    variable = KEYS["auth.secret"].variable
    ways = f"set the environment variable {variable}, or the file that {variable}_FILE names,"
    if not settings.auth.secret.get_secret_value():
        yield f"auth.secret is not set, {where}: {ways} {_A_NEW_ONE}"
    elif settings.token_secret == DEVELOPMENT_SECRET:
        yield f"auth.secret is the one for development, which everybody knows: {ways} {_A_NEW_ONE}"
    if DEVELOPMENT_SECRET in settings.old_token_secrets:
        yield "auth.old_secrets has the one for development, which everybody knows: take it out"
