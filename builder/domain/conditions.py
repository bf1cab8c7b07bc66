"""The one condition language (idea 5, B11): grammar, parsing and the Python evaluator.

A condition document is one of ``{"all": […]}``, ``{"any": […]}``, ``{"not": c}`` or
``{"field": key, "op": name, "value": v}``. What a comparison means stands in ``domain.comparison``; the SQL
evaluator is ``builder.db.conditions_sql``, proved equal by tests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from builder.domain.comparison import EvaluationContext, IsEmpty, OneOf, matches, prepare
from builder.domain.kinds import (
    ALL_OPERATORS,
    RECORD_COLUMNS,
    TIME_LIMIT,
    ConditionError,
    Kind,
    kind_of_type,
    normal,
)
from builder.domain.overdue_stays import STANDINGS, stretches
from builder.errors import N_, Problem

if TYPE_CHECKING:
    from builder.domain.fields import FieldDefinition, JsonValue

DEEPEST = 12
MOST_PARTS = 200
NO_VALUE_OPERATORS = ("empty", "not_empty", "is_me")


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field op value``; ``field`` is a field key, ``feedback.<key>`` or ``record.<column>``."""

    field: str
    op: str
    value: Any = None


Condition: TypeAlias = All | AnyOf | Not | Comparison

ALWAYS = All(())


def parse(document: Any) -> Condition:
    """Read a condition document; lists become tuples, so a condition is immutable and hashable.

    Errors: ConditionError with the JSON pointer of the part that is no condition (``problems``).
    """
    return _parse(document, "", DEEPEST)


def _parse(document: Any, pointer: str, depth: int) -> Condition:
    if not isinstance(document, Mapping):
        raise _refused(pointer, N_("A condition must be an object."))
    if depth == 0:
        raise _refused(pointer, N_("The condition is nested too deeply."))
    for word, group in (("all", All), ("any", AnyOf)):
        if word in document:
            parts = document[word]
            if set(document) != {word} or not isinstance(parts, list | tuple) or len(parts) > MOST_PARTS:
                raise _refused(pointer, N_("“all” and “any” take a list of conditions and nothing else."))
            return group(
                tuple(_parse(part, f"{pointer}/{word}/{i}", depth - 1) for i, part in enumerate(parts))
            )
    if "not" in document:
        if set(document) != {"not"}:
            raise _refused(pointer, N_("“not” takes one condition and nothing else."))
        return Not(_parse(document["not"], f"{pointer}/not", depth - 1))
    return _parse_comparison(document, pointer)


def _parse_comparison(document: Mapping[str, Any], pointer: str) -> Comparison:
    field, op, value = document.get("field"), document.get("op"), document.get("value")
    if not isinstance(field, str) or not field or not set(document) <= {"field", "op", "value"}:
        raise _refused(pointer, N_("A comparison consists of a field, an operator and a value."))
    if op not in ALL_OPERATORS:
        raise _refused(f"{pointer}/op", N_("There is no operator “%(op)s”."), op=str(op)[:80])
    if isinstance(value, list | tuple):
        value = tuple(value)
        if any(isinstance(item, list | tuple | Mapping) for item in value):
            raise _refused(f"{pointer}/value", N_("A list of values may hold plain values only."))
    elif isinstance(value, Mapping):
        raise _refused(f"{pointer}/value", N_("The value of a comparison must be plain or a list."))
    return Comparison(field, op, value)


def _refused(pointer: str, message: str, **values: Any) -> ConditionError:
    return ConditionError(message, problems=(Problem(message, pointer, values),), **values)


