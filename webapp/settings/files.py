"""Reading one environment's YAML files into flat keys."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from webapp.settings.key import KEYS
from webapp.settings.model import SECTIONS_OF_FILE
from webapp.settings.problem import SettingsError, did_you_mean


class _Loader(yaml.SafeLoader):
    """YAML in which a key may stand once only: a second `redis:` would hide the first."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen = set[str]()
    for key_node, _ in node.value:
        if key_node.value in seen:
            line = key_node.start_mark.line + 1
            raise yaml.YAMLError(f"line {line}: {key_node.value!r} stands here a second time")
        seen.add(key_node.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_files(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The checked values of the three files in `folder` by key, and what is wrong in them.

    Raises:
        SettingsError: a file is missing or is not YAML.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for file in SECTIONS_OF_FILE:
        path = folder / file
        for name, value in _leaves(_document(path), ""):
            try:
                values[name] = _checked(name, value, file)
            except ValueError as error:
                problems.append(f"{path}: {error}")
    return values, problems


def _document(path: Path) -> dict[Any, Any]:
    try:
        document = yaml.load(path.read_text("utf-8"), _Loader)
    except FileNotFoundError:
        raise SettingsError([f"{path} does not exist; each environment needs this file"]) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError([f"{path} cannot be read: {' '.join(str(error).split())}"]) from error
    if document is None:
        return {}
    if not _is_mapping(document):
        raise SettingsError([f"{path}: the file must hold keys and values, such as `redis:`"])
    return document


def _leaves(document: dict[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for word, value in document.items():
        name = f"{prefix}{word}"
        if _is_mapping(value) and value and name not in KEYS:
            yield from _leaves(value, f"{name}.")
        elif value or not _is_section(name):
            yield name, value


def _is_mapping(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def _is_section(name: str) -> bool:
    return any(key.startswith(f"{name}.") for key in KEYS)


def _checked(name: str, value: object, file: str) -> Any:
    key = KEYS.get(name)
    if key is None:
        if _is_section(name):
            raise ValueError(f"{name} is {value!r:.60}; it must hold keys below it")
        raise ValueError(f"{name} is not a setting.{did_you_mean(name, KEYS)}")
    if key.file != file:
        raise ValueError(f"{name} belongs in {key.file}")
    return key.from_file(value)
