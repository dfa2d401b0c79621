"""Running jobs, in this process or in several."""

from typing import Unpack
from urllib.parse import urlsplit

from atode.app import Atode
from atode.errors import BadOption
from atode.lifeline import lifeline
from atode.observe.endpoint import observed
from atode.processes._collector import calm
from atode.processes.processes import Processes
from atode.settings import WorkerOptions, load


async def work(
    app: Atode,
    *,
    processes: int | None = None,
    metrics: str | None = None,
    **options: Unpack[WorkerOptions],
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
    settings = load(url=app.url, processes=processes, metrics=metrics, **options)
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
        calm()
        await app.worker(**options).run()
    return True
