"""Wall clocks: what the clocks of a time zone show, and how they are put forward and back."""

from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from atode.errors import BadOption

DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_zone(name: str) -> tzinfo:
    """The zone of this name in the tz database, such as `Asia/Tokyo`.

    Raises:
        BadOption: there is none, or the name means another zone on each machine.
    """
    if not isinstance(name, str) or not name:
        raise BadOption(f"time zone is {name!r:.80}; it must be a name such as 'Asia/Tokyo'")
    if name.lower() in ("local", "localtime"):
        raise BadOption(
            f"time zone {name!r} is another one on each machine, and all workers have to agree; "
            "write its name, such as 'Asia/Tokyo'"
        )
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise BadOption(f"time zone {name!r:.80} is unknown{_hint(name)}") from None


def _hint(name: str) -> str:
    known = {zone.lower(): zone for zone in available_timezones()}
    if not known:
        return ", as is every other: this machine has no time zone data; pip install tzdata"
    ends = {zone.rpartition("/")[2]: zone for zone in known}
    close = get_close_matches(name.lower(), known, n=1) or [
        ends[end] for end in get_close_matches(name.lower().replace(" ", "_"), ends, n=1)
    ]
    return f"; did you mean {known[close[0]]!r}?" if close else "; a name is like 'Asia/Tokyo'"


class WallClock:
    """A clock on a wall of this zone.

    Instants are Unix seconds. What the clock shows are seconds, too: those since it showed
    1970-01-01 00:00, had it never been put. All are whole numbers.

    One change a day is seen. No zone has had two within two days since 1970.
    """

    __slots__ = ("_zone",)

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def shows(self, instant: int) -> int:
        """What it shows at `instant`."""
        return instant + self.ahead(instant)

    def ahead(self, instant: int) -> int:
        """How many seconds it is ahead of UTC at `instant`."""
        return _seconds((_EPOCH + timedelta(seconds=instant)).astimezone(self._zone))

    def put(self, since: int, until: int) -> int | None:
        """The instant after `since` and up to `until`, a day at most, at which it is put."""
        ahead = self.ahead(since)
        if self.ahead(until) == ahead:
            return None
        while until - since > 1:
            middle = (since + until) // 2
            if self.ahead(middle) == ahead:
                since = middle
            else:
                until = middle
        return until

    def has_shown(self, instant: int) -> int:
        """The latest that it has shown up to `instant`: more than now where time repeats."""
        shows, put = self.shows(instant), self.put(instant - DAY, instant)
        return shows if put is None else max(shows, self.shows(put - 1))

    def first_shows(self, local: int) -> int:
        """The first instant at which it shows `local` or, where it jumps over that, more."""
        wall = (_EPOCH + timedelta(seconds=local)).replace(tzinfo=self._zone)
        before, after = _seconds(wall), _seconds(wall.replace(fold=1))
        put = self.put(local - after, local - before) if after > before else None
        return local - before if put is None else put


def _seconds(moment: datetime) -> int:
    ahead = moment.utcoffset()
    return 0 if ahead is None else ahead.days * DAY + ahead.seconds
