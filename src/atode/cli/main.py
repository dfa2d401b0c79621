"""`atode`: one file per group of commands."""

import typer

from atode.cli import worker

app = typer.Typer(
    name="atode",
    help="Background jobs that nobody loses.",
    no_args_is_help=True,
    add_completion=False,
)
app.command("worker")(worker.run)


@app.callback()
def root() -> None:
    """Background jobs that nobody loses."""


def main() -> None:
    """Entry point of the `atode` command."""
    app()
