"""what is newer, of all streams."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    models = sa.text("kind = 'model'")
    op.create_index("entity_seq", "entity", ["registry", "seq"])
    op.create_index(
        "entity_model",
        "entity",
        ["registry", "id", "name"],
        sqlite_where=models,
        postgresql_where=models,
    )
    op.create_index("text_ref_seq", "text_ref", ["registry", "seq"])
    op.create_index("author_seq", "author", ["registry", "seq"])
