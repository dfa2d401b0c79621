import pytest
from redis import exceptions

from atode.broker.redis._failures import translated
from atode.broker.redis.broker import RedisBroker
from atode.errors import BadOption, BrokerRefused, BrokerUnavailable

PASSING = [
    exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
    exceptions.ReadOnlyError("You can't write against a read only replica."),
    exceptions.MasterDownError("Link with MASTER is down"),
    exceptions.TryAgainError("Multiple keys request during rehashing of slot"),
    exceptions.ClusterDownError("The cluster is down"),
    exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
    exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."),
    exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    # How Redis 6.2 tells of an error inside a script.
    exceptions.ResponseError(
        "Error running script (call to f_1): @user_script:1: @user_script: 1: "
        "-OOM command not allowed when used memory > 'maxmemory'."
    ),
    exceptions.ConnectionError("Connection closed by server."),
    exceptions.TimeoutError("Timeout reading from socket"),
    TimeoutError(),
    ConnectionRefusedError(111, "Connection refused"),
]
FINAL = [
    exceptions.AuthenticationError("invalid username-password pair or user is disabled."),
    exceptions.NoPermissionError("this user has no permissions to run the command"),
    exceptions.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass_means_unavailable(error: Exception) -> None:
    assert isinstance(translated(error, "cache:6379", 5), BrokerUnavailable)


@pytest.mark.parametrize("error", FINAL, ids=repr)
def test_what_will_not_pass_means_refused(error: Exception) -> None:
    assert isinstance(translated(error, "cache:6379", 5), BrokerRefused)


def test_a_refused_connection_is_told_in_plain_words() -> None:
    error = exceptions.ConnectionError("Error 111 connecting to cache:6379. Connect call failed")
    error.__cause__ = ConnectionRefusedError(111, "Connect call failed")

    text = str(translated(error, "cache:6379", 5))

    assert text == "Redis at cache:6379 refused the connection"


def test_silence_is_told_with_the_limit() -> None:
    text = str(translated(TimeoutError(), "cache:6379", 5))

    assert text == "Redis at cache:6379 did not answer within 5 s"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@cache:6379",
        "redis://user:secret@cache:port",
        "redis://user:secret@cache:99999",
        "cache:6379",
        "",
    ],
)
def test_a_url_that_is_not_redis_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadOption) as caught:
        RedisBroker(url)

    assert "secret" not in str(caught.value)
