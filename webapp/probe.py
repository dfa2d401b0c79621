"""`python -m webapp.probe URL`: whether a server is well, for health checks of containers.

Images without curl have Python. It knows no settings and imports nothing of the application, so
that it costs little where it runs every few seconds.
"""

import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

_PATIENCE = 7.0
"""Seconds: a job server takes five to find that its event loop does not turn."""


def main(arguments: Sequence[str]) -> int:
    """0 if the URL answers with 2xx; else 1 and the reason on standard output; 2 without a URL."""
    if len(arguments) != 1 or not arguments[0].startswith("http://"):
        sys.stdout.write("Usage: python -m webapp.probe http://127.0.0.1:8080/healthz\n")
        return 2
    trouble = _trouble(arguments[0])
    if trouble:
        sys.stdout.write(f"{arguments[0]}: {trouble}\n")
    return 1 if trouble else 0


def _trouble(url: str) -> str:
    # A proxy of the environment is not between a container and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_PATIENCE):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read(500).decode(errors='replace').strip()}"
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
