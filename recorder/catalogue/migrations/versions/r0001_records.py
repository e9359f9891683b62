"""Patients, prescriptions, calibrations, sessions, users, and the audit trail with its guards."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SENTENCE = "The audit trail is only ever added to."
SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER audit_no_{action.lower()} BEFORE {action} ON audit BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
    for action in ("UPDATE", "DELETE")
)
POSTGRESQL_GUARDS = (
    f"""CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{SENTENCE}'; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()""",
)


def upgrade() -> None:
    op.create_table("patients", sa.Column("pseudonym", sa.String(32), primary_key=True))
    op.create_table(
        "prescriptions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("patient", sa.String(32), sa.ForeignKey("patients.pseudonym"), index=True),
        sa.Column("prescribed_by", sa.Text),
        sa.Column("mode", sa.String(64)),
        sa.Column("force_mn", sa.BigInteger),
        sa.Column("time_at_force_s", sa.BigInteger),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_table(
        "calibrations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("table_serial", sa.BigInteger, index=True),
        sa.Column("calibrated_on", sa.String(32)),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_utc", sa.String(32), nullable=False, index=True),
        sa.Column("ended_utc", sa.String(32)),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("patient", sa.String(32), sa.ForeignKey("patients.pseudonym"), index=True),
        sa.Column("prescription", sa.String(64), sa.ForeignKey("prescriptions.id")),
        sa.Column("calibration", sa.String(64), sa.ForeignKey("calibrations.id")),
        sa.Column("table_model", sa.String(64)),
        sa.Column("table_serial", sa.BigInteger, index=True),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("gaps", sa.BigInteger, nullable=False),
        sa.Column("missing_samples", sa.BigInteger, nullable=False),
        sa.Column("duration_s", sa.Float, nullable=False),
        sa.Column("time_at_force_s", sa.Float, nullable=False),
        sa.Column("mean_n", sa.Float),
        sa.Column("sd_n", sa.Float),
        sa.Column("peak_n", sa.Float),
        sa.Column("within_share", sa.Float),
        sa.Column("above_ceiling_samples", sa.BigInteger),
        sa.Column("impulse_n_s", sa.Float, nullable=False),
        sa.Column("blocks", sa.BigInteger, nullable=False),
        sa.Column("last_hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_utc", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text, nullable=False, index=True),
        sa.Column("old", sa.Text),
        sa.Column("new", sa.Text),
        sa.Column("signed_by", sa.String(64)),
        sa.Column("meaning", sa.String(64)),
        sa.Column("signature", sa.String(64)),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    for guard in POSTGRESQL_GUARDS if op.get_bind().dialect.name == "postgresql" else SQLITE_GUARDS:
        op.execute(guard)
