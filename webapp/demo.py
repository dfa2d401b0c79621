"""`make demo`: the API server and the job server in one process group, and what to try."""

import os
import signal
import subprocess
import sys
import time
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
    first = _first_ended(servers)
    stop()
    for server in servers:
        server.wait()
    code: int = first.returncode
    return abs(code)


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
        except OSError:
            time.sleep(0.1)
    return False


def _first_ended(servers: Sequence[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """Wait until one of them ends: because we were told to stop, or because it could not go on."""
    while True:
        for server in servers:
            if server.poll() is not None:
                return server
        time.sleep(0.05)


def _welcome(address: str, token: str) -> str:
    body = '{"message": "Hello, World!", "delay_seconds": 5}'
    return f"""
The page, in a browser:  {address}/dm-jobqueue
Both servers stop with:  Ctrl-C
The same by hand:

curl -sS {address}/api/dm-jobqueue/register -H 'Authorization: Bearer {token}' -d '{body}'
"""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
