import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode.broker.redis.messages import all_encoded, encoded, read, updated
from atode.broker.redis.wire import TaskMessage
from atode.job import Job, State

JOB = Job(
    id="j1",
    task="demo",
    queue="default",
    payload=b"{}",
    max_retry=3,
    timeout=30.0,
    headers={"trace": "abc"},
)
UNKNOWN = bytes.fromhex("9a06036e6577")  # field 99, a string


# Few values for each field, so that neighbours are alike in some and differ in others.
LIKE_ONE_ANOTHER = st.builds(
    Job,
    id=st.sampled_from(["", "a", "é" * 100]),
    task=st.sampled_from(["demo", "other"]),
    queue=st.sampled_from(["default", "mail"]),
    payload=st.sampled_from([b"", b"{}", bytes(200)]),
    state=st.sampled_from([State.PENDING, State.SCHEDULED]),
    due=st.sampled_from([0.0, 5.5]),
    max_retry=st.sampled_from([0, 25]),
    retried=st.sampled_from([0, 1]),
    timeout=st.sampled_from([0.0, 1800.0]),
    deadline=st.sampled_from([0.0, 1_900_000_000.0]),
    retention=st.sampled_from([0.0, 60.0]),
    headers=st.sampled_from([{}, {"trace": "abc"}]),
    error=st.sampled_from(["", "x"]),
    last_failed_at=st.sampled_from([0.0, 6.0]),
    completed_at=st.sampled_from([0.0, 7.0]),
    result=st.just(b""),
    unique=st.sampled_from(["", "demo:0"]),
    unique_for=st.just(0.0),
)


def stored(job: Job) -> TaskMessage:
    return TaskMessage.FromString(encoded(job))


def test_a_job_comes_back_as_it_was() -> None:
    job = JOB._replace(deadline=1_900_000_000.0, retention=60.0, error="x", last_failed_at=5.0)

    assert read(encoded(job), "default", "j1", State.PENDING) == (job, "")


@given(st.lists(LIKE_ONE_ANOTHER, max_size=8))
def test_jobs_that_are_encoded_together_come_out_as_each_would_alone(jobs: list[Job]) -> None:
    together = [*jobs, *jobs[-1:], *jobs]

    assert list(all_encoded(together)) == [encoded(job) for job in together]


def test_what_a_unique_job_does_is_written_as_the_name_of_its_lock() -> None:
    job = JOB._replace(unique="demo:0")

    assert stored(job).unique_key == "asynq:{default}:unique:demo:0"
    assert read(encoded(job), "default", "j1", State.PENDING) == (job, "")


def test_the_group_of_a_member_is_in_its_message() -> None:
    job = JOB._replace(group="mail:digest:user:7")

    assert stored(job).group_key == "mail:digest:user:7"
    assert read(encoded(job), "default", "j1", State.AGGREGATING) == (
        job._replace(state=State.AGGREGATING),
        "",
    )


def test_the_group_in_a_message_of_a_go_program_is_read() -> None:
    # The second test vector of the protocol, section 18.
    message = bytes.fromhex(
        "0a0d656d61696c3a77656c636f6d65120e7b22757365725f6964223a34327d1a2430303030303030302d3030"
        "30302d343030302d383030302d303030303030303030303031220764656661756c74281930033a04626f6f6d"
        "40880e4880a4a7da0652456173796e713a7b64656661756c747d3a756e697175653a656d61696c3a77656c63"
        "6f6d653a31313831663839333037666132373130373263303935373437643538313363635880e2cfaa066080"
        "a30568e4e2cfaa06720267317a0c0a0574726163651203616263"
    )
    job_id = "00000000-0000-4000-8000-000000000001"

    job, problem = read(message, "default", job_id, State.AGGREGATING)

    assert (job.group, job.task, problem) == ("g1", "email:welcome", "")


def test_a_lock_of_another_form_is_shown_whole() -> None:
    message = TaskMessage(type="demo", id="j1", unique_key="lock:7").SerializeToString()

    assert read(message, "default", "j1", State.ACTIVE).job.unique == "lock:7"


