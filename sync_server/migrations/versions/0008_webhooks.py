"""where events are sent, and those that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "webhook",
        sa.Column("registry", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("events", sa.String, nullable=False),
        sa.Column("models", sa.String, nullable=False),
        sa.Column("allow_private", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("dropped", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("registry", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("webhook", sa.String(36), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("told", sa.String),
        sa.Column("ended", sa.BigInteger),
    )
    op.create_index("webhook_delivery_due", "webhook_delivery", ["state", "due"])
    op.create_index(
        "webhook_delivery_webhook", "webhook_delivery", ["registry", "webhook", "state", "due"]
    )
