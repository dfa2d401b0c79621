"""Where files of reports are kept."""

from typing import Protocol


class ReportFiles(Protocol):
    """Files by key, such as `monthly/2026-10.pdf`."""

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store a file, whole or not at all; one of the same key is replaced.

        Raises:
            TransientFailure: the store cannot be used now.
            PermanentFailure: the store refuses, and will go on to.
        """
        ...

    async def get(self, key: str) -> bytes | None:
        """A file's content, or None if there is none of this key.

        Raises:
            TransientFailure, PermanentFailure: as for `put`.
        """
        ...
