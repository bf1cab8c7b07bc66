"""Values that the event log tells, where their fields got another type since (part 2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from builder.db.definitions import Definition, DefinitionVersion
from builder.domain.fields import FieldSet, ObjectDefinition
from builder.metadata.retyping import Retyping, reading, retypings
from builder.queries.definitions import PUBLISHED, RETIRED
from builder.services.soundness import fields_of
from builder.services.unit_of_work import UnitOfWork


class FormerValues:
    """What values of a past event are as the fields are now, read as the change of type itself reads them.

    What does not fit is put aside beside them (``metadata.retyping``), so nothing of it is lost.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._context = reading(uow.workspace, uow.clock.now())
        self._versions: dict[str, Sequence[tuple[int, FieldSet]]] = {}
        self._changes: dict[tuple[str, int], list[Retyping]] = {}

    def now(self, definition: ObjectDefinition, values: Mapping[str, Any], event_id: int) -> dict[str, Any]:
        """``values`` of an event by field; ``None`` where there was, or is now, none."""
        result = dict(values)
        if not result:
            return result
        for change in self._since(definition, event_id):
            if change.key in result:
                former = {change.key: result[change.key]}
                result |= {change.key: None, change.put_aside: None, **change.applied(former)}
        return result

    def _since(self, definition: ObjectDefinition, event_id: int) -> list[Retyping]:
        versions = self._versions.get(definition.key)
        if versions is None:
            versions = self._versions[definition.key] = self._read(definition.key)
        place = max(0, bisect_right(versions, event_id, key=lambda version: version[0]) - 1)
        known = self._changes.get((definition.key, place))
        if known is None:
            changes = retypings(versions[place][1], definition.fields, self._context) if versions else ()
            known = self._changes[definition.key, place] = list(changes)
        return known

    def _read(self, object_key: str) -> Sequence[tuple[int, FieldSet]]:
        """The fields of every version, by the change set that they went live with."""
        went_live = func.coalesce(DefinitionVersion.change_set_id, 0)
        rows = self._uow.session.execute(
            select(went_live.label("since"), DefinitionVersion.document)
            .join(Definition, Definition.id == DefinitionVersion.definition_id)
            .where(
                Definition.kind == "object",
                Definition.key == object_key,
                DefinitionVersion.status.in_((PUBLISHED, RETIRED)),
            )
            .order_by(went_live, DefinitionVersion.number)
        )
        return [(row.since, fields_of(row.document)) for row in rows]
