"""Telling the operator once that a store is gone, and once that it is back."""

import logging
import time

logger = logging.getLogger("webapp.store")


class OutageLog:
    """One line when an outage begins and one when it is over, however often it is noticed."""

    def __init__(self, role: str, store: str, consequence: str) -> None:
        """`role` is what the store is to us, such as "job store"."""
        self._role = role
        self._store = store
        self._consequence = consequence
        self._since: float | None = None

    def lost(self, reason: str) -> None:
        """The store did not answer, or refused."""
        if self._since is None:
            self._since = time.monotonic()
            text = " ".join(reason.split()).rstrip(".")
            if self._store not in text:
                text = f"{self._store}: {text}"
            logger.warning("The %s is down: %s. %s", self._role, text, self._consequence)

    def back(self) -> None:
        """The store answered."""
        if self._since is not None:
            seconds = time.monotonic() - self._since
            self._since = None
            logger.info("%s is back after %.0f s", self._store, seconds)
