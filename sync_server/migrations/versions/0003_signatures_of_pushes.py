"""signatures of pushes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "push_signature",
        sa.Column("registry", sa.Integer(), nullable=False),
        sa.Column("replica", sa.String(length=36), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("known", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("registry", "replica", "n"),
    )
