"""The building inspects itself: levels, sizes, names, and what must not exist."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import atode

SOURCE = Path(atode.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))

# Lower levels never import higher ones. A package stands for all of its modules.
LEVELS = [
    {"errors", "clock", "duration", "job", "presence", "queues", "retry", "outcome", "codec"}
    | {"events", "handle", "task", "registry", "settings", "context", "loop", "_portal"}
    | {"completion", "callers"}
    | {"statistics", "group", "batch", "middleware", "finding", "progress", "transfer"}
    | {"size", "signals", "lifeline", "schedule", "go_duration"}
    | {"cron", "expression", "wall_clock", "ticks", "timing", "timetable"}
    | {"definition", "decorator", "registration"},
    {"broker", "observe"},
    {"client", "mover", "semaphore", "stores", "schedules"},
    {"worker"},
    {"testing"},
    {"app"},
    {"__init__"},
    {"processes"},
    {"cli"},
    {"__main__"},
]

LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
MOST_PARAMETERS = 8

# The suites that every broker passes read best as one page each.
LONG_MODULES = {
    "testing/run_contract.py",
    "testing/operation_contract.py",
    "testing/group_contract.py",
    "testing/cancel_contract.py",
    "testing/transfer_contract.py",
}

# Loops that end by a return or an error, each with a wait inside.
ENDLESS_LOOPS = {
    "client.py",
    "broker/redis/_doorbells.py",
    "broker/redis/_subscription.py",
    "broker/sqlite/_store.py",
}

# Filled while the module is imported, and constant afterwards.
REGISTERS = {"broker/redis/_scripts.py"}

# What brokers are known by.
PROTOCOLS = {"protocol", "optional"}

# What several brokers are made of.
SHARED = {"returns"}

# Names that say nothing.
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}


def name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def noun(path: Path) -> str:
    """The part of the house that a module belongs to."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def level(part: str) -> int:
    return next(number for number, parts in enumerate(LEVELS) if part in parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes, without what only type checkers see."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from at_run_time(child)


def imports(path: Path) -> set[str]:
    """The dotted names below `atode` that a module imports when it runs."""
    found: set[str] = set()
    for node in at_run_time(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: write imports in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {module(dotted) for dotted in found if dotted.split(".")[0] == "atode"}


def module(dotted: str) -> str:
    """`atode.job.Job` → `job`, `atode.broker.memory.MemoryBroker` → `broker.memory`."""
    parts = dotted.split(".")[1:]
    while parts:
        path = SOURCE.joinpath(*parts)
        if path.with_suffix(".py").exists() or path.is_dir():
            return ".".join(parts)
        parts.pop()
    return "__init__"


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def modules(which: Iterable[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", list(which), ids=name)


every_module = modules(MODULES)


# Levels


@every_module
def test_imports_point_down(path: Path) -> None:
    here = level(noun(path))

    upward = [part for part in imports(path) if level(part.split(".")[0]) > here]

    assert not upward, f"{name(path)} may not import {upward}; move the shared part down a level"


def test_no_module_imports_itself_by_way_of_others() -> None:
    edges = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): {
            part for part in imports(path) if part != "__init__"
        }
        for path in MODULES
    }

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        ahead = set(edges.get(start, ()))
        while ahead:
            found |= ahead
            ahead = {next_ for part in ahead for next_ in edges.get(part, ())} - found
        return found

    cycles = [part for part in edges if part in reached(part)]

    assert not cycles, f"these import each other in a circle: {cycles}"


@modules(path for path in MODULES if noun(path) == "broker" and path.stem not in PROTOCOLS)
def test_brokers_know_neither_each_other_nor_who_uses_them(path: Path) -> None:
    part_of = path.relative_to(SOURCE).with_suffix("").parts[1]
    own = {f"broker.{stem}" for stem in ("protocol", *SHARED, part_of)}
    strangers = {
        part
        for part in imports(path)
        if (part.startswith("broker.") and not any(part.startswith(mine) for mine in own))
        or part in {"retry", "task", "registry", "codec", "events", "settings"}
    }

    assert not strangers, f"{name(path)} may not import {strangers}"


@modules(path for path in MODULES if noun(path) not in {"stores", "broker"})
def test_only_stores_names_concrete_brokers(path: Path) -> None:
    protocols = {f"broker.{stem}" for stem in PROTOCOLS}
    concrete = {part for part in imports(path) if part.startswith("broker.")} - protocols
    if name(path) == "testing/_comparison.py":
        concrete -= {"broker.memory"}  # the specification, with which others are compared

    assert not concrete, f"{name(path)} may know protocols only, not {concrete}"


@pytest.mark.parametrize(
    ("part", "stranger"),
    [
        ("worker", "observe"),
        ("worker", "client"),
        ("task", "client"),
        ("handle", "client"),
        ("observe", "worker"),
    ],
)
def test_these_do_not_know_each_other(part: str, stranger: str) -> None:
    acquainted = [
        name(path)
        for path in MODULES
        if noun(path) == part and any(found.split(".")[0] == stranger for found in imports(path))
    ]

    assert not acquainted, f"{acquainted} may not import {stranger}"


@every_module
def test_the_fake_clock_is_for_tests(path: Path) -> None:
    if noun(path) != "testing":
        assert not any(part.startswith("testing") for part in imports(path))


# Sizes


@every_module
def test_a_module_is_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())

    assert lines <= LONGEST_MODULE or name(path) in LONG_MODULES


@every_module
def test_a_function_fits_a_screen(path: Path) -> None:
    for function in functions(path):
        # The docstring is for those who call it.
        body = function.body[1:] if ast.get_docstring(function) else function.body
        lines = function.end_lineno - body[0].lineno + 1 if body and function.end_lineno else 0
        assert lines <= LONGEST_FUNCTION, f"{name(path)}: {function.name} has {lines} lines"


@every_module
def test_more_parameters_than_eight_are_a_missing_noun(path: Path) -> None:
    for function in functions(path):
        given = function.args
        ordinary = [argument.arg for argument in (*given.posonlyargs, *given.args)]
        named = len(given.kwonlyargs)
        # Options by name with a default of their own do not have to be kept in mind.
        named -= sum(default is not None for default in given.kw_defaults)
        count = len([argument for argument in ordinary if argument not in {"self", "cls"}]) + named
        assert count <= MOST_PARAMETERS, f"{name(path)}: {function.name} takes {count}"


# Names


def test_no_module_is_called_something_vague() -> None:
    assert not [name(path) for path in MODULES if path.stem.strip("_") in VAGUE]


def test_the_public_names_are_sorted_and_complete() -> None:
    public = [
        alias.asname or alias.name
        for node in tree(SOURCE / "__init__.py").body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]

    assert sorted(public) == atode.__all__


@pytest.mark.parametrize("public", atode.__all__)
def test_every_public_name_says_what_it_is(public: str) -> None:
    thing = getattr(atode, public)

    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        members = [
            member
            for attribute, member in vars(thing).items()
            if not attribute.startswith("_")
            and (inspect.isfunction(member) or isinstance(member, property))
        ]
        assert all(inspect.getdoc(member) for member in members)


@every_module
def test_every_module_says_what_it_is_for(path: Path) -> None:
    generated = path.name.endswith("_pb2.py")
    assert generated or ast.get_docstring(tree(path)) or not path.read_text().strip()


# What must not exist


@every_module
def test_nothing_is_printed(path: Path) -> None:
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]

    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]


@every_module
def test_endless_loops_are_few_and_known(path: Path) -> None:
    endless = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.While)
        and isinstance(node.test, ast.Constant)
        and node.test.value is True
    ]

    assert not endless or name(path) in ENDLESS_LOOPS, f"{name(path)}: {endless}"


@every_module
def test_modules_hold_no_state(path: Path) -> None:
    # A list, set or dictionary at module level is a constant, so that it has a capital
    # name or a private one and nobody writes to it.
    written = {
        node.value.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store | ast.Del)
        and isinstance(node.value, ast.Name)
    }
    held = {
        target.id
        for node in tree(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    declared = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Global)]

    assert not written & held or name(path) in REGISTERS, f"it writes to {written & held}"
    assert not declared, f"{name(path)} has a global statement"


@every_module
def test_no_handler_is_bare(path: Path) -> None:
    handlers = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler)]

    assert all(handler.type is not None for handler in handlers)
