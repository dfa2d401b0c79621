"""A real SMTP server that keeps what it gets, and answers what a test wants."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.redis import free_port


class MailServer:
    """One server on a free port of the loopback; it may be stopped and started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.refusals: list[str] = []
        """Answers to the next mails, one for each, before mails are taken."""
        self.bad_addresses: dict[str, str] = {}
        """Answers to recipients that are never taken."""
        self.hangs_up = False
        """Whether to keep the mail and close the connection instead of an answer."""
        self.answers = threading.Event()
        """While it is not set, mails are kept and their answers held back."""
        self.answers.set()
        self.conversations = 0
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.set()
        self.stop()

    def start(self) -> None:
        self._controller = Controller(_Handler(self), hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        controller, self._controller = self._controller, None
        if controller:
            controller.stop()

    @property
    def recipients(self) -> Counter[str]:
        """How many mails each address got."""
        return Counter(mail["To"].addresses[0].addr_spec for mail in [*self.mails])

    @property
    def ids(self) -> Sequence[str]:
        """Their Message-IDs."""
        return [str(mail["Message-ID"]) for mail in [*self.mails]]


class _Handler:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._server.bad_addresses.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, smtp: SMTP, session: Session, envelope: Envelope
    ) -> str:
        server = self._server
        server.conversations += 1
        if server.refusals:
            return server.refusals.pop(0)
        content = cast(bytes, envelope.content)
        server.mails.append(message_from_bytes(content, policy=default))
        while not server.answers.is_set():
            await asyncio.sleep(0.01)
        if server.hangs_up:
            assert isinstance(smtp.transport, asyncio.Transport)
            smtp.transport.abort()
        return "250 OK"
