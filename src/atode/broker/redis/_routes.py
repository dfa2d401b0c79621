"""From a URL to the way to Redis that it names."""

from atode.broker.redis._address import Kind, read_address
from atode.broker.redis._cluster import Cluster
from atode.broker.redis._link import Link, Server
from atode.broker.redis._sentinels import Sentinels


def link_to(url: str) -> Link:
    """Not connected yet; BadOption says which part of the URL is wrong."""
    address = read_address(url)
    match address.kind:
        case Kind.SENTINEL:
            return Sentinels(address)
        case Kind.CLUSTER:
            return Cluster(address)
        case Kind.SERVER:
            [(host, port)] = address.hosts
            return Server(host, port, address.options)
