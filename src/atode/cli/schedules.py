"""`atode schedules`: what living schedulers run, Go's included, and the jobs that came of it."""

from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from atode._portal import Portal
from atode.broker.protocol import Broker
from atode.cli._deployment import Deployment, confirm, deployment, refuse
from atode.cli._documents import entry_document, fired_document, written
from atode.cli._layout import counted, emit, plain, table
from atode.cli._options import AsJson, Url, Watch, Yes
from atode.cli._suggestion import suggestion
from atode.cli._times import iso, local, span
from atode.cli._watch import show
from atode.client import Client
from atode.definition import is_paused
from atode.errors import BadOption
from atode.events import Events
from atode.schedule import Entry, EntryOptions, Fired
from atode.schedules import Schedules
from atode.timetable import Timetable

app = typer.Typer(
    help="Look at schedules and the jobs that they became; pause, resume, run them.",
    no_args_is_help=True,
)

ScheduleId = Annotated[str, typer.Argument(metavar="ID", help="Id of a schedule.")]
PageNumber = Annotated[int, typer.Option("--page", min=1, help="Which page; 1 is the newest.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Jobs on one page.")]


@app.command("list")
def list_entries(url: Url = None, as_json: AsJson = False, watch: Watch = None) -> None:
    """List the schedules that living schedulers run, the next one first."""
    with deployment(url) as store:

        def draw() -> str:
            found, paused = store.ask(_shown)
            now = store.now()
            if as_json:
                listed = [entry_document(each, paused=each.id in paused) for each in found]
                document = {"at": iso(now), "schedules": listed}
                return written(document, one_line=watch is not None)
            return _table(found, paused, now)

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


@app.command("pause")
def pause(schedule: ScheduleId, url: Url = None) -> None:
    """Let a schedule not fire until it is resumed, whether code or the store defines it."""
    with deployment(url) as store:
        changed = store.ask(lambda broker: _schedules(broker, store).pause(schedule))
    emit(f"schedule {plain(schedule)} {'is paused' if changed else 'was paused already'}")


@app.command("resume")
def resume(schedule: ScheduleId, url: Url = None) -> None:
    """Let a paused schedule fire again, from its next tick on."""
    with deployment(url) as store:
        changed = store.ask(lambda broker: _schedules(broker, store).resume(schedule))
    emit(f"schedule {plain(schedule)} {'fires again' if changed else 'was not paused'}")


@app.command("run")
def run(schedule: ScheduleId, url: Url = None) -> None:
    """Store the job of a schedule's next tick now; its ticks stay as they are."""
    with deployment(url) as store:
        handle = store.ask(lambda broker: _schedules(broker, store).run_now(schedule))
    emit(f"job {plain(handle.id)} is stored in queue {plain(handle.queue)}")


@app.command("remove")
def remove(schedule: ScheduleId, url: Url = None, yes: Yes = False) -> None:
    """Remove a schedule that is defined in the store; those of code can be paused only."""
    with deployment(url) as store:
        found = store.ask(lambda broker: _schedules(broker, store).get(schedule))
        if found and found.defined_in == "code":
            refuse(f"schedule {schedule!r} is defined in code; atode schedules pause stops it")
        if found is None:
            raise BadOption(f"the store defines no schedule {schedule!r}")
        confirm(f"Remove schedule {schedule}, which stores jobs of {found.task}?", yes=yes)
        store.ask(lambda broker: _schedules(broker, store).remove(schedule))
    emit(f"schedule {plain(schedule)} is removed")


@app.command("next")
def upcoming(
    schedule: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of this schedule only.")
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, max=1000, help="How many.")] = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List when schedules fire next, of all together or of one; paused ones do not."""
    with deployment(url) as store:
        fires = store.ask(lambda broker: _schedules(broker, store).next(number, schedule))
        now = store.now()
    if as_json:
        found = [{"schedule": each.schedule, "at": iso(each.at.timestamp())} for each in fires]
        emit(written({"at": iso(now), "fires": found}))
    elif fires:
        rows = [[local(each.at.timestamp(), now), each.schedule] for each in fires]
        emit(table(["AT", "ID"], rows))
    else:
        emit("nothing will fire")


def _schedules(broker: Broker, store: Deployment) -> Schedules:
    # Of programs' code this one knows what their workers show.
    client = Client(broker, store.clock, Events())
    return Schedules(Timetable(), lambda: client, Portal(), store.clock)


async def _shown(broker: Broker) -> tuple[Sequence[Entry], Collection[str]]:
    """The schedules that run, and those that are paused."""
    stored = await broker.definitions()
    paused = {each.id for each in (stored.found if stored else ()) if is_paused(each)}
    return await broker.entries(), paused


async def _fired(broker: Broker, schedule: str, offset: int, limit: int) -> Sequence[Fired]:
    found = await broker.fired(schedule, offset=offset, limit=limit)
    if found or await broker.fired(schedule, limit=1):
        return found
    known = [entry.id for entry in await broker.entries()]
    if schedule not in known:
        where = "atode schedules list shows those that run" if known else "no scheduler lives"
        hint = suggestion(schedule, known, likeness=0.5) or f"; {where}"
        raise BadOption(f"there is no schedule {schedule!r}{hint}")
    return found


def _table(found: Sequence[Entry], paused: Collection[str], now: float) -> str:
    if not found:
        return "no scheduler lives"
    headings = ["ID", "SPEC", "TASK", "NEXT", "PREV", "OPTIONS"]
    rows = [
        [
            entry.id,
            entry.spec,
            entry.task,
            "paused" if entry.id in paused else local(entry.next, now),
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
