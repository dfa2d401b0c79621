"""Mails that stay here: a folder of files instead of a server, for the demo."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from typing import Protocol

from webapp.service.failure import TransientFailure
from webapp.service.mail import Mail, as_message


@dataclass(frozen=True)
class OutboxMail:
    """A mail that was not really sent."""

    id: str
    """Its Message-ID."""
    to: str
    subject: str
    date: datetime | None
    text: str


class Outbox(Protocol):
    """The mails."""

    async def newest(self, limit: int) -> Sequence[OutboxMail]:
        """Up to `limit` mails, the last one first."""
        ...


class OutboxFolder:
    """Writes each mail into a file of its own, named by its Message-ID."""

    safe_to_repeat = True  # The same mail is the same file.

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail, handover: AbstractAsyncContextManager[None]) -> None:
        message = as_message(mail, self._sender)
        async with handover:
            try:
                await asyncio.to_thread(self._write, message)
            except OSError as error:
                raise TransientFailure(f"The outbox {self._folder}: {error}") from error

    async def newest(self, limit: int) -> Sequence[OutboxMail]:
        return await asyncio.to_thread(self._read, limit)

    def _write(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(message["Message-ID"].encode()).hexdigest()[:32]
        # Whole or not at all, whenever this process ends.
        descriptor, draft = tempfile.mkstemp(dir=self._folder, suffix=".draft")
        with os.fdopen(descriptor, "wb") as file:
            file.write(message.as_bytes(policy=SMTP))
        os.replace(draft, self._folder / f"{name}.eml")

    def _read(self, limit: int) -> Sequence[OutboxMail]:
        # A file may be replaced or go while we look.
        dated = [(_written_at(path), path) for path in self._folder.glob("*.eml")]
        newest = sorted(dated, reverse=True)[:limit]
        return [_mail(path.read_bytes()) for _, path in newest if path.exists()]


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _mail(content: bytes) -> OutboxMail:
    message = message_from_bytes(content, policy=default)
    body = message.get_body(("plain",))
    return OutboxMail(
        id=str(message["Message-ID"]),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=message["Date"].datetime if message["Date"] else None,
        text=body.get_content() if body else "",
    )
