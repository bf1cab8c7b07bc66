"""A condition in words, and the text in which it travels in an address."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext, pgettext

from blueprints.messages import message, told
from blueprints.scope import Scope
from blueprints.workspace.shown import is_id, names_in
from blueprints.workspace.subjects import Subject, label_of_option, operator_words, period_words
from builder.db.conditions_sql import is_filterable
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import (
    NO_VALUE_OPERATORS,
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    check,
    comparisons,
    parse,
    to_document,
)
from builder.domain.kinds import ConditionError, Kind
from builder.errors import N_, Problem
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import type_of

LONGEST = 8000
UNREADABLE = N_("This filter cannot be understood. Build it again.")


def filter_text(condition: Condition | None) -> str:
    """Compact JSON, for the address of a list."""
    if condition is None:
        return ""
    return json.dumps(to_document(condition), ensure_ascii=False, separators=(",", ":"))


def evaluation_context(here: Scope) -> EvaluationContext:
    return EvaluationContext(
        here.clock.now(),
        here.workspace.time_zone,
        here.actor.member_id,
        here.actor.department_ids,
        here.catalog.time_limits,
    )


def read_filter(here: Scope, object_key: str, text: str) -> tuple[Condition | None, list[str]]:
    """The condition in an address, and what is wrong with it, in words. Any text may stand in an address."""
    if not text.strip():
        return None, []
    if len(text) > LONGEST:
        return None, [gettext(UNREADABLE)]
    try:
        document = json.loads(text)
        # Half a surrogate pair can be written in JSON and neither stored nor shown.
        json.dumps(document, ensure_ascii=False).encode()
        condition = parse(document)
    except ConditionError as error:
        return None, [told(problem) for problem in error.problems] or [
            message(error.message_key, error.values)
        ]
    except (ValueError, RecursionError):
        return None, [gettext(UNREADABLE)]
    return condition, troubles(here, object_key, condition)


def troubles(here: Scope, object_key: str, condition: Condition) -> list[str]:
    """Why the condition cannot be asked about records of the object, in words; empty when it can."""
    fields = here.catalog.object(object_key).fields.by_key
    problems = list(check(condition, fields, evaluation_context(here)))
    if not problems:
        problems = [
            Problem(N_("“%(field)s” cannot be filtered."), values={"field": part.field[:80]})
            for part in comparisons(condition)
            if not is_filterable(part.field, fields)
        ]
    return [told(problem) for problem in problems]


def in_words(condition: Condition, subjects: Mapping[str, Subject], context: FieldContext) -> str:
    """The condition as people say it."""
    match condition:
        case All(parts):
            return gettext(" and ").join(_inner(part, subjects, context) for part in parts) or gettext(
                "everything"
            )
        case AnyOf(parts):
            return gettext(" or ").join(_inner(part, subjects, context) for part in parts) or gettext(
                "nothing"
            )
        case Not(part):
            return gettext("not (%(condition)s)", condition=in_words(part, subjects, context))
        case Comparison():
            return _comparison(condition, _subject(condition.field, subjects), context)


def _inner(part: Condition, subjects: Mapping[str, Subject], context: FieldContext) -> str:
    words = in_words(part, subjects, context)
    return f"({words})" if isinstance(part, All | AnyOf) and len(part.parts) > 1 else words


def _subject(name: str, subjects: Mapping[str, Subject]) -> Subject | None:
    """What a condition asks about. The owner of a record is told by the field that holds it, if one does."""
    if name == "record.owner" and name not in subjects:
        return next((each for each in subjects.values() if each.definition.role == "owner"), None)
    return subjects.get(name)


def _comparison(asked: Comparison, subject: Subject | None, context: FieldContext) -> str:
    if subject is None:
        return f"{asked.field} {asked.op}"
    values = asked.value if isinstance(asked.value, tuple | list) else (asked.value,)
    op = {"in": "eq", "not_in": "ne"}.get(asked.op, asked.op) if len(values) == 1 else asked.op
    words = f"{subject.label} {operator_words(op, subject.kind)}"
    if asked.op in NO_VALUE_OPERATORS:
        return words
    texts = [_value(subject, asked.op, value, context) for value in values]
    joined = pgettext("between two values", " and ").join(texts) if asked.op == "between" else names_in(texts)
    return f"{words} {joined}"


def _value(subject: Subject, op: str, value: Any, context: FieldContext) -> str:
    if op == "in_period":
        return period_words(str(value))
    if subject.definition.options and isinstance(value, str):
        return label_of_option(subject.definition, value)
    controls = subject.controls("eq" if subject.kind is not Kind.KEYS else "not_contains")
    definition = controls[0]
    return gettext(type_of(definition).text(definition, value, context))


def pointed_at(condition: Condition, subjects: Mapping[str, Subject], types: Iterable[str]) -> set[int]:
    """Ids of records or members that the condition names, so that it can be told with their names."""
    found = set()
    for part in comparisons(condition):
        subject = subjects.get(part.field)
        if subject is None or subject.definition.type not in types:
            continue
        values = part.value if isinstance(part.value, tuple | list) else (part.value,)
        found |= {int(value) for value in values if isinstance(value, str) and is_id(value)}
    return found
