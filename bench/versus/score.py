"""What all sides reached, as a table."""

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple

Rule = Callable[[float, float], bool | None]
"""Whether our figure, the first, is as wanted beside the first peer's; None if that cannot be
said."""


class Aim(NamedTuple):
    """What our figure should be, in words and as a rule."""

    text: str
    holds: Rule


class Reached(NamedTuple):
    """One side's figure of one round, or why there is none, or why it must not be quoted."""

    value: float = math.nan
    absent: str = ""
    void: str = ""


class Duel(NamedTuple):
    """One figure of one round, of us and of each peer."""

    name: str
    unit: str
    ours: Reached
    theirs: Sequence[Reached]
    aim: Aim | None = None


Round = Sequence[Duel]


class Row(NamedTuple):
    """The same duel of all rounds: medians, and from which to which value they go."""

    duel: Duel
    ours: Sequence[Reached]
    theirs: Sequence[Sequence[Reached]]
    """By peer."""

    @property
    def void(self) -> bool:
        """Whether a delivery was not exact, so that the figures must not be quoted."""
        return any(reached.void for side in (self.ours, *self.theirs) for reached in side)

    @property
    def verdict(self) -> str:
        """Whether the aim was met; empty if that cannot be said."""
        aim, ours = self.duel.aim, _median(self.ours)
        if aim is None or self.void or math.isnan(ours):
            return ""
        return {True: "yes", False: "NO", None: ""}[aim.holds(ours, self.rival)]

    @property
    def rival(self) -> float:
        """The first peer's figure; NaN without one."""
        return _median(self.theirs[0]) if self.theirs else math.nan


def at_least(least: float) -> Aim:
    """Our figure alone."""

    def rule(ours: float, theirs: float) -> bool:
        return ours >= least

    return Aim(f">= {least:,g}", rule)


def below(most: float) -> Aim:
    """Our figure alone."""

    def rule(ours: float, theirs: float) -> bool:
        return ours < most

    return Aim(f"< {most:,g}", rule)


def times(factor: float) -> Aim:
    """Our figure by theirs; it cannot be said where one is missing."""

    def rule(ours: float, theirs: float) -> bool | None:
        return None if math.isnan(ours / theirs) else ours / theirs >= factor

    return Aim(f">= {factor:g} x", rule)


def rows_of(rounds: Sequence[Round]) -> list[Row]:
    """A row for each duel, in the order in which they first appear."""
    by_name: dict[str, list[Duel]] = {}
    for duels in rounds:
        for duel in duels:
            by_name.setdefault(duel.name, []).append(duel)
    return [
        Row(
            same[0],
            [duel.ours for duel in same],
            [list(side) for side in zip(*(duel.theirs for duel in same), strict=True)],
        )
        for same in by_name.values()
    ]


def text_of(rows: Sequence[Row], peers: Sequence[str]) -> str:
    """For a terminal. The ratio is that to the first peer."""
    names = "".join(f"{name:>17}" for name in peers)
    head = f"  {'':<52}{'atode':>10}{names} {'ratio':>7}  {'wanted':<12}met"
    return "\n".join([head, *map(_line, rows)])


def json_of(rows: Sequence[Row], peers: Sequence[str]) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {
            "name": row.duel.name,
            "unit": row.duel.unit,
            "atode": _values(row.ours),
            **{name: _values(side) for name, side in zip(peers, row.theirs, strict=True)},
            "wanted": row.duel.aim.text if row.duel.aim else "",
            "met": row.verdict,
            "void": row.void,
        }
        for row in rows
    ]


def _line(row: Row) -> str:
    duel = row.duel
    name = f"{duel.name}, {duel.unit}" if duel.unit else duel.name
    ratio = _median(row.ours) / (row.rival or math.nan)
    wanted = duel.aim.text if duel.aim else ""
    cells = "".join(f"{_cell(side):>17}" for side in row.theirs)
    return (
        f"  {name:<52}{_cell(row.ours):>10}{cells} "
        f"{'' if math.isnan(ratio) else f'{ratio:.2f}':>7}  {wanted:<12}{row.verdict}"
        f"{_spread(row.ours)}"
    )


def _cell(side: Sequence[Reached]) -> str:
    if any(reached.void for reached in side):
        return "VOID"
    value = _median(side)
    return side[0].absent if math.isnan(value) else _number(value)


def _spread(side: Sequence[Reached]) -> str:
    if voids := [reached.void for reached in side if reached.void]:
        return f"  {voids[0]}"
    values = _values(side)
    return f"  ({_number(min(values))} … {_number(max(values))})" if len(values) > 1 else ""


def _median(side: Sequence[Reached]) -> float:
    values = _values(side)
    return median(values) if values else math.nan


def _values(side: Sequence[Reached]) -> list[float]:
    return [reached.value for reached in side if not math.isnan(reached.value)]


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"
