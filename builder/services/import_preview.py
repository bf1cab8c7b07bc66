"""What the texts of each column become, before anything is decided: both sides next to each other (S25).

The texts are read by the same reader as the import's; what it would create is promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import select

from builder.db.people import Member
from builder.db.records import Record
from builder.domain.fields import FieldDefinition, JsonValue
from builder.errors import FunnelwrightError, Problem
from builder.exchange.moments import ORDERS, STATED, depends_on_order
from builder.exchange.numbers import DecimalMark, depends_on_mark
from builder.exchange.plan import ImportPlan
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.exchange.units import Unit, currency_of
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import field_type, type_of
from builder.services.import_checks import PROMISED, Promises, RowCheck, with_unpublished
from builder.services.import_rows import context_of
from builder.services.import_setup import Proposal
from builder.services.unit_of_work import UnitOfWork

# So many different values of a column are tried; the check after it tries all rows.
TRIED = 300
SHOWN, SHOWN_BAD = 3, 3
_Try: TypeAlias = tuple[str, JsonValue, Problem | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """One text of the file and what it becomes: ``text`` as people read it, or the ``problem``.

    ``is_new``: a record or colleague that the import would create. ``others``: what else it could become, as
    long as nobody has said how it is to be read.
    """

    raw: str
    text: str = ""
    problem: Problem | None = None
    is_new: bool = False
    others: tuple[str, ...] = ()
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """The first readings of a column, the first bad ones among them; ``bad`` counts the different texts that
    cannot be read, of ``tried`` that were tried.
    """

    readings: tuple[Reading, ...]
    bad: int
    tried: int


NO_PREVIEW = ColumnPreview((), 0, 0)


def preview_columns(
    uow: UnitOfWork,
    profile: TableProfile,
    proposal: Proposal,
    locale: str,
    promises: Promises | None = None,
) -> dict[str, ColumnPreview]:
    """The preview of every column that fills a field or tells a time. Nothing is written.

    Errors: Invalid when the definitions that the proposal would publish are unsound.
    """
    work = with_unpublished(uow, proposal.unpublished)
    names = [column.name for column in profile.columns]
    context = replace(context_of(uow), locale=locale)
    asked = {problem.place for problem in proposal.questions}
    checking = RowCheck(work, proposal.plan, names, promises)
    found: dict[str, ColumnPreview] = {}
    for column in profile.columns:
        if column.name not in asked:
            found[column.name] = _column_preview(checking, column, context)
            continue
        plans, telling = _alternatives(proposal.plan, column), _telling_first(column)
        found[column.name] = _merged(
            [_column_preview(RowCheck(work, plan, names), telling, context) for plan in plans]
        )
    return {name: preview for name, preview in found.items() if preview.readings}


def _column_preview(checking: RowCheck, column: ColumnProfile, context: FieldContext) -> ColumnPreview:
    plan = checking.plan
    key = plan.field_of.get(column.name)
    if key is not None:
        return _field_preview(checking, column, checking.definition.fields.targets[key], context)
    history = plan.history
    if history is not None and column.name in (history.at_column, history.closed_column):
        return _moment_preview(checking, column, context)
    return NO_PREVIEW


def _alternatives(plan: ImportPlan, column: ColumnProfile) -> list[ImportPlan]:
    """The plan in every way in which the column may be read."""
    if column.is_mark_open:
        marks: tuple[DecimalMark, ...] = (".", ",")
        return [replace(plan, marks={**plan.marks, column.name: mark}) for mark in marks]
    orders = ORDERS if column.date_share else STATED[len(ORDERS) :]
    return [replace(plan, orders={**plan.orders, column.name: order}) for order in orders]


def _telling_first(column: ColumnProfile) -> ColumnProfile:
    """The column with those values first that show what the question is."""
    depends = depends_on_mark if column.is_mark_open else depends_on_order
    texts = sorted(column.values or column.samples, key=lambda text: not depends(text))
    return replace(column, values=dict.fromkeys(texts, 1))


def _merged(previews: Sequence[ColumnPreview]) -> ColumnPreview:
    """One preview of several ways to read a column; what one of them cannot read is left to the others."""
    ways: dict[str, list[Reading]] = {}
    for preview in previews:
        for reading in preview.readings:
            ways.setdefault(reading.raw, []).append(reading)
    readings = [_open(found) for found in list(ways.values())[:SHOWN]]
    least = min(previews, key=lambda preview: preview.bad)
    return ColumnPreview(tuple(readings), least.bad, least.tried)


def _open(found: Sequence[Reading]) -> Reading:
    texts = list(dict.fromkeys(reading.text for reading in found if reading.problem is None))
    if not texts:
        return found[0]
    return Reading(found[0].raw, texts[0], others=tuple(texts[1:]), is_open=True)


def _field_preview(
    checking: RowCheck, column: ColumnProfile, field: FieldDefinition, context: FieldContext
) -> ColumnPreview:
    is_named = field.type in ("user", "reference")
    if is_named:
        checking.names.prepare(field, set(_texts(column)))
    tried = _tried(column, lambda text: checking.reader.value(column.name, text))
    if is_named:
        context = _with_names(checking, field, context, [value for _, value, _ in tried])

    def shown(text: str, value: JsonValue) -> Reading:
        if is_named and value == PROMISED:
            return Reading(text, text, is_new=True)
        return Reading(
            text, type_of(field).text(field, value, _in_currency(checking, field, column, text, context))
        )

    return _preview(column, tried, shown)


def _in_currency(
    checking: RowCheck, field: FieldDefinition, column: ColumnProfile, text: str, context: FieldContext
) -> FieldContext:
    """The context of an amount that will say its own currency on its record."""
    if field.role != "amount" or "currency" not in checking.definition.fields.by_role:
        return context
    unit = Unit.of_code(checking.plan.units.get(column.name, Unit().code))
    code = currency_of(text, context.currency) or unit.currency
    return replace(context, currency=code) if code else context


def _moment_preview(checking: RowCheck, column: ColumnProfile, context: FieldContext) -> ColumnPreview:
    kind = field_type("datetime")
    field = FieldDefinition(column.name, kind.key, kind.label)

    def moment(text: str) -> JsonValue:
        found = checking.reader.moment_of(column.name, text)
        return None if found is None else found.isoformat()

    return _preview(
        column, _tried(column, moment), lambda text, value: Reading(text, kind.text(field, value, context))
    )


def _texts(column: ColumnProfile) -> list[str]:
    return list(column.values or column.samples)[:TRIED]


def _tried(column: ColumnProfile, convert: Callable[[str], JsonValue]) -> list[_Try]:
    found: list[_Try] = []
    for text in _texts(column):
        try:
            found.append((text, convert(text), None))
        except FunnelwrightError as error:
            found.append((text, None, Problem(error.message_key, column.name, error.values)))
    return found


def _preview(
    column: ColumnProfile, tried: Sequence[_Try], shown: Callable[[str, JsonValue], Reading]
) -> ColumnPreview:
    """The first good readings, and the first bad ones wherever they stand."""
    bad = [Reading(text, problem=problem) for text, _, problem in tried if problem is not None]
    good = [(text, value) for text, value, problem in tried if problem is None][:SHOWN]
    return ColumnPreview((*(shown(*item) for item in good), *bad[:SHOWN_BAD]), len(bad), len(tried))


def _with_names(
    checking: RowCheck, field: FieldDefinition, context: FieldContext, values: Iterable[Any]
) -> FieldContext:
    """The context with the names of what the values point at."""
    if field.type not in ("user", "reference"):
        return context
    ids = [int(value) for value in values if value is not None and value != PROMISED]
    table: Any = Member if field.type == "user" else Record
    names = dict(_names(checking, table, ids))
    return replace(context, member_names=names, record_names=names)


def _names(checking: RowCheck, table: Any, ids: list[int]) -> Iterator[tuple[str, str]]:
    for row in checking.session.execute(select(table.id, table.name).where(table.id.in_(ids))):
        yield str(row.id), row.name
