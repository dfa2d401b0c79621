"""What can be chosen for a file, in its URL."""

from typing import NamedTuple

from atode.errors import BadOption

_CHOICES = {"synchronous": ("normal", "full", "extra"), "network": ("refuse", "allow")}


class Options(NamedTuple):
    """How a file is opened."""

    synchronous: str = "normal"
    network: str = "refuse"


def options_of(**given: str) -> Options:
    """These options, and the defaults of the others.

    Raises:
        BadOption: one of them has a value that cannot be.
    """
    for name, value in given.items():
        if value not in _CHOICES[name]:
            raise BadOption(f"{name} is {value!r}; it must be one of {', '.join(_CHOICES[name])}")
    return Options(**given)
