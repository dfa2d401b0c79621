"""`atode`: one file per group of commands."""

import typer

from atode.cli import doctor, jobs, migrate, move, queues, schedules, servers, worker, workers

app = typer.Typer(
    name="atode",
    help="Background jobs that nobody loses.",
    no_args_is_help=True,
    add_completion=False,
    # Local variables of a traceback may hold a URL with its password.
    pretty_exceptions_show_locals=False,
)
app.command("worker")(worker.run)
app.add_typer(queues.app, name="queues")
app.add_typer(jobs.app, name="jobs")
app.add_typer(schedules.app, name="schedules")
app.command("servers")(servers.servers)
app.add_typer(workers.app, name="workers")
app.command("doctor")(doctor.doctor)
app.command("move")(move.move)
app.command("migrate")(migrate.migrate)


@app.callback()
def root() -> None:
    """Background jobs that nobody loses."""


def main() -> None:
    """Entry point of the `atode` command."""
    app()
