"""What is wrong with a store, and what was done about it."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad it is; in the order in which people want to read about it."""

    ERROR = "error"
    """Jobs are lost, stand still or cannot be stored, now or with the next failure."""
    WARNING = "warning"
    """Something is not as it should be, and may become an error."""
    INFO = "info"
    """Good to know; nothing is wrong."""


class Finding(NamedTuple):
    """One thing that an examination found."""

    severity: Severity
    code: str
    """What kind of thing it is, for scripts: words with hyphens that never change."""
    subject: str
    """What it is about: `queue mail`, `server redis:6379`, `file /srv/jobs.db`."""
    what: str
    """What is so, with numbers. `at least` says that not everything was looked at."""
    remedy: str
    """What to do about it; empty where nothing needs to be done."""
    fixable: bool = False
    """Whether `mend` can put it right without any risk to jobs."""
    queue: str = ""
    """The queue that it is about, if it is about one."""


class Mended(NamedTuple):
    """One thing that was put right."""

    code: str
    """Of the finding."""
    subject: str
    what: str
    """What was done, with numbers."""


def worst_first(finding: Finding) -> tuple[int, str, str]:
    """Sorts findings by severity, then by what they are about."""
    return list(Severity).index(finding.severity), finding.subject, finding.code
