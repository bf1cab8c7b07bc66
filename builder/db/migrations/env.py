"""Alembic's environment: always online, on the connection that ``builder.db.migrate`` hands in."""

from alembic import context

from builder.db import Base


def _is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare: object) -> bool:
    """DBOS keeps its own tables in the same database and migrates them itself."""
    theirs = ("dbos_", "workflow_", "operation_")
    return not (kind == "table" and name is not None and name.startswith(theirs))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=_is_ours,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
