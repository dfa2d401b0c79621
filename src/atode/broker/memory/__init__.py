"""The broker protocol in plain dictionaries."""

from atode.broker.memory.broker import MemoryBroker

__all__ = ["MemoryBroker"]
