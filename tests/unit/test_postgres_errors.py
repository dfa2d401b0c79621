import asyncpg

from atode.broker.postgres._failures import is_broken, translated
from atode.errors import BrokerUnavailable


def test_a_connection_that_is_ended_while_it_is_used_is_an_outage() -> None:
    # What asyncpg says when the server's farewell comes together with the next statement.
    error = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is …")

    assert is_broken(error)
    assert isinstance(translated(error, "db:5432", 10), BrokerUnavailable)
