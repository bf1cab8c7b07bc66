"""PostgreSQL's row-level security for every scoped table: the second lock of idea 7.

Called from migrations: after a table is created, ``raise_wall`` puts it behind the workspace that
``tenancy`` announces at the start of each transaction. FORCE makes it hold for the owner as well.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_CURRENT = "NULLIF(current_setting('app.workspace_id', true), '')::bigint"
_USER = "NULLIF(current_setting('app.user_id', true), '')::bigint"
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
_FUTURE = "ALTER DEFAULT PRIVILEGES IN SCHEMA public"


def raise_wall(connection: Connection, table: str) -> None:
    """Only rows of the announced workspace can be read or written; none announced: no row at all."""
    if connection.dialect.name != "postgresql":
        return
    quoted = connection.dialect.identifier_preparer.quote(table)
    own = f"workspace_id = {_CURRENT}"
    connection.execute(text(f"ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY"))
    connection.execute(text(f"ALTER TABLE {quoted} FORCE ROW LEVEL SECURITY"))
    connection.execute(text(f"CREATE POLICY workspace_wall ON {quoted} USING ({own}) WITH CHECK ({own})"))
    if table == "member":
        # A sign-in may read, and only read, its own memberships before a workspace is chosen (the switcher).
        connection.execute(
            text(f"CREATE POLICY own_memberships ON {quoted} FOR SELECT USING (user_id = {_USER})")
        )
    if table == "library_pack":
        # What a consultant has put into a library is theirs to read in every workspace of theirs (S116).
        connection.execute(text(f"CREATE POLICY own_packs ON {quoted} FOR SELECT USING (user_id = {_USER})"))


def grant_rows(connection: Connection, app_role: str | None) -> None:
    """Let the application's role read and write rows of all present and future tables of the owner."""
    if connection.dialect.name != "postgresql" or not app_role:
        return
    quoted = connection.dialect.identifier_preparer.quote(app_role)
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {quoted}"))
    connection.execute(text(f"GRANT {_RIGHTS} ON ALL TABLES IN SCHEMA public TO {quoted}"))
    connection.execute(text(f"{_FUTURE} GRANT {_RIGHTS} ON TABLES TO {quoted}"))


def withdraw_rows(connection: Connection, app_role: str | None) -> None:
    """Take back what ``grant_rows`` gave, as far as it does not go with the tables."""
    if connection.dialect.name != "postgresql" or not app_role:
        return
    quoted = connection.dialect.identifier_preparer.quote(app_role)
    connection.execute(text(f"{_FUTURE} REVOKE {_RIGHTS} ON TABLES FROM {quoted}"))
    connection.execute(text(f"REVOKE {_RIGHTS} ON ALL TABLES IN SCHEMA public FROM {quoted}"))
    connection.execute(text(f"REVOKE USAGE ON SCHEMA public FROM {quoted}"))
