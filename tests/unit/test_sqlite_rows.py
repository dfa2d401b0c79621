import json

from atode.broker.sqlite._rows import claims_of, seq_of
from atode.job import Claim, Job
from atode.presence import Presence, Running, presence_from_json, presence_to_json


def found(**changed: object) -> bytes:
    row: dict[str, object] = {
        "position": 1,
        "seq": 7,
        "id": "a",
        "task": "demo",
        "payload": "7B7D",
        "due": "0.0",
        "max_retry": 3,
        "retried": 0,
        "timeout": "0.1",
        "deadline": "0.0",
        "retention": "0.0",
        "headers": "",
        "error": "",
        "last_failed_at": "0.0",
        "claims": 4,
        "unique_text": "demo:1f",
        "group_name": "g",
        **changed,
    }
    return json.dumps([list(row.values())]).encode()


def test_a_claim_is_read_from_its_row() -> None:
    [claim] = claims_of(found(), "mail", "w1", 12.5)

    assert (claim.worker, claim.number, claim.lease_until) == ("w1", 5, 12.5)
    assert (claim.job.id, claim.job.queue, claim.job.payload) == ("a", "mail", b"{}")
    assert claim.job.timeout == 0.1
    assert (claim.job.unique, claim.job.group) == ("demo:1f", "g")
    assert seq_of(claim) == 7


def test_headers_that_are_not_json_are_a_problem_of_their_job_only() -> None:
    [claim] = claims_of(found(headers="{nope"), "mail", "w1", 12.5)

    assert "headers" in claim.problem


def test_headers_that_are_not_an_object_are_a_problem() -> None:
    [claim] = claims_of(found(headers="[1]"), "mail", "w1", 12.5)

    assert "headers" in claim.problem


def test_text_that_is_not_utf8_does_not_block_the_others() -> None:
    broken = found().replace(b'"demo"', b'"\xff\xfe"')

    [claim] = claims_of(broken, "mail", "w1", 12.5)

    assert claim.job.task == "��"


def test_a_claim_from_elsewhere_is_on_no_row() -> None:
    assert seq_of(Claim(Job("a", "t", "q", b""), "w", 1, 0.0)) == 0
    assert seq_of(Claim(Job("a", "t", "q", b""), "w", 1, 0.0, b"x9")) == 0


def test_a_presence_comes_back_equal() -> None:
    presence = Presence(
        worker="host:1:aa",
        host="host",
        pid=1,
        concurrency=2,
        queues={"default": 1},
        strict=False,
        status="active",
        started_at=1_900_000_000.1234567,
        running=(Running("j", "t", "q", b"\xff\0", 1.5, 2.5),),
        running_count=1,
    )

    assert presence_from_json(presence_to_json(presence)) == presence
