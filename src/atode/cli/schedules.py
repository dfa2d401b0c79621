"""`atode schedules`: what living schedulers run, Go's included, and the jobs that came of it."""

from collections.abc import Sequence
from typing import Annotated

import typer

from atode.cli._deployment import deployment
from atode.cli._documents import entry_document, fired_document, written
from atode.cli._layout import counted, emit, plain, table
from atode.cli._options import AsJson, Url, Watch
from atode.cli._suggestion import suggestion
from atode.cli._times import iso, local, span
from atode.cli._watch import show
from atode.errors import BadOption
from atode.schedule import Entry, EntryOptions, Fired, Schedules

app = typer.Typer(help="Look at schedules, and at the jobs that they became.", no_args_is_help=True)

ScheduleId = Annotated[str, typer.Argument(metavar="ID", help="Id of a schedule.")]
PageNumber = Annotated[int, typer.Option("--page", min=1, help="Which page; 1 is the newest.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Jobs on one page.")]


@app.command("list")
def list_entries(url: Url = None, as_json: AsJson = False, watch: Watch = None) -> None:
    """List the schedules that living schedulers run, the next one first."""
    with deployment(url) as store:

        def draw() -> str:
            found = store.ask(lambda broker: broker.entries())
            now = store.now()
            if as_json:
                document = {"at": iso(now), "schedules": [entry_document(each) for each in found]}
                return written(document, one_line=watch is not None)
            return _table(found, now)

        show(draw, watch, store)


@app.command("history")
def history(
    schedule: ScheduleId,
    page_number: PageNumber = 1,
    limit: Limit = 30,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs that a schedule became, newest first."""
    offset = (page_number - 1) * limit
    with deployment(url) as store:
        found = store.ask(lambda broker: _fired(broker, schedule, offset, limit))
        now = store.now()
    if as_json:
        place = {"schedule": schedule, "page": page_number, "limit": limit}
        emit(written({**place, "jobs": [fired_document(each) for each in found]}))
        return
    if found:
        emit(table(["AT", "JOB"], [[local(each.at, now), each.job_id] for each in found]))
    emit(f"{counted(len(found), 'job')} of schedule {plain(schedule)}, page {page_number:,}")


async def _fired(broker: Schedules, schedule: str, offset: int, limit: int) -> Sequence[Fired]:
    found = await broker.fired(schedule, offset=offset, limit=limit)
    if found or await broker.fired(schedule, limit=1):
        return found
    known = [entry.id for entry in await broker.entries()]
    if schedule not in known:
        where = "atode schedules list shows those that run" if known else "no scheduler lives"
        hint = suggestion(schedule, known, likeness=0.5) or f"; {where}"
        raise BadOption(f"there is no schedule {schedule!r}{hint}")
    return found


def _table(found: Sequence[Entry], now: float) -> str:
    if not found:
        return "no scheduler lives"
    headings = ["ID", "SPEC", "TASK", "NEXT", "PREV", "OPTIONS"]
    rows = [
        [
            entry.id,
            entry.spec,
            entry.task,
            local(entry.next, now),
            local(entry.prev, now),
            _options(entry.options),
        ]
        for entry in found
    ]
    return table(headings, rows)


def _options(options: EntryOptions) -> str:
    said = [
        ("queue", options.queue),
        ("max_retry", None if options.max_retry is None else str(options.max_retry)),
        ("timeout", None if options.timeout is None else span(options.timeout)),
        ("unique", None if options.unique_for is None else span(options.unique_for)),
        ("retention", None if options.retention is None else span(options.retention)),
    ]
    texts = [f"{name}={value.replace(' ', '')}" for name, value in said if value is not None]
    return " ".join([*texts, *options.others])
