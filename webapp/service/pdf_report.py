"""The monthly report for people, as PDF."""

from webapp.service.monthly_report import MonthlyReport


class PdfReport:
    """A4, as many pages as the table needs."""

    format = "pdf"
    content_type = "application/pdf"

    def render(self, report: MonthlyReport) -> bytes:
        # Reportlab takes a fifth of the time in which a server starts, and the API server, which
        # knows all jobs, too, never makes a report.
        from webapp.service.pdf_pages import pdf_of

        return pdf_of(report)
