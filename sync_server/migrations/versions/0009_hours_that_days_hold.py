"""hours of usage by whether they are folded already."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_index("usage_folded", "usage", ["span", "minutes", "bucket"])
