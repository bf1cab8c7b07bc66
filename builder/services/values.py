"""Checking the values of records before they are written, many at a time (idea 2, part 4).

The object's JSON Schema decides what it can; here stands what it cannot say: records and members that a value
names must exist, and records that it names anew must be visible to whoever names them. What one may not see
is refused like what does not exist.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, true

from builder.db.people import Member
from builder.db.records import Record
from builder.domain.fields import FieldDefinition, FieldSet, ObjectDefinition
from builder.domain.moves import FieldViolation
from builder.domain.permissions import Veil
from builder.domain.totals import TOTAL_TYPES
from builder.errors import N_, Invalid, Problem
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import type_of
from builder.metadata.record_validation import REQUIRED, validate
from builder.queries.visibility import visible
from builder.services.files import file_faults, file_fields
from builder.services.unit_of_work import UnitOfWork

NOT_SAVED = N_("Not saved. Correct the fields that are marked.")
UNKNOWN_FIELD = N_("There is no field “%(field)s”.")
NO_RECORD = N_("This record does not exist any more. Choose another.")
NO_MEMBER = N_("This person does not belong to the workspace. Choose another.")
ONLY_SHOWN = N_("Your role sees this field and does not change it.")
NUMBER_STAYS = N_("This number was given when the record was made and does not change.")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """Values about to be written: what is stored now (empty for a new record) and what changes.

    A change to ``None`` empties the field. ``known_ids``: records that may be named though the actor does not
    see them, because a conversion carries them over or the same act has made them. ``carried``: fields that
    are written though the actor's role hides them or only shows them, because it is not the actor who fills
    them.
    """

    stored: Mapping[str, Any]
    changes: Mapping[str, Any]
    known_ids: Set[int] = frozenset()
    carried: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Checked:
    """The values after the change, faults of touched fields, and old faults of the others.

    ``faults`` block the save; ``old_faults`` only warn until the record moves (idea 2). A fault that the
    change brings about in another field (a rule that now requires it) is not old.
    """

    data: dict[str, Any]
    touched: frozenset[str]
    faults: tuple[FieldViolation, ...]
    old_faults: tuple[FieldViolation, ...]

    def raise_for_faults(self) -> None:
        """Errors: Invalid with one problem per faulty field."""
        if self.faults:
            raise Invalid(NOT_SAVED, problems=tuple(problem_of(fault) for fault in self.faults))


def problem_of(fault: FieldViolation) -> Problem:
    return Problem(fault.message_key, fault.field, dict(fault.values))


def check(uow: UnitOfWork, definition: ObjectDefinition, drafts: Sequence[Draft]) -> list[Checked]:
    """Apply the changes, compute formulas and find every fault; a few statements for all drafts together.

    A save is judged by the form that the actor's role sees (S118): a hidden field is refused like one that
    does not exist, keeps its value, and what is wrong with it stands in nobody's way until the record moves.
    """
    fields = definition.fields
    veil = uow.actor.veils.get(definition.key)
    judge = _Judge(fields) if veil is None else _Judge(uow.shown.object(definition.key).fields, veil)
    defaults = {} if all(draft.stored for draft in drafts) else _defaults(uow, fields)
    # Totals come from other records, never from whoever writes this one.
    totals = tuple(field.key for field in fields.of_type(*TOTAL_TYPES))
    merged = [_merged(fields, draft, defaults, totals) for draft in drafts]
    missing = _Missing(
        uow,
        fields,
        [draft.changes if draft.stored else data for draft, data in zip(drafts, merged, strict=True)],
    )
    uow.pause()
    result = [
        _checked(fields, judge, draft, data, draft.stored or defaults, missing)
        for draft, data in zip(drafts, merged, strict=True)
    ]
    return _with_files(uow, fields, drafts, result) if file_fields(fields) else result


def _with_files(
    uow: UnitOfWork, fields: FieldSet, drafts: Sequence[Draft], checked: Sequence[Checked]
) -> list[Checked]:
    """Files that are named anew must be the actor's own and free."""
    return [
        replace(item, faults=item.faults + tuple(file_faults(uow, fields, draft.stored, item.data)))
        for draft, item in zip(drafts, checked, strict=True)
    ]


