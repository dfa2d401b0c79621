"""The building inspects itself: no statement and no script is left over."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import atode.broker

BROKERS = Path(atode.broker.__path__[0])

# Where a broker names the texts of its folder.
STORES = {"sqlite": "_statements", "postgres": "_statements", "redis": "_scripts"}


def defined(store: str) -> set[str]:
    module = import_module(f"atode.broker.{store}.{STORES[store]}")
    return {name for name in vars(module) if name.isupper() and not name.startswith("_")}


def used(tree: ast.AST) -> Iterator[str]:
    """What a module reads, by its own name or as an attribute of another module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


@pytest.mark.parametrize("store", STORES)
def test_every_statement_and_script_is_used(store: str) -> None:
    texts = [path.read_text("utf-8") for path in (BROKERS / store).rglob("*.py")]

    unused = defined(store) - {name for text in texts for name in used(ast.parse(text))}

    assert unused - {"ALL"} == set()
