"""What the page says, in each of its languages."""

import json
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent / "texts"
DEFAULT_LANGUAGE = "en"


def _read(path: Path) -> Mapping[str, str]:
    texts: dict[str, str] = json.loads(path.read_text("utf-8"))
    return texts


TEXTS = {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.json"))}


def pick_language(asked: str | None, accepted: str) -> str:
    """The language that was asked for, else the first one that the browser accepts.

    `accepted` is an Accept-Language header; browsers write it in order of preference.
    """
    words = [asked or "", *accepted.split(",")]
    for word in words:
        language = word.partition(";")[0].strip().partition("-")[0].lower()
        if language in TEXTS:
            return language
    return DEFAULT_LANGUAGE
