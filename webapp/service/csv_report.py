"""The monthly report as a table for spreadsheets."""

import csv
import io

from webapp.service.monthly_report import MonthlyReport


class CsvReport:
    """One line for each user."""

    format = "csv"
    content_type = "text/csv; charset=utf-8"

    def render(self, report: MonthlyReport) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["month", "user_id", "name", "handed_in", "expected", "hours"])
        for user in report.users:
            writer.writerow(
                [
                    report.month,
                    user.user_id,
                    _harmless(user.name),
                    user.handed_in,
                    user.expected,
                    f"{user.hours:.2f}",
                ]
            )
        # Excel takes a file for UTF-8 only if it begins with this mark.
        return text.getvalue().encode("utf-8-sig")


def _harmless(text: str) -> str:
    # Spreadsheets would run such a cell as a formula.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
