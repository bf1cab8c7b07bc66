"""What is wrong with a condition document, given the fields that it may speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from builder.domain.comparison import EvaluationContext, prepare
from builder.domain.kinds import OPERATORS, RECORD_COLUMNS, ConditionError, Kind, kind_of_type
from builder.metadata.grammar import Document
from builder.metadata.lint.registry import Finding

Path: TypeAlias = "tuple[str | int, ...]"

# Only the shape of a period or a day is judged, so any moment does.
_CONTEXT = EvaluationContext(now=datetime(2026, 1, 1, tzinfo=UTC))


def comparisons(condition: Any, path: Path) -> Iterator[tuple[Path, Document]]:
    """Every ``field op value`` in a condition document with its path."""
    if not isinstance(condition, dict):
        return
    for word in ("all", "any"):
        for index, part in enumerate(condition.get(word, ())):
            yield from comparisons(part, (*path, word, index))
    if "not" in condition:
        yield from comparisons(condition["not"], (*path, "not"))
    if "field" in condition:
        yield path, condition


def field_names(condition: Any) -> frozenset[str]:
    return frozenset(comparison["field"] for _, comparison in comparisons(condition, ()))


def kind_of(name: str, fields: Mapping[str, Document]) -> Kind | None:
    """How a name is compared, or ``None`` when nothing has that name."""
    if name in fields:
        return kind_of_type(fields[name]["x-type"])
    head, _, column = name.partition(".")
    return RECORD_COLUMNS.get(column) if head == "record" else None


def unknown_fields(condition: Any, path: Path, fields: Mapping[str, Document]) -> Iterator[Finding]:
    for place, comparison in comparisons(condition, path):
        if kind_of(comparison["field"], fields) is None:
            yield (*place, "field"), {"field": comparison["field"]}


def wrong_operators(condition: Any, path: Path, fields: Mapping[str, Document]) -> Iterator[Finding]:
    for place, comparison in comparisons(condition, path):
        kind = kind_of(comparison["field"], fields)
        if kind is not None and comparison["op"] not in OPERATORS[kind]:
            values = {
                "op": comparison["op"],
                "field": comparison["field"],
                "allowed": ", ".join(OPERATORS[kind]),
            }
            yield (*place, "op"), values


def wrong_values(condition: Any, path: Path, fields: Mapping[str, Document]) -> Iterator[Finding]:
    """Values that do not fit the field: no number for a number, an option that does not exist …"""
    for place, comparison in comparisons(condition, path):
        kind = kind_of(comparison["field"], fields)
        if kind is None or comparison["op"] not in OPERATORS[kind]:
            continue
        value = comparison.get("value")
        values = {"field": comparison["field"], "value": str(value)[:60]}
        if not _fits(kind, comparison["op"], value) or not _are_options(
            fields.get(comparison["field"]), kind, value
        ):
            yield (*place, "value") if "value" in comparison else place, values


def _fits(kind: Kind, op: str, value: Any) -> bool:
    try:
        prepare(kind, op, value, _CONTEXT)
    except ConditionError:
        return False
    return True


def _are_options(field: Document | None, kind: Kind, value: Any) -> bool:
    if field is None or kind not in (Kind.KEY, Kind.KEYS) or "x-options" not in field or value is None:
        return True
    known = {option["key"] for option in field["x-options"]}
    return known.issuperset(value if isinstance(value, list) else [value])
