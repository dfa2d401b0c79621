"""`atode queues`: how queues stand, and what to do to a whole one."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from atode.broker.protocol import Broker, Inspect
from atode.cli._deployment import (
    BAD_INPUT,
    complain,
    confirm,
    deployment,
    existing,
    refuse,
    unless_broken,
)
from atode.cli._documents import (
    broken_document,
    day_document,
    failure_share,
    group_document,
    queue_document,
    written,
)
from atode.cli._layout import counted, emit, fields, plain, table
from atode.cli._options import AsJson, QueueName, Url, Watch, Yes
from atode.cli._times import NONE, duration, iso, local, relative
from atode.cli._watch import show as show_again
from atode.errors import BadOption, BrokerRefused
from atode.group import Group
from atode.job import State
from atode.statistics import Day, QueueStats

app = typer.Typer(help="Look at queues; pause, resume and remove them.")

Found = tuple[str, QueueStats | BrokerRefused]
Days = Annotated[int, typer.Option("--days", min=1, max=90, help="Days of history (UTC).")]
Force = Annotated[bool, typer.Option("--force", help="Even with jobs in it, which go too.")]


@app.callback(invoke_without_command=True)
def overview(
    context: typer.Context, url: Url = None, as_json: AsJson = False, watch: Watch = None
) -> None:
    """Show how all queues stand; or, with a command, look at one and operate it."""
    if context.invoked_subcommand:
        if url is not None or as_json or watch is not None:
            command = context.invoked_subcommand
            complain(BadOption(f"options come after the command: atode queues {command} …"))
            raise typer.Exit(BAD_INPUT)
        return
    with deployment(url) as store:

        def draw() -> str:
            found = store.ask(_all)
            if as_json:
                return written(_document(found, store.now()), one_line=watch is not None)
            return _table(found, store.now())

        show_again(draw, watch, store)


@app.command("show")
def show(queue: QueueName, days: Days = 7, url: Url = None, as_json: AsJson = False) -> None:
    """Show how one queue stands, and what it did on the last days."""

    async def look(broker: Inspect) -> tuple[QueueStats, Sequence[Day]]:
        stats = await existing(broker, queue)
        return stats, await broker.history(queue, days)

    with deployment(url) as store:
        stats, history = store.ask(look)
        now = store.now()
    if as_json:
        past = [day_document(day) for day in history]
        emit(written({**queue_document(stats, now), "history": past}))
        return
    rows = [
        [day.date.isoformat(), f"{day.processed:,}", f"{day.failed:,}", _percent(day)]
        for day in history
    ]
    emit(fields(_fields(stats, now)))
    emit("")
    emit(table(["DAY", "PROCESSED", "FAILED", "SHARE"], rows))


@app.command("groups")
def show_groups(queue: QueueName, url: Url = None, as_json: AsJson = False) -> None:
    """Show a queue's groups: jobs that wait until a worker makes a batch of them."""

    async def look(broker: Broker) -> Sequence[Group]:
        await existing(broker, queue)
        return await broker.groups([queue])

    with deployment(url) as store:
        groups = sorted(store.ask(look), key=lambda group: group.oldest)
        now = store.now()
    if as_json:
        emit(written({"queue": queue, "groups": [group_document(each) for each in groups]}))
        return
    rows = [
        [
            each.name,
            each.task or NONE,
            f"{each.size:,}",
            relative(each.oldest, now),
            relative(each.newest, now),
        ]
        for each in groups
    ]
    if rows:
        emit(table(["GROUP", "TASK", "SIZE", "FIRST JOINED", "LAST JOINED"], rows))
    else:
        emit(f"queue {plain(queue)} has no groups")


@app.command("pause")
def pause(queue: QueueName, url: Url = None) -> None:
    """Let no worker claim from a queue; running jobs go on, due ones wait in line."""

    async def act(broker: Inspect) -> bool:
        await existing(broker, queue)
        return await broker.pause(queue)

    with deployment(url) as store:
        changed = store.ask(act)
    emit(f"queue {plain(queue)} {'is paused' if changed else 'was paused already'}")


