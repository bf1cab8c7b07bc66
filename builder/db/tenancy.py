"""The wall (idea 7): a session is bound to one workspace and filters every statement by it.

First lock: ``do_orm_execute`` adds ``workspace_id = <bound>`` to every ORM statement on a scoped class
and refuses the statement when no workspace is bound. Second lock: on PostgreSQL each transaction sets
``app.workspace_id``, which the row-level security policies compare.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Executable, Table, event, text
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement

from builder.db.base import Base, WorkspaceScoped
from builder.db.engine import WRITE
from builder.db.records import RecordNumber, SearchToken

_WORKSPACE = "workspace_id"
_USER = "user_id"
SCOPED_CLASSES: tuple[type[Base], ...] = (SearchToken, RecordNumber)


class UnboundSessionError(RuntimeError):
    """A scoped table was read through a session that is bound to no workspace."""


class WorkspaceSession(Session):
    """A session that sees one workspace. ``bind_workspace`` is called once, before the first use."""

    def bind_workspace(self, workspace_id: int) -> None:
        """See only this workspace from now on, in the running transaction and in later ones."""
        self.info[_WORKSPACE] = workspace_id
        if self.in_transaction():
            _announce(self.connection(), self.info)

    def bind_user(self, user_id: int) -> None:
        """Let the sign-in's own memberships be read in every workspace (the switcher)."""
        self.info[_USER] = user_id
        if self.in_transaction():
            _announce(self.connection(), self.info)

    @property
    def workspace_id(self) -> int:
        try:
            return int(self.info[_WORKSPACE])
        except KeyError:
            raise UnboundSessionError("no workspace is bound to this session") from None

    def begin_write(self) -> None:
        """End the read snapshot and begin a transaction that may write (BEGIN IMMEDIATE on SQLite)."""
        if self.info.get("writing") and self.in_transaction():
            return
        self.commit()
        self.info["writing"] = True
        self.connection(execution_options={WRITE: True})


def _announce(connection: Connection, info: dict[Any, Any]) -> None:
    if connection.dialect.name != "postgresql":
        return
    connection.execute(
        text("SELECT set_config('app.workspace_id', :workspace, true), set_config('app.user_id', :user, true)"),
        {"workspace": str(info.get(_WORKSPACE, "")), "user": str(info.get(_USER, ""))},
    )


@event.listens_for(WorkspaceSession, "after_begin")
def _after_begin(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if _WORKSPACE in session.info or _USER in session.info:
        _announce(connection, session.info)


@event.listens_for(WorkspaceSession, "after_commit")
@event.listens_for(WorkspaceSession, "after_rollback")
def _after_end(session: Session) -> None:
    session.info.pop("writing", None)


def _refuse_unfiltered(statement: Executable) -> None:
    """A statement on bare tables gets no filter from us, so it may not touch a scoped table."""
    if not isinstance(statement, ClauseElement):
        return
    for element in visitors.iterate(statement):
        if isinstance(element, Table) and "workspace_id" in element.c:
            raise UnboundSessionError(f"statement on bare table {element.name}: select from its class instead")


@event.listens_for(WorkspaceSession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load or state.execution_options.get("across_workspaces"):
        return
    if state.is_insert:
        return
    if not state.is_orm_statement:
        _refuse_unfiltered(state.statement)
        return
    scoped = (WorkspaceScoped, *SCOPED_CLASSES)
    if not any(issubclass(mapper.class_, scoped) for mapper in state.all_mappers):
        return
    session = state.session
    assert isinstance(session, WorkspaceSession)
    workspace_id = session.workspace_id
    state.statement = state.statement.options(
        with_loader_criteria(
            WorkspaceScoped,
            lambda cls: cls.workspace_id == workspace_id,
            include_aliases=True,
            propagate_to_loaders=True,
        ),
        *(
            with_loader_criteria(cls, cls.workspace_id == workspace_id, include_aliases=True)  # type: ignore[attr-defined]
            for cls in SCOPED_CLASSES
        ),
    )
