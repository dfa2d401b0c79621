"""What becomes of a claimed job: the whole table, and nothing that the states forbid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode.errors import BadOption
from atode.job import NEXT_STATES, Claim, Job, State
from atode.outcome import (
    CANCELED_BY_GO,
    CANCELLED,
    LONGEST_ERROR,
    Cancelled,
    Crashed,
    Failed,
    Outcome,
    Released,
    Settlement,
    Snoozed,
    Succeeded,
    Tally,
    abandoned,
    decide,
)
from atode.retry import Retry, fixed

NOW = 1_900_000_000.0
IN_A_MINUTE = Retry(99, fixed(60))


def a_claim(*, retried: int = 0, max_retry: int = 3, retention: float = 0.0) -> Claim:
    job = Job(
        "1",
        "demo",
        "default",
        b"{}",
        state=State.ACTIVE,
        retried=retried,
        max_retry=max_retry,
        retention=retention,
        error="earlier",
        last_failed_at=NOW - 500,
    )
    return Claim(job, "w1", 7, NOW + 15)


def after(outcome: Outcome, claim: Claim, policy: Retry = IN_A_MINUTE) -> Job:
    job = decide(claim, outcome, policy, NOW).after
    assert job is not None
    return job


FRESH, USED_UP, NEVER = (0, 3), (3, 3), (0, 0)
GONE = None


@pytest.mark.parametrize(
    ("outcome", "retries", "state", "tally"),
    [
        (Succeeded(b"1"), FRESH, GONE, Tally.SUCCESS),
        (Succeeded(b"1"), USED_UP, GONE, Tally.SUCCESS),
        (Succeeded(b"1"), NEVER, GONE, Tally.SUCCESS),
        (Failed("no"), FRESH, State.RETRY, Tally.FAILURE),
        (Failed("no"), USED_UP, State.ARCHIVED, Tally.FAILURE),
        (Failed("no"), NEVER, State.ARCHIVED, Tally.FAILURE),
        (Failed("no", permanent=True), FRESH, State.ARCHIVED, Tally.FAILURE),
        (Failed("no", permanent=True), USED_UP, State.ARCHIVED, Tally.FAILURE),
        (Failed("no", permanent=True), NEVER, State.ARCHIVED, Tally.FAILURE),
        (Snoozed(5), FRESH, State.RETRY, Tally.NOTHING),
        (Snoozed(5), USED_UP, State.RETRY, Tally.NOTHING),
        (Snoozed(0), NEVER, State.RETRY, Tally.NOTHING),
        (Cancelled(), FRESH, State.ARCHIVED, Tally.NOTHING),
        (Cancelled(), USED_UP, State.ARCHIVED, Tally.NOTHING),
        (Cancelled(), NEVER, State.ARCHIVED, Tally.NOTHING),
        (Cancelled(retry=True), FRESH, State.RETRY, Tally.FAILURE),
        (Cancelled(retry=True), USED_UP, State.ARCHIVED, Tally.FAILURE),
        (Cancelled(retry=True), NEVER, State.ARCHIVED, Tally.FAILURE),
        (Released(), FRESH, State.PENDING, Tally.NOTHING),
        (Released(), USED_UP, State.PENDING, Tally.NOTHING),
        (Released(), NEVER, State.PENDING, Tally.NOTHING),
        (Crashed(), FRESH, State.PENDING, Tally.FAILURE),
        (Crashed(), USED_UP, State.ARCHIVED, Tally.FAILURE),
        (Crashed(), NEVER, State.ARCHIVED, Tally.FAILURE),
    ],
    ids=str,
)
def test_the_table(
    outcome: Outcome, retries: tuple[int, int], state: State | None, tally: Tally
) -> None:
    claim = a_claim(retried=retries[0], max_retry=retries[1])

    settlement = decide(claim, outcome, IN_A_MINUTE, NOW)

    assert settlement.claim is claim
    assert (settlement.after.state if settlement.after else GONE) is state
    assert settlement.tally is tally


OUTCOMES = st.one_of(
    st.builds(Succeeded, st.binary()),
    st.builds(Failed, st.text(), st.booleans()),
    st.builds(Snoozed, st.floats(0, 1e8)),
    st.builds(Cancelled, st.booleans()),
    st.just(Released()),
    st.just(Crashed()),
)


@given(OUTCOMES, st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.0, 60.0]))
def test_every_end_of_a_claim_is_a_legal_change_of_state(
    outcome: Outcome, retried: int, max_retry: int, retention: float
) -> None:
    claim = a_claim(retried=retried, max_retry=max_retry, retention=retention)

    settlement = decide(claim, outcome, IN_A_MINUTE, NOW)

    if settlement.after is None:
        assert isinstance(outcome, Succeeded)
    else:
        assert settlement.after.state in NEXT_STATES[State.ACTIVE]


def test_every_state_has_its_line_in_the_table_of_changes() -> None:
    assert set(NEXT_STATES) == set(State)
    assert [state for state in State if State.ACTIVE in NEXT_STATES[state]] == [State.PENDING]


def test_a_success_with_retention_is_kept_with_its_result() -> None:
    claim = a_claim(retention=60)

    job = after(Succeeded(b"42"), claim)

    assert job == claim.job._replace(state=State.COMPLETED, result=b"42", completed_at=NOW)
    assert job.kept_until == NOW + 60


def test_a_cancelled_job_says_so_and_has_used_up_no_retry() -> None:
    claim = a_claim(retried=1)

    job = after(Cancelled(), claim)

    assert job == claim.job._replace(state=State.ARCHIVED, error=CANCELLED, last_failed_at=NOW)


def test_a_cancelled_attempt_fails_as_it_does_in_go() -> None:
    claim = a_claim(retried=1)

    assert after(Cancelled(retry=True), claim) == after(Failed(CANCELED_BY_GO), claim)
    assert CANCELED_BY_GO == "context canceled"


def test_a_failure_uses_up_a_retry_and_waits_as_the_policy_says() -> None:
    claim = a_claim(retried=1)

    job = after(Failed("no luck"), claim)

    assert job == claim.job._replace(
        state=State.RETRY, retried=2, due=NOW + 60, error="no luck", last_failed_at=NOW
    )


def test_a_policy_is_asked_with_the_retries_used_so_far() -> None:
    asked: list[int] = []

    def curve(retried: int) -> float:
        asked.append(retried)
        return 1.0

    for retried in (0, 1, 2):
        after(Failed("no"), a_claim(retried=retried), Retry(3, curve))

    assert asked == [0, 1, 2]


def test_a_failure_without_a_pause_is_pending_at_once() -> None:
    job = after(Failed("no"), a_claim(), Retry(3, fixed(0)))

    assert (job.state, job.retried) == (State.PENDING, 1)


def test_the_jobs_own_number_of_retries_counts_and_not_the_policys() -> None:
    assert after(Failed("no"), a_claim(retried=1, max_retry=2), Retry(0)).state is State.RETRY
    assert after(Failed("no"), a_claim(retried=2, max_retry=2), Retry(9)).state is State.ARCHIVED


def test_an_archived_job_keeps_its_count_and_says_why() -> None:
    claim = a_claim(retried=3)

    job = after(Failed("no luck"), claim)

    assert job == claim.job._replace(state=State.ARCHIVED, error="no luck", last_failed_at=NOW)


def test_snoozing_and_releasing_count_nothing_and_forget_no_earlier_error() -> None:
    claim = a_claim(retried=1)

    assert after(Snoozed(5), claim) == claim.job._replace(state=State.RETRY, due=NOW + 5)
    assert after(Released(), claim) == claim.job._replace(state=State.PENDING)


def test_a_job_whose_worker_died_runs_again_without_a_pause_but_not_for_ever() -> None:
    job = after(Crashed(), a_claim(retried=2))

    assert (job.state, job.retried) == (State.PENDING, 3)
    assert job.error.startswith("lease expired")
    assert after(Crashed(), Claim(job, "w2", 8, NOW)).state is State.ARCHIVED


def test_a_job_whose_worker_is_gone_has_crashed_unless_it_was_cancelled() -> None:
    claim = a_claim()
    marked = claim._replace(cancelled=True)

    assert abandoned(claim, NOW) == decide(claim, Crashed(), IN_A_MINUTE, NOW)
    assert abandoned(marked, NOW) == decide(marked, Cancelled(), IN_A_MINUTE, NOW)


def test_a_curve_without_a_finite_answer_is_an_error_and_no_settlement() -> None:
    with pytest.raises(BadOption, match="the delay after 0 retries is nan; it must be finite"):
        decide(a_claim(), Failed("no"), Retry(3, lambda retried: float("nan")), NOW)


# Error texts


@pytest.mark.parametrize(
    ("error", "stored"),
    [
        ("", ""),
        ("日本語 ok", "日本語 ok"),
        ("a\ud800b\udfffc", "a?b?c"),
        ("a\0b", "a�b"),
        ("x" * LONGEST_ERROR, "x" * LONGEST_ERROR),
        ("x" * (LONGEST_ERROR + 1), "x" * (LONGEST_ERROR - 1) + "…"),
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize("permanent", [False, True])
def test_error_texts_are_stored_so_that_every_store_can_hold_them(
    error: str, stored: str, permanent: bool
) -> None:
    assert after(Failed(error, permanent), a_claim()).error == stored


@given(st.text(st.characters(exclude_categories=[])))
def test_no_error_text_is_without_a_utf8_form(error: str) -> None:
    stored = after(Failed(error), a_claim()).error

    assert "\0" not in stored.encode().decode()
    assert len(stored) <= LONGEST_ERROR


def test_a_settlement_is_a_value() -> None:
    claim = a_claim()

    assert decide(claim, Released(), IN_A_MINUTE, NOW) == Settlement(
        claim, claim.job._replace(state=State.PENDING), Tally.NOTHING
    )
