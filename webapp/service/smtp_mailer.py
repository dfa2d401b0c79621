"""Mails through an SMTP server."""

import asyncio
import socket
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.policy import SMTP as SMTP_LINES

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
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
                    async with handover:
                        await self._hand_over(smtp, content)
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

    async def _hand_over(self, smtp: SMTP, content: bytes) -> None:
        try:
            await smtp.data(content)
        except SMTPResponseException as error:
            raise self._failure(error) from error
        except (SMTPException, OSError) as error:
            raise HandoverUnknown(
                f"{self._name} did not say whether it took it: {error}"
            ) from error

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
