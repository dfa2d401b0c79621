"""The pages of the monthly report: a chart and a table, laid out by reportlab."""

import io
from collections.abc import Sequence
from typing import Any, Literal

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from webapp.service.monthly_report import MonthlyReport, WeekLine

_FONT = "Helvetica"
# Every PDF viewer brings this font or one for it, so that Japanese names need no file of ours. The
# one for it may have letters of one width, so that only names are set in it which need it.
_JAPANESE = "HeiseiKakuGo-W5"
_INK = HexColor("#1b1f2b")
_FAINT = HexColor("#5a6172")
_LINE = HexColor("#d9dce6")
_BAR = HexColor("#3d4fd1")
_TITLE = ParagraphStyle("title", fontName=_FONT, fontSize=20, leading=26, textColor=_INK)
_LEAD = ParagraphStyle("lead", fontName=_FONT, fontSize=11, leading=16, textColor=_FAINT)
_PADDING = 6  # which reportlab leaves free on both sides of what it lays out
_CHART_HEIGHT = 60 * mm
_LABELS = 8 * mm
_Anchor = Literal["start", "middle", "end"]


def pdf_of(report: MonthlyReport) -> bytes:
    """A4, as many pages as the table needs."""
    fonts: Any = pdfmetrics  # It has types in parts only.
    fonts.registerFont(UnicodeCIDFont(_JAPANESE))
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        title=f"Weekly reports, {report.month}",
        author="atode",
        # Without the time of making, so that the same report is the same file.
        invariant=1,
    )
    width = document.width - 2 * _PADDING
    parts: list[Flowable] = [
        Paragraph(f"Weekly reports, {report.month}", _TITLE),
        Spacer(0, 2 * mm),
        Paragraph(_summary(report), _LEAD),
        Spacer(0, 8 * mm),
        _chart(report.weeks, width),
        Spacer(0, 8 * mm),
        _table(report, width),
    ]
    document.build(parts)
    return file.getvalue()


def _summary(report: MonthlyReport) -> str:
    share = f" ({report.handed_in / report.expected:.0%})" if report.expected else ""
    return (
        f"{report.handed_in:,} of {report.expected:,} handed in{share}, {report.hours:,.2f} hours"
    )


def _chart(weeks: Sequence[WeekLine], width: float) -> Drawing:
    """How many of the expected reports came in each week: a bar from 0 to 100 %."""
    drawing = Drawing(width, _CHART_HEIGHT)
    scale = _CHART_HEIGHT - 2 * _LABELS
    for percent in (0, 50, 100):
        height = _LABELS + scale * percent / 100
        drawing.add(Line(12 * mm, height, width, height, strokeColor=_LINE, strokeWidth=0.5))
        drawing.add(_label(10 * mm, height - 3, f"{percent} %", "end", _FAINT))
    step = (width - 12 * mm) / max(1, len(weeks))
    for number, week in enumerate(weeks):
        middle = 12 * mm + step * (number + 0.5)
        height = scale * week.handed_in / week.expected if week.expected else 0.0
        bar = min(step * 0.6, 22 * mm)
        column = Rect(middle - bar / 2, _LABELS, bar, height)
        column.fillColor, column.strokeColor = _BAR, None
        drawing.add(column)
        counts = f"{week.handed_in} / {week.expected}"
        drawing.add(_label(middle, _LABELS + height + 3, counts, "middle", _INK))
        drawing.add(_label(middle, 2, week.week, "middle", _FAINT))
    return drawing


def _label(x: float, y: float, text: str, anchor: _Anchor, color: Color) -> String:
    return String(x, y, text, fontName=_FONT, fontSize=8, textAnchor=anchor, fillColor=color)


def _table(report: MonthlyReport, width: float) -> Table:
    rows = [["Name", "Handed in", "Expected", "Hours"]]
    rows += [
        [_shortened(user.name), str(user.handed_in), str(user.expected), f"{user.hours:,.2f}"]
        for user in report.users
    ]
    style = TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), _FONT, 9),
            ("TEXTCOLOR", (0, 0), (-1, 0), _FAINT),
            ("TEXTCOLOR", (0, 1), (-1, -1), _INK),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
        ]
    )
    for row, (name, *_) in enumerate(rows):
        if not _is_western(name):
            style.add("FONTNAME", (0, row), (0, row), _JAPANESE)
    number = 25 * mm
    columns = [width - 3 * number, number, number, number]
    return Table(rows, colWidths=columns, repeatRows=1, style=style)


def _is_western(text: str) -> bool:
    """Whether the letters that PDF's own fonts have are enough for it."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _shortened(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"
