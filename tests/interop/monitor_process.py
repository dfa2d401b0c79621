"""asynqmon, asynq's web monitor, as a process of its own."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.faults.process import Process


class Monitor(Process):
    READY = "ready "

    def __init__(self, program: Path, url: str, folder: Path) -> None:
        super().__init__([str(program), urlsplit(url).netloc], folder, {})

    def shows(self, page: str) -> Any:
        """What the monitor's own page is made from."""
        answer = self._ask("GET", page)
        return answer.json()

    def press(self, page: str) -> None:
        """What a button of the monitor does."""
        self._ask("POST", page)

    def _ask(self, method: str, page: str) -> httpx.Response:
        [port] = [line.split()[1] for line in self.log if line.startswith(self.READY)]
        answer = httpx.request(method, f"http://127.0.0.1:{port}/api/{page}", timeout=30)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer
