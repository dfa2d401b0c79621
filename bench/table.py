"""Figures of several runs as rows: the median, and from which to which value."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from bench.figure import Figure


class Row(NamedTuple):
    """The same figure of each run."""

    name: str
    unit: str
    values: Sequence[float]
    void: str = ""


def rows_of(runs: Sequence[Sequence[Figure]]) -> list[Row]:
    """One row for each figure of the runs, which must all have the same ones."""
    return [
        Row(
            same[0].name,
            same[0].unit,
            [figure.value for figure in same],
            next((figure.void for figure in same if figure.void), ""),
        )
        for same in zip(*runs, strict=True)
    ]


def text_of(rows: Sequence[Row]) -> str:
    """A table for a terminal, without its heading."""
    return "\n".join(f"  {row.name:<38}{_value(row)}" for row in rows)


def json_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "name": row.name,
            "unit": row.unit,
            "median": None if row.void else median(row.values),
            "values": list(row.values),
            "void": row.void,
        }
        for row in rows
    ]


def _value(row: Row) -> str:
    if row.void:
        return f"{'VOID':>10}  {row.void}"
    spread = f"{_number(min(row.values))} … {_number(max(row.values))}"
    range_ = f"  ({spread})" if len(row.values) > 1 else ""
    return f"{_number(median(row.values)):>10} {row.unit:<7}{range_}".rstrip()


def _number(value: float) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
