"""The one place where errors of asyncpg and the network become ours."""

import asyncio

import asyncpg

from atode.errors import BrokerError, BrokerRefused, BrokerUnavailable

# The first two characters of an SQLSTATE are its class.
_CONNECTION = "08"
_RESOURCES = "53"  # disk full, out of memory, too many connections
_ENDED = frozenset({"57P01", "57P02", "57P03", "57P05"})  # shut down, crashed, starting, idle
_PASSING = frozenset(
    {
        "25006",  # read-only: a standby, or a master that became one
        "40001",  # could not be serialized
        "40P01",  # deadlock
        "55P03",  # a lock was not available in time
        "57014",  # cancelled by somebody, or by statement_timeout
        "58030",  # input/output error
    }
)
_CREDENTIALS = frozenset({"28000", "28P01"})
_MISSING = frozenset({"3F000", "42P01", "42883", "42703"})
_RIGHTS = "42501"
_PROTOCOL = "08P01"

OutOfStep = asyncpg.InternalClientError
"""The server has spoken out of turn, as when it ends a connection in the moment in which that
is used again."""


class Dropped(Exception):
    """A connection broke before the answer was complete; the statement may have been run."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def is_broken(error: Exception) -> bool:
    """Whether the error is about the connection, not an answer of the server or a timeout."""
    if isinstance(error, asyncpg.PostgresError):
        state = _state(error)
        return state.startswith(_CONNECTION) or state in _ENDED
    if isinstance(error, (TimeoutError, ValueError)):
        return False
    return isinstance(
        error, (OSError, asyncpg.InterfaceError, OutOfStep, asyncio.IncompleteReadError)
    )


def is_conflict(error: Exception) -> bool:
    """Whether two transactions were in each other's way, so that the same will soon succeed."""
    return _state(error) in {"40001", "40P01"}


def translated(error: Exception, place: str, timeout: float) -> BrokerError:
    """What to raise for `error`; the caller chains it.

    The texts hold the server's address and its own words, never the URL: that has a password.
    """
    where = f"PostgreSQL at {place}"
    state = _state(error)
    if isinstance(error, TimeoutError):
        return BrokerUnavailable(f"{where} did not answer within {timeout:g} s")
    if state in _CREDENTIALS:
        return BrokerRefused(f"{where} does not accept the user name or password: {error}")
    if state == "3D000":
        return BrokerRefused(f"{where}: {error}; create the database first")
    if state == _RIGHTS:
        return BrokerRefused(
            f"{where}: {error}; grant it, or have an owner run `atode migrate` and add "
            "?migrate=never to the URL"
        )
    if state == _PROTOCOL and "startup parameter" in str(error):
        return BrokerRefused(
            f"{where} is a pooler that lets no settings through ({error}); add "
            "?statement_cache_size=0 to the URL"
        )
    if state in _MISSING:
        return BrokerRefused(f"{where}: {error}; run `atode migrate`, or check ?schema= in the URL")
    if state in _PASSING or state.startswith(_RESOURCES):
        return BrokerUnavailable(f"{where} cannot serve this now: {error}")
    if state in _ENDED or state.startswith(_CONNECTION):
        return BrokerUnavailable(f"{where} is not there now: {error}")
    if isinstance(error, OSError):
        return BrokerUnavailable(f"{where} cannot be reached: {error}")
    if isinstance(error, (asyncpg.InterfaceError, OutOfStep)) and not isinstance(error, ValueError):
        return BrokerUnavailable(f"{where} closed the connection: {error}")
    return BrokerRefused(f"{where} does not take this: {error}")


def _state(error: Exception) -> str:
    return str(getattr(error, "sqlstate", None) or "")
