"""Jobs, claims and the presence of workers: plain values."""

from typing import Any, cast

import pytest

from atode import Job, State
from atode.job import NO_HEADERS, Claim
from atode.presence import Presence

JOB = Job("7", "mail:send", "mail", b"{}")


def test_states_are_words_that_asynq_knows() -> None:
    assert [str(state) for state in State] == [
        "pending",
        "scheduled",
        "active",
        "retry",
        "archived",
        "completed",
        "aggregating",
    ]


@pytest.mark.parametrize("value", [JOB, Claim(JOB, "w", 1, 0.0)], ids=["job", "claim"])
def test_jobs_and_claims_cannot_be_changed(value: Any) -> None:
    with pytest.raises(AttributeError):
        value.lease_until = 9
    with pytest.raises(AttributeError):
        value.id = "8"


def test_the_headers_of_a_job_without_any_cannot_be_written_to() -> None:
    headers = cast(Any, JOB.headers)

    with pytest.raises(TypeError):
        headers["a"] = "b"
    assert headers is NO_HEADERS


def test_a_completed_job_is_kept_for_its_retention() -> None:
    assert JOB._replace(completed_at=1000.0, retention=60.0).kept_until == 1060.0


def test_a_workers_server_id_is_the_random_part_of_its_name() -> None:
    presence = Presence("host:42:abc-def", "host", 42, 1, {}, False, "active", 0.0)

    assert presence.server_id == "abc-def"