def to_document(condition: Condition) -> dict[str, Any]:
    """The document that ``parse`` reads back as ``condition``."""
    match condition:
        case All(parts):
            return {"all": [to_document(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [to_document(part) for part in parts]}
        case Not(part):
            return {"not": to_document(part)}
        case Comparison(field, op, value):
            document: dict[str, Any] = {"field": field, "op": op}
            if op not in NO_VALUE_OPERATORS:
                document["value"] = list(value) if isinstance(value, tuple) else value
            return document


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """Every comparison in the condition, from left to right."""
    match condition:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from comparisons(part)
        case Not(part):
            yield from comparisons(part)
        case Comparison():
            yield condition


def fields_of(condition: Condition) -> frozenset[str]:
    """The names that the condition asks about."""
    return frozenset(comparison.field for comparison in comparisons(condition))


def kind_of(name: str, fields: Mapping[str, FieldDefinition]) -> Kind:
    """The kind of ``name``: a key of ``fields`` (which may hold ``feedback.<key>`` too) or
    ``record.<column>``.

    Errors: ConditionError when nothing has that name.
    """
    definition = fields.get(name)
    if definition is not None:
        return kind_of_type(definition.type)
    head, _, column = name.partition(".")
    if head == "record" and column in RECORD_COLUMNS:
        return RECORD_COLUMNS[column]
    if name == TIME_LIMIT:
        return Kind.KEY
    raise ConditionError(N_("There is no field “%(field)s”."), field=name)


def evaluate(
    condition: Condition,
    values: Mapping[str, JsonValue],
    fields: Mapping[str, FieldDefinition],
    context: EvaluationContext,
) -> bool:
    """Whether ``values`` satisfy the condition.

    ``values`` and ``fields`` are keyed by the names that conditions use: the object's field keys,
    ``feedback.<key>`` and ``record.<column>`` (an instant may be an aware datetime or ISO text, an id an
    int or its decimal text). A missing value is empty. ``{"all": []}`` holds, ``{"any": []}`` does not.
    Errors: ConditionError for an unknown field, an operator its kind lacks, or a value that does not fit.
    """
    match condition:
        case All(parts):
            return all(evaluate(part, values, fields, context) for part in parts)
        case AnyOf(parts):
            return any(evaluate(part, values, fields, context) for part in parts)
        case Not(part):
            return not evaluate(part, values, fields, context)
        case Comparison(name) if name == TIME_LIMIT:
            return evaluate(in_plain(condition, context), values, fields, context)
        case Comparison(name, op, operand):
            kind = kind_of(name, fields)
            return matches(prepare(kind, op, operand, context), normal(kind, values.get(name)))


def in_plain(asked: Comparison, context: EvaluationContext) -> Condition:
    """A comparison of ``record.time_limit`` as a condition over columns that records have.

    Errors: ConditionError for another operator or value than a standing, and where limits are not known.
    """
    test = prepare(Kind.KEY, asked.op, asked.value, context)
    if context.limits is None:
        raise ConditionError(N_("The time in a stage can be asked for in lists and on boards only."))
    if isinstance(test, IsEmpty):
        filled = _standing(STANDINGS, context)
        return filled if test.is_negated else Not(filled)
    assert isinstance(test, OneOf)
    unknown = sorted(str(value) for value in test.values if value not in STANDINGS)
    if unknown:
        raise ConditionError(N_("“%(value)s” is not one of the options."), value=unknown[0][:80])
    return _standing([each for each in STANDINGS if (each in test.values) is not test.is_negated], context)


def _standing(wanted: Collection[str], context: EvaluationContext) -> Condition:
    """Open records whose stay in their stage has one of these standings."""
    parts: list[Condition] = []
    for each in stretches(wanted, context.limits or {}, context.now):
        entered = "record.stage_entered_at"
        part: list[Condition] = [
            Comparison("record.pipeline", "eq", each.pipeline),
            Comparison("record.stage", "in", each.stages),
        ]
        part += [Comparison(entered, "gt", each.after)] if each.after is not None else []
        part += [Comparison(entered, "le", each.until)] if each.until is not None else []
        parts.append(All(tuple(part)))
    return All((Comparison("record.outcome", "eq", "open"), AnyOf(tuple(parts))))


def check(
    condition: Condition, fields: Mapping[str, FieldDefinition], context: EvaluationContext
) -> tuple[Problem, ...]:
    """Everything that would stop ``evaluate``, for lint and for the filter builder; empty when it is
    sound.
    """
    problems = []
    for comparison in comparisons(condition):
        try:
            if comparison.field == TIME_LIMIT:
                in_plain(comparison, context)
            prepare(kind_of(comparison.field, fields), comparison.op, comparison.value, context)
        except ConditionError as error:
            problems.append(Problem(error.message_key, comparison.field, error.values))
    return tuple(problems)
