"""Running jobs, in this process or in several."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from atode.app import Atode
from atode.errors import BadOption
from atode.lifeline import lifeline
from atode.observe.endpoint import observed
from atode.processes.processes import Processes
from atode.settings import load


async def work(
    app: Atode,
    *,
    processes: int | None = None,
    metrics: str | None = None,
    concurrency: int | None = None,
    queues: Mapping[str, int] | None = None,
    strict: bool | None = None,
    lease: float | None = None,
    shutdown_timeout: float | None = None,
    schedules: bool | None = None,
) -> bool:
    """Run the app's jobs until SIGINT or SIGTERM; whether everything ended well.

    With more than one of `processes`, this process only starts this very program so many times
    (with the same arguments), and looks after them; each comes here again and runs a worker.
    `metrics` is where to serve what can be seen of all of them, as for `observed`. Each option not
    given comes from its `ATODE_…` variable, `atode.toml`, or its default; see `Settings`.

    Raises:
        BadOption: an option is out of its range, or several processes are to share `memory://`.
        BadTask, BrokerRefused: as for `Worker.run`.
    """
    settings = load(
        url=app.url,
        processes=processes,
        metrics=metrics,
        concurrency=concurrency,
        queues=None if queues is None else dict(queues),
        strict=strict,
        lease=lease,
        shutdown_timeout=shutdown_timeout,
        schedules=schedules,
    )
    if settings.processes > 1 and not lifeline():
        if urlsplit(app.url).scheme == "memory":
            raise BadOption(
                f"processes is {settings.processes}; jobs in memory:// are in one process only"
            )
        app.registry.check()
        family = Processes(
            settings.processes,
            concurrency=settings.concurrency,
            shutdown_timeout=settings.shutdown_timeout,
        )
        async with app, observed(app, settings.metrics, family):
            return await family.run()
    async with app, observed(app, settings.metrics):
        await app.worker(
            concurrency=settings.concurrency,
            queues=settings.queues,
            strict=settings.strict,
            lease=settings.lease,
            shutdown_timeout=settings.shutdown_timeout,
            schedules=settings.schedules,
        ).run()
    return True
