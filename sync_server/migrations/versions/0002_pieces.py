"""pieces: the files that a server keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PRESENT = sa.text("state = 'present'")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "piece",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "generation"),
    )
    op.create_index(
        "piece_present",
        "piece",
        ["digest"],
        unique=True,
        sqlite_where=_PRESENT,
        postgresql_where=_PRESENT,
    )
    op.create_index("piece_state", "piece", ["state", "since"])
    for table, number in (("piece_ref", "since"), ("lease", "until")):
        op.create_table(
            table,
            sa.Column("registry", sa.Integer(), nullable=False),
            sa.Column("stream", sa.String(length=36), nullable=False),
            sa.Column("digest", sa.String(length=64), nullable=False),
            sa.Column(number, sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("registry", "stream", "digest"),
        )
        op.create_index(f"{table}_digest", table, ["digest"])
