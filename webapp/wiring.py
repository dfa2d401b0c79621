"""The only place that constructs services and use cases."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from atode import Atode
from atode.observe.traces import trace_jobs
from webapp.jobqueue.processor import (
    CleanUpProcessor,
    DelayPrintProcessor,
    ReportProcessor,
    UserReminderProcessor,
    WeekReminderProcessor,
)
from webapp.jobqueue.registration import Registration
from webapp.jobqueue.retry_strategy import RetryStrategy
from webapp.server.use_cases import UseCases
from webapp.service.atode_job_runs import AtodeJobRuns, Runnable
from webapp.service.atode_print_jobs import AtodePrintJobs
from webapp.service.atode_reminder_jobs import AtodeReminderJobs
from webapp.service.atode_schedules import AtodeSchedules
from webapp.service.clock import WallClock
from webapp.service.csv_report import CsvReport
from webapp.service.database import Database, postgres_database, sqlite_database
from webapp.service.demo_data import fill_with_demo_data
from webapp.service.limits_rate_limiter import counted_here, counted_in_redis
from webapp.service.mail import Mailer
from webapp.service.object_report_files import folder_report_files, s3_report_files
from webapp.service.outage_log import OutageLog
from webapp.service.outbox import OutboxFolder
from webapp.service.pdf_report import PdfReport
from webapp.service.printer import StandardOutput
from webapp.service.rate_limiter import RateLimiter
from webapp.service.report_files import ReportFiles
from webapp.service.shared_rate_limiter import SharedRateLimiter
from webapp.service.smtp_mailer import SmtpMailer, SmtpServer
from webapp.service.sql_audit_logs import SqlAuditLogs
from webapp.service.sql_reminders import SqlReminders
from webapp.service.sql_report_records import SqlReportRecords
from webapp.service.sql_staff import SqlStaff
from webapp.service.sql_work_log import SqlWorkLog
from webapp.service.tokens import Tokens
from webapp.service.watched_print_jobs import WatchedPrintJobs
from webapp.settings import Environment, Settings
from webapp.settings.choices import (
    DatabaseKind,
    InDoubt,
    MailTransport,
    RateLimitStorage,
    StorageKind,
    StoreKind,
)
from webapp.usecase.calendar import Calendar
from webapp.usecase.clean_up import CleanUp
from webapp.usecase.delay_print import DelayPrint
from webapp.usecase.job_overview import JobsOverview
from webapp.usecase.job_states import JobStates
from webapp.usecase.make_report import MakeReport
from webapp.usecase.periods import weeks_before
from webapp.usecase.read_reports import ReadReports
from webapp.usecase.register_job import RegisterJob
from webapp.usecase.remind_user import RemindUser
from webapp.usecase.remind_week import RemindWeek
from webapp.usecase.run_job import RunJob
from webapp.usecase.timetable import timetable

_DEMO_WEEKS = 13

Watch = Callable[[], Coroutine[Any, Any, None]]
"""Looks at something again and again, until it is cancelled."""


@dataclass(frozen=True)
class Wiring:
    """What the servers are made of."""

    jobs: Atode
    database: Database
    calendar: Calendar
    use_cases: UseCases
    tokens: Tokens
    rate_limiter: RateLimiter
    watches: Sequence[Watch]
    """What the API server does all the time: looks whether its stores are there."""


def wire(settings: Settings) -> Wiring:
    """Put everything together; nothing is opened yet."""
    jobs = Atode(store_url(settings))
    trace_jobs(jobs.events)
    database = database_of(settings)
    calendar = Calendar(WallClock(), ZoneInfo(settings.calendar.timezone))
    files = _report_files(settings)
    tasks = _Tasks(settings, jobs, database, calendar, files)
    outage = OutageLog(
        "job store", store_name(settings), "Registering answers 503 until it is back."
    )
    print_jobs = WatchedPrintJobs(AtodePrintJobs(jobs, tasks.delay_print), outage)
    rate_limiter = _rate_limiter(settings)
    watches: list[Watch] = [print_jobs.watch]
    if isinstance(rate_limiter, SharedRateLimiter):
        watches.append(rate_limiter.watch)
    runs = AtodeJobRuns(jobs, tasks.runnables, watched=[tasks.remind_user])
    schedules = _schedules(settings, jobs, tasks.runnables)
    return Wiring(
        jobs=jobs,
        database=database,
        calendar=calendar,
        use_cases=UseCases(
            register_job=RegisterJob(print_jobs),
            job_states=JobStates(print_jobs),
            run_job=RunJob(runs, calendar),
            jobs_overview=JobsOverview(runs, SqlAuditLogs(database), schedules),
            read_reports=ReadReports(SqlReportRecords(database), files),
            calendar=calendar,
            outbox=_outbox(settings),
        ),
        tokens=Tokens(settings.token_secret, settings.old_token_secrets, settings.auth.audience),
        rate_limiter=rate_limiter,
        watches=watches,
    )


class _Tasks:
    """The registered tasks, each with its processor and its use case."""

    def __init__(
        self,
        settings: Settings,
        jobs: Atode,
        database: Database,
        calendar: Calendar,
        files: ReportFiles,
    ) -> None:
        registration = Registration(jobs, _retry_strategy(settings))
        staff, logs = SqlStaff(database), SqlAuditLogs(database)
        self.delay_print = registration.delay_print(
            DelayPrintProcessor(DelayPrint(StandardOutput(), WallClock()))
        )
        remind_user = RemindUser(staff, SqlReminders(database), _mailer(settings), calendar)
        self.remind_user = registration.remind_user(UserReminderProcessor(remind_user))
        remind_week = RemindWeek(staff, AtodeReminderJobs(jobs, self.remind_user), calendar)
        make_report = MakeReport(
            SqlWorkLog(database),
            CsvReport(),
            PdfReport(),
            files,
            SqlReportRecords(database),
            calendar,
        )
        clean_up = CleanUp(
            logs,
            calendar,
            batch=settings.cleanup.batch,
            pause_seconds=settings.cleanup.pause,
        )
        self.runnables = [
            Runnable(self.delay_print, alone=False),
            Runnable(registration.remind_week(WeekReminderProcessor(remind_week)), alone=True),
            Runnable(registration.make_report(ReportProcessor(make_report)), alone=True),
            Runnable(registration.clean_up(CleanUpProcessor(clean_up)), alone=True),
        ]


def _rate_limiter(settings: Settings) -> RateLimiter:
    own = counted_here()
    if settings.rate_limit.storage is RateLimitStorage.MEMORY:
        return own
    cluster = settings.redis.default.cluster
    shared = counted_in_redis(
        cluster.addrs, password=cluster.password.get_secret_value(), tls=cluster.tls
    )
    return SharedRateLimiter(
        shared,
        own,
        OutageLog(
            "store of rate limits",
            f"Redis at {', '.join(cluster.addrs)}",
            "Each API server counts by itself until it is back.",
        ),
    )


def _schedules(settings: Settings, jobs: Atode, runnables: Sequence[Runnable]) -> AtodeSchedules:
    schedules = AtodeSchedules(jobs, settings.calendar.timezone)
    by_name = {runnable.task.name: runnable for runnable in runnables}
    for appointment in timetable(ZoneInfo(settings.calendar.timezone)):
        schedules.add(by_name[appointment.job], appointment.cron, appointment.arguments)
    return schedules


def _retry_strategy(settings: Settings) -> RetryStrategy:
    retry = settings.retry
    return RetryStrategy(
        kind=retry.strategy,
        first=retry.first,
        cap=retry.cap,
        jitter=retry.jitter,
        attempts=retry.attempts,
        timeout=retry.timeout,
    )


def _mailer(settings: Settings) -> Mailer:
    mail = settings.mail
    outbox = _outbox(settings)
    if outbox is not None:
        return outbox
    server = SmtpServer(
        host=mail.host,
        port=mail.port,
        encryption=mail.encryption,
        user=mail.user,
        password=mail.password.get_secret_value(),
        timeout=mail.timeout,
        connections=mail.connections,
    )
    return SmtpMailer(server, mail.sender, safe_to_repeat=mail.in_doubt is InDoubt.RESEND)


def _outbox(settings: Settings) -> OutboxFolder | None:
    mail = settings.mail
    if mail.transport is MailTransport.SMTP:
        return None
    return OutboxFolder(mail.outbox_folder, mail.sender)


def _report_files(settings: Settings) -> ReportFiles:
    storage = settings.storage
    if storage.kind is StorageKind.FOLDER:
        return folder_report_files(storage.folder)
    return s3_report_files(
        storage.bucket,
        url=storage.url,
        region=storage.region,
        access_key=storage.access_key.get_secret_value(),
        secret_key=storage.secret_key.get_secret_value(),
    )


def database_of(settings: Settings) -> Database:
    """The application's database, not connected yet."""
    if settings.database.store is DatabaseKind.SQLITE:
        return sqlite_database(settings.sqlite.default.file)
    postgres = settings.postgres.default
    password = postgres.password.get_secret_value()
    return postgres_database(
        postgres.addr, postgres.database, postgres.user, password, tls=postgres.tls
    )


