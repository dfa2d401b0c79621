"""What the API can be asked for."""

from dataclasses import dataclass

from webapp.service.outbox import Outbox
from webapp.usecase.calendar import Calendar
from webapp.usecase.job_overview import JobsOverview
from webapp.usecase.job_states import JobStates
from webapp.usecase.read_reports import ReadReports
from webapp.usecase.register_job import RegisterJob
from webapp.usecase.run_job import RunJob


@dataclass(frozen=True)
class UseCases:
    """All of it."""

    register_job: RegisterJob
    job_states: JobStates
    run_job: RunJob
    jobs_overview: JobsOverview
    read_reports: ReadReports
    calendar: Calendar
    outbox: Outbox | None
    """Only where mails stay here."""
