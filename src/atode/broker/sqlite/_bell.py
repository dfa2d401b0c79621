"""How a broker hears of other processes' commits: a UDP socket, and who sleeps beside it."""

import asyncio
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._transaction import Transaction

Kind = Literal["pending", "due", "cancel", "defined"]

# Seconds of real time for which a request to be rung holds, and what must be left of it for
# a sleeper to rely on it.
_LIFETIME = 60.0
_MARGIN = 20.0

_KINDS: Mapping[bytes, Kind] = {
    b"due": "due",
    b"cancel": "cancel",
    b"defined": "defined",
}


class Listener(NamedTuple):
    """A request to be rung once: a row of the table `listeners`."""

    kind: Kind
    queue: str
    port: int
    before: float
    expires: float


class Bell(asyncio.DatagramProtocol):
    """Wakes sleepers when somebody rings its port, on the event loop where it was made.

    A request to be rung is used up by the ring, so a broker that is busy is not rung.
    A ring is only a hint: anybody on this machine may send one.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.port = 0
        self._sleepers: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._requests: dict[tuple[Kind, str], Listener] = {}
        self._transport: asyncio.BaseTransport | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    async def hang(self) -> None:
        """Take a free port. Without one nobody rings, and sleepers look for themselves."""
        try:
            self._socket.bind(("127.0.0.1", 0))
        except OSError:
            self._socket.close()
            return
        # Known before the first await: others may ask to be rung from here on, and what
        # comes early waits in the socket.
        self.port = self._socket.getsockname()[1]
        self._transport, _ = await self.loop.create_datagram_endpoint(
            lambda: self, sock=self._socket
        )

    def take_down(self) -> None:
        """Give the port back, and let no sleeper wait for it."""
        for kind in list(self._sleepers):
            self._wake(kind)
        if self._transport is not None:
            self._transport.close()
        else:
            self._socket.close()

    def sleeper(self, kind: Kind) -> asyncio.Future[None]:
        """A future that ends with the next ring of this kind; to be discarded afterwards."""
        sleeper: asyncio.Future[None] = self.loop.create_future()
        self._sleepers[kind].add(sleeper)
        return sleeper

    def discard(self, kind: Kind, sleeper: asyncio.Future[None]) -> None:
        """Forget a sleeper."""
        sleeper.cancel()
        self._sleepers[kind].discard(sleeper)

    def request(self, kind: Kind, queues: Iterable[str], before: float) -> Sequence[Listener]:
        """What has to be written so that jobs of these queues, due before an instant, ring.

        It counts as written from now on: what is rung between the commit and our hearing of
        the commit must not be forgotten. If it fails, `forget` it.
        """
        if not self.port:
            return ()
        now = time.time()
        missing: list[Listener] = []
        for queue in queues:
            request = self._requests.get((kind, queue))
            if (
                request is None
                or request.before < before
                or not now < request.expires - _MARGIN < now + _LIFETIME
            ):
                request = Listener(kind, queue, self.port, before, now + _LIFETIME)
                self._requests[kind, queue] = request
                missing.append(request)
        return missing

    def forget(self, kind: Kind) -> None:
        """Rely on no request of this kind any more."""
        for key in [key for key in self._requests if key[0] == kind]:
            del self._requests[key]

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Somebody rings."""
        kind = _KINDS.get(data, "pending")
        self.forget(kind)
        self._wake(kind)

    def _wake(self, kind: str) -> None:
        for sleeper in self._sleepers[kind]:
            if not sleeper.done():
                sleeper.set_result(None)


def listen(
    tx: Transaction, is_there: Callable[[Transaction], bool], requests: Sequence[Listener]
) -> bool:
    """Write requests, and tell whether what they ask for is there already."""
    if requests:
        tx.change(sql.HANG_UP, 0, time.time())
    for request in requests:
        tx.change(sql.LISTEN, *request)
    return is_there(tx)


def has_ready(tx: Transaction, queues: Sequence[str]) -> bool:
    """Whether a claim would find something."""
    return any(tx.row(sql.HAS_READY, queue)[0] for queue in queues)


def has_earlier(tx: Transaction, queues: Sequence[str], before: float) -> bool:
    """Whether a job is due before an instant."""
    found = (tx.row(sql.NEXT_DUE, queue)[0] for queue in queues)
    return any(due is not None and due < before for due in found)


def hang_up(tx: Transaction, port: int) -> None:
    """Take back all requests of a port."""
    tx.change(sql.HANG_UP, port, time.time())
