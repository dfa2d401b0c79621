"""`atode move`: all jobs from one store to another."""

from collections.abc import Sequence
from typing import Annotated

import typer

from atode.broker.protocol import Broker
from atode.cli._deployment import REFUSED, confirm, existing, without_password
from atode.cli._documents import Document, written
from atode.cli._layout import counted, emit
from atode.cli._move_report import (
    PRODUCERS,
    Display,
    Plan,
    plan_document,
    plan_text,
    report_document,
    report_text,
)
from atode.cli._options import AsJson, Yes
from atode.cli._stores import Stores, stores
from atode.mover import Mover, Report, holders_of

Source = Annotated[str, typer.Option("--from", metavar="URL", help="Where the jobs live now.")]
Target = Annotated[str, typer.Option("--to", metavar="URL", help="Where they are to live.")]
Queues = Annotated[
    list[str] | None,
    typer.Option("--queue", "-q", help="Queue to move. Repeatable.", show_default="all"),
]
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, metavar="SECONDS", help="How long to wait for running jobs."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would move.")]


def move(
    source: Source,
    target: Target,
    queue: Queues = None,
    wait: Wait = 60.0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Move all jobs from one store to another: waiting, failed and ended ones, with results.

    It can be stopped at any moment; the same command again goes on, and no job is doubled.
    """
    urls = {
        "from": without_password(source, source),
        "to": without_password(target, target),
    }
    with stores(source, target) as both:
        plans = both.ask(lambda old, _: _plans(old, queue))
        if dry_run:
            document: Document = {**urls, "dry_run": True, **plan_document(plans)}
            emit(written(document) if as_json else plan_text(plans))
            return
        jobs = counted(sum(plan.stats.size for plan in plans), "job")
        typer.echo(PRODUCERS, err=True)
        confirm(
            f"Move {jobs} of {counted(len(plans), 'queue')} from {urls['from']} to {urls['to']}?",
            yes=yes,
        )
        reports = _moved(both, [plan.stats.queue for plan in plans], wait)
    if as_json:
        emit(written({**urls, "dry_run": False, **report_document(reports)}))
    else:
        emit(report_text(reports))
    if not all(report.is_complete for report in reports):
        raise typer.Exit(REFUSED)


async def _plans(broker: Broker, names: Sequence[str] | None) -> list[Plan]:
    found = list(dict.fromkeys(names or await broker.queues()))
    stats = [await existing(broker, name) for name in found]
    holders = await holders_of(broker, found)
    return [Plan(each, [one for one in holders if one.queue == each.queue]) for each in stats]


def _moved(both: Stores, queues: Sequence[str], wait: float) -> Sequence[Report]:
    display = Display()
    mover = Mover(both.source, both.target, both.clock, display.told)
    try:
        reports = both.runner.run(mover.move(queues, wait=wait))
    except KeyboardInterrupt:
        display.end_line()
        typer.echo(
            f"atode: interrupted after {counted(display.moved, 'job')}; the same command goes on "
            "where this one stopped. The queues stay paused in the old store",
            err=True,
        )
        raise
    display.end_line()
    return reports
