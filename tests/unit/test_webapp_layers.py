"""Who may import whom in the reference application."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "webapp").rglob("*.py"))

# The arrows of the house: registration → processor → use case → service. A layer may
# import itself and what stands here; entry points and the wiring may import everything.
MAY_IMPORT = {
    "service": set[str](),
    "usecase": {"service"},
    "jobqueue": {"usecase"},
    "server": {"usecase", "service", "settings"},
    "settings": set[str](),
}
FREE = {"__main__.py", "wiring.py", "token.py", "demo.py", "migrate.py"}
# What a library is to the application is written in these services, and nothing but the
# wiring, the entry points and their like knows them.
VENDORS = {
    "aiosmtplib",
    "alembic",
    "atode",
    "limits",
    "obstore",
    "redis",
    "reportlab",
    "sqlalchemy",
}


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import from the top, webapp.…"
            yield node.module or ""


def layer_of(path: Path) -> str | None:
    """The layer that a file belongs to; None for the files above the layers."""
    relative = path.relative_to(ROOT / "webapp")
    return relative.parts[0] if len(relative.parts) > 1 else None


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.partition(".")[0] == "webapp"}


def foreign(path: Path) -> set[str]:
    tops = {name.partition(".")[0] for name in imports(path)}
    return tops - sys.stdlib_module_names - {"webapp"}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


# One service in two files, of which the second is loaded when it is needed.
LOADED_LATE = {"webapp.service.pdf_report": "webapp.service.pdf_pages"}

# A service that uses another one's connection is of the vendor's kind, too.
VENDOR_SERVICES = {
    dotted(path) for path in MODULES if layer_of(path) == "service" and foreign(path) & VENDORS
} | LOADED_LATE.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    layer = layer_of(path)
    if layer is None or path.name in FREE:
        return
    allowed = MAY_IMPORT[layer] | {layer}

    forbidden = {name for name in ours(path) if name.split(".")[1] not in allowed}

    assert not forbidden, f"{layer} may import {sorted(allowed)} only"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_wiring_and_entry_points_know_vendor_services(path: Path) -> None:
    if path.name not in FREE and dotted(path) not in VENDOR_SERVICES:
        assert not ours(path) & VENDOR_SERVICES
    elif second := LOADED_LATE.get(dotted(path)):
        assert ours(path) & VENDOR_SERVICES == {second}


def test_each_vendor_is_known_to_a_service() -> None:
    known = {name for path in MODULES if dotted(path) in VENDOR_SERVICES for name in foreign(path)}

    assert known >= VENDORS


def test_use_cases_know_no_library_not_even_through_services() -> None:
    seen = set[Path]()
    waiting = [path for path in MODULES if layer_of(path) == "usecase"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        assert not foreign(path), f"{path} is below a use case and imports {foreign(path)}"
        below = {ROOT / (name.replace(".", "/") + ".py") for name in ours(path)}
        waiting.extend(below - seen)

    assert len(seen) > 5


def test_the_api_server_does_not_know_the_job_library() -> None:
    for path in MODULES:
        if layer_of(path) == "server" and path.name != "__main__.py":
            assert "atode" not in foreign(path), path
