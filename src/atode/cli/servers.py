"""`atode servers`: the workers that live, those of Go programs too."""

from collections.abc import Sequence
from typing import Annotated

import typer

from atode.cli._deployment import deployment
from atode.cli._documents import server_document, written
from atode.cli._layout import table
from atode.cli._options import AsJson, Url, Watch
from atode.cli._times import NONE, duration, iso, local
from atode.cli._watch import show
from atode.presence import Presence, Running

Jobs = Annotated[bool, typer.Option("--jobs", help="Show what they are running, too.")]


def servers(
    url: Url = None, jobs: Jobs = False, as_json: AsJson = False, watch: Watch = None
) -> None:
    """Show the workers that live."""
    with deployment(url) as store:

        def draw() -> str:
            found = sorted(store.ask(lambda broker: broker.workers()), key=_place)
            now = store.now()
            if as_json:
                document = {"at": iso(now), "servers": [server_document(each) for each in found]}
                return written(document, one_line=watch is not None)
            return _text(found, now, with_jobs=jobs)

        show(draw, watch, store)


def _place(presence: Presence) -> tuple[str, int, str]:
    return presence.host, presence.pid, presence.worker


def _text(found: Sequence[Presence], now: float, *, with_jobs: bool) -> str:
    if not found:
        return "no worker lives"
    headings = ["ID", "HOST", "PID", "STATUS", "BUSY", "QUEUES", "SINCE"]
    rows = [_row(each, now) for each in found]
    text = table(headings, rows, tint=lambda row: "" if row[3] == "active" else "yellow")
    running = [(each, one) for each in found for one in each.running]
    if not with_jobs:
        return text
    if not running:
        return f"{text}\n\nno job is running"
    jobs = [_job_row(each, one, now) for each, one in running]
    return f"{text}\n\n{table(['JOB', 'TASK', 'QUEUE', 'SERVER', 'FOR', 'LIMIT'], jobs)}"


def _row(presence: Presence, now: float) -> list[str]:
    by_weight = sorted(presence.queues.items(), key=lambda entry: (-entry[1], entry[0]))
    queues = " ".join(f"{name}={weight}" for name, weight in by_weight)
    return [
        presence.server_id,
        presence.host,
        str(presence.pid),
        presence.status,
        f"{presence.running_count}/{presence.concurrency}",
        f"{queues} (strict)" if presence.strict else queues,
        local(presence.started_at, now),
    ]


def _job_row(presence: Presence, running: Running, now: float) -> list[str]:
    return [
        running.job_id,
        running.task,
        running.queue,
        presence.server_id,
        duration(now - running.started_at),
        duration(running.deadline - now) if running.deadline > 0 else NONE,
    ]
