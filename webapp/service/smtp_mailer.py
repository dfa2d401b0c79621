"""Mails through an SMTP server."""

import asyncio
import re
import socket
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.policy import SMTP as SMTP_LINES

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPStatus,
)

from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.mail import HandoverUnknown, Mail, as_message


@dataclass(frozen=True)
class SmtpServer:
    """Where mails are handed in, and how."""

    host: str
    port: int
    encryption: str
    """`none`, `starttls` (required, not merely welcome) or `tls`."""
    user: str
    password: str
    timeout: float
    """Seconds for each step of the conversation."""
    connections: int
    """Conversations at a time."""


class SmtpMailer:
    """One conversation for each mail, a few at a time."""

    def __init__(self, server: SmtpServer, sender: str, *, safe_to_repeat: bool) -> None:
        self._server = server
        self._sender = sender
        self._free = asyncio.Semaphore(server.connections)
        self.safe_to_repeat = safe_to_repeat

    async def send(self, mail: Mail, handover: AbstractAsyncContextManager[None]) -> None:
        content = as_message(mail, self._sender).as_bytes(policy=SMTP_LINES)
        async with self._free:
            try:
                async with self._conversation() as smtp:
                    await smtp.mail(self._sender)
                    await smtp.rcpt(mail.to_address)
                    await self._hand_over(smtp, content, handover)
            except (SMTPException, OSError, ValueError) as error:
                # Before the handover, so that nothing was sent.
                raise self._failure(error) from error

    def _conversation(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.encryption == "tls",
            start_tls=server.encryption == "starttls",
            timeout=server.timeout,
            # Without it, a slow name server would hold up each mail.
            local_hostname=socket.gethostname(),
        )

    async def _hand_over(
        self, smtp: SMTP, content: bytes, handover: AbstractAsyncContextManager[None]
    ) -> None:
        # The library's `data()` asks whether the mail is welcome and sends it in one go. Here
        # the handover begins in between, so that as little as possible can be in doubt.
        answer = await smtp.execute_command(b"DATA")
        if answer.code != SMTPStatus.start_input:
            raise SMTPDataError(answer.code, answer.message)
        try:
            async with handover:
                await self._transmit(smtp, content)
        except BaseException:
            # The server waits for the rest of a mail, and would take QUIT for a part of it.
            smtp.close()
            raise

    async def _transmit(self, smtp: SMTP, content: bytes) -> None:
        try:
            if smtp.protocol is None:
                raise SMTPServerDisconnected("Connection lost")
            # A line of one dot ends the mail (RFC 5321, section 4.5.2).
            smtp.protocol.write(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
            answer = await smtp.protocol.read_response(timeout=self._server.timeout)
        except (SMTPException, OSError) as error:
            text = f"{self._name} did not say whether it took the mail: {error}"
            raise HandoverUnknown(text) from error
        if answer.code != SMTPStatus.completed:
            raise self._failure(SMTPDataError(answer.code, answer.message))

    def _failure(self, error: Exception) -> TransientFailure | PermanentFailure:
        if isinstance(error, SMTPRecipientsRefused) and error.recipients:
            error = error.recipients[0]
        if isinstance(error, SMTPResponseException):
            # RFC 5321, section 4.2.1: 4yz may be tried again as it is, 5yz may not.
            kind = PermanentFailure if error.code >= 500 else TransientFailure
            return kind(f"{self._name} answered {error.code} {' '.join(error.message.split())}")
        if isinstance(error, SMTPNotSupported | ValueError):
            return PermanentFailure(f"{self._name}: {error}")
        return TransientFailure(f"{self._name}: {error or type(error).__name__}")

    @property
    def _name(self) -> str:
        return f"The SMTP server {self._server.host}:{self._server.port}"
