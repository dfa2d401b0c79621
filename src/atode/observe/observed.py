"""What is observed of an app."""

from typing import Protocol

from atode.broker.protocol import Broker
from atode.events import Events
from atode.registry import Registry


class Observed(Protocol):
    """`Atode` has all of this."""

    events: Events
    registry: Registry

    @property
    def broker(self) -> Broker:
        """The store, for use on the running event loop."""
        ...