@app.command("resume")
def resume(queue: QueueName, url: Url = None) -> None:
    """Let workers claim from a paused queue again."""

    async def act(broker: Inspect) -> bool:
        await existing(broker, queue)
        return await broker.resume(queue)

    with deployment(url) as store:
        changed = store.ask(act)
    emit(f"queue {plain(queue)} {'goes on' if changed else 'was not paused'}")


@app.command("remove")
def remove(queue: QueueName, force: Force = False, yes: Yes = False, url: Url = None) -> None:
    """Remove a queue with its counters and history, and with --force its jobs."""
    with deployment(url) as store:
        stats = store.ask(lambda broker: existing(broker, queue))
        held = counted(stats.size, "job")
        if active := stats.counts[State.ACTIVE]:
            refuse(f"queue {queue!r} has {counted(active, 'running job')}; pause it and wait")
        if stats.size and not force:
            refuse(f"queue {queue!r} holds {held}; --force removes that, too")
        confirm(f"Remove queue {queue!r} with {held}?", yes=yes)
        if not store.ask(lambda broker: broker.remove(queue, force=force)):
            refuse(f"queue {queue!r} holds jobs by now, and was left as it is")
    emit(f"queue {plain(queue)} is removed")


async def _all(broker: Inspect) -> list[Found]:
    names = await broker.queues()
    found = await asyncio.gather(*(unless_broken(broker.stats(name)) for name in names))
    return [(name, each) for name, each in zip(names, found, strict=True) if each is not None]


def _document(found: Sequence[Found], now: float) -> dict[str, object]:
    queues = [
        broken_document(name, each)
        if isinstance(each, BrokerRefused)
        else {**queue_document(each, now), "error": None}
        for name, each in found
    ]
    return {"at": iso(now), "queues": queues}


def _table(found: Sequence[Found], now: float) -> str:
    if not found:
        return "no queue has been used yet"
    stats = [each for _, each in found if isinstance(each, QueueStats)]
    states = [state for state in State if state is not State.AGGREGATING]
    if any(each.counts[State.AGGREGATING] for each in stats):
        states = list(State)
    headings = ["QUEUE", *(state.upper() for state in states)]
    headings += ["OLDEST", "PROCESSED", "FAILED", "SHARE", "PAUSED"]
    rows = [_row(each, states, now) for each in stats]
    parts = [table(headings, rows, tint=lambda row: "yellow" if row[-1] == "yes" else "")]
    broken = [
        f"queue {plain(name)}: {plain(str(each))}"
        for name, each in found
        if isinstance(each, BrokerRefused)
    ]
    return "\n\n".join((parts if rows else []) + broken)


def _row(stats: QueueStats, states: Sequence[State], now: float) -> list[str]:
    return [
        stats.queue,
        *(f"{stats.counts[state]:,}" for state in states),
        _oldest(stats, now),
        f"{stats.processed:,}",
        f"{stats.failed:,}",
        _percent(stats),
        "yes" if stats.paused else "no",
    ]


def _fields(stats: QueueStats, now: float) -> list[tuple[str, str]]:
    return [
        ("queue", stats.queue),
        ("paused", "yes" if stats.paused else "no"),
        *((str(state), f"{stats.counts[state]:,}") for state in State),
        ("next waits since", local(stats.waiting_since, now)),
        ("processed", f"{stats.processed:,}"),
        ("failed", f"{stats.failed:,} ({_percent(stats)})"),
        ("memory", f"about {stats.memory:,} bytes" if stats.memory else NONE),
    ]


def _oldest(stats: QueueStats, now: float) -> str:
    return duration(now - stats.waiting_since) if stats.waiting_since else NONE


def _percent(figures: QueueStats | Day) -> str:
    share = failure_share(figures)
    return NONE if share is None else f"{share:.1%}"
