"""Reading environment variables into flat keys."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from webapp.settings.key import KEYS, SECTIONS, Key
from webapp.settings.problem import did_you_mean

_BY_VARIABLE = {key.variable: key for key in KEYS.values()}
# Secrets may stand in files instead, where platforms put them: MAIL__PASSWORD_FILE names one.
_BY_FILE_VARIABLE = {f"{key.variable}_FILE": key for key in KEYS.values() if key.is_secret}
_PREFIXES = tuple(f"{section.upper()}__" for section in SECTIONS)
_SHORT_FORMS = {"PORT": "server.port"}
"""What platforms set; the long form wins where both are there."""


def read_variables(variables: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The checked values by key, and what is wrong with them.

    A variable is ours if it begins with a section and two underscores; all others are
    left alone.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable, key in _given(variables, problems).items():
        try:
            text = variables[variable]
            if variable in _BY_FILE_VARIABLE:
                values[key.name] = key.from_content(_content(text, variables, key))
            else:
                values[key.name] = key.from_variable(text)
        except (ValueError, OSError) as error:
            problems.append(f"environment variable {variable}: {error}")
    return values, problems


def _given(variables: Mapping[str, str], problems: list[str]) -> dict[str, Key]:
    given = {short: KEYS[name] for short, name in _SHORT_FORMS.items() if short in variables}
    for variable in sorted(variables):
        if variable.startswith(_PREFIXES):
            key = _BY_VARIABLE.get(variable) or _BY_FILE_VARIABLE.get(variable)
            if key is None:
                hint = did_you_mean(variable, _BY_VARIABLE)
                problems.append(f"environment variable {variable} is not a setting.{hint}")
            else:
                given[variable] = key
    return given


def _content(path: str, variables: Mapping[str, str], key: Key) -> str:
    if key.variable in variables:
        raise ValueError(f"{key.variable} is set, too; one of them is enough")
    # Editors end a file with a line break, which is not part of a secret.
    return Path(path).read_text("utf-8").rstrip("\r\n")
