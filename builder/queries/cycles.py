"""The average sales cycles that products name, for the page of a record that names products (S13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.cycle import ProductCycle
from builder.domain.fields import FieldDefinition
from builder.domain.permissions import Actor
from builder.metadata.catalog import Catalog
from builder.queries.row import REFERENCE, id_in
from builder.queries.visibility import visible

CYCLE = "average_cycle"
REMINDER = "reminder_days"


def product_cycles(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    object_key: str,
    values: Mapping[str, Any],
) -> list[ProductCycle]:
    """The cycles of the products that a record names, in its fields and in the rows of its tables.

    A product is a record of an object one of whose fields has the part *average_cycle*. ``catalog`` as the
    reader sees it; products that they do not see are left out. One statement, none where no product is named.
    """
    return cycles_of(session, catalog, actor, [(object_key, values)])[0]


def cycles_of(
    session: WorkspaceSession,
    catalog: Catalog,
    actor: Actor,
    records: Sequence[tuple[str, Mapping[str, Any]]],
) -> list[list[ProductCycle]]:
    """As ``product_cycles`` for several records (object, values), in their order; at most one statement."""
    named = [_products(catalog, object_key, values) for object_key, values in records]
    targets = {target for found in named for target, _ in found}
    ids = {record_id for found in named for _, record_id in found}
    if not ids:
        return [[] for _ in records]
    rule = visible(actor, targets)
    statement = select(Record.id, Record.object_key, Record.data).where(
        Record.id.in_(sorted(ids)),
        Record.object_key.in_(sorted(targets)),
        Record.deleted_at.is_(None),
        *(() if rule is None else (rule,)),
    )
    known: dict[int, ProductCycle] = {}
    for record_id, key, data in session.execute(statement):
        roles = catalog.objects[key].fields.by_role
        days = _days(roles[CYCLE], data)
        if days:
            remind = roles.get(REMINDER)
            known[record_id] = ProductCycle(record_id, days, _days(remind, data) if remind else None)
    return [
        [known[record_id] for record_id in sorted({one for _, one in found}) if record_id in known]
        for found in named
    ]


def _products(catalog: Catalog, object_key: str, values: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [
        (target, record_id)
        for target, record_id in _named(catalog.object(object_key).fields, values)
        if target in catalog.objects and CYCLE in catalog.objects[target].fields.by_role
    ]


def _days(field: FieldDefinition, data: Mapping[str, Any]) -> int | None:
    value = data.get(field.key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _named(fields: Any, values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(object, record) of every reference among the values, those in tables and groups included."""
    for field in fields:
        value = values.get(field.key)
        if field.type == REFERENCE and (named := id_in(value)):
            yield str(field.params.get("target")), named
        elif field.inner:
            for row in value if isinstance(value, list) else [value]:
                if isinstance(row, Mapping):
                    yield from _named(field.inner, row)
