"""The only place that constructs services and use cases."""

from dataclasses import dataclass
from urllib.parse import quote

from atode import Atode
from atode.observe.traces import trace_jobs
from webapp.jobqueue.processor import DelayPrintProcessor
from webapp.jobqueue.registration import register_tasks
from webapp.service.atode_print_jobs import AtodePrintJobs
from webapp.service.clock import WallClock
from webapp.service.outage_log import OutageLog
from webapp.service.printer import StandardOutput
from webapp.service.tokens import Tokens
from webapp.service.watched_print_jobs import WatchedPrintJobs
from webapp.settings import Settings
from webapp.settings.model import StoreKind
from webapp.usecase.delay_print import DelayPrint
from webapp.usecase.job_states import JobStates
from webapp.usecase.register_job import RegisterJob


@dataclass(frozen=True)
class Wiring:
    """What the servers are made of."""

    jobs: Atode
    print_jobs: WatchedPrintJobs
    register_job: RegisterJob
    job_states: JobStates
    tokens: Tokens


def wire(settings: Settings) -> Wiring:
    """Put everything together; nothing is opened yet."""
    jobs = Atode(store_url(settings))
    trace_jobs(jobs.events)
    tasks = register_tasks(jobs, DelayPrintProcessor(DelayPrint(StandardOutput(), WallClock())))
    outage = OutageLog(store_name(settings), "Registering answers 503 until it is back.")
    print_jobs = WatchedPrintJobs(AtodePrintJobs(jobs, tasks.delay_print), outage)
    return Wiring(
        jobs=jobs,
        print_jobs=print_jobs,
        register_job=RegisterJob(print_jobs),
        job_states=JobStates(print_jobs),
        tokens=Tokens(settings.token_secret),
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


def prepare_store(settings: Settings) -> None:
    """Make the folder of the SQLite file, where jobs live in one.

    Raises:
        OSError: the folder can be neither found nor made.
    """
    if settings.jobqueue.store is StoreKind.SQLITE:
        settings.sqlite.jobqueue.file.parent.mkdir(parents=True, exist_ok=True)
