"""The columns of an export: how each turns a record into the text of its cell.

Values are written by their field types (``export``), which read them back. Where a file is for people,
options are written by their names as long as the name reads back as the same option, and addresses as
people write them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeAlias

from builder.domain.fields import FieldDefinition
from builder.domain.kinds import RECORD_COLUMNS, Kind
from builder.domain.money import exponent
from builder.exchange.export_files import CellKind, SheetColumn
from builder.exchange.export_plan import CURRENCY_OF, EXTERNAL_KEY, ID, ExportPlan
from builder.fieldtypes.base import FieldContext, FieldType, InvalidValue
from builder.fieldtypes.money import is_money
from builder.fieldtypes.registry import type_of
from builder.fieldtypes.temporal import instant_text
from builder.queries.export_names import RecordTexts, department_names, member_texts
from builder.queries.export_rows import ExportedRecord
from builder.queries.record_keys import record_key
from builder.services.unit_of_work import UnitOfWork

Read: TypeAlias = Callable[[ExportedRecord], str]
_KINDS: Mapping[Kind, CellKind] = {
    Kind.NUMBER: "number",
    Kind.DAY: "day",
    Kind.INSTANT: "moment",
    Kind.BOOLEAN: "yes_no",
}


class ExportColumns:
    """The columns of a plan, made once an export; columns whose field is gone are left out."""

    def __init__(self, uow: UnitOfWork, plan: ExportPlan) -> None:
        self._uow = uow
        self._plan = plan
        self._fields = uow.shown.object(plan.object_key).fields.by_key
        self._members: dict[str, str] = {}
        self._records: dict[str, RecordTexts] = {}
        # Texts are filled in before a batch is written; the context only points at them.
        self._context = FieldContext(
            locale=plan.locale, time_zone=uow.workspace.time_zone, currency=uow.workspace.currency
        )
        self._pointing: list[tuple[str, RecordTexts]] = []
        found = [(self._column(name, heading), self._reader(name)) for name, heading in plan.columns]
        self._columns = [(column, read) for column, read in found if column is not None and read is not None]

    @property
    def sheet_columns(self) -> list[SheetColumn]:
        return [column for column, _ in self._columns]

    def rows(self, batch: Sequence[ExportedRecord]) -> list[list[str]]:
        """The cells of some records; names that are not known yet are read for all of them at once."""
        self._read_names(batch)
        columns = [list(map(read, batch)) for _, read in self._columns]
        return [list(row) for row in zip(*columns, strict=True)]

    def _read_names(self, batch: Sequence[ExportedRecord]) -> None:
        wanted: dict[int, set[str]] = defaultdict(set)
        for key, texts in self._pointing:
            wanted[id(texts)].update(
                value for record in batch if isinstance(value := record.data.get(key), str)
            )
        for texts in self._records.values():
            texts.read(text for text in wanted[id(texts)] if text.isdecimal() and len(text) < 20)

    def _column(self, name: str, heading: str) -> SheetColumn | None:
        field = self._fields.get(name)
        if field is not None:
            return SheetColumn(heading, *_kind_of(field, self._uow.workspace.currency))
        if name.startswith("record."):
            kind = RECORD_COLUMNS.get(name[7:])
            return None if kind is None else SheetColumn(heading, _KINDS.get(kind, "text"))
        return SheetColumn(heading)

    def _reader(self, name: str) -> Read | None:
        if name in self._fields:
            return self._of_field(self._fields[name])
        if name.startswith(CURRENCY_OF):
            return self._of_currency(self._fields.get(name.removeprefix(CURRENCY_OF)))
        if name == ID:
            return lambda record: record_key(record.id)
        if name == EXTERNAL_KEY:
            return lambda record: record.external_key or ""
        return self._of_record(name.removeprefix("record."))

    def _of_field(self, field: FieldDefinition) -> Read:
        key, kind = field.key, type_of(field)
        if kind.kind is Kind.LINK:
            texts = self._texts_of(str(field.params["target"])).texts
            self._pointing.append((key, self._texts_of(str(field.params["target"]))))
            return lambda record: texts.get(value, value) if (value := record.data.get(key)) else ""
        if kind.kind is Kind.PERSON:
            people = self._people()
            return lambda record: people.get(value, value) if (value := record.data.get(key)) else ""
        if field.options and not self._plan.is_exact:
            write = _of_options(field, self._plan.locale)
            return lambda record: write(record.data.get(key))
        context, export = self._context, kind.export
        if type(kind).export is FieldType.export:
            # What is stored is what is written; most fields are so, and a call for each value would show.
            return lambda record: (
                value if isinstance(value := record.data.get(key, ""), str) else export(field, value, context)
            )
        if not self._plan.is_exact:
            # Objects of parts (addresses, totals in several currencies) as the list shows them, not as JSON.
            return lambda record: (
                kind.text(field, value, context)
                if isinstance(value := record.data.get(key), dict)
                else export(field, value, context)
            )
        return lambda record: export(field, record.data.get(key), context)

    def _of_currency(self, field: FieldDefinition | None) -> Read | None:
        """The currency of an amount, where there is an amount."""
        if field is None:
            return None
        key, own = field.key, str(field.params.get("currency") or "")
        default = self._uow.workspace.currency
        return lambda record: own or record.currency or default if record.data.get(key) else ""

    def _of_record(self, column: str) -> Read | None:
        if column == "owner":
            people = self._people()
            return lambda record: people.get(str(record.owner_id), "") if record.owner_id else ""
        if column == "department":
            departments = department_names(self._uow.session)
            return lambda record: departments.get(record.department_id or 0, "")
        if column == "pipeline":
            names = {key: flow.label.text(self._plan.locale) for key, flow in self._pipelines()}
            return lambda record: names.get(record.pipeline_key or "", record.pipeline_key or "")
        if column == "stage":
            stages = {
                (key, stage.key): stage.label.text(self._plan.locale)
                for key, flow in self._pipelines()
                for stage in flow.stages
            }
            return lambda record: stages.get(
                (record.pipeline_key or "", record.stage_key or ""), record.stage_key or ""
            )
        if column == "outcome":
            words = self._plan.words
            return lambda record: words.get(record.outcome or "", record.outcome or "")
        if column in RECORD_COLUMNS:
            read: Callable[[ExportedRecord], datetime | None] = attrgetter(column)
            return lambda record: instant_text(at) if (at := read(record)) is not None else ""
        return None

    def _pipelines(self) -> Iterator[tuple[str, Any]]:
        return iter(self._uow.catalog.pipelines.items())

    def _people(self) -> Mapping[str, str]:
        if not self._members:
            self._members = member_texts(self._uow.session)
        return self._members

    def _texts_of(self, object_key: str) -> RecordTexts:
        if object_key not in self._records:
            self._records[object_key] = RecordTexts(self._uow.session, self._uow.actor, object_key)
        return self._records[object_key]


def _kind_of(field: FieldDefinition, currency: str) -> tuple[CellKind, int | None]:
    """What a spreadsheet makes of the field's values, and how many decimals it shows."""
    kind = type_of(field).kind
    if kind is not Kind.NUMBER:
        return _KINDS.get(kind, "text"), None
    if is_money(field):
        return "number", exponent(field.params.get("currency") or currency)
    scale = field.params.get("scale")
    return "percent" if field.type == "percent" else "number", scale if isinstance(scale, int) else None


def _of_options(field: FieldDefinition, locale: str) -> Callable[[Any], str]:
    """Options by their names, several of them joined as ``parse`` takes them apart."""
    names = {option.key: _option_name(field, option.key, locale) for option in field.options}
    write = type_of(field).export
    context = FieldContext(locale=locale)

    def text(value: Any) -> str:
        if isinstance(value, list):
            return ";".join(names.get(key, str(key)) for key in value)
        return names[value] if value in names else write(field, value, context)

    return text


def _option_name(field: FieldDefinition, key: str, locale: str) -> str:
    option = field.option(key)
    name = option.label.text(locale) if option else ""
    kind = type_of(field)
    try:
        back = kind.parse(field, name, FieldContext(locale=locale))
    except InvalidValue:
        return key
    return name if back in (key, [key]) else key
