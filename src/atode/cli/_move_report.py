"""What `atode move` says: before, meanwhile, and in the end."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

import typer

from atode.cli._documents import Document
from atode.cli._layout import counted, plain, table
from atode.job import State
from atode.mover import Holder, Progress, Report
from atode.statistics import QueueStats

PRODUCERS = (
    "Let producers and workers use the new store first: what is stored in the old one after the "
    "move waits there until you move again."
)

_SHOWN = 10
"""Jobs that are named one by one where people read."""


class Plan(NamedTuple):
    """A queue that is to move, and who runs jobs of it."""

    stats: QueueStats
    holders: Sequence[Holder]


class Display:
    """Shows how far a move is: a bar on a terminal, and who is waited for on any standard error."""

    def __init__(self) -> None:
        self.moved = 0
        self._bar = typer.progressbar(length=1, label="moving", show_pos=True, file=sys.stderr)
        self._has_bar = sys.stderr.isatty()
        self._said = ""

    def told(self, progress: Progress) -> None:
        """Show this."""
        if self._has_bar:
            self._bar.length = max(progress.total, 1)
            self._bar.update(progress.moved - self.moved)
        self.moved = progress.moved
        waiting = _waiting(progress)
        if waiting and waiting != self._said:
            self.end_line()
            typer.echo(waiting, err=True)
        self._said = waiting

    def end_line(self) -> None:
        """What is written next stands below the bar."""
        if self._has_bar:
            typer.echo(err=True)


def plan_document(plans: Sequence[Plan]) -> Document:
    """What would move."""
    return {
        "queues": [
            {
                "queue": stats.queue,
                "counts": {str(state): stats.counts.get(state, 0) for state in State},
                "paused": stats.paused,
                "running": [holder._asdict() for holder in holders],
            }
            for stats, holders in plans
        ],
    }


def plan_text(plans: Sequence[Plan]) -> str:
    """What would move, for people."""
    rows = [
        [stats.queue, *(f"{stats.counts.get(state, 0):,}" for state in State)] for stats, _ in plans
    ]
    lines = [_held(holder) for _, holders in plans for holder in holders]
    return "\n".join([table(["QUEUE", *(state.upper() for state in State)], rows), *lines])


def report_document(reports: Sequence[Report]) -> Document:
    """What became of each queue."""
    return {
        "complete": all(report.is_complete for report in reports),
        "queues": [
            {
                "queue": report.queue,
                "moved": {str(state): report.moved.get(state, 0) for state in State},
                "left": report.left_count,
                "left_jobs": [left._asdict() for left in report.left],
                "without_lock": list(report.unlocked),
                "rounded": report.rounded,
                "running": report.running,
                "more": report.more,
                "paused": report.paused,
            }
            for report in reports
        ],
    }


def report_text(reports: Sequence[Report]) -> str:
    """What became of each queue, and what is to be done now, for people."""
    rows = [[report.queue, *(f"{number:,}" for number in _numbers(report))] for report in reports]
    headings = ["QUEUE", "MOVED", "LEFT", "RUNNING", "MORE"]
    lines = [line for report in reports for line in _remarks(report)]
    return "\n".join([table(headings, rows), *lines, *_next_steps(reports)])


def _numbers(report: Report) -> tuple[int, ...]:
    return (sum(report.moved.values()), report.left_count, report.running, report.more)


def _remarks(report: Report) -> list[str]:
    queue = plain(report.queue)
    lines = [
        f"queue {queue}: job {plain(left.job_id)} stays: {plain(left.reason)}"
        for left in report.left[:_SHOWN]
    ]
    if (others := report.left_count - len(lines)) > 0:
        lines.append(f"queue {queue}: {counted(others, 'other job')} stay, too")
    lines += [
        f"queue {queue}: job {plain(job_id)} came without its lock, which another job there has"
        for job_id in report.unlocked[:_SHOWN]
    ]
    if report.rounded:
        lines.append(
            f"queue {queue}: {counted(report.rounded, 'job')} had a timeout, deadline or retention "
            "with a fraction of a second, which the new store does not keep"
        )
    if report.running:
        lines.append(f"queue {queue}: {counted(report.running, 'job')} still running; move again")
    if report.more:
        lines.append(
            f"queue {queue}: producers still store jobs in the old store; let them use the new "
            "one, and move again"
        )
    if report.paused:
        lines.append(f"queue {queue} is paused in the new store, too, as it was before")
    return lines


def _next_steps(reports: Sequence[Report]) -> list[str]:
    names = ", ".join(plain(report.queue) for report in reports if report.is_complete)
    if not names:
        return []
    return [
        f"Paused and without jobs in the old store: {names}. To use one there again: atode queues "
        "resume; to be rid of it: atode queues remove."
    ]


def _waiting(progress: Progress) -> str:
    if not progress.running:
        return ""
    lines = [f"waiting for {counted(progress.running, 'running job')}"]
    lines += [_held(holder) for holder in progress.holders[:_SHOWN]]
    if not progress.holders:
        lines.append("  no living worker says that it runs them")
    return "\n".join(lines)


def _held(holder: Holder) -> str:
    return plain(
        f"  queue {holder.queue}: worker {holder.worker} runs {holder.task} ({holder.job_id})"
    )
