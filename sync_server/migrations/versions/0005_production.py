"""what production needs: documents of a stream by kind, and what files were found to hold."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_index("entity_kind", "entity", ["registry", "stream", "kind"])
    op.create_table(
        "scan",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("reader", sa.Integer, nullable=False),
        sa.Column("safe", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )
