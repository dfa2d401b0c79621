"""Putting files and environment variables together into checked settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from webapp.settings.checks import contradictions, exposed_secrets
from webapp.settings.environment import Environment
from webapp.settings.files import read_files
from webapp.settings.model import PROJECT, Settings
from webapp.settings.problem import SettingsError
from webapp.settings.variables import read_variables


def load_settings(variables: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process: defaults, overridden by files, by the environment.

    `APP_ENV` picks the folder below `config`; `APP_CONFIG_DIR` puts another one in its
    place.

    Raises:
        SettingsError: something is unknown, out of its limit or missing; all of it is named.
    """
    variables = os.environ if variables is None else variables
    environment = Environment.chosen_by(variables)
    root = Path(variables.get("APP_CONFIG_DIR") or PROJECT / "config")
    from_files, problems = read_files(root / environment)
    from_variables, more = read_variables(variables)
    problems += [*exposed_secrets(environment, from_files), *more]
    if problems:
        raise SettingsError(problems)
    settings = Settings.model_validate(
        {"environment": environment, **_nested({**from_files, **from_variables})}
    )
    if found := list(contradictions(settings)):
        raise SettingsError(found)
    return settings


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *sections, word = name.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[word] = value
    return tree
