"""Putting files and environment variables together into checked settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from webapp.settings.environment import Environment
from webapp.settings.files import read_files
from webapp.settings.key import KEYS
from webapp.settings.model import DEVELOPMENT_SECRET, PROJECT, SHORTEST_SECRET, Settings
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
    if problems or more:
        raise SettingsError([*problems, *more])
    settings = Settings.model_validate(
        {"environment": environment, **_nested({**from_files, **from_variables})}
    )
    _check_secret(settings)
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


def _check_secret(settings: Settings) -> None:
    if settings.environment.is_public and settings.token_secret == DEVELOPMENT_SECRET:
        raise SettingsError(
            [
                f"auth.secret is not set, and {settings.environment} has no built-in one: set "
                f"the environment variable {KEYS['auth.secret'].variable} to a random text of "
                f"at least {SHORTEST_SECRET} characters"
            ]
        )
