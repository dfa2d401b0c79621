"""The page for those who come from other systems: its code runs, and both languages agree."""

import ast
import asyncio
import inspect
import re
import shlex
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

import pytest
import typer

import atode
from atode import Atode, DuplicateJob
from atode.cli.main import app as command_line
from atode.task import CallOptions
from tests.acceptance.program import ROOT


def text(language: str) -> str:
    return (ROOT / "docs" / language / "Coming-from.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text(language), re.DOTALL)


async def execute(block: str, names: dict[str, Any]) -> None:
    """As at the prompt of `python -m asyncio`, where `await` may stand outside of functions."""
    code: CodeType = compile(block, "Coming-from.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    waits = eval(code, names)
    if inspect.isawaitable(waits):
        await waits


@asynccontextmanager
async def open_pool() -> AsyncGenerator[str]:
    yield "a pool"


async def test_its_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATODE_URL", f"sqlite:///{tmp_path / 'jobs.db'}")
    names: dict[str, Any] = {"open_pool": open_pool, "handlers": SimpleNamespace()}
    app, program, enqueues, chain = blocks("en")
    await execute(app, names)
    await execute(program, names)
    worker = asyncio.create_task(names["main"]())
    jobs: Atode = names["jobs"]

    await execute(enqueues, names)

    assert await names["handle"].result(timeout=10) == "receipt 42 sent"
    assert names["handlers"].pool == "a pool"
    worker.cancel()
    await asyncio.wait([worker])

    await execute(chain, names)
    async with jobs:
        await names["resize"](7)
        await names["resize"](7)
        with pytest.raises(DuplicateJob):
            await names["publish"].options(id="publish:7").enqueue(7)


def ours() -> list[str]:
    """What the right columns of the tables name."""
    cells = re.findall(r"^\| .* \| (.*) \|$", text("en"), re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_commands_in_its_tables_exist() -> None:
    commands = [shlex.split(name) for name in ours() if name.startswith("atode ")]

    assert len(commands) > 12
    for _, *words in commands:
        command: Any = typer.main.get_command(command_line)
        assert words[0] in command.commands
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_the_options_and_policies_in_its_tables_exist() -> None:
    options = re.findall(r"(\w+)=", " ".join(n for n in ours() if n.startswith(".options(")))
    policies = [name.removeprefix("retry=") for name in ours() if "Retry(" in name]

    assert set(options) - {"connection"} <= CallOptions.__annotations__.keys()
    assert len(policies) > 4
    for policy in policies:
        assert eval(policy, vars(atode).copy()).pause(0) >= 0


def test_both_languages_show_the_same() -> None:
    def facts(language: str) -> list[object]:
        page = text(language)
        code = [re.sub(r" *#.*", "", block) for block in blocks(language)]
        prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
        starts = [rf"^{start}" for start in ("#+ ", r"\|", r"\* ", r"\d\. ")]
        names = sorted(set(re.findall(r"`[^`\n]+`", prose)))
        return [code, names, [re.findall(start, page, re.MULTILINE) for start in starts]]

    assert facts("en") == facts("ja")