def violations(
    fields: FieldSet, data: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> tuple[FieldViolation, ...]:
    """What the JSON Schema says against values; a retired option stays allowed where ``before`` has it."""
    return tuple(
        FieldViolation(error.field, error.message, error.values, error.pointer, error.message == REQUIRED)
        for error in validate(fields, data, before)
    )


def _defaults(uow: UnitOfWork, fields: FieldSet) -> dict[str, Any]:
    context = FieldContext(
        locale=uow.workspace.locale,
        time_zone=uow.workspace.time_zone,
        currency=uow.workspace.currency,
        now=uow.clock.now(),
        member_id=str(uow.actor.member_id) if uow.actor.member_id else None,
    )
    found = {field.key: type_of(field).default(field, context) for field in fields}
    return {key: value for key, value in found.items() if value is not None}


def _merged(
    fields: FieldSet, draft: Draft, defaults: Mapping[str, Any], totals: Sequence[str]
) -> dict[str, Any]:
    """The values of a draft, formulas computed. ``totals``: fields that keep what they have."""
    before = draft.stored or defaults
    merged = {**before, **draft.changes, **{key: before.get(key) for key in totals}}
    data = {key: value for key, value in merged.items() if value is not None}
    return fields.computation.apply(data)


@dataclass(frozen=True)
class _Judge:
    """By which fields a save is judged; ``veil``: what the actor does not see or not change of them."""

    fields: FieldSet
    veil: Veil | None = None

    def faults(self, data: Mapping[str, Any], before: Mapping[str, Any] | None) -> tuple[FieldViolation, ...]:
        if self.veil is None:
            return violations(self.fields, data, before)
        return violations(self.fields, self._seen(data), None if before is None else self._seen(before))

    def _seen(self, data: Mapping[str, Any]) -> dict[str, Any]:
        hidden = self.veil.fields if self.veil else frozenset()
        return {key: value for key, value in data.items() if key not in hidden}

    def refused(self, draft: Draft) -> Iterator[FieldViolation]:
        """Values that the actor may not give. A field that is only shown may be sent back as it is."""
        if self.veil is None:
            return
        for key, value in draft.changes.items():
            if key in draft.carried:
                continue
            if key in self.veil.fields:
                yield FieldViolation(key, UNKNOWN_FIELD, {"field": key}, f"/{key}")
            elif key in self.veil.read_only and value != draft.stored.get(key):
                yield FieldViolation(key, ONLY_SHOWN, {}, f"/{key}")


def _checked(
    fields: FieldSet,
    judge: _Judge,
    draft: Draft,
    data: dict[str, Any],
    before: Mapping[str, Any],
    missing: _Missing,
) -> Checked:
    touched = frozenset(draft.changes) if draft.stored else judge.fields.keys
    # What a field held that the object has no more stays where it is, unseen: it may come back.
    left_over = draft.stored.keys() - fields.keys if draft.stored else ()
    judged = {key: value for key, value in data.items() if key not in left_over} if left_over else data
    faults = [*judge.faults(judged, draft.stored or None), *judge.refused(draft)]
    faults += [
        FieldViolation(key, UNKNOWN_FIELD, {"field": key}, f"/{key}")
        for key in draft.changes
        if key not in fields.by_key
    ]
    faults += [
        FieldViolation(key, NUMBER_STAYS, {}, f"/{key}")
        for key in (draft.changes if draft.stored else ())
        if key in fields.by_key
        and type_of(fields.by_key[key]).is_assigned
        and draft.stored.get(key) != data.get(key)
    ]
    faulty = {fault.field for fault in faults}
    for field in fields.pointing:
        if field.key in touched and field.key not in faulty and field.key in data:
            value = data[field.key]
            if not missing.surely_has(field, value):
                faults += missing.faults(field, value, before, draft.known_ids)
    if not faults:
        return Checked(data, touched, (), ())
    others = {fault.field for fault in faults if fault.field in fields.by_key} - touched
    if others:
        # Old is only what was wrong before as well.
        others &= {fault.field for fault in judge.faults(draft.stored, draft.stored)}
    touching = tuple(fault for fault in faults if fault.field not in others)
    return Checked(data, touched, touching, tuple(fault for fault in faults if fault.field in others))


class _Missing:
    """Which of the ids that values name do not exist, or are not the actor's to see: one statement per 500.

    ``checked``: per draft the values that are checked, for a new record its defaults among them.
    """

    def __init__(self, uow: UnitOfWork, fields: FieldSet, checked: Sequence[Mapping[str, Any]]) -> None:
        wanted: dict[str, set[int]] = defaultdict(set)
        members: set[int] = set()
        for holder in fields.pointing:
            for field, value in _named_by_many(holder, checked):
                if field.type == "user":
                    members.add(value)
                else:
                    wanted[str(field.params.get("target"))].add(value)
        # Whether each existing record is visible, by object and id.
        self._records = {target: _existing(uow, ids, target) for target, ids in wanted.items()}
        self._members = _existing_members(uow, members)
        # The same as they are written in values: what most of them are looked up by.
        self._member_texts = frozenset(map(str, self._members))
        self._record_texts = {
            target: frozenset(str(record_id) for record_id, is_visible in found.items() if is_visible)
            for target, found in self._records.items()
        }

    def surely_has(self, field: FieldDefinition, value: Any) -> bool:
        """Whether a value is nothing but the id of what exists and is visible; else ``faults`` must say."""
        if not isinstance(value, str):
            return False
        if field.type == "user":
            return value in self._member_texts
        return value in self._record_texts.get(str(field.params.get("target")), ())

    def faults(
        self, field: FieldDefinition, value: Any, before: Mapping[str, Any], known_ids: Set[int]
    ) -> Iterator[FieldViolation]:
        """``before``: the values so far; what they name already need not be visible."""
        for named, target_id in _named((field,), {field.key: value}):
            if named.type == "user":
                is_known, message = target_id in self._members, NO_MEMBER
            else:
                is_visible = self._records.get(str(named.params.get("target")), {}).get(target_id)
                is_known, message = bool(is_visible), NO_RECORD
                if is_visible is False:
                    so_far = {found for _, found in _named((field,), before)}
                    is_known = target_id in so_far or target_id in known_ids
            if not is_known:
                yield FieldViolation(field.key, message, {}, f"/{field.key}")
                return


def pointer_faults(
    uow: UnitOfWork, fields: FieldSet, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[FieldViolation, ...]:
    """What ``check`` finds wrong with references and people alone: for feedback, which is no record."""
    pointing = [field for field in fields.pointing if field.key in after]
    changed = {field.key: after[field.key] for field in pointing if before.get(field.key) != after[field.key]}
    if not changed:
        return ()
    missing = _Missing(uow, fields, [changed])
    found = (missing.faults(fields.by_key[key], value, before, frozenset()) for key, value in changed.items())
    return tuple(fault for faults in found for fault in faults)


def _named(
    fields: Iterable[FieldDefinition], values: Mapping[str, Any]
) -> Iterator[tuple[FieldDefinition, int]]:
    """Every id that values name, with its field; rows of tables included. Ill-formed ids are the schema's."""
    for field in fields:
        value = values.get(field.key)
        if field.inner:
            for row in value if isinstance(value, list) else [value]:
                if isinstance(row, Mapping):
                    yield from _named(field.inner, row)
        elif field.type in ("reference", "user") and isinstance(value, str) and _is_id(value):
            yield field, int(value)


def _named_by_many(
    field: FieldDefinition, records: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[FieldDefinition, int]]:
    """Every id that the values of some records name in the field; what many name is told once."""
    if field.inner:
        yield from (found for values in records for found in _named((field,), values))
        return
    texts = {value for values in records if isinstance(value := values.get(field.key), str)}
    yield from ((field, int(text)) for text in texts if _is_id(text))


def _is_id(text: str) -> bool:
    """Whether the text can be an id at all: a number of 63 bits."""
    return text.isdecimal() and len(text) < 20 and int(text) < 1 << 63


def ids_named(fields: FieldSet, values: Mapping[str, Any]) -> frozenset[int]:
    """The ids of records and members that values name, rows of tables included."""
    return frozenset(found for _, found in _named(fields, values))


def _existing(uow: UnitOfWork, ids: set[int], object_key: str) -> dict[int, bool]:
    """Those of the ids that are records of the object and not deleted, each with whether it is visible."""
    rule = visible(uow.actor, (object_key,))
    found: dict[int, bool] = {}
    for chunk in chunks(sorted(ids)):
        rows = uow.session.execute(
            select(Record.id, true() if rule is None else rule).where(
                Record.id.in_(chunk), Record.object_key == object_key, Record.deleted_at.is_(None)
            )
        )
        found.update((record_id, bool(is_visible)) for record_id, is_visible in rows)
    return found


def _existing_members(uow: UnitOfWork, ids: set[int]) -> set[int]:
    found = {uow.actor.member_id} & ids
    for chunk in chunks(sorted(ids - found)):
        found.update(uow.session.scalars(select(Member.id).where(Member.id.in_(chunk))))
    return found


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
