"""Options that several commands share."""

from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Where the jobs live.",
        show_default="ATODE_URL, atode.toml, or sqlite:///atode.db",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document, for scripts.")]
Watch = Annotated[
    float | None,
    typer.Option("--watch", min=0.1, metavar="SECONDS", help="Look again and again, until Ctrl-C."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
QueueName = Annotated[str, typer.Argument(metavar="QUEUE", help="Name of a queue.")]
