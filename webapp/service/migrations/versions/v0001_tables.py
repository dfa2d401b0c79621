"""The first tables: users, their weekly reports and reminders, monthly reports, audit logs."""

import sqlalchemy as sa
from alembic import op

from webapp.service.tables import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_people()
    _make_reports()
    _make_logs()


def _make_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(320), nullable=False, unique=True),
        sa.Column("is_active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "weekly_reports",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("hours", sa.Numeric(5, 2), nullable=False),
        sa.Column("handed_in_at", Instant, nullable=False),
        sa.UniqueConstraint("week", "user_id"),
    )
    op.create_index(None, "weekly_reports", ["user_id"])
    op.create_table(
        "reminders",
        sa.Column("week", sa.String(8), primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
        sa.Column("sent_at", Instant),
    )


def _make_reports() -> None:
    op.create_table(
        "reports",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("csv_key", sa.String(200), nullable=False),
        sa.Column("pdf_key", sa.String(200), nullable=False),
        sa.Column("handed_in", sa.Integer, nullable=False),
        sa.Column("expected", sa.Integer, nullable=False),
        sa.Column("hours", sa.Numeric(10, 2), nullable=False),
        sa.Column("generated_at", Instant, nullable=False),
    )


def _make_logs() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", Instant, nullable=False, index=True),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("action", sa.String(200), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_table(
        "cleanups",
        sa.Column("job_id", sa.String(200), primary_key=True),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("updated_at", Instant, nullable=False, index=True),
    )
