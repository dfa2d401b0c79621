"""Instants and durations as people read them, and as scripts do."""

from datetime import UTC, datetime

NONE = "-"

_LONGEST = 1e11  # seconds; others store what they like, infinity and no number too


def iso(instant: float) -> str | None:
    """ISO 8601 in UTC, with milliseconds; None for no instant."""
    found = _instant(instant)
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z") if found else None


def local(instant: float, now: float) -> str:
    """The instant in this machine's time zone, and how far away it is."""
    found = _instant(instant)
    if found is None:
        return NONE
    shown = found.astimezone().isoformat(" ", timespec="seconds")
    return f"{shown} ({relative(instant, now)})"


def relative(instant: float, now: float) -> str:
    """`in 3m 5s`, `2h 10m ago`, `now`."""
    if not instant:
        return NONE
    if abs(instant - now) < 1:
        return "now"
    if instant > now:
        return f"in {duration(instant - now)}"
    return f"{duration(now - instant)} ago"


def duration(seconds: float) -> str:
    """The two largest units: `250ms`, `12s`, `3m 5s`, `2h 10m`, `4d 3h`."""
    if not seconds < _LONGEST:
        return "over 3000 years"
    if 0 < seconds < 1:
        return f"{int(seconds * 1000)}ms"
    whole = int(max(seconds, 0))
    for size, name, smaller, smaller_name in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size}{name}" + (f" {rest}{smaller_name}" if rest else "")
    return f"{whole}s"


def span(seconds: float) -> str:
    """A duration that may be none."""
    return duration(seconds) if seconds else NONE


def _instant(instant: float) -> datetime | None:
    # Other programs store what they like: the year 1, or one that no calendar has.
    try:
        return datetime.fromtimestamp(instant, UTC) if instant > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
