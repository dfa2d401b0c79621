import pytest

from atode.broker.redis._address import Kind, read_address
from atode.clock import SystemClock
from atode.errors import BadOption
from atode.stores import broker_for


def test_one_server() -> None:
    address = read_address("redis://us%2Fer:p%40ss@cache:6380/2?client_name=web")

    assert address.kind is Kind.SERVER
    assert address.hosts == (("cache", 6380),)
    assert address.options == {
        "tls": False,
        "username": "us/er",
        "password": "p@ss",
        "db": 2,
        "client_name": "web",
    }


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("redis://", ("localhost", 6379)),
        ("redis://cache", ("cache", 6379)),
        ("redis://[::1]:7/", ("::1", 7)),
        ("rediss://:pw@cache/0", ("cache", 6379)),
    ],
)
def test_what_is_not_said_has_defaults(url: str, host: tuple[str, int]) -> None:
    address = read_address(url)

    assert address.hosts == (host,)
    assert address.options["db"] == 0
    assert address.options["tls"] == url.startswith("rediss")


def test_sentinels_have_passwords_of_their_own_and_the_same_encryption() -> None:
    address = read_address(
        "redis+sentinel://app:pw@s1,s2:7,[::1]/jobs/3?sentinel_password=guard&tls=true"
    )

    assert address.kind is Kind.SENTINEL
    assert address.hosts == (("s1", 26379), ("s2", 7), ("::1", 26379))
    assert address.service == "jobs"
    assert (address.options["username"], address.options["password"]) == ("app", "pw")
    assert address.options["db"] == 3
    assert address.sentinel_options["username"] is None
    assert address.sentinel_options["password"] == "guard"
    assert "db" not in address.sentinel_options
    assert address.options["tls"]
    assert address.sentinel_options["tls"]


def test_a_cluster_is_a_list_of_nodes() -> None:
    address = read_address("redis+cluster://app:pw@n1:7,n2:7,n1:7")

    assert address.kind is Kind.CLUSTER
    assert address.hosts == (("n1", 7), ("n2", 7))


def test_certificates_are_checked_unless_told_otherwise() -> None:
    assert read_address("rediss://cache").options["ssl_check_hostname"] is True
    assert read_address("rediss://cache").options["ssl_cert_reqs"] == "required"
    lax = read_address("redis+cluster://cache?tls=1&ssl_cert_reqs=none").options
    assert (lax["ssl_cert_reqs"], lax["ssl_check_hostname"]) == ("none", False)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://app:secret@cache", "starts with redis://"),
        ("app:secret@cache:6379", "starts with redis://"),
        ("redis://app:secret@cache:port", "port"),
        ("redis://app:secret@cache:99999", "port"),
        ("redis+cluster://app:secret@n1,n2:port", "port .*host 2"),
        ("redis+cluster://app:secret@[n1", "host"),
        ("redis://app:secret@cache/abc", "database"),
        ("redis://app:secret@cache/-1", "database"),
        ("redis://app:secret@cache?db=abc", "database"),
        ("redis+cluster://app:secret@n1/1", "cluster has only number 0"),
        ("redis+sentinel://app:secret@s1", "names no service"),
        ("redis+sentinel://app:secret@s1/jobs/abc", "database"),
        ("redis://app:secret@cache?timeout=5", "no option timeout"),
        ("redis://app:secret@cache?sentinel_password=secret", "for redis\\+sentinel:// only"),
        ("redis+cluster://app:secret@n1?tls=maybe", "tls .*true or false"),
        ("redis://app:secret@cache?ssl_ca_certs=/etc/ca", "needs rediss:// or tls=true"),
        ("rediss://app:secret@cache?ssl_ca_certs=/nowhere/ca", "ssl_ca_certs .*no such file"),
        ("rediss://app:secret@cache?ssl_cert_reqs=sometimes", "ssl_cert_reqs"),
        ("rediss://app:secret@cache?ssl_check_hostname=often", "ssl_check_hostname"),
        ("redis://app:se/cret@cache", "an @ after its hosts"),
        ("redis://app:secret?secret=1@cache", "an @ after its hosts"),
        ("redis://app:secret#@cache", "an @ after its hosts"),
        ("redis://app:secret\u2100@cache", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_and_no_password_is_told(url: str, part: str) -> None:
    with pytest.raises(BadOption, match=part) as caught:
        read_address(url)

    assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r}".replace("se/cret", "")


@pytest.mark.parametrize("url", ["redis+sentinel://s1,s2/jobs", "redis+cluster://n1:1,n2:2"])
def test_the_app_takes_these_urls(url: str) -> None:
    assert type(broker_for(url, SystemClock())).__name__ == "RedisBroker"


def test_the_app_does_not_tell_a_password_that_it_cannot_read() -> None:
    with pytest.raises(BadOption) as caught:
        broker_for("redis://app:secret\u2100@cache", SystemClock())

    assert "secret" not in str(caught.value)
