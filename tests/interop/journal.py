"""What the handlers of both sides wrote down, one JSON object in each line."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tests.faults.journal import eventually


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, val_json_bytes="base64")

    side: str
    word: str
    task: str
    id: str
    queue: str
    payload: bytes = b""
    headers: Mapping[str, str] = {}
    retried: int
    max_retry: int
    deadline: float
    pid: int
    at: float
    detail: str


class Journal:
    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def entries(self, word: str, side: str | None = None) -> list[Entry]:
        """In the order in which they were written; `side` is "go" or "python"."""
        return [entry for entry in self.all() if entry.word == word and side in (None, entry.side)]

    def all(self) -> list[Entry]:
        """In the order in which they were written."""
        lines = self.path.read_text("utf-8").splitlines()
        return [Entry.model_validate_json(line) for line in lines]

    def ids(self, word: str, side: str | None = None) -> Counter[str]:
        return Counter(entry.id for entry in self.entries(word, side))

    async def has(self, word: str, *ids: str, side: str | None = None) -> list[Entry]:
        """The entries with this word, as soon as each of the jobs has one."""
        await self.until(lambda: set(ids) <= self.ids(word, side).keys())
        return [entry for entry in self.entries(word, side) if entry.id in ids]

    async def until(self, fact: Callable[[], object]) -> None:
        await eventually(fact, evidence=lambda: self.path.read_text("utf-8")[-2000:])
