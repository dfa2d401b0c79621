"""What is promised, operation by operation, and the tests of it."""

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from atode.broker import protocol
from atode.testing.contract import BrokerContract

TESTS = Path(__file__).parents[1]

# The README's promises; a test of the contract has no file.
PROMISES: Mapping[str, Sequence[str]] = {
    "at least once": (
        "faults/test_kill::test_workers_killed_over_and_over_lose_nothing",
        "faults/test_outage::test_a_server_that_is_killed_under_load_and_comes_back_loses_nothing",
        "faults/test_failover::test_no_job_that_a_replica_has_is_lost_when_the_master_dies",
    ),
    "not twice while healthy": (
        "faults/test_blocking::test_a_handler_that_blocks_for_twice_the_lease_runs_once",
        "test_an_extended_lease_keeps_the_reaper_away",
        "test_a_second_settlement_is_refused",
    ),
    "back soon": (
        "faults/test_kill::test_jobs_of_a_killed_worker_run_again_within_the_lease_and_a_second",
        "test_an_expired_lease_is_taken_over_with_a_fresh_one",
        "test_a_crash_uses_up_a_retry_and_runs_again_at_once",
    ),
    "poison stops": (
        "faults/test_kill::"
        "test_a_job_that_kills_its_worker_is_archived_when_its_retries_are_used_up",
        "test_poison_is_archived_when_its_retries_are_used_up",
    ),
    "now means now": (
        "test_an_enqueue_ends_a_wait",
        "test_an_enqueue_ends_a_wait_for_claims",
        "test_a_promotion_ends_a_wait",
        "test_a_tick_wakes_a_worker_that_waits",
    ),
    "later means then": (
        "test_a_delayed_job_is_not_ready_before_its_instant",
        "test_an_earlier_job_ends_the_wait_for_the_next_due_instant",
        "test_due_jobs_run_in_the_order_of_their_instants",
    ),
    "ticks once": (
        "integration/test_ticks::test_each_tick_of_many_processes_is_one_job",
        "test_many_schedulers_at_once_make_one_job_of_each_tick",
    ),
    "stops cleanly": (
        "faults/test_stop::test_running_jobs_finish_and_nothing_new_is_claimed",
        "faults/test_stop::test_what_does_not_finish_in_time_goes_back_at_once",
        "test_a_released_job_is_first_in_line",
    ),
    "outages pass": (
        "faults/test_outage::test_a_worker_that_starts_before_its_server_waits_for_it",
        "integration/test_worker_outages::"
        "test_whatever_fails_in_the_middle_the_worker_goes_on_by_itself",
        "acceptance/test_outage::test_servers_start_without_redis_and_go_on_when_it_is_there",
    ),
    "bad input is refused": (
        "acceptance/test_jobs_api::test_bad_arguments_are_422_and_say_what_is_wrong",
        "integration/test_worker::test_an_unknown_task_is_archived_with_a_hint",
        "integration/test_worker::test_a_payload_that_does_not_fit_is_archived_and_blocks_nobody",
        "test_error_texts_of_any_kind_are_stored",
    ),
    "same on every broker": (
        "contract/test_machine::test_sqlite",
        "contract/test_machine::test_postgres",
        "contract/test_machine::test_redis",
        "contract/test_differences::test_the_table_of_differences_is_what_the_suites_declare",
    ),
}


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / f"{file}.py").read_text(encoding="utf-8"))
    named = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return frozenset(node.name for node in named)


def is_there(test: str) -> bool:
    file, _, function = test.rpartition("::")
    return function in functions_of(file) if file else hasattr(BrokerContract, function)


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_its_tests(promise: str) -> None:
    assert not [test for test in PROMISES[promise] if not is_there(test)]


OPERATIONS = sorted(
    name
    for name, _ in inspect.getmembers(protocol.Broker, inspect.isfunction)
    if not name.startswith("_")
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_contract_calls_every_operation(operation: str) -> None:
    suites = {
        inspect.getsourcefile(test)
        for _, test in inspect.getmembers(BrokerContract, inspect.isfunction)
    }
    sources = [Path(suite).read_text(encoding="utf-8") for suite in suites if suite]

    jobs = (Path(protocol.__file__).parents[1] / "testing" / "jobs.py").read_text(encoding="utf-8")

    assert any(f".{operation}(" in source for source in [*sources, jobs])
