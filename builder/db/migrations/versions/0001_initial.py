"""All tables of the first version."""

from alembic import context, op

from builder.db import Base
from builder.db.walls import grant_rows, raise_wall

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    Base.metadata.create_all(connection)
    for table in Base.metadata.sorted_tables:
        if "workspace_id" in table.c:
            raise_wall(connection, table.name)
    grant_rows(connection, context.config.attributes.get("app_role"))


def downgrade() -> None:
    Base.metadata.drop_all(op.get_bind())
