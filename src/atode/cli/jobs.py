"""`atode jobs`: look at single jobs, and move them by hand."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from atode.broker.protocol import Inspect, Which
from atode.cli._deployment import Deployment, confirm, deployment, existing, refuse, unless_broken
from atode.cli._documents import job_document, parsed, written
from atode.cli._job_pages import Wanted, known_job, page
from atode.cli._job_text import Holder, job_table, job_text
from atode.cli._layout import counted, emit, plain
from atode.cli._options import AsJson, QueueName, Url, Yes
from atode.errors import BadOption, BrokerRefused
from atode.job import ARCHIVABLE, CANCELLABLE, DELETABLE, RUNNABLE, Job, State

app = typer.Typer(
    help="Look at jobs; run, cancel, archive, delete and edit them.", no_args_is_help=True
)

_MOVABLE: Mapping[str, frozenset[State]] = {
    "run": RUNNABLE,
    "cancel": CANCELLABLE,
    "archive": ARCHIVABLE,
    "delete": DELETABLE,
}
_ENDINGS: Mapping[str, str] = {
    "run": "made pending",
    "cancel": "cancelled",
    "archive": "archived",
    "delete": "deleted",
}

JobId = Annotated[str, typer.Argument(metavar="ID", help="Id of a job.")]
JobIds = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids of jobs.")]
All = Annotated[State | None, typer.Option("--all", help="Every job in this state instead.")]
StateName = Annotated[
    State | None,
    typer.Option(
        "--state",
        "-s",
        help="Jobs in this state.",
        show_default="pending; aggregating with --group",
    ),
]
PageNumber = Annotated[int, typer.Option("--page", min=1, help="Which page; 1 is the first.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Jobs on one page.")]
TaskName = Annotated[
    str | None, typer.Option("--task", help="Only this task, or a pattern: 'mail:*'.")
]
GroupName = Annotated[str | None, typer.Option("--group", help="Only jobs of this group.")]
Payload = Annotated[str, typer.Option("--payload", help="The new arguments, as JSON.")]


@app.command("list")
def list_jobs(
    queue: QueueName,
    state: StateName = None,
    page_number: PageNumber = 1,
    limit: Limit = 30,
    task: TaskName = None,
    group: GroupName = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List a queue's jobs in one state, the next one first."""
    offset = (page_number - 1) * limit
    wanted = Wanted(task, group)
    found = state or (State.PENDING if group is None else State.AGGREGATING)
    with deployment(url) as store:
        entries, total = store.ask(
            lambda broker: page(broker, queue, found, wanted, offset=offset, limit=limit)
        )
        now = store.now()
    if as_json:
        documents = [
            job_document(each) if isinstance(each, Job) else {"id": None, "error": str(each)}
            for each in entries
        ]
        place = {"queue": queue, "state": str(found), "page": page_number, "limit": limit}
        emit(written({**place, **wanted._asdict(), "total": total, "jobs": documents}))
        return
    if entries:
        emit(job_table(entries, now))
    emit(f"{_share(len(entries), wanted)} {total:,} {found} jobs, page {page_number:,}")


@app.command("show")
def show(queue: QueueName, job_id: JobId, url: Url = None, as_json: AsJson = False) -> None:
    """Show everything about one job."""

    async def look(broker: Inspect) -> tuple[Job, Holder | None]:
        job = await known_job(broker, queue, job_id)
        return job, await _holder(broker, job)

    with deployment(url) as store:
        job, holder = store.ask(look)
        now = store.now()
    if as_json:
        worker = holder[0].worker if holder else None
        emit(written({**job_document(job), "worker": worker}))
    else:
        emit(job_text(job, holder, now))


@app.command("run")
def run(
    queue: QueueName, ids: JobIds = None, all_in: All = None, yes: Yes = False, url: Url = None
) -> None:
    """Make jobs pending now: scheduled, retry, archived, completed and aggregating ones."""
    _move("run", queue, _which(ids, all_in), yes=yes, url=url)


@app.command("cancel")
def cancel(
    queue: QueueName, ids: JobIds = None, all_in: All = None, yes: Yes = False, url: Url = None
) -> None:
    """Let jobs not run (again), and interrupt those that run; ended ones are left alone."""
    _move("cancel", queue, _which(ids, all_in), yes=yes, url=url)


