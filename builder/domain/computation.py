"""Computed fields of a record: which formula needs which, and all results for given values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, DecimalException, localcontext
from typing import TYPE_CHECKING, Any

from builder.domain.formulas import PRECISION, Formula, FormulaError, Rows, evaluate, parse
from builder.domain.kinds import SIGNIFICANT_DIGITS, Kind, is_empty, kind_of_type
from builder.errors import N_

if TYPE_CHECKING:
    from builder.domain.fields import FieldDefinition, JsonValue


def order(fields: Iterable[FieldDefinition]) -> tuple[FieldDefinition, ...]:
    """The formula fields in the order in which they can be computed.

    Errors: FormulaError when a formula cannot be read, asks for a field that is not there, or for itself
    through others.
    """
    by_key = {definition.key: definition for definition in fields}
    done: list[FieldDefinition] = []
    path: list[str] = []

    def visit(definition: FieldDefinition) -> None:
        if definition in done:
            return
        if definition.key in path:
            circle = " → ".join([*path[path.index(definition.key) :], definition.key])
            raise FormulaError(N_("The formulas go in a circle: %(circle)s."), circle=circle)
        path.append(definition.key)
        for name in sorted(parse(str(definition.params.get("formula", ""))).names):
            needed = _needed(name, by_key, definition)
            if needed.type == "formula":
                visit(needed)
        path.pop()
        done.append(definition)

    for definition in by_key.values():
        if definition.type == "formula":
            visit(definition)
    return tuple(done)


def _needed(name: str, by_key: Mapping[str, FieldDefinition], asking: FieldDefinition) -> FieldDefinition:
    head, dot, column = name.partition(".")
    found = by_key.get(head)
    if found is None or bool(dot) is not bool(found.inner):
        raise FormulaError(N_("There is no field “%(field)s”."), field=name)
    if dot and all(inner.key != column for inner in found.inner):
        raise FormulaError(N_("There is no field “%(field)s”."), field=name)
    return found


@dataclass(frozen=True)
class Computation:
    """What is computed in a form, made once for all its records.

    ``holders``: fields with formulas inside. ``formulas``: in the order in which they can be computed, each
    with the fields that it asks for.
    """

    holders: tuple[FieldDefinition, ...]
    formulas: tuple[tuple[FieldDefinition, Formula, tuple[FieldDefinition, ...]], ...]

    @classmethod
    def of(cls, fields: Sequence[FieldDefinition]) -> Computation:
        """Errors: FormulaError, as ``order``."""
        by_key = {definition.key: definition for definition in fields}
        holders = tuple(definition for definition in fields if definition.inner and computes(definition))
        formulas = []
        for definition in order(fields):
            formula = parse(definition.params["formula"])
            heads = dict.fromkeys(name.partition(".")[0] for name in sorted(formula.names))
            formulas.append((definition, formula, tuple(by_key[head] for head in heads)))
        return cls(holders, tuple(formulas))

    def apply(self, values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """``values`` with every formula recomputed, inside tables too; an empty result has no key.

        What came from outside under the key of a formula is dropped. Values that are not valid count as
        empty: validation names them.
        """
        result = dict(values)
        for definition in self.holders:
            result |= _computed_inside(definition, result.get(definition.key))
        for definition, formula, asked in self.formulas:
            result.pop(definition.key, None)
            value = _result(formula, asked, result)
            text = None if value is None else _stored(value, int(definition.params.get("scale", 2)))
            if text is not None:
                result[definition.key] = text
        return result


def compute(fields: Sequence[FieldDefinition], values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """``Computation.apply`` for all fields of a form that is computed only once."""
    return Computation.of(fields).apply(values)


def computes(definition: FieldDefinition) -> bool:
    """Whether the field is a formula or holds one, however deep."""
    return definition.type == "formula" or any(computes(inner) for inner in definition.inner)


def _computed_inside(definition: FieldDefinition, value: JsonValue) -> dict[str, JsonValue]:
    """The rows of a table, or the group, with their formulas; nothing for what is of another shape."""
    inner = definition.inner
    if isinstance(value, list):
        return {definition.key: [compute(inner, row) if isinstance(row, Mapping) else row for row in value]}
    return {definition.key: compute(inner, value)} if isinstance(value, Mapping) else {}


def _result(
    formula: Formula, asked: Sequence[FieldDefinition], values: Mapping[str, JsonValue]
) -> Decimal | None:
    if asked and all(is_empty(values.get(definition.key)) for definition in asked):
        return None
    return evaluate(
        formula, {definition.key: _term(definition, values.get(definition.key)) for definition in asked}
    )


def _term(definition: FieldDefinition, value: JsonValue) -> Any:
    """What a field is inside a formula: a number, a text, the columns of a table, or of the one row that a
    group is.
    """
    if definition.inner:
        columns = definition.inner
        listed = value if isinstance(value, list) else [value]
        rows = [row for row in listed if isinstance(row, Mapping)]
        return Rows({
            column.key: [_term(column, row[column.key]) for row in rows if not is_empty(row.get(column.key))]
            for column in columns
        })  # fmt: skip
    kind = kind_of_type(definition.type)
    if kind is Kind.BOOLEAN:
        return value is True
    if kind is Kind.DAY:
        return _day_number(value)
    if kind is Kind.NUMBER:
        return _decimal(value)
    return value if isinstance(value, str) else ""


def _decimal(value: JsonValue) -> Decimal:
    try:
        number = Decimal(0) if isinstance(value, bool) or value is None else Decimal(str(value))
    except DecimalException:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)


def _day_number(value: JsonValue) -> Decimal:
    try:
        return Decimal(date.fromisoformat(str(value)).toordinal())
    except ValueError:
        return Decimal(0)


def _stored(value: Decimal, scale: int) -> str | None:
    """The JSON form: rounded to the field's decimals; ``None`` beyond 15 significant digits."""
    with localcontext(prec=PRECISION):
        try:
            rounded = value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
        except DecimalException:
            return None
    if rounded.adjusted() >= SIGNIFICANT_DIGITS - scale:
        return None
    return format(abs(rounded) if rounded.is_zero() else rounded, "f")
