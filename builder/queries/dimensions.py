"""What figures can be grouped by: owner, department, a filterable field, the month or quarter of closing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import aliased

from builder.db.people import Department, Member
from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.calendar import day_of
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.labels import Label
from builder.domain.period import month_edges
from builder.errors import N_, Invalid

GROUPABLE = ("choice", "yes_no", "text", "email", "phone", "url", "user", "reference", "integer")
MOST_MONTHS = 600
_LABELLED_AT_ONCE = 500
NO_FIELD = N_("There is no field “%(field)s” to group by.")
_NO_GROUP = N_("There is no group “%(value)s”.")
_YES, _NO = N_("Yes"), N_("No")

DimensionKind = Literal["owner", "department", "field", "close_month", "close_quarter"]
_MONTHS: Mapping[str, int] = {"close_month": 1, "close_quarter": 3}
_BUILT_IN: tuple[DimensionKind, ...] = ("owner", "department", "close_month", "close_quarter")


@dataclass(frozen=True)
class Dimension:
    """``key`` is what people and commands call it; ``field`` only for a field of the object."""

    key: str
    kind: DimensionKind
    field: FieldDefinition | None = None

    @property
    def is_closing(self) -> bool:
        """Whether it sorts closed records by time, so that open ones have no place in it."""
        return self.kind in _MONTHS

    @property
    def is_id(self) -> bool:
        """Whether its values are ids, which addresses show in their opaque form."""
        if self.kind == "field":
            return self.field is not None and self.field.type in ("user", "reference")
        return self.kind in ("owner", "department")


@dataclass(frozen=True)
class Buckets:
    """The months or quarters that closed records fall into: first days and the instants they begin at."""

    days: tuple[date, ...] = ()
    instants: tuple[datetime, ...] = ()


def is_groupable(field: FieldDefinition) -> bool:
    """A field whose values the database can group by: those in a slot, and references (links)."""
    return field.type in GROUPABLE and (field.slot is not None or field.type == "reference")


def dimension(name: str, definition: ObjectDefinition) -> Dimension:
    """The dimension called ``name``: a built-in one, or a field by key or by label in any language.

    Errors: Invalid when there is none, or when the field is not one to group by.
    """
    fields = definition.fields
    field = fields.by_key.get(name) or next(
        (field for field in fields if name in dict(field.label.translations).values()), None
    )
    if field is not None and field.role == "owner":
        return Dimension("owner", "owner")
    if field is None:
        for kind in _BUILT_IN:
            if name == kind:
                return Dimension(name, kind)
        raise Invalid(NO_FIELD, field=name[:80])
    if not is_groupable(field):
        raise Invalid(
            N_("Figures cannot be grouped by “%(field)s”: make the field filterable first."), field=field.key
        )
    return Dimension(field.key, "field", field)


def dimensions(definition: ObjectDefinition, *, closing: bool) -> tuple[Dimension, ...]:
    """All there are, built-in ones first; ``closing`` adds month and quarter of closing.

    Where records have no owner there is neither owner nor department to group by.
    """
    absent = set() if closing else set(_MONTHS)
    if "owner" not in definition.fields.by_role:
        absent |= {"owner", "department"}
    built_in = tuple(Dimension(kind, kind) for kind in _BUILT_IN if kind not in absent)
    fields = (field for field in definition.fields if is_groupable(field) and field.role != "owner")
    return built_in + tuple(Dimension(field.key, "field", field) for field in fields)


def buckets(
    session: WorkspaceSession,
    dimension: Dimension,
    where: ColumnElement[bool],
    time_zone: str,
    along: Callable[[Select[*tuple[Any, ...]]], Select[*tuple[Any, ...]]],
) -> Buckets:
    """The months or quarters between the first and the last closing (one statement), for ``expression``.

    ``along``: by which index the statement finds the records of ``where``.
    """
    if not dimension.is_closing:
        return Buckets()
    closings = select(func.min(Record.closed_at), func.max(Record.closed_at)).where(where)
    first, last = session.execute(along(closings)).one()
    if first is None or last is None:
        return Buckets()
    edges = month_edges(day_of(first, time_zone), day_of(last, time_zone), _MONTHS[dimension.kind], time_zone)
    if len(edges) > MOST_MONTHS:
        raise Invalid(N_("The closings span too many months. Choose a shorter period."))
    return Buckets(tuple(day for day, _ in edges), tuple(instant for _, instant in edges))


def expression(dimension: Dimension, spans: Buckets) -> ColumnElement[Any]:
    """The group of a record: an id, a slot value, or the number of its bucket (negative: none)."""
    if dimension.kind == "owner":
        return Record.owner_id.expression
    if dimension.kind == "department":
        return Record.department_id.expression
    if dimension.kind in _MONTHS:
        # Comparing with the edges of the workspace's months needs no time zone inside the database.
        whens = [(Record.closed_at < instant, number) for number, instant in enumerate(spans.instants)]
        return case(*whens, else_=len(whens)) - 1 if whens else Record.closed_at.expression
    assert dimension.field is not None
    if dimension.field.slot is not None:
        column: ColumnElement[Any] = getattr(Record, dimension.field.slot).expression
        return column
    link = aliased(Link)
    return (
        select(link.target_id)
        .where(
            link.workspace_id == Record.workspace_id,
            link.record_id == Record.id,
            link.field_key == dimension.field.key,
        )
        .limit(1)
        .correlate(Record)
        .scalar_subquery()
    )


def is_group(dimension: Dimension, value: str, time_zone: str) -> ColumnElement[bool]:
    """The clause "belongs to the group whose ``GroupName.value`` is ``value``" ("" for none), for lists.

    Errors: Invalid for a value that the dimension cannot have.
    """
    if dimension.is_closing:
        start, end = _closing_edges(dimension, value, time_zone)
        return and_(Record.closed_at >= start, Record.closed_at < end)
    group = expression(dimension, Buckets())
    if not value:
        return group.is_(None)
    field = dimension.field
    try:
        if field is None or (field.type == "reference" and field.slot is None):
            return group == int(value)
        if field.type == "yes_no":
            return group == {"True": 1.0, "False": 0.0}[value]
        if field.type == "integer":
            return group == float(int(value))
    except (ValueError, KeyError, OverflowError):
        raise Invalid(_NO_GROUP, value=value[:80]) from None
    return group == value


def _closing_edges(dimension: Dimension, value: str, time_zone: str) -> tuple[datetime, datetime]:
    mark = "-" if dimension.kind == "close_month" else "Q"
    year, _, number = value.partition(mark)
    months = _MONTHS[dimension.kind]
    try:
        first = date(int(year), (int(number) - 1) * months + 1, 1)
        (_, start), (_, end) = month_edges(first, first, months, time_zone)
    except (ValueError, OverflowError):
        raise Invalid(_NO_GROUP, value=value[:80]) from None
    return start, end


@dataclass(frozen=True, slots=True)
class GroupName:
    """What a group is called. ``text`` is ``None`` for records without a value; ``label`` has languages;
    ``value`` is what a filter compares with: an id in decimal, an option key, a text."""

    text: str | None
    label: Label | None = None
    value: str = ""


def names(
    session: WorkspaceSession, dimension: Dimension, spans: Buckets, samples: Mapping[Any, int]
) -> dict[Any, GroupName]:
    """Group value → its name. ``samples`` maps each value to one record of the group (at most one
    statement per 500 groups)."""
    values = [value for value in samples if value is not None]
    empty = {None: GroupName(None)}
    field = dimension.field
    if dimension.kind == "owner" or (field is not None and field.type == "user"):
        return empty | _named(session, Member, values)
    if dimension.kind == "department":
        return empty | _named(session, Department, values)
    if dimension.is_closing:
        return empty | {value: _closing(dimension, spans, int(value)) for value in values}
    assert field is not None
    if field.type == "reference":
        return empty | _named(session, Record, values)
    if field.type == "choice":
        return empty | {value: _option(field, str(value)) for value in values}
    if field.type == "yes_no":
        return empty | {value: GroupName(_YES if value else _NO, None, str(bool(value))) for value in values}
    if field.type == "integer":
        return empty | {value: GroupName(str(int(value)), None, str(int(value))) for value in values}
    return empty | _as_written(session, field, {value: samples[value] for value in values})


def _named(session: WorkspaceSession, cls: type[Any], values: Iterable[Any]) -> dict[Any, GroupName]:
    by_id = {int(value): value for value in values}
    found = dict.fromkeys(by_id, "")
    for ids in _chunks(sorted(by_id)):
        found.update(session.execute(select(cls.id, cls.name).where(cls.id.in_(ids))).all())
    return {by_id[key]: GroupName(name or f"#{key}", None, str(key)) for key, name in found.items()}


def _option(field: FieldDefinition, key: str) -> GroupName:
    option = field.option(key)
    return GroupName(key, option.label if option else None, key)


def _closing(dimension: Dimension, spans: Buckets, number: int) -> GroupName:
    day = spans.days[number]
    if dimension.kind == "close_month":
        text = f"{day.year:04}-{day.month:02}"
    else:
        text = f"{day.year:04}Q{(day.month + 2) // 3}"
    return GroupName(text, None, text)


def _as_written(
    session: WorkspaceSession, field: FieldDefinition, samples: Mapping[Any, int]
) -> dict[Any, GroupName]:
    """Slots hold folded text; people see what one of the records says."""
    by_record = {record_id: value for value, record_id in samples.items()}
    found: dict[Any, GroupName] = {}
    for ids in _chunks(sorted(by_record)):
        for record_id, data in session.execute(select(Record.id, Record.data).where(Record.id.in_(ids))):
            value = by_record[record_id]
            found[value] = GroupName(str(data.get(field.key, value)), None, str(value))
    return found


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[at : at + _LABELLED_AT_ONCE] for at in range(0, len(ids), _LABELLED_AT_ONCE))
