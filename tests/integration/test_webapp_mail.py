"""Mails through a real SMTP server, and into a folder."""

import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.mail_server import MailServer
from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.mail import HandoverUnknown, Mail
from webapp.service.outbox import OutboxFolder
from webapp.service.smtp_mailer import SmtpMailer, SmtpServer

TEXT = "Hello\n.\n..two dots\nこんにちは\nQUIT\n"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


class Handover:
    """Notes what happens to it."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.steps: list[str] = []
        self._failure = failure

    def __call__(self) -> AbstractAsyncContextManager[None]:
        return self._run()

    @asynccontextmanager
    async def _run(self) -> AsyncGenerator[None]:
        self.steps.append("begun")
        if self._failure:
            raise self._failure
        try:
            yield
        except Exception as error:
            self.steps.append(type(error).__name__)
            raise
        self.steps.append("taken")


def mail(to: str = "user1@example.com", name: str = "User 1") -> Mail:
    return Mail("reminder.1", name, to, "件名", TEXT, datetime(2026, 1, 2, tzinfo=UTC))


def mailer(port: int, *, encryption: str = "none", timeout: float = 5) -> SmtpMailer:
    server = SmtpServer("127.0.0.1", port, encryption, "", "", timeout, 5)
    return SmtpMailer(server, "noreply@example.com", safe_to_repeat=False)


async def test_a_mail_arrives_as_it_was_written(server: MailServer) -> None:
    handover = Handover()

    await mailer(server.port).send(mail(), handover())

    assert handover.steps == ["begun", "taken"]
    [taken] = server.mails
    assert taken["Message-ID"] == "<reminder.1@example.com>"
    assert taken["To"] == "User 1 <user1@example.com>"
    assert taken["Subject"] == "件名"
    assert taken.get_content().replace("\r\n", "\n") == TEXT


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("451 later", TransientFailure), ("554 never", PermanentFailure)],
)
async def test_a_refused_mail_is_not_in_doubt(
    server: MailServer, answer: str, kind: type[Exception]
) -> None:
    server.refusals = [answer]
    handover = Handover()

    with pytest.raises(kind, match=f"answered {answer}"):
        await mailer(server.port).send(mail(), handover())

    assert handover.steps == ["begun", kind.__name__]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("450 busy", TransientFailure), ("550 unknown", PermanentFailure)],
)
async def test_a_refused_recipient_is_never_begun(
    server: MailServer, answer: str, kind: type[Exception]
) -> None:
    server.bad_addresses["user1@example.com"] = answer
    handover = Handover()

    with pytest.raises(kind, match=f"127.0.0.1:{server.port} answered {answer}"):
        await mailer(server.port).send(mail(), handover())

    assert handover.steps == []


async def test_a_lost_answer_is_told_as_such(server: MailServer) -> None:
    server.hangs_up = True
    handover = Handover()

    with pytest.raises(HandoverUnknown, match="did not say whether it took the mail"):
        await mailer(server.port).send(mail(), handover())

    assert handover.steps == ["begun", "HandoverUnknown"]
    assert len(server.mails) == 1


async def test_an_answer_that_does_not_come_is_told_as_such(server: MailServer) -> None:
    server.answers.clear()

    with pytest.raises(HandoverUnknown):
        await mailer(server.port, timeout=0.5).send(mail(), Handover()())


async def test_a_handover_that_cannot_begin_sends_nothing(server: MailServer) -> None:
    with pytest.raises(TransientFailure, match="no database"):
        await mailer(server.port).send(mail(), Handover(TransientFailure("no database"))())

    assert server.mails == []


async def test_a_server_that_is_down_is_a_passing_failure(server: MailServer) -> None:
    server.stop()

    with pytest.raises(TransientFailure, match=f"127.0.0.1:{server.port}"):
        await mailer(server.port).send(mail(), Handover()())


async def test_a_server_that_is_silent_is_a_passing_failure() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(TransientFailure, match=r"[Tt]imed out"),
    ):
        await mailer(silent.getsockname()[1], timeout=0.3).send(mail(), Handover()())


async def test_encryption_that_was_asked_for_is_never_left_out(server: MailServer) -> None:
    with pytest.raises(TransientFailure, match="STARTTLS extension not supported"):
        await mailer(server.port, encryption="starttls").send(mail(), Handover()())

    assert server.mails == []


@pytest.mark.parametrize(
    ("to", "name"),
    [("no address", "User"), ("user@example.com", "a\nBcc: b@example.com"), ("", "User")],
)
async def test_what_cannot_stand_in_a_mail_is_refused_for_good(
    server: MailServer, to: str, name: str
) -> None:
    with pytest.raises(PermanentFailure, match="No mail can be sent to"):
        await mailer(server.port).send(mail(to, name), Handover()())

    assert server.conversations == 0


async def test_the_outbox_keeps_one_file_of_each_mail(tmp_path: Path) -> None:
    outbox = OutboxFolder(tmp_path / "outbox", "noreply@example.com")
    assert await outbox.newest(10) == []

    for _ in range(2):
        await outbox.send(mail(), Handover()())

    [kept] = await outbox.newest(10)
    assert kept.id == "<reminder.1@example.com>"
    assert kept.to == "User 1 <user1@example.com>"
    assert kept.subject == "件名"
    assert kept.text.replace("\r\n", "\n") == TEXT
    assert [path.suffix for path in (tmp_path / "outbox").iterdir()] == [".eml"]


async def test_an_outbox_that_cannot_be_written_is_a_passing_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outbox = OutboxFolder(tmp_path / "file", "noreply@example.com")

    with pytest.raises(TransientFailure, match="The outbox"):
        await outbox.send(mail(), Handover()())
