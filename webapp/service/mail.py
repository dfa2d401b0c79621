"""Mails, and who takes them."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Protocol

from webapp.service.failure import PermanentFailure


class HandoverUnknown(Exception):
    """The mail was on its way when the answer was lost: it may have been taken or not."""


@dataclass(frozen=True)
class Mail:
    """A mail to one person."""

    id: str
    """Its Message-ID without the part after the `@`: the same text for the same mail, so that
    whoever gets it twice can tell."""
    to_name: str
    to_address: str
    subject: str
    text: str
    date: datetime


class Mailer(Protocol):
    """Something that takes mails."""

    @property
    def safe_to_repeat(self) -> bool:
        """Whether a mail may be handed over again when nobody knows if it was taken."""
        ...

    async def send(self, mail: Mail, handover: AbstractAsyncContextManager[None]) -> None:
        """Hand a mail over.

        `handover` is entered at the last moment at which the mail is certainly not on its
        way, and left as soon as its fate is known; the errors below pass through it.

        Raises:
            TransientFailure: the mail was not taken; it may be taken later.
            PermanentFailure: the mail was refused for good.
            HandoverUnknown: the mail may have been taken or not.
        """
        ...


def as_message(mail: Mail, sender: str) -> EmailMessage:
    """The mail as it is sent.

    Raises:
        PermanentFailure: a name or an address cannot stand in a mail.
    """
    message = EmailMessage()
    try:
        domain = Address(addr_spec=sender).domain
        message["From"] = sender
        message["To"] = Address(mail.to_name, addr_spec=mail.to_address)
        message["Subject"] = mail.subject
    except (ValueError, LookupError, MessageError) as error:
        # Python's parser ends in an IndexError where it finds nothing at all.
        raise PermanentFailure(
            f"No mail can be sent to {mail.to_address!r} ({mail.to_name!r}): {error}"
        ) from error
    message["Date"] = mail.date
    message["Message-ID"] = f"<{mail.id}@{domain}>"
    # Keeps out-of-office robots from answering (RFC 3834, section 5).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
