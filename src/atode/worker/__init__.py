"""Runs jobs."""

from atode.worker.worker import Worker

__all__ = ["Worker"]
