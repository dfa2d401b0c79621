"""What every part of the memory broker stands on."""

from atode.broker.memory.store import Store
from atode.clock import Clock


class Memory:
    """This process's memory as one broker sees it: what all siblings share, and the time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