@pytest.mark.parametrize(("seconds", "written"), [(0.5, 1), (1.0, 1), (1.001, 2), (90.0, 90)])
def test_a_timeout_and_a_retention_are_rounded_up_to_whole_seconds(
    seconds: float, written: int
) -> None:
    message = stored(JOB._replace(timeout=seconds, retention=seconds))

    assert (message.timeout, message.retention) == (written, written)


def test_a_deadline_is_rounded_down() -> None:
    assert stored(JOB._replace(deadline=1_900_000_000.9)).deadline == 1_900_000_000


def test_a_job_without_any_time_limit_is_written_with_one_of_ten_years() -> None:
    assert stored(JOB._replace(timeout=0.0)).timeout == 315_360_000


def test_a_deadline_alone_is_limit_enough() -> None:
    assert stored(JOB._replace(timeout=0.0, deadline=1_900_000_000.0)).timeout == 0


def test_a_foreign_message_without_any_time_limit_may_run_for_half_an_hour() -> None:
    message = TaskMessage(type="demo", id="j1", queue="default").SerializeToString()

    assert read(message, "default", "j1", State.ACTIVE).job.timeout == 1800.0


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (b'{"type":"demo"}', "not an asynq TaskMessage"),
        (b"", "names no task"),
        (TaskMessage(type="demo", id="j2").SerializeToString(), "belongs to another job, 'j2'"),
    ],
)
def test_a_broken_message_says_what_is_wrong(message: bytes, problem: str) -> None:
    found = read(message, "default", "j1", State.ACTIVE)

    assert problem in found.problem
    assert (found.job.id, found.job.queue) == ("j1", "default")


def test_an_undecodable_message_is_the_payload_of_its_job() -> None:
    found = read(b'{"type":"demo"}', "default", "j1", State.ACTIVE)

    assert (found.job.task, found.job.payload) == ("", b'{"type":"demo"}')


def test_an_undecodable_message_becomes_one_that_go_can_read() -> None:
    broken = b'{"type":"demo"}'
    job = read(broken, "default", "j1", State.ACTIVE).job

    after = TaskMessage.FromString(updated(broken, job, job._replace(error="broken")))

    assert (after.type, after.payload, after.id) == ("undecodable", broken, "j1")
    assert (after.queue, after.error_msg, after.timeout) == ("default", "broken", 1800)


def test_a_message_of_another_job_is_made_to_agree_with_its_place() -> None:
    message = TaskMessage(type="demo", id="j2", queue="other").SerializeToString()
    job = read(message, "default", "j1", State.ACTIVE).job

    after = TaskMessage.FromString(updated(message, job, job))

    assert (after.id, after.queue) == ("j1", "default")


def test_an_update_keeps_what_it_does_not_know() -> None:
    message = TaskMessage(
        type="demo", id="j1", queue="default", unique_key="lock", group_key="g", retry=3
    )
    before = read(message.SerializeToString(), "default", "j1", State.ACTIVE).job

    written = updated(
        message.SerializeToString() + UNKNOWN, before, before._replace(retried=1, error="boom")
    )

    message.retried, message.error_msg = 1, "boom"
    assert written == message.SerializeToString() + UNKNOWN


def test_an_update_writes_whatever_changed() -> None:
    after = Job(
        id="j1",
        task="other",
        queue="default",
        payload=b"[]",
        max_retry=9,
        retried=2,
        timeout=60.0,
        deadline=1_900_000_000.0,
        retention=10.0,
        headers={"b": "2"},
        error="boom",
        last_failed_at=7.0,
        completed_at=8.0,
    )

    assert updated(encoded(JOB), JOB, after) == encoded(after)


def test_an_id_that_is_not_utf8_becomes_one_that_go_can_read() -> None:
    foreign = b"a\xff".decode("utf-8", "surrogateescape")

    for broken in (b"{", TaskMessage(type="demo", id="a").SerializeToString()):
        job = read(broken, "default", foreign, State.ACTIVE).job
        assert TaskMessage.FromString(updated(broken, job, job)).id == "a?"