@app.command("archive")
def archive(
    queue: QueueName, ids: JobIds = None, all_in: All = None, yes: Yes = False, url: Url = None
) -> None:
    """Put jobs into the archive: pending, scheduled, retry, completed and aggregating ones."""
    _move("archive", queue, _which(ids, all_in), yes=yes, url=url)


@app.command("delete")
def delete(
    queue: QueueName, ids: JobIds = None, all_in: All = None, yes: Yes = False, url: Url = None
) -> None:
    """Delete jobs, except active ones."""
    _move("delete", queue, _which(ids, all_in), yes=yes, url=url)


@app.command("edit")
def edit(queue: QueueName, job_id: JobId, payload: Payload, url: Url = None) -> None:
    """Give a scheduled job other arguments."""

    async def act(broker: Inspect) -> None:
        job = await known_job(broker, queue, job_id)
        if job.state is not State.SCHEDULED:
            refuse(f"job {job_id!r} is {job.state}; only scheduled jobs can be edited")
        if not await broker.replace_payload(queue, job_id, content):
            refuse(f"job {job_id!r} is not scheduled any more, and was left as it is")

    with deployment(url) as store:
        content = _checked(payload)
        store.ask(act)
    emit(f"job {plain(job_id)} has a new payload")


def _share(number: int, wanted: Wanted) -> str:
    of_task = f" of task {plain(wanted.task)}" if wanted.task else ""
    of_group = f" of group {plain(wanted.group)}" if wanted.group is not None else ""
    return f"{number:,}{of_task}{of_group} {'among' if of_task or of_group else 'of'}"


def _which(ids: Sequence[str] | None, all_in: State | None) -> Which | None:
    """What the arguments name; None if they make no sense."""
    if bool(ids) == (all_in is not None):
        return None
    return all_in if all_in is not None else list(dict.fromkeys(ids or ()))


def _move(verb: str, queue: str, which: Which | None, *, yes: bool, url: str | None) -> None:
    with deployment(url) as store:
        if which is None:
            raise BadOption(f"atode jobs {verb} takes either ids or --all STATE")
        if isinstance(which, State):
            _move_all(store, verb, queue, which, yes=yes)
        else:
            _move_some(store, verb, queue, which)


def _move_all(store: Deployment, verb: str, queue: str, state: State, *, yes: bool) -> None:
    if state not in _MOVABLE[verb]:
        others = ", ".join(sorted(_MOVABLE[verb]))
        raise BadOption(f"{verb} is not for {state} jobs; it is for {others}")
    count = store.ask(lambda broker: existing(broker, queue)).counts[state]
    if count:
        question = f"{verb.capitalize()} all {counted(count, f'{state} job')} of queue {queue!r}?"
        confirm(question, yes=yes)
        count = store.ask(lambda broker: _act(broker, verb, queue, state))
    emit(_done(verb, count))


def _move_some(store: Deployment, verb: str, queue: str, ids: Sequence[str]) -> None:
    async def act(broker: Inspect) -> tuple[int, list[str]]:
        before = [await known_job(broker, queue, job_id) for job_id in ids]
        count = await _act(broker, verb, queue, ids)
        wrong = [job for job in before if job.state not in _MOVABLE[verb]]
        return count, [f"{job.id} is {job.state}" for job in wrong]

    count, left_alone = store.ask(act)
    emit(_done(verb, count))
    if count < len(ids):
        refuse(f"left alone: {', '.join(left_alone) or 'jobs that have moved meanwhile'}")


async def _act(broker: Inspect, verb: str, queue: str, which: Which) -> int:
    match verb:
        case "run":
            return await broker.run(queue, which)
        case "cancel":
            return await broker.cancel(queue, which)
        case "archive":
            return await broker.archive(queue, which)
        case _:
            return await broker.delete(queue, which)


def _done(verb: str, count: int) -> str:
    return f"{counted(count, 'job')} {_ENDINGS[verb]}"


def _checked(payload: str) -> bytes:
    try:
        content = payload.encode("utf-8")
        parsed(content)
    except ValueError as error:
        raise BadOption(f"--payload is not JSON: {error}") from None
    return content


async def _holder(broker: Inspect, job: Job) -> Holder | None:
    if job.state is not State.ACTIVE:
        return None
    workers = await unless_broken(broker.workers())
    if isinstance(workers, BrokerRefused):
        return None
    held = ((each, one) for each in workers for one in each.running)
    return next(
        (pair for pair in held if (pair[1].queue, pair[1].job_id) == (job.queue, job.id)), None
    )
