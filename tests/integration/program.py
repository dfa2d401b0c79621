"""`atode` as a program of its own."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

ATODE = Path(sys.executable).with_name("atode")
PATIENCE = 30.0


def environment(**variables: str) -> dict[str, str]:
    ours = {name: text for name, text in os.environ.items() if not name.startswith("ATODE_")}
    # Errors come in a box as wide as the terminal.
    return {**ours, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", **variables}


def atode(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ATODE, *arguments],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Running:
    """A worker process, and what it has logged so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.log = ""

    def until_it_says(self, text: str) -> None:
        assert self.process.stderr is not None
        give_up = time.monotonic() + PATIENCE
        while text not in self.log:
            left = give_up - time.monotonic()
            assert left > 0, self.log
            if select.select([self.process.stderr], [], [], left)[0]:
                more = os.read(self.process.stderr.fileno(), 65536)
                assert more, f"it ended: {self.log}"
                self.log += more.decode()

    def told(self, number: int) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=PATIENCE)
        self.log += rest.decode()
        return self.process.returncode
