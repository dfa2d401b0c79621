"""Encrypted connections, with an authority of our own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import State
from tests.integration.plain_job import a_job
from tests.integration.redis.every_call import CALLS
from tests.servers.certificates import Certificates
from tests.servers.redis import RedisServer, needs_tls
from tests.servers.redis_cluster import RedisCluster
from tests.servers.redis_store import RedisStore


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    needs_tls()
    return Certificates(tmp_path)


@pytest.fixture
def server(certificates: Certificates) -> Iterator[RedisServer]:
    # It has a plain port too, by which it is watched.
    with RedisServer(*certificates.server_options, tls=True) as server:
        yield server


async def test_every_call_goes_through_an_encrypted_connection(
    certificates: Certificates, server: RedisServer
) -> None:
    broker = RedisBroker(
        f"rediss://127.0.0.1:{server.tls_port}/1?ssl_ca_certs={certificates.authority}"
    )
    await broker.enqueue([a_job("j1")])
    for call in CALLS.values():
        await asyncio.wait_for(call(broker), 10)
    await broker.close()


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(server: RedisServer) -> None:
    await _is_not_trusted(f"rediss://127.0.0.1:{server.tls_port}", "certificate verify failed")


async def test_a_certificate_of_another_server_is_not_trusted(tmp_path: Path) -> None:
    needs_tls()
    certificates = Certificates(tmp_path, "DNS:other.example")
    with RedisServer(*certificates.server_options, tls=True) as server:
        url = f"rediss://127.0.0.1:{server.tls_port}?ssl_ca_certs={certificates.authority}"
        await _is_not_trusted(url, "certificate verify failed")
        await _works(url + "&ssl_check_hostname=false")
        await _works(f"rediss://127.0.0.1:{server.tls_port}?ssl_cert_reqs=none")


async def test_a_server_may_want_to_see_a_certificate(certificates: Certificates) -> None:
    options = (*certificates.server_options, "--tls-auth-clients", "yes")
    with RedisServer(*options, tls=True) as server:
        url = f"rediss://127.0.0.1:{server.tls_port}?ssl_ca_certs={certificates.authority}"
        await _works(f"{url}&{certificates.client_query}")
        await _is_not_trusted(url, "certificate required|closed the connection")


async def test_user_and_password_go_through_an_encrypted_connection(
    certificates: Certificates, server: RedisServer
) -> None:
    with RedisStore(server.url) as store:
        store.do("ACL", "SETUSER", "app", "on", ">p@ss", "~asynq:*", "allchannels", "+@all")
        store.do("ACL", "SETUSER", "default", "off")
    end = f"127.0.0.1:{server.tls_port}?ssl_ca_certs={certificates.authority}"

    await _works(f"rediss://app:p%40ss@{end}")
    with pytest.raises(BrokerRefused, match="does not accept the user name or password"):
        await _works(f"rediss://app:wrong@{end}")


async def test_a_plain_connection_to_an_encrypted_port_is_unavailable(server: RedisServer) -> None:
    await _is_not_trusted(f"redis://127.0.0.1:{server.tls_port}", "closed the connection")


async def test_the_nodes_of_a_cluster_are_reached_by_their_encrypted_ports(
    certificates: Certificates,
) -> None:
    with RedisCluster(*certificates.server_options, tls=True) as cluster:
        hosts = ",".join(f"127.0.0.1:{node.tls_port}" for node in cluster.nodes)
        query = f"?tls=true&ssl_ca_certs={certificates.authority}"
        broker = RedisBroker(f"redis+cluster://{hosts}{query}")

        await broker.enqueue([a_job("j", f"queue{n}") for n in range(9)])
        for n in range(9):
            await broker.wait([f"queue{n}"], at_most=10)
            assert (await broker.counts(f"queue{n}"))[State.PENDING] == 1
        await broker.close()


async def _works(url: str) -> None:
    broker = RedisBroker(url)
    try:
        await broker.counts("default")
    finally:
        await broker.close()


async def _is_not_trusted(url: str, reason: str) -> None:
    with pytest.raises(BrokerUnavailable, match=reason):
        await _works(url)
