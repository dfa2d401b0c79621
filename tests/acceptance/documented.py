"""Commands in a document and the answers that it promises; and running them as they stand."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.acceptance.program import environment

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXAMPLE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
"""Stands for the last job that an answer has named."""
_ADDRESS = "localhost:8080"
_VARYING = [
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+[\d:]+)", "<instant>"),
]


@dataclass(frozen=True)
class Example:
    """A block marked `sh`, and the block marked `json` right after it, if there is one."""

    command: str
    answer: Json


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str


def examples(document: Path) -> list[Example]:
    """All that the document has, in its order."""
    blocks = _BLOCK.findall(document.read_text("utf-8"))
    following = [*blocks[1:], ("", "")]
    return [
        Example(text, json.loads(after) if language == "json" else None)
        for (kind, text), (language, after) in zip(blocks, following, strict=True)
        if kind == "sh"
    ]


def run(commands: Sequence[str], folder: Path, address: str) -> list[Ran]:
    """Each command, in one shell as its reader would; `address` is where the server is."""
    script = [f"LAST={_EXAMPLE}"]
    for n, command in enumerate(commands):
        here = command.replace(_ADDRESS, address).replace(_EXAMPLE, "$LAST")
        script.append(f"{{\n{here}\n}} > out{n} 2> err{n}; echo $? > code{n}")
        named = f'$(sed -nE \'s/.*"job_id": ?"([0-9a-f-]+)".*/\\1/p\' out{n} | head -1)'
        script.append(f'FOUND={named}; LAST="${{FOUND:-$LAST}}"')
    binaries = shlex.quote(str(Path(sys.executable).parent))
    subprocess.run(
        ["bash", "-c", f"PATH={binaries}:$PATH\n" + "\n".join(script)],
        cwd=folder,
        env=environment({}),
        check=True,
        timeout=110,
    )
    return [
        Ran(int(_text(folder, f"code{n}")), _text(folder, f"out{n}"), _text(folder, f"err{n}"))
        for n in range(len(commands))
    ]


def shape(answer: Json) -> Json:
    """An answer without what differs each time: ids, instants, and words of Python's version."""
    match answer:
        case dict():
            return {name: shape(value) for name, value in answer.items() if name != "title"}
        case list():
            return list(map(shape, answer))
        case str():
            return _unvaried(answer)
        case _:
            return answer


def _unvaried(text: str) -> str:
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text)
    return text


def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text("utf-8", errors="replace")
