"""What the rules of *which process for whom* are asked about: values, what they refer to, and the person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from builder.db.people import Department, DepartmentMember
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.assignment import ACTOR_TYPES, DEPARTMENTS, ROLE, Assignment, Choice, Situation, choose
from builder.domain.comparison import EvaluationContext
from builder.domain.fields import FieldDefinition, JsonValue, ObjectDefinition
from builder.domain.labels import Label
from builder.domain.permissions import Actor
from builder.metadata.catalog import Catalog
from builder.queries.memberships import holds_on
from builder.queries.row import id_in
from builder.queries.veils import as_seen
from builder.queries.visibility import visible

ACTOR_FIELDS: Mapping[str, FieldDefinition] = {
    name: FieldDefinition(name, type_key, Label(())) for name, type_key in ACTOR_TYPES.items()
}
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Starter:
    """Who would start a process: what they see, and their departments with all above these."""

    actor: Actor
    departments: frozenset[int] = NOBODY


@dataclass(frozen=True)
class Referred:
    """A record that another one refers to."""

    object_key: str
    data: Mapping[str, Any]


def starter_of(session: WorkspaceSession, actor: Actor, assignment: Assignment, today: date) -> Starter:
    """The acting person as the rules see them; their departments are read only where they matter."""
    if not assignment.asks_departments or not actor.member_id:
        return Starter(actor)
    return Starter(actor, departments_of(session, actor.member_id, today))


def departments_of(session: WorkspaceSession, member_id: int, today: date) -> frozenset[int]:
    """The departments of a person on a day, with all above them. One statement."""
    paths = session.scalars(
        select(Department.path)
        .join(DepartmentMember, DepartmentMember.department_id == Department.id)
        .where(
            DepartmentMember.member_id == member_id,
            holds_on(DepartmentMember.starts_on, DepartmentMember.ends_on, today),
            holds_on(Department.starts_on, Department.ends_on, today),
        )
    )
    return frozenset(int(part) for path in paths for part in path.split("/") if part)


def department_and_above(session: WorkspaceSession, department_id: int) -> frozenset[int]:
    """A department with all above it; nothing when there is none of that id."""
    path = session.scalar(select(Department.path).where(Department.id == department_id)) or ""
    return frozenset(int(part) for part in path.split("/") if part)


def situations(
    session: WorkspaceSession,
    catalog: Catalog,
    definition: ObjectDefinition,
    assignment: Assignment,
    records: Sequence[Mapping[str, JsonValue]],
    starter: Starter,
    context: EvaluationContext,
) -> list[Situation]:
    """What the rules are asked about for each of some records, given by their values.

    ``catalog`` as the starter sees it: what is hidden from them is not there, so no rule tells it. Of
    records that they do not see nothing is known. One statement, none where no rule looks at another record.
    """
    asked = {name: field for name in assignment.names if (field := _field(catalog, definition, name))}
    referred = _referred(
        session,
        starter.actor,
        records,
        {name.partition(".")[0] for name in asked if "." in name and name not in ACTOR_TYPES},
    )
    person: dict[str, JsonValue] = {
        DEPARTMENTS: [str(each) for each in sorted(starter.departments)],
        ROLE: starter.actor.role_key,
    }
    return [
        Situation(
            {**values, **person, **_values_beyond(definition, asked, values, referred)},
            asked,
            starter.departments,
            context,
        )
        for values in records
    ]


def choice_of(
    session: WorkspaceSession,
    catalog: Catalog,
    definition: ObjectDefinition,
    values: Mapping[str, JsonValue],
    starter: Starter,
    context: EvaluationContext,
    otherwise: str | None = None,
) -> Choice:
    """The process of one new record, by the rules in force; see ``situations``."""
    assignment = definition.assignment
    (one,) = situations(session, catalog, definition, assignment, (values,), starter, context)
    return choose(assignment, keys_of(catalog, definition), one, otherwise)


def keys_of(catalog: Catalog, definition: ObjectDefinition) -> tuple[str, ...]:
    """The live processes of an object."""
    return tuple(pipeline.key for pipeline in catalog.pipelines_of(definition.key))


def _field(catalog: Catalog, definition: ObjectDefinition, name: str) -> FieldDefinition | None:
    """The field behind a name of a condition, as far as the reader of this catalog knows one."""
    if name in ACTOR_FIELDS:
        return ACTOR_FIELDS[name]
    head, _, tail = name.partition(".")
    own = definition.fields.by_key.get(head)
    if own is None or not tail:
        return own
    target = catalog.objects.get(str(own.params.get("target"))) if own.type == "reference" else None
    return target.fields.by_key.get(tail) if target else None


def _values_beyond(
    definition: ObjectDefinition,
    asked: Iterable[str],
    values: Mapping[str, JsonValue],
    referred: Mapping[int, Referred],
) -> dict[str, JsonValue]:
    """Values of the records that this one refers to, under the names by which rules ask for them."""
    found: dict[str, JsonValue] = {}
    for name in asked:
        head, _, tail = name.partition(".")
        field = definition.fields.by_key.get(head)
        if not tail or field is None or name in ACTOR_TYPES:
            continue
        there = referred.get(id_in(values.get(head)))
        if there is not None and there.object_key == field.params.get("target"):
            found[name] = there.data.get(tail)
    return found


def _referred(
    session: WorkspaceSession,
    actor: Actor,
    records: Iterable[Mapping[str, JsonValue]],
    keys: Iterable[str],
) -> dict[int, Referred]:
    """The records that these fields refer to, as far as the actor sees them."""
    names = tuple(keys)
    ids = {id_in(values.get(key)) for values in records for key in names} - {0}
    if not ids:
        return {}
    statement = select(Record.id, Record.object_key, Record.data).where(
        Record.id.in_(sorted(ids)), Record.deleted_at.is_(None)
    )
    rule = visible(actor, None)
    rows = session.execute(statement if rule is None else statement.where(rule))
    return {
        record_id: as_seen(Referred(object_key, data), actor.veils.get(object_key))
        for record_id, object_key, data in rows
    }
