"""What can be configured, where it may stand, and how it is read and checked."""

from webapp.settings.environment import Environment
from webapp.settings.loading import load_settings
from webapp.settings.model import Settings
from webapp.settings.problem import SettingsError

__all__ = ["Environment", "Settings", "SettingsError", "load_settings"]
