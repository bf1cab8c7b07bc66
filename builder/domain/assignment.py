"""Which process for whom (S6–S10): which process a new record enters, and who may start which.

Rules are asked in their order; the first that holds and whose process is open to the person decides. Where
none does, the default of the object decides, then the only process that is open. A process that is assigned
to departments is open to people in them and below them; one that is assigned to none is open to everybody.
It decides about beginning only: records in a process go on, whatever changes here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import All, AnyOf, Comparison, Condition, Not, evaluate, fields_of
from builder.domain.kinds import ConditionError
from builder.domain.labels import Label

if TYPE_CHECKING:
    from builder.domain.fields import FieldDefinition, JsonValue

# What rules may ask of the person who starts, beside the fields of the record: their departments with all
# above these (so that a branch means everybody in it), and their role; by field type.
DEPARTMENTS = "actor.departments"
ROLE = "actor.role"
ACTOR_TYPES: Mapping[str, str] = {DEPARTMENTS: "choices", ROLE: "choice"}

Verdict: TypeAlias = Literal["fires", "later", "does_not_hold", "not_open", "no_process", "off", "unknown"]
Via: TypeAlias = Literal["rule", "default", "only", "nothing"]


@dataclass(frozen=True, slots=True)
class AssignmentRule:
    """When ``when`` holds, the process of ``pipeline_key``. ``is_on``: whether it is asked at all."""

    key: str
    when: Condition
    pipeline_key: str
    label: Label = Label(())
    is_on: bool = True


@dataclass(frozen=True)
class Assignment:
    """The rules of one object in their order, its default process, and departments by process key."""

    rules: tuple[AssignmentRule, ...] = ()
    default: str | None = None
    departments: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def is_open(self, pipeline_key: str, departments: Collection[int]) -> bool:
        """Whether somebody may start the process. ``departments``: theirs, and all above these."""
        assigned = self.departments.get(pipeline_key)
        return not assigned or not assigned.isdisjoint(departments)

    @property
    def asks_departments(self) -> bool:
        """Whether it matters at all in which departments somebody is."""
        return any(self.departments.values()) or DEPARTMENTS in self.names

    @property
    def names(self) -> frozenset[str]:
        """Everything that a rule which is on asks about."""
        return frozenset(name for rule in self.rules if rule.is_on for name in fields_of(rule.when))


@dataclass(frozen=True)
class Situation:
    """What the rules are asked about: values by the names of conditions (``client.sector`` is a field of the
    record that ``client`` refers to), the fields behind these names, and the departments of the person, with
    all above them. A rule that asks for a name without a field here never holds.
    """

    values: Mapping[str, JsonValue]
    fields: Mapping[str, FieldDefinition]
    departments: frozenset[int]
    context: EvaluationContext


@dataclass(frozen=True, slots=True)
class AskedRule:
    """One rule with what came of it. ``unmet``: the parts of its condition that do not hold.

    ``later``: it holds as well, but an earlier one has decided. ``unknown``: it asks for something that is
    not there, or hidden from the person.
    """

    rule: AssignmentRule
    verdict: Verdict
    unmet: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which process, and why. ``open_keys``: all that the person may start, in their order."""

    pipeline_key: str | None
    via: Via
    open_keys: tuple[str, ...]
    asked: tuple[AskedRule, ...] = ()

    @property
    def rule(self) -> AssignmentRule | None:
        """The rule that fired."""
        return next((each.rule for each in self.asked if each.verdict == "fires"), None)


def choose(
    assignment: Assignment, pipeline_keys: Sequence[str], situation: Situation, otherwise: str | None = None
) -> Choice:
    """The process of a new record. ``pipeline_keys``: the live ones of its object; ``otherwise``: a default
    that comes before that of the object (that of a conversion).
    """
    open_keys = tuple(key for key in pipeline_keys if assignment.is_open(key, situation.departments))
    asked: list[AskedRule] = []
    fired: str | None = None
    for rule in assignment.rules:
        one = _ask(rule, pipeline_keys, open_keys, situation, is_decided=fired is not None)
        asked.append(one)
        if one.verdict == "fires":
            fired = rule.pipeline_key
    if fired is not None:
        return Choice(fired, "rule", open_keys, tuple(asked))
    for default in (otherwise, assignment.default):
        if default in open_keys:
            return Choice(default, "default", open_keys, tuple(asked))
    if len(open_keys) == 1:
        return Choice(open_keys[0], "only", open_keys, tuple(asked))
    return Choice(None, "nothing", open_keys, tuple(asked))


def _ask(
    rule: AssignmentRule,
    pipeline_keys: Collection[str],
    open_keys: Collection[str],
    situation: Situation,
    *,
    is_decided: bool,
) -> AskedRule:
    if not rule.is_on:
        return AskedRule(rule, "off")
    if not fields_of(rule.when) <= situation.fields.keys():
        return AskedRule(rule, "unknown")
    try:
        unmet = unmet_parts(rule.when, lambda part: _holds(part, situation))
    except ConditionError:
        return AskedRule(rule, "unknown")
    if unmet:
        return AskedRule(rule, "does_not_hold", unmet)
    if rule.pipeline_key not in pipeline_keys:
        return AskedRule(rule, "no_process")
    if rule.pipeline_key not in open_keys:
        return AskedRule(rule, "not_open")
    return AskedRule(rule, "later" if is_decided else "fires")


def _holds(condition: Condition, situation: Situation) -> bool:
    return evaluate(condition, situation.values, situation.fields, situation.context)


def unmet_parts(condition: Condition, holds: Callable[[Condition], bool]) -> tuple[Condition, ...]:
    """The smallest parts for which the condition does not hold; empty exactly when it holds."""
    if isinstance(condition, All):
        return tuple(part for each in condition.parts for part in unmet_parts(each, holds))
    return () if holds(condition) else (condition,)


def is_always(condition: Condition) -> bool:
    """Whether a condition plainly holds for everything: rules behind such a one are never reached."""
    match condition:
        case All(parts):
            return all(map(is_always, parts))
        case AnyOf(parts):
            return any(map(is_always, parts)) or _has_opposites(parts)
        case Not(part):
            return is_never(part)
        case Comparison():
            return False


def is_never(condition: Condition) -> bool:
    """Whether a condition plainly holds for nothing."""
    match condition:
        case All(parts):
            return any(map(is_never, parts)) or _has_opposites(parts)
        case AnyOf(parts):
            return all(map(is_never, parts))
        case Not(part):
            return is_always(part)
        case Comparison():
            return False


def _has_opposites(parts: Sequence[Condition]) -> bool:
    """Whether a part and its opposite stand beside each other: *filled in* and *empty*, c and not c."""
    return any(_opposite(part) in parts for part in parts)


def _opposite(condition: Condition) -> Condition:
    if isinstance(condition, Not):
        return condition.part
    if isinstance(condition, Comparison) and condition.op in ("empty", "not_empty"):
        return Comparison(condition.field, "not_empty" if condition.op == "empty" else "empty")
    return Not(condition)


def covers(earlier: Condition, later: Condition) -> bool:
    """Whether ``later`` plainly holds only where ``earlier`` does: whatever ``earlier`` asks, it asks too. So
    a rule behind ``earlier`` is never reached.
    """
    if is_always(earlier):
        return True
    return set(_asked(earlier)) <= set(_asked(later))


def _asked(condition: Condition) -> tuple[Condition, ...]:
    """The parts that must all hold."""
    if isinstance(condition, All):
        return tuple(part for each in condition.parts for part in _asked(each))
    return (condition,)
