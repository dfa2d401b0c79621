"""Which jobs of the web application run by themselves, and with which arguments."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from atode.timetable import Schedule
from webapp.settings import Settings, load_settings
from webapp.wiring import wire


def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, timezone: str) -> Settings:
    monkeypatch.setenv("APP_ENV", "demo")
    monkeypatch.setenv("CALENDAR__TIMEZONE", timezone)
    monkeypatch.setenv("SQLITE__JOBQUEUE__PATH", str(tmp_path / "jobs.db"))
    return load_settings()


@pytest.fixture(params=["Asia/Tokyo", "America/New_York"])
def timezone(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def schedules(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, timezone: str
) -> dict[str, Schedule]:
    wiring = wire(settings(monkeypatch, tmp_path, timezone))
    return {schedule.id: schedule for schedule in wiring.jobs.timetable}


def ticks(schedule: Schedule, since: str, number: int) -> list[float]:
    return schedule.timing.cron.next(number, datetime.fromisoformat(since).timestamp())


def arguments(schedule: Schedule, tick: float) -> object:
    return json.loads(schedule.job(tick, tick).payload)


def test_three_jobs_run_by_themselves_at_the_office_s_times(
    schedules: dict[str, Schedule], timezone: str
) -> None:
    assert {name: str(schedule.timing.cron) for name, schedule in schedules.items()} == {
        "weekly_report_reminder": f"CRON_TZ={timezone} 0 9 * * MON",
        "monthly_report_generator": f"CRON_TZ={timezone} 0 0 1 * *",
        "data_cleanup": f"CRON_TZ={timezone} 0 2 * * *",
    }


def test_each_first_of_a_month_has_the_report_of_the_month_before(
    schedules: dict[str, Schedule],
) -> None:
    monthly = schedules["monthly_report_generator"]

    found = [arguments(monthly, tick) for tick in ticks(monthly, "2026-10-15T00:00+00:00", 30)]

    months = [(2026 + n // 12, n % 12 + 1) for n in range(9, 39)]
    assert found == [{"month": f"{year}-{month:02}"} for year, month in months]


def test_each_monday_has_the_reminder_of_the_week_before(schedules: dict[str, Schedule]) -> None:
    weekly = schedules["weekly_report_reminder"]

    for tick in ticks(weekly, "2026-11-01T00:00+00:00", 60):
        monday = weekly.timing.local(tick)
        assert (monday.isoweekday(), monday.hour) == (1, 9)
        year, week, _ = date.fromordinal(monday.date().toordinal() - 7).isocalendar()
        assert arguments(weekly, tick) == {"week": f"{year}-W{week:02}"}


def test_each_night_has_its_cleanup(schedules: dict[str, Schedule]) -> None:
    nightly = schedules["data_cleanup"]

    [tick] = ticks(nightly, "2026-11-01T12:00+00:00", 1)

    assert arguments(nightly, tick) == {"days": 90}
    assert nightly.timing.local(tick).hour == 2


def test_a_scheduled_run_is_the_same_as_that_of_a_button(schedules: dict[str, Schedule]) -> None:
    """So that neither begins while the other is not over."""
    for schedule in schedules.values():
        [tick] = ticks(schedule, "2026-11-01T12:00+00:00", 1)
        job = schedule.job(tick, tick)
        assert job.queue == "batch"
        assert job.unique.startswith(f"{schedule.id}:")
        assert job.unique_for == job.timeout == 300
