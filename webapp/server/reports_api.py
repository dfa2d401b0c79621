"""The API of monthly reports: which there are, and their files."""

from datetime import datetime
from decimal import Decimal
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from webapp.server.excerpt import excerpt
from webapp.server.openapi import problems
from webapp.server.problem import Problem
from webapp.server.routes import Check, api_router
from webapp.usecase.read_reports import ReadReports, ReportFormat

_CONTENT_TYPES = {
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.PDF: "application/pdf",
}


class Report(BaseModel):
    """A report that can be fetched."""

    month: str
    handed_in: int
    expected: int
    hours: Decimal
    generated_at: datetime


class ReportList(BaseModel):
    """The reports, the latest month first."""

    reports: list[Report]


def reports_routes(read_reports: ReadReports, check: Check) -> APIRouter:
    """The routes below /api/reports; each needs a token."""
    router = api_router("/api/reports", check)

    @router.get("", operation_id="reports", responses=problems(503))
    async def reports() -> ReportList:
        """The monthly reports that there are."""
        found = await read_reports.newest()
        return ReportList(
            reports=[
                Report(
                    month=record.month,
                    handed_in=record.handed_in,
                    expected=record.expected,
                    hours=record.hours,
                    generated_at=record.generated_at,
                )
                for record in found
            ]
        )

    @router.get(
        "/{month}/{format}",
        operation_id="report_file",
        response_class=Response,
        responses={
            200: {"content": {kind: {} for kind in _CONTENT_TYPES.values()}},
            **problems(404, 422, 503),
        },
    )
    async def file(month: str, format: ReportFormat) -> Response:
        """A report's file."""
        found = await read_reports.fetch(month, format)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"There is no report of {excerpt(month)}")
        # Never shown in our own name: it is saved, whatever is in it.
        disposition = f'attachment; filename="{found.name}"'
        return Response(
            found.content,
            media_type=_CONTENT_TYPES[format],
            headers={"Content-Disposition": disposition},
        )

    return router
