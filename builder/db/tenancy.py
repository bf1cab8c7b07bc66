"""The wall (idea 7): a session is bound to one workspace and filters every statement by it.

First lock: ``do_orm_execute`` adds ``workspace_id = <bound>`` to every ORM statement on a scoped class
and refuses the statement when no workspace is bound. Second lock: on PostgreSQL each transaction sets
``app.workspace_id``, which the row-level security policies compare.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Executable,
    Result,
    Select,
    Table,
    bindparam,
    event,
    func,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import Alias, FromClause, Join

from builder.db.base import Base, WorkspaceScoped
from builder.db.definitions import Arrangement
from builder.db.engine import PREPARED, WRITE
from builder.db.postings import Posting
from builder.db.records import GivenNumber, RecordNumber, SearchToken

_WORKSPACE = "workspace_id"
_USER = "user_id"
_PARAMETER = "fw_workspace"
_WRITING = "writing_transaction"
_SNAPSHOT = "snapshot_transaction"
# With the wall come two settings of the planner, in the same statement: tables of a workspace in use are in
# memory, so reading by index is not four times as dear as reading on; and compiling pays for no page.
_WALL = (
    "SELECT set_config('app.workspace_id', {workspace}, true), set_config('app.user_id', {user}, true),"
    " set_config('random_page_cost', '1.1', true), set_config('jit', 'off', true)"
)
_SET = text(_WALL.format(workspace=":workspace", user=":user"))
SCOPED_CLASSES: tuple[type[Base], ...] = (
    SearchToken,
    RecordNumber,
    GivenNumber,
    Arrangement,
    Posting,
)


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
        """Begin a transaction that may write and that sees what is committed by now.

        On SQLite it has the write lock from its start (BEGIN IMMEDIATE). On PostgreSQL every statement sees
        what is committed, so a read that is running goes on as the write, unless it is of a snapshot.
        """
        if self.is_writing:
            return
        running = self.get_transaction()
        is_snapshot = running is None or running is self.info.get(_SNAPSHOT)
        if is_snapshot or self.get_bind().dialect.name == "sqlite":
            self.commit()
            self.connection(execution_options={WRITE: True})
        self.info[_WRITING] = self.get_transaction()

    @property
    def is_writing(self) -> bool:
        """Whether the running transaction was begun for writing."""
        running = self.get_transaction()
        return running is not None and self.info.get(_WRITING) is running

    def begin_snapshot(self) -> None:
        """End the read that is running and begin one that sees one state of the database to its end.

        A transaction that was begun for writing goes on: it reads what it has written.
        """
        if self.is_writing:
            return
        self.commit()
        if self.get_bind().dialect.name == "postgresql":
            self.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            self.info[_SNAPSHOT] = self.get_transaction()
        else:
            self.connection()

    def run(self, statement: ScopedStatement, **parameters: Any) -> Result[Any]:
        """Execute a statement made by ``scoped``, in the bound workspace."""
        values = {**parameters, _PARAMETER: self.workspace_id}
        return self.connection().execute(statement.statement, values)


@dataclass(frozen=True, slots=True)
class ScopedStatement:
    """A statement on bare tables that carries the workspace filter; only ``scoped`` makes one."""

    statement: Select[Any] | CompoundSelect[Any]


def scoped(*statements: Select[Any]) -> ScopedStatement:
    """Put the filter on every scoped table that the statements select from; several are read as one, their
    rows together.

    For statements that are made once, when their module is loaded, and run with parameters: they cost a
    tenth of an ORM statement built for each call. Tables inside subqueries are refused.
    """
    filtered = [_filtered(statement) for statement in statements]
    together = filtered[0] if len(filtered) == 1 else union_all(*filtered)
    return ScopedStatement(together.execution_options(**PREPARED))


def scoped_means(table: Table, statements: Iterable[Select[Any]]) -> ScopedStatement:
    """The means of what each statement selects (a column of numbers), as the columns of one row.

    All select from ``table`` alone: to ask each which tables it names would take longer than to run it.
    """
    is_ours = table.c.workspace_id == bindparam(_PARAMETER)
    values = (statement.where(is_ours).subquery() for statement in statements)
    return ScopedStatement(select(*(select(func.avg(*one.c)).scalar_subquery() for one in values)))


def _filtered(statement: Select[Any]) -> Select[Any]:
    tables = [table for source in statement.get_final_froms() for table in _tables(source)]
    for table in tables:
        if "workspace_id" in table.c:
            statement = statement.where(table.c.workspace_id == bindparam(_PARAMETER))
    return statement


def _tables(source: FromClause) -> list[FromClause]:
    if isinstance(source, Join) and source.isouter:
        # In WHERE the filter would drop the rows without a partner; the join itself must stay inside.
        if not any(getattr(part, "name", "") == "workspace_id" for part in visitors.iterate(source.onclause)):
            raise UnboundSessionError("an outer join in scoped() must compare workspace_id")
        return _tables(source.left)
    if isinstance(source, Join):
        return _tables(source.left) + _tables(source.right)
    if isinstance(source, Table) or (isinstance(source, Alias) and isinstance(source.element, Table)):
        return [source]
    raise UnboundSessionError(f"scoped() does not look into {type(source).__name__}")


def _announce(connection: Connection, info: dict[Any, Any]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_SET, _claims(info))


def _claims(info: dict[Any, Any]) -> dict[str, str]:
    return {
        name: str(int(info[key])) if key in info else ""
        for name, key in (("workspace", _WORKSPACE), ("user", _USER))
    }


@event.listens_for(WorkspaceSession, "after_begin")
def _after_begin(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if (_WORKSPACE in session.info or _USER in session.info) and not _begun_behind(connection, session.info):
        _announce(connection, session.info)


def _begun_behind(connection: Connection, info: dict[Any, Any]) -> bool:
    """Whether the transaction was begun and the wall raised in one message to PostgreSQL.

    The driver sends BEGIN of its own before the first statement; sent with the wall it costs no turn. Where
    that cannot be (a savepoint, a lost connection), the wall is a statement, which then tells what is wrong.
    """
    if connection.dialect.name != "postgresql":
        return False
    from psycopg.pq import ExecStatus, TransactionStatus

    driver: Any = connection.connection.driver_connection
    if driver.autocommit or driver.pgconn.transaction_status != TransactionStatus.IDLE:
        return False
    level = driver.isolation_level
    begin = "BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}"
    wall = _WALL.format(**{name: f"'{claim}'" for name, claim in _claims(info).items()})
    return bool(driver.pgconn.exec_(f"{begin}; {wall}".encode()).status == ExecStatus.TUPLES_OK)


def _is_scoped(entity: type[Any]) -> bool:
    return issubclass(entity, WorkspaceScoped) or entity in SCOPED_CLASSES


def _refuse_unfiltered(statement: Executable) -> None:
    """A statement on bare tables gets no filter from us, so it may not touch a scoped table."""
    if not isinstance(statement, ClauseElement):
        return
    for element in visitors.iterate(statement):
        if isinstance(element, Table) and "workspace_id" in element.c:
            raise UnboundSessionError(f"statement on bare table {element.name}: use its class instead")


@event.listens_for(WorkspaceSession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load or state.execution_options.get("across_workspaces"):
        return
    if state.is_insert:
        return
    if not state.is_orm_statement:
        _refuse_unfiltered(state.statement)
        return
    session = state.session
    assert isinstance(session, WorkspaceSession)
    if _WORKSPACE in session.info:
        state.statement = state.statement.options(*_criteria(session.workspace_id))
    elif any(_is_scoped(mapper.class_) for mapper in state.all_mappers):
        raise UnboundSessionError("no workspace is bound to this session")


@lru_cache(maxsize=1024)
def _criteria(workspace_id: int) -> tuple[ExecutableOption, ...]:
    """The filter of one workspace. Made once: building it costs more than running a small statement."""
    return (
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
