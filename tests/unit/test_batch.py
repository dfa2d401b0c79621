"""Batch tasks: what they may take, how items travel, and what members become."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from atode import (
    Atode,
    BadArguments,
    BadOption,
    BadPayload,
    BadTask,
    BatchTask,
    DuplicateTask,
    Job,
    PayloadTooLarge,
    Retry,
    State,
)
from atode.batch import AsyncBatchTask, SyncBatchTask
from atode.group import Limits, Member
from atode.worker._plan import plan

NOW = 1_900_000_000.0


class Notification(BaseModel):
    user: int
    text: str = ""


jobs = Atode("memory://")


@jobs.batch("mail:digest", max_size=3, max_delay=60, grace=5, queue="mail", timeout=9)
async def digest(items: list[Notification]) -> None: ...


@jobs.batch
def count(numbers: list[int]) -> int:
    return sum(numbers)


@jobs.task
async def single(number: int) -> None: ...


def member(task: BatchTask[Any, Any], payload: bytes, id: str = "m") -> Member:
    job = Job(id, task.name, "mail", payload, State.AGGREGATING, group=task.name)
    return Member(job)


# what a batch task is


def test_a_plain_call_calls_the_function() -> None:
    assert count([1, 2, 3]) == 6


def test_async_and_ordinary_functions_are_told_apart() -> None:
    assert isinstance(digest, AsyncBatchTask)
    assert isinstance(count, SyncBatchTask)


def test_limits_have_values_that_suit_most() -> None:
    assert count.limits == Limits(max_size=100, max_delay=10.0, grace=2.0)
    assert digest.limits == Limits(max_size=3, max_delay=60.0, grace=5.0)


def test_the_registry_tells_batch_tasks_from_others() -> None:
    assert list(jobs.registry.batches()) == ["mail:digest", "count"]


def test_a_name_is_taken_whatever_kind_of_task_has_it() -> None:
    with pytest.raises(DuplicateTask, match="'single' is taken by"):
        jobs.batch("single")(lambda_of_ints)


def lambda_of_ints(numbers: list[int]) -> None: ...


def nothing() -> None: ...
def two(items: list[int], more: int) -> None: ...
def scalar(item: int) -> None: ...
def unannotated(items: Any) -> None: ...
def unspecific(items: Any) -> None: ...
def mapping(items: dict[str, int]) -> None: ...
def pair(items: tuple[int, ...]) -> None: ...
def spread(*items: list[int]) -> None: ...
def by_name(*, items: list[int]) -> None: ...
def maybe(items: list[int] | None) -> None: ...


# As a type checker would not let it stand.
del unannotated.__annotations__["items"]
unspecific.__annotations__["items"] = list


@pytest.mark.parametrize(
    "function",
    [nothing, two, scalar, unannotated, unspecific, mapping, pair, spread, by_name, maybe],
)
def test_a_function_that_takes_something_else_than_one_list_is_refused(
    function: Callable[..., Any],
) -> None:
    with pytest.raises(BadTask) as refusal:
        Atode("memory://").batch("bad")(function)

    assert "'bad'" in str(refusal.value)
    if function is not spread:
        assert "def digest(items: list[Notification])" in str(refusal.value)


@pytest.mark.parametrize(
    "annotation", [list[int], Sequence[int], Annotated[list[int], Field(max_length=9)]]
)
def test_lists_and_sequences_are_taken(annotation: Any) -> None:
    def function(items: Any) -> None: ...

    function.__annotations__["items"] = annotation

    task: BatchTask[int, None] = Atode("memory://").batch("good")(function)
    task.check()

    assert task.call(5).payload == b"5"


def test_an_annotation_that_is_a_text_is_looked_at_when_a_worker_starts() -> None:
    def good(items: "list[Notification]") -> None: ...
    def bad(item: "Notification") -> None: ...

    app = Atode("memory://")
    app.batch(good)
    app.registry.check()
    app.batch("bad")(bad)  # type: ignore[arg-type]

    with pytest.raises(BadTask, match="'bad' annotates 'item' with"):
        app.registry.check()
    late: Any = app.registry["bad"]
    with pytest.raises(BadTask, match="'bad' annotates 'item' with"):
        late.call(Notification(user=1))


def test_a_generator_is_no_batch_task() -> None:
    def generator(items: list[int]) -> Any:
        yield items

    with pytest.raises(BadTask, match="generator"):
        Atode("memory://").batch(generator)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_size": 0}, "max_size is 0; it must be from 1 to 10,000 items"),
        ({"max_size": 10_001}, "max_size is 10,001; it must be from 1 to 10,000 items"),
        ({"max_size": None}, "max_size is None; it must be a number of items"),
        ({"max_size": True}, "max_size is True; it must be a number of items"),
        ({"max_delay": -1}, "max_delay is -1 s; it must be from 0 to 315,360,000 s"),
        ({"max_delay": "10s"}, "max_delay is '10s'; it must be a number of seconds"),
        ({"grace": -0.5}, "grace is -0.5 s; it must be from 0 to 315,360,000 s"),
        ({"grace": None}, "grace is None; it must be a number of seconds"),
        ({"timeout": -1}, "timeout is -1 s"),
        ({"retention": -1}, "retention is -1 s"),
        ({"queue": "{x}"}, "may not contain braces"),
    ],
)
def test_limits_out_of_range_are_refused(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        Atode("memory://").batch(**limits)


def test_limits_may_be_timedeltas_and_no_longest_delay() -> None:
    app = Atode("memory://")
    task = app.batch(max_delay=None, grace=timedelta(minutes=1))(lambda_of_ints)

    assert task.limits == Limits(100, None, 60.0)


# items


def test_an_item_is_a_member_of_its_tasks_group() -> None:
    job = digest.call(Notification(user=7)).job(NOW)

    assert json.loads(job.payload) == {"user": 7, "text": ""}
    assert (job.task, job.queue, job.group) == ("mail:digest", "mail", "mail:digest")
    assert (job.state, job.timeout, job.max_retry) == (State.AGGREGATING, 9.0, 25)


def test_a_key_makes_a_group_of_its_own() -> None:
    bound = digest.options(key="user:7", queue="low", id="n1", headers={"trace": "x"})

    job = bound.call(Notification(user=7)).job(NOW)

    assert (job.group, job.queue, job.id) == ("mail:digest:user:7", "low", "n1")
    assert job.headers == {"trace": "x"}


@pytest.mark.parametrize("when", [{"delay": 60}, {"at": datetime.fromtimestamp(NOW + 60, UTC)}])
def test_a_delayed_item_is_scheduled_and_keeps_its_group(when: Any) -> None:
    job = digest.options(key="a", **when).call(Notification(user=7)).job(NOW)

    assert (job.state, job.due, job.group) == (State.SCHEDULED, NOW + 60, "mail:digest:a")


def test_a_unique_item_locks_what_it_says() -> None:
    one, same, other = (
        digest.options(unique_for=60, key=key).call(Notification(user=user)).job(NOW)
        for key, user in (("a", 1), ("b", 1), ("a", 2))
    )

    assert one.unique == same.unique != other.unique
    assert one.unique_for == 60.0


def test_options_that_belong_to_the_batch_are_refused_for_an_item() -> None:
    options: Any = digest.options
    with pytest.raises(BadOption, match="no such option: max_retry, timeout; there are at, delay"):
        options(timeout=5, max_retry=1)


@pytest.mark.parametrize("key", ["", "  ", "x" * 201, "\ud800", 7, None])
def test_a_key_out_of_range_is_refused(key: Any) -> None:
    with pytest.raises(BadOption, match=r"^key "):
        digest.options(key=key)


@pytest.mark.parametrize("item", [{"user": "x"}, "x", None, [Notification(user=1)]])
def test_an_item_of_another_type_is_refused(item: Any) -> None:
    with pytest.raises(BadArguments, match=r"'mail:digest': items\.0"):
        digest.call(item)


def test_an_item_that_is_too_large_is_refused() -> None:
    with pytest.raises(PayloadTooLarge):
        digest.call(Notification(user=1, text="x" * 1_048_576))


def test_a_parameter_may_have_any_name() -> None:
    def function(ものごと: list[int]) -> None: ...  # noqa: N803 - it has no case

    task = Atode("memory://").batch(function)

    assert task.call(5).payload == b"5"
    assert task.decode(task.batch_of([b"5", b"6"], "default", NOW)) == {"ものごと": [5, 6]}


# batches


def test_a_batch_is_an_ordinary_job_with_the_tasks_options() -> None:
    app = Atode("memory://", retry=Retry(3))

    @app.batch(timeout=5, retention=60)
    def total(numbers: list[int]) -> None: ...

    job = total.batch_of([b"1", b"2"], "low", NOW)

    assert job.payload == b'{"numbers":[1,2]}'
    assert (job.state, job.group, job.queue) == (State.PENDING, "", "low")
    assert (job.max_retry, job.timeout, job.retention) == (3, 5.0, 60.0)


def test_a_batch_comes_back_as_a_list() -> None:
    job = digest.batch_of([b'{"user":1}', b'{"user":2,"newer":true}'], "mail", NOW)

    assert digest.decode(job) == {"items": [Notification(user=1), Notification(user=2)]}


def test_a_member_that_runs_alone_comes_as_a_list_of_one() -> None:
    [alone] = [member(digest, b'{"user":1}').job._replace(state=State.ACTIVE)]

    assert digest.decode(alone) == {"items": [Notification(user=1)]}


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b'{"user":"x"}', b'{"user":1},{"user":2}', b'{"user":1}]}', b"\xff", b"7"],
)
def test_what_is_no_item_is_told_apart(payload: bytes) -> None:
    assert not digest.fits([b'{"user":1}', payload])
    with pytest.raises(BadPayload, match="mail:digest"):
        digest.decode(member(digest, payload).job)


# plans


def test_members_become_batches_of_the_largest_size() -> None:
    members = [member(digest, b'{"user":%d}' % n, f"m{n}") for n in range(7)]

    batches, alone = plan(members, jobs.registry.batches(), NOW)

    assert [[each.job.id for each in batch.members] for batch in batches] == [
        ["m0", "m1", "m2"],
        ["m3", "m4", "m5"],
        ["m6"],
    ]
    assert batches[2].job.payload == b'{"items":[{"user":6}]}'
    assert alone == []


def test_each_batch_fits_into_a_payload() -> None:
    large = json.dumps({"user": 1, "text": "x" * 500_000}).encode()
    members = [member(digest, large) for _ in range(3)]

    batches, alone = plan(members, jobs.registry.batches(), NOW)

    assert [len(batch.members) for batch in batches] == [2, 1]
    assert all(len(batch.job.payload) <= 1_048_576 for batch in batches)
    assert alone == []


@pytest.mark.parametrize("spare", [0, 1])
def test_a_batch_is_filled_to_the_last_byte(spare: int) -> None:
    frame = len(b'{"items":[,]}') + 2 * len(b'{"user":1,"text":""}')
    text = "x" * ((1_048_576 - frame) // 2 + spare)
    members = [member(digest, b'{"user":1,"text":"%s"}' % text.encode()) for _ in range(2)]

    batches, _ = plan(members, jobs.registry.batches(), NOW)

    assert len(batches) == 1 + spare


def test_an_item_that_is_larger_than_any_payload_runs_alone() -> None:
    huge = json.dumps({"user": 1, "text": "x" * 1_048_576}).encode()
    members = [member(digest, huge, "huge"), member(digest, b'{"user":1}', "small")]

    batches, alone = plan(members, jobs.registry.batches(), NOW)

    assert [each.job.id for each in alone] == ["huge"]
    assert [[each.job.id for each in batch.members] for batch in batches] == [["small"]]


def test_an_item_that_its_task_does_not_take_spoils_no_batch() -> None:
    members = [
        member(digest, payload, f"m{n}")
        for n, payload in enumerate([b'{"user":1}', b"nonsense", b'{"user":2}', b'{"user":[]}'])
    ]

    [batch], alone = plan(members, jobs.registry.batches(), NOW)

    assert [each.job.id for each in batch.members] == ["m0", "m2"]
    assert [each.job.id for each in alone] == ["m1", "m3"]


def test_each_task_in_a_mixed_group_gets_its_own_batch_and_others_run_alone() -> None:
    foreign = member(digest, b"{}", "foreign")
    members = [
        member(digest, b'{"user":1}', "d1"),
        member(count, b"1", "c1"),
        foreign._replace(job=foreign.job._replace(task="single")),
        member(digest, b'{"user":2}', "d2"),
    ]

    batches, alone = plan(members, jobs.registry.batches(), NOW)

    assert {batch.job.task: [each.job.id for each in batch.members] for batch in batches} == {
        "mail:digest": ["d1", "d2"],
        "count": ["c1"],
    }
    assert [each.job.id for each in alone] == ["foreign"]
