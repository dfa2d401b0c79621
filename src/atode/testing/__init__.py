"""Tools for testing code that uses atode."""

from atode.testing.clock import FakeClock

__all__ = ["FakeClock"]
