"""Episodes of care, with their outcome scores and their exercise programme."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "episodes",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("patient", sa.String(32), sa.ForeignKey("patients.pseudonym"), nullable=False, index=True),
        sa.Column("began_on", sa.String(32), nullable=False),
        sa.Column("ended_on", sa.String(32)),
        sa.Column("coding", sa.String(64)),
        sa.Column("code", sa.String(64)),
    )
    op.create_table(
        "outcome_scores",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("episode", sa.String(64), sa.ForeignKey("episodes.id"), nullable=False, index=True),
        sa.Column("session", sa.String(255), sa.ForeignKey("sessions.id")),
        sa.Column("measured_on", sa.String(32), nullable=False),
        sa.Column("instrument", sa.String(64), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("score_max", sa.Float, nullable=False),
    )
    op.create_table(
        "exercises",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("episode", sa.String(64), sa.ForeignKey("episodes.id"), nullable=False, index=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sets", sa.BigInteger, nullable=False),
        sa.Column("repetitions", sa.BigInteger, nullable=False),
        sa.Column("times_a_week", sa.BigInteger, nullable=False),
        sa.Column("began_on", sa.String(32), nullable=False),
        sa.Column("ended_on", sa.String(32)),
    )
    op.create_table(
        "exercise_reports",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("exercise", sa.String(64), sa.ForeignKey("exercises.id"), nullable=False, index=True),
        sa.Column("reported_on", sa.String(32), nullable=False),
        sa.Column("times_done", sa.BigInteger, nullable=False),
    )
