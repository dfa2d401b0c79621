"""The four environments that the application knows."""

from collections.abc import Mapping
from enum import StrEnum

from webapp.settings.problem import SettingsError, did_you_mean


class Environment(StrEnum):
    """Where this process runs; it picks the folder of configuration files."""

    DEVELOP = "develop"
    STAGING = "staging"
    PRODUCTION = "production"
    DEMO = "demo"

    @property
    def is_public(self) -> bool:
        """Whether strangers may reach it, so that no built-in secret will do."""
        return self in (Environment.STAGING, Environment.PRODUCTION)

    @classmethod
    def chosen_by(cls, variables: Mapping[str, str]) -> "Environment":
        """The environment that `APP_ENV` names; develop where it is missing or empty.

        Raises:
            SettingsError: there is no such environment.
        """
        word = variables.get("APP_ENV") or cls.DEVELOP
        try:
            return cls(word)
        except ValueError:
            known = ", ".join(cls)
            hint = did_you_mean(word, cls)
            raise SettingsError(
                [f"APP_ENV is {word!r}; it must be one of {known}.{hint}"]
            ) from None
