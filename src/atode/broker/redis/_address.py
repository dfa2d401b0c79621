"""What a Redis URL says: which servers, and how to be let in."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from atode.errors import BadOption


class Kind(StrEnum):
    """What the hosts of a URL are."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


_KINDS = {
    "redis": Kind.SERVER,
    "rediss": Kind.SERVER,
    "redis+sentinel": Kind.SENTINEL,
    "redis+cluster": Kind.CLUSTER,
}
_PORT = 6379
_SENTINEL_PORT = 26379

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS = (*_FILES, "ssl_ca_path", "ssl_password", "ssl_ciphers", "ssl_cert_reqs")
_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Address(NamedTuple):
    """Where to begin, and with what."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    """The server, the sentinels, or the nodes of the cluster that are asked first."""
    options: Mapping[str, Any]
    """For connections to the servers that have the jobs, in redis-py's words."""
    service: str = ""
    """The name under which the sentinels watch the master."""
    sentinel_options: Mapping[str, Any] = {}
    """For connections to the sentinels."""


def read_address(url: str) -> Address:
    """What `url` means.

    Raises:
        BadOption: which part of it is wrong. Parts that could be a password with an
            unescaped character in it are not quoted.
    """
    parts = _split(url)
    kind = _KINDS[parts.scheme]
    given = _given(parts.query)
    tls = parts.scheme == "rediss" or _switch("tls", given.pop("tls", "false"))
    secrets = {name: given.pop(name, "") for name in ("sentinel_username", "sentinel_password")}
    if kind != Kind.SENTINEL and any(secrets.values()):
        raise BadOption("sentinel_username and sentinel_password are for redis+sentinel:// only")
    base = _base(given, tls)
    service, database = _path(kind, unquote(parts.path).strip("/"), given.pop("db", ""))
    if given:
        raise BadOption(
            f"a Redis URL has no option {', '.join(sorted(given))}; there are tls, db, "
            f"client_name, ssl_check_hostname, {', '.join(_TLS)}, sentinel_username and "
            "sentinel_password"
        )
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    return Address(
        kind,
        _hosts(hosts, _SENTINEL_PORT if kind == Kind.SENTINEL else _PORT),
        base | _login(unquote(user), unquote(password)) | {"db": database},
        service,
        base | _login(secrets["sentinel_username"], secrets["sentinel_password"]),
    )


def host_and_port(host: str, port: int) -> str:
    """As people write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(url: str) -> SplitResult:
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in _KINDS:
        raise BadOption(
            "a Redis URL starts with redis://, rediss://, redis+sentinel:// or redis+cluster://"
            + (f", not {scheme[:20]}://" if mark else "")
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadOption("the Redis URL has a host that cannot be read") from None
    if "@" in rest.replace(parts.netloc, "", 1):
        raise BadOption(
            "the Redis URL has an @ after its hosts; in user names, passwords and options, "
            "write % and two hexadecimal digits for / ? # and @"
        )
    return parts


def _given(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _base(given: dict[str, str], tls: bool) -> dict[str, Any]:
    """What all connections have in common; taken out of `given`."""
    base: dict[str, Any] = {"tls": tls}
    if "client_name" in given:
        base["client_name"] = given.pop("client_name")
    names = [name for name in (*_TLS, "ssl_check_hostname") if name in given]
    if names and not tls:
        raise BadOption(f"{', '.join(names)} in the Redis URL needs rediss:// or tls=true")
    if not tls:
        return base
    checked = given.pop("ssl_check_hostname", "true")
    base |= {name: given.pop(name) for name in _TLS if name in given}
    for name in _FILES:
        if name in base and not Path(base[name]).is_file():
            raise BadOption(f"{name} in the Redis URL is {base[name]!r}, and there is no such file")
    level = base.setdefault("ssl_cert_reqs", "required")
    if level not in ("required", "optional", "none"):
        raise BadOption("ssl_cert_reqs in the Redis URL must be required, optional or none")
    base["ssl_check_hostname"] = level == "required" and _switch("ssl_check_hostname", checked)
    return base


def _path(kind: Kind, path: str, option: str) -> tuple[str, int]:
    service, _, database = path.partition("/") if kind == Kind.SENTINEL else ("", "", path)
    if kind == Kind.SENTINEL and not service:
        raise BadOption(
            "the Redis URL names no service: redis+sentinel://host:port,host:port/service"
        )
    # A query option beats the path, as in redis-py.
    database = option or database or "0"
    if not (database.isascii() and database.isdecimal()):
        raise BadOption("the Redis URL has a database that is not a number")
    if kind == Kind.CLUSTER and int(database):
        raise BadOption("the Redis URL has a database, but a cluster has only number 0")
    return service, int(database)


def _login(user: str, password: str) -> dict[str, Any]:
    return {"username": user or None, "password": password or None}


def _hosts(netloc: str, default: int) -> tuple[tuple[str, int], ...]:
    hosts = [_host(part, n, default) for n, part in enumerate(netloc.split(","), 1)]
    return tuple(dict.fromkeys(hosts))


def _host(part: str, place: int, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{part}")
        port = parts.port
    except ValueError:
        raise BadOption(
            f"the Redis URL has a port that is not a number from 0 to 65535 (host {place})"
        ) from None
    return parts.hostname or "localhost", default if port is None else port


def _switch(name: str, text: str) -> bool:
    if text.lower() not in _SWITCHES:
        raise BadOption(f"{name} in the Redis URL must be true or false")
    return _SWITCHES[text.lower()]
