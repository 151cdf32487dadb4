"""what files were found to hold depends on the ending of their names, too.

Nothing of the old table is kept: it is found out again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.drop_table("scan")
    op.create_table(
        "scan",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("suffix", sa.String, primary_key=True),
        sa.Column("reader", sa.Integer, nullable=False),
        sa.Column("safe", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
    )
