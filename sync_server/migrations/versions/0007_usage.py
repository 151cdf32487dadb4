"""what serving processes tell of deployments."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SLOTS = 37


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "usage",
        sa.Column("registry", sa.Integer, primary_key=True),
        sa.Column("deployment", sa.String(36), primary_key=True),
        sa.Column("span", sa.BigInteger, primary_key=True),
        sa.Column("bucket", sa.BigInteger, primary_key=True),
        sa.Column("reporter", sa.String(64), primary_key=True),
        sa.Column("minutes", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("errors", sa.BigInteger, nullable=False),
        *(sa.Column(f"l{place}", sa.BigInteger, nullable=False) for place in range(SLOTS)),
    )
    op.create_index("usage_age", "usage", ["span", "bucket"])
