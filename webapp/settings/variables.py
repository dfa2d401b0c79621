"""Reading environment variables into flat keys."""

from collections.abc import Mapping
from typing import Any

from webapp.settings.key import KEYS, SECTIONS
from webapp.settings.problem import did_you_mean

_BY_VARIABLE = {key.variable: key for key in KEYS.values()}
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
    given = {short: KEYS[name] for short, name in _SHORT_FORMS.items() if short in variables}
    for variable in sorted(variables):
        if variable.startswith(_PREFIXES):
            key = _BY_VARIABLE.get(variable)
            if key is None:
                hint = did_you_mean(variable, _BY_VARIABLE)
                problems.append(f"environment variable {variable} is not a setting.{hint}")
            else:
                given[variable] = key
    for variable, key in given.items():
        try:
            values[key.name] = key.from_variable(variables[variable])
        except ValueError as error:
            problems.append(f"environment variable {variable}: {error}")
    return values, problems
