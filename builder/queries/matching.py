"""All records that a list has, by its filter and not by ids: counted, and taken a part at a time by id."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, func, select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.permissions import Actor
from builder.metadata.catalog import Catalog
from builder.queries.list import ListRequest, asked
from builder.queries.visibility import visible


class Matching:
    """Live records that ``request`` asks for and ``actor`` sees.

    Errors on making one: NotFound for an unknown object, ConditionError for a filter that the database cannot
    evaluate.
    """

    def __init__(
        self,
        session: WorkspaceSession,
        catalog: Catalog,
        actor: Actor,
        request: ListRequest,
        context: EvaluationContext,
    ) -> None:
        definition = catalog.object(request.object_key)
        self._session = session
        rule = visible(actor, (definition.key,))
        self._clauses = [
            *asked(session, actor, definition, request, context),
            *([] if rule is None else [rule]),
        ]

    def count(self) -> int:
        """How many there are, exactly: whoever changes them all is told before."""
        return self._session.scalar(select(func.count()).select_from(Record).where(*self._clauses)) or 0

    def ids(self, limit: int, after: int = 0, until: int | None = None) -> Sequence[int]:
        """Up to ``limit`` of them beyond the id ``after``, in order of ids, none made after ``until``."""
        statement: Select[int] = select(Record.id).where(*self._clauses, Record.id > after)
        if until is not None:
            statement = statement.where(Record.id <= until)
        return self._session.scalars(statement.order_by(Record.id).limit(limit)).all()
