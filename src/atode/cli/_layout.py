"""Tables and lists for terminals of any width, and for pipes."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from unicodedata import combining, east_asian_width

import typer

_NUMBER = re.compile(r"-?|[\d,.]+%?|\d+/\d+")
_NARROWEST = 16  # columns that the last, elastic one needs to be of use
_GAP = 2

Row = Sequence[str]


def emit(text: str) -> None:
    """Write to standard output what its encoding has, and escapes for the rest."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    typer.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def plain(text: str) -> str:
    """The text on one line; control characters, which could move a cursor, become escapes."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def block(text: str, indent: str = "  ") -> str:
    """A text of several lines, indented, without control characters."""
    return "\n".join(f"{indent}{plain(line.expandtabs(4))}".rstrip() for line in text.splitlines())


def table(
    headings: Row,
    rows: Sequence[Row],
    *,
    tint: Callable[[Row], str] = lambda row: "",
    elastic: bool = False,
) -> str:
    """Aligned columns, or a list of records where the terminal is too narrow for them.

    Numbers go to the right. An `elastic` last column is cut to what is left of the line.
    `tint` names a row's colour.
    """
    rows = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headings, *rows, strict=True)]
    limit = columns()
    if limit and elastic:
        rest = limit - sum(widths[:-1]) - _GAP * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(rest, _NARROWEST))
    if limit and sum(widths) + _GAP * (len(widths) - 1) > limit:
        return _records(headings, rows, tint)
    right = [
        all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*rows, strict=True)
    ] or [False] * len(headings)
    lines = [tinted(_line(headings, widths, right), "bold")]
    lines += [tinted(_line(row, widths, right), tint(row)) for row in rows]
    return "\n".join(lines)


def fields(pairs: Sequence[tuple[str, str]]) -> str:
    """One name and value a line, values aligned."""
    wide = max((_width(name) for name, _ in pairs), default=0)
    return "\n".join(f"{_padded(name, wide)}  {plain(value)}" for name, value in pairs)


def counted(count: int, thing: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def tinted(text: str, colour: str) -> str:
    """The text in a colour, or bold, if this goes to a terminal that wants it."""
    if not colour or not is_terminal() or os.environ.get("NO_COLOR"):
        return text
    return typer.style(text, bold=True) if colour == "bold" else typer.style(text, fg=colour)


def is_terminal() -> bool:
    """Whether someone looks at what is written."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """Columns of the terminal, or of COLUMNS; 0 in a pipe, which has no end."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return 0


def shortened(text: str, width: int) -> str:
    """The text in at most `width` columns."""
    if _width(text) <= width:
        return text
    kept = ""
    for letter in text:
        if _width(kept + letter) >= width:
            break
        kept += letter
    return f"{kept}…"


def _records(headings: Row, rows: Sequence[Row], tint: Callable[[Row], str]) -> str:
    names = [heading.lower() for heading in headings]
    wide = max(map(_width, names))
    records = [
        "\n".join(f"{_padded(name, wide)}  {cell}" for name, cell in zip(names, row, strict=True))
        for row in rows
    ]
    return "\n\n".join(tinted(record, tint(row)) for record, row in zip(records, rows, strict=True))


def _line(row: Row, widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = [
        _padded(shortened(cell, width), width, right=to_the_right)
        for cell, width, to_the_right in zip(row, widths, right, strict=True)
    ]
    return (" " * _GAP).join(cells).rstrip()


def _padded(text: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text
    )
