"""What the gates of many records ask for, asked once for all of them (B2, B24).

One form holds the fields that refused records lack, the record's own and those of the feedback of their
stages. What is typed fills only what is empty; what is left empty leaves its records refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from blueprints.scope import Scope
from blueprints.workspace.bulk_fields import unruled
from blueprints.workspace.record_forms import context_for
from builder.domain.fields import FieldSet, JsonValue, ObjectDefinition
from builder.fieldtypes.registry import field_type
from builder.forms.record_form import RecordForm
from builder.metadata.record_validation import REQUIRED
from builder.services.bulk import RefusedRecord

VALUES, ANSWERS = "values", "answers-"
LONGEST_REASON = 1_000


class BulkAnswers:
    """``forms``: the form of the record under ``""``, those of feedback by their keys. ``formdata``: what was
    sent, which says what was asked before.
    """

    def __init__(self, here: Scope, definition: ObjectDefinition, formdata: Any) -> None:
        self._here = here
        self._formdata = formdata
        self._fieldsets: dict[str, FieldSet] = {"": definition.fields} | {
            key: form.fields
            for key, form in here.catalog.feedback.items()
            if form.object_key == definition.key
        }
        self._can_override = here.actor.can("move.override")
        self.forms = self._made({key: self._sent(key) for key in self._fieldsets})
        reason = str(formdata.get("override_reason", "")).replace("\0", "").strip()
        self.override_reason = reason[:LONGEST_REASON] or None if self._can_override else None
        self.may_override = self.override_reason is not None

    def _sent(self, form_key: str) -> set[str]:
        names = {*self._formdata, *self._formdata.getlist("_has")}
        prefix = _prefix(form_key)
        return {key for key in self._fieldsets[form_key].by_key if f"{prefix}-{key}" in names}

    def _made(self, wanted: Mapping[str, set[str]]) -> dict[str, RecordForm]:
        found: dict[str, RecordForm] = {}
        for form_key, fields in self._fieldsets.items():
            keys = {key for key in wanted.get(form_key, ()) if _may_be_typed(fields, key)}
            if not keys:
                continue
            plain = unruled(fields)
            sent = self._formdata if self._sent(form_key) else None
            context = context_for(self._here, plain, {}, sent)
            prefix = _prefix(form_key)
            found[form_key] = RecordForm(plain, context, values={}, formdata=sent, only=keys, prefix=prefix)
        return found

    def ask(self, refused: Iterable[RefusedRecord]) -> None:
        """Ask for what these records lack as well, and for a reason where somebody may set gates aside."""
        listed = list(refused)
        wanted = {key: set(form.keys) for key, form in self.forms.items()}
        for form_key, field in (pair for one in listed for pair in one.asked):
            if form_key in self._fieldsets and field in self._fieldsets[form_key].by_key:
                wanted.setdefault(form_key, set()).add(field)
        problems = {key: form.problems for key, form in self.forms.items()}
        self.forms = self._made(wanted)
        for key, told in problems.items():
            self.forms[key].add_problems(told)
        self.may_override = self.may_override or (
            self._can_override and any(one.is_overridable for one in listed)
        )

    def validate(self) -> bool:
        """Whether everything typed is a value; what is left empty leaves its records refused."""
        for form in self.forms.values():
            form.validate()
            form.problems = [problem for problem in form.problems if problem.message != REQUIRED]
        return not any(form.problems for form in self.forms.values())

    @property
    def is_refresh(self) -> bool:
        return any(form.is_refresh for form in self.forms.values())

    @property
    def values(self) -> dict[str, JsonValue]:
        """What was typed of the record."""
        return _typed(self.forms[""]) if "" in self.forms else {}

    @property
    def answers(self) -> dict[str, dict[str, JsonValue]]:
        """What was typed of feedback, by its form."""
        return {key: _typed(form) for key, form in self.forms.items() if key}


def _prefix(form_key: str) -> str:
    return ANSWERS + form_key if form_key else VALUES


def _typed(form: RecordForm) -> dict[str, JsonValue]:
    return {key: form.values[key] for key in form.keys if form.values.get(key) is not None}


def _may_be_typed(fields: FieldSet, key: str) -> bool:
    known = field_type(fields.by_key[key].type)
    is_given = known.is_computed or known.is_file or known.is_assigned
    return not is_given and not fields.by_key[key].is_read_only