def store_url(settings: Settings) -> str:
    """Where jobs live, as atode wants it told."""
    if settings.jobqueue.store is StoreKind.SQLITE:
        return f"sqlite:///{quote(str(settings.sqlite.jobqueue.file))}"
    redis = settings.redis.jobqueue
    password = redis.password.get_secret_value()
    login = f":{quote(password, safe='')}@" if password else ""
    return f"{'rediss' if redis.tls else 'redis'}://{login}{redis.addr}/{redis.db}"


def store_name(settings: Settings) -> str:
    """Where jobs live, as an operator wants it told: without a password."""
    if settings.jobqueue.store is StoreKind.SQLITE:
        return f"SQLite file {settings.sqlite.jobqueue.file}"
    return f"Redis at {settings.redis.jobqueue.addr}"


async def prepare(settings: Settings, wiring: Wiring) -> None:
    """Make the folders of SQLite files, and the tables of the application's one.

    A PostgreSQL database is left alone: `python -m webapp.migrate` makes its tables.

    Raises:
        OSError: a folder can be neither found nor made.
        TransientFailure: the application's file cannot be opened.
    """
    if settings.jobqueue.store is StoreKind.SQLITE:
        settings.sqlite.jobqueue.file.parent.mkdir(parents=True, exist_ok=True)
    if settings.database.store is DatabaseKind.SQLITE:
        # Alembic is loaded by those only who need it.
        from webapp.service.schema import migrate

        settings.sqlite.default.file.parent.mkdir(parents=True, exist_ok=True)
        await migrate(wiring.database)
        if settings.environment is Environment.DEMO:
            now = wiring.calendar.now()
            zone = ZoneInfo(settings.calendar.timezone)
            await fill_with_demo_data(wiring.database, now, weeks_before(now, zone, _DEMO_WEEKS))
