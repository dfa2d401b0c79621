"""`python -m webapp.token`: print a token for the API."""

import argparse
import sys

from webapp.service.tokens import Tokens
from webapp.settings import SettingsError, load_settings

_DEFAULT_SECONDS = 3600
_LONGEST_SECONDS = 365 * 24 * 3600


def main() -> None:
    """Print a token signed with this environment's secret, or say why there is none."""
    parser = argparse.ArgumentParser(
        prog="python -m webapp.token", description="Print a token for the API."
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=_DEFAULT_SECONDS,
        help=f"how long it is good for, 1 to {_LONGEST_SECONDS} (default {_DEFAULT_SECONDS})",
    )
    seconds: int = parser.parse_args().seconds
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(str(error))
    tokens = Tokens(settings.token_secret, audience=settings.auth.audience)
    token = tokens.issue("command line", seconds)
    sys.stdout.write(f"{token}\n")


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number from 1 to {_LONGEST_SECONDS}"
        )
    return int(text)


if __name__ == "__main__":
    main()
