"""The one place where errors of redis-py and the network become ours."""

import re

from redis import exceptions

from atode.errors import BrokerError, BrokerRefused, BrokerUnavailable

# Redis says these while it starts, fails over, is overloaded or full: the same call may
# succeed later. Inside a script's error the word may stand anywhere in the text.
_PASSING = re.compile(
    r"\b(LOADING|READONLY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN|NOREPLICAS|OOM|BUSY|MISCONF|UNBLOCKED)\b"
)
_PASSING_TYPES = (
    exceptions.BusyLoadingError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.OutOfMemoryError,
)
_CREDENTIALS = (exceptions.AuthenticationError, exceptions.AuthorizationError)


class Dropped(Exception):
    """A connection broke before the answer was complete; the command may have been run."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def is_broken(error: Exception) -> bool:
    """Whether the error is about the connection, not an answer of the server or a timeout."""
    if isinstance(error, (exceptions.BusyLoadingError, *_CREDENTIALS)):
        return False
    return isinstance(
        error, (exceptions.ConnectionError, exceptions.InvalidResponse, OSError)
    ) and (not isinstance(error, TimeoutError))


def has_moved(error: BrokerError) -> bool:
    """Whether a node of a cluster said that another one has the keys now."""
    return isinstance(error.__cause__, exceptions.AskError)


def translated(error: Exception, address: str, timeout: float) -> BrokerError:
    """What to raise for `error`; the caller chains it.

    The texts hold the server's address and its own words, never the URL: that has a password.
    """
    where = f"Redis at {address}"
    if isinstance(error, _CREDENTIALS):
        return BrokerRefused(f"{where} does not accept the user name or password: {error}")
    if isinstance(error, (TimeoutError, exceptions.TimeoutError)):
        return BrokerUnavailable(f"{where} did not answer within {timeout:g} s")
    if isinstance(error, exceptions.AskError):
        return BrokerUnavailable(
            f"{where} is a node of a cluster that does not have this key, or not whole, now; "
            "a URL that starts with redis+cluster:// finds the one that has it"
        )
    if isinstance(error, _PASSING_TYPES) or _PASSING.search(str(error)):
        return BrokerUnavailable(f"{where} cannot serve this now: {error}")
    if isinstance(error, (exceptions.ConnectionError, exceptions.InvalidResponse, OSError)):
        return BrokerUnavailable(f"{where} {_how(error)}")
    return BrokerRefused(f"{where} refused a command: {error}")


def _how(error: Exception) -> str:
    # redis-py wraps the system's error in one of its own and raises that "from" or during
    # the handling of the first.
    first = error.__cause__ or error.__context__ or error
    if isinstance(first, ConnectionRefusedError) or "refused" in str(error):
        return "refused the connection"
    if "closed" in str(error).lower() or isinstance(first, ConnectionResetError):
        return "closed the connection"
    return f"cannot be reached: {error}"
