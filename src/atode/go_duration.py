"""Durations in Go's notation, `1h2m3.5s`, as asynq writes them into schedules."""

import re

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"([+-]?)((?:{_PART.pattern})+)")


def in_go(seconds: float) -> str:
    """The duration as Go prints it, to the nanosecond: `30m0s`, `1.5s`, `100ms`, `0s`."""
    left = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and left else ""
    if left == 0:
        return "0s"
    if left < 1_000_000_000:
        unit = next(unit for unit in ("ms", "µs", "ns") if left >= _NANOSECONDS[unit])
        return f"{sign}{_decimal(left, _NANOSECONDS[unit])}{unit}"
    hours, left = divmod(left, _NANOSECONDS["h"])
    minutes, left = divmod(left, _NANOSECONDS["m"])
    text = f"{_decimal(left, _NANOSECONDS['s'])}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def from_go(text: str) -> float:
    """Seconds of a duration in Go's notation, such as `1h30m` or `250ms`.

    Raises:
        ValueError: it is none.
    """
    if text.strip("+-") == "0" and len(text) <= 2:
        return 0.0
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise ValueError(f"{text!r} is no duration such as 1h30m, 45s or 250ms")
    amount = sum(float(number) * _NANOSECONDS[unit] for number, unit in _PART.findall(whole[2]))
    return (-amount if whole[1] == "-" else amount) / 1e9


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
