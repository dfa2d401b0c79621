"""`make demo`: the API server and the job server in one process group, and what to try."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from types import FrameType

START_WITHIN = 60.0


def main() -> int:
    """Start both servers, say what to try, and stop both when either stops or we are told to."""
    os.environ.setdefault("APP_ENV", "demo")
    port = os.environ.setdefault("PORT", "8080")
    servers = [_start("webapp.server"), _start("webapp.jobqueue")]

    def stop(number: int = 0, frame: FrameType | None = None) -> None:
        for server in servers:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    address = f"http://localhost:{port}"
    if _answers(f"{address}/healthz", servers):
        _say(_welcome(address, _token()))
    codes = _wait(servers)
    stop()
    return max(abs(code) for code in [*codes, *(server.wait() for server in servers)])


def _start(module: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-u", "-m", module])


def _token() -> str:
    command = [sys.executable, "-m", "webapp.token"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _answers(url: str, servers: Sequence[subprocess.Popen[bytes]]) -> bool:
    limit = time.monotonic() + START_WITHIN
    while time.monotonic() < limit and all(server.poll() is None for server in servers):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def _wait(servers: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Until the first of them ends; its exit code."""
    while not (codes := [code for code in (s.poll() for s in servers) if code is not None]):
        time.sleep(0.1)
    return codes


def _welcome(address: str, token: str) -> str:
    return f"""
The page:      {address}/dm-jobqueue
By hand:       curl -sS {address}/api/dm-jobqueue/register \\
                 -H 'Authorization: Bearer {token}' \\
                 -H 'Content-Type: application/json' \\
                 -d '{{"message": "Hello, World!", "delay_seconds": 5}}'
Stop:          Ctrl-C
"""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
