"""The form that templates draw and routes ask: generated from a field set, decided on the server (part 4).

A route does::

    form = RecordForm(fieldset, context, values=record.data, formdata=request.form)
    if form.is_refresh:            # a rule must be decided again, a row was added: show it, save nothing
        return render_template("fragments/form/body.html", form=form, …)
    if form.validate():
        save(form.values)          # what is to be stored, formulas included

and shows the same form again, typed values and all, when ``validate`` says no or the service refuses
(``add_problems``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from builder.domain import money
from builder.domain.fields import FieldSet, JsonValue
from builder.domain.kinds import is_empty
from builder.errors import N_, Problem
from builder.fieldtypes.base import FieldContext
from builder.forms.binding import bind, default_values
from builder.forms.compiler import compiled_form
from builder.forms.layout import FormField, FormSection, form_field
from builder.forms.state import FieldState
from builder.metadata.record_validation import NOT_AN_OPTION, REQUIRED, validate

ACTION = "_action"
MOST_PROBLEMS = 100
LONGEST_TOLD = 200
GONE = N_(
    "A field that you filled in was taken off this form meanwhile; you had typed “%(value)s”. Save again to"
    " go on without it."
)


class RecordForm:
    """The fields of one record (or of one feedback form) for one request.

    ``values`` is what is stored, ``None`` for something new (defaults are filled in); ``formdata`` what was
    submitted (anything with ``getlist``), ``None`` to show the form for the first time; ``only`` limits it
    to some fields (the move dialog asks for what is missing); ``also_required`` adds to the fields that must
    be filled (a gate's); a change of a ``deciding`` field asks for the form again, as one of its rules would.
    Controls are named ``f-<field key>``; another ``prefix`` keeps several forms on one page apart. ``values``
    afterwards is what would be stored.
    """

    def __init__(
        self,
        fieldset: FieldSet,
        context: FieldContext,
        *,
        values: Mapping[str, JsonValue] | None = None,
        formdata: Any = None,
        only: Iterable[str] | None = None,
        also_required: Iterable[str] = (),
        prefix: str = "f",
        deciding: Iterable[str] = (),
    ) -> None:
        self.fieldset = fieldset
        self.context = _with_currency(fieldset, context, values, formdata, prefix)
        self.before = None if values is None else dict(values)
        asked = None if only is None else frozenset(only)
        self.keys = [item.key for item in fieldset if asked is None or item.key in asked]
        self.also_required = frozenset(also_required)
        compiled = compiled_form(fieldset)
        self.watched = compiled.watched.union(deciding)
        stored = default_values(fieldset, context) if values is None else dict(values)
        self._form = compiled.form(formdata, prefix=f"{prefix}-", data=stored, context=self.context)
        self._begun_with = stored
        bound = bind(self._form, fieldset, self.keys, stored, self.context)
        self.values = bound.values
        self._states = bound.states
        self._show_computed()
        self._gone = _gone(fieldset, formdata, prefix)
        self.id = f"{prefix}-form"
        self.is_submitted = formdata is not None
        self.action = str(formdata.get(ACTION, "")) if formdata is not None else ""
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def _show_computed(self) -> None:
        for definition in self.fieldset:
            control = self._form[definition.key]
            if definition.type == "formula" or (definition.inner and not control.is_submitted):
                control.data = self.values.get(definition.key)
            if definition.inner:
                control.show_computed(self.values.get(definition.key))

    def label_of(self, problem: Problem) -> str:
        """The name of the field (row and column) that a problem is about, in the reader's language."""
        return label_of(self.fieldset, problem, self.context.locale)

    @property
    def is_refresh(self) -> bool:
        """Whether a button was pressed that changes the form itself: update, add or remove a row, look up."""
        return self.action.partition(":")[0] in ("refresh", "add", "remove", "search")

    def state(self, key: str) -> FieldState:
        """The present state of a field. Errors: KeyError."""
        decided = self._states[key]
        if key in self.also_required and decided.is_visible:
            return replace(decided, is_required=True)
        return decided

    def validate(self) -> bool:
        """Whether the values may be saved; fills ``problems`` (they block) and ``warnings`` (old ones).

        What could not be read is a problem at its field; what was typed into a field that has gone since is
        told once, as the form that is shown again does not have it; all else is the verdict of the stored
        schema.
        With ``only``, problems of fields that are not on the form are left to whoever saves.
        """
        unread = self._unread()
        places = {problem.place for problem in unread}
        self.problems = [*self._gone, *unread]
        self.warnings = []
        for error in validate(self.fieldset, self.values, self.before):
            problem = error.problem
            if problem.place in places or error.field not in self.keys:
                continue
            (self.warnings if error.is_old else self.problems).append(problem)
        self._require_also(places)
        del self.problems[MOST_PROBLEMS:]
        return not self.problems

    def _unread(self) -> list[Problem]:
        """What was typed and is no value, in fields that may be changed now."""
        found: list[Problem] = []
        for key in self.keys:
            control, decided = self._form[key], self._states[key]
            if control.is_submitted and decided.is_visible and not decided.is_read_only:
                found += control.unread
                found += self._unoffered(key)
        return found

    def _unoffered(self, key: str) -> list[Problem]:
        """An option chosen now must be one that is offered; one that was stored already may stay."""
        definition, options = self.fieldset.by_key[key], self._states[key].options
        if options is None or (self.before is not None and self.before.get(key) == self.values.get(key)):
            return []
        value = self.values.get(key)
        chosen = value if isinstance(value, list) else [] if is_empty(value) else [value]
        stored = (self.before or {}).get(key)
        kept = stored if isinstance(stored, list) else [stored]
        for option in chosen:
            if option not in options and option not in kept:
                known = definition.option(str(option))
                label = known.label if known else str(option)[:80]
                return [Problem(NOT_AN_OPTION, key, {"value": label})]
        return []

    def _require_also(self, places: set[str]) -> None:
        told = {problem.place for problem in self.problems} | places
        for key in self.keys:
            is_asked = key in self.also_required and self._states[key].is_visible
            if is_asked and is_empty(self.values.get(key)) and key not in told:
                self.problems.append(Problem(REQUIRED, key))

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Put what a service refused at its fields; ``place`` is a field key or a pointer below it."""
        self.problems += [replace(problem, place=problem.place.removeprefix("/")) for problem in problems]

    @cached_property
    def sections(self) -> tuple[FormSection, ...]:
        """The sections with their visible fields; empty sections are left out.

        What a layout leaves out stands at the end, without a heading, where it must be filled or was typed.
        """
        locale = self.context.locale
        found = []
        for section in self.fieldset.sections:
            fields = tuple(
                self._field(key, section.columns)
                for key in section.fields
                if key in self.keys and self._states[key].is_visible
            )
            if fields:
                label, text = section.label.text(locale), section.help.text(locale)
                found.append(FormSection(section.key, label, text, section.columns, fields))
        owed = tuple(self._field(key, 2) for key in self._owed())
        return (*found, FormSection("", "", "", 2, owed)) if owed else tuple(found)

    def _owed(self) -> list[str]:
        """The visible fields in none of the sections that are required and empty, typed, or wrong."""
        if not self.fieldset.layouts:
            return []
        placed = {key for section in self.fieldset.sections for key in section.fields}
        wrong = {problem.place.partition("/")[0] for problem in self.problems}
        left_out = [key for key in self.keys if key not in placed and self._states[key].is_visible]
        return [
            key
            for key in left_out
            if key in wrong
            or (self._form[key].is_submitted and self.values.get(key) != self._begun_with.get(key))
            or (self.state(key).is_required and is_empty(self.values.get(key)))
        ]

    def _field(self, key: str, columns: int) -> FormField:
        control = self._form[key]
        here = [problem for problem in self.problems if problem.place.partition("/")[0] == key]
        field = form_field(control, self.state(key), self.context, here, columns)
        field.is_watched = key in self.watched
        return field

    @property
    def fields(self) -> list[FormField]:
        """All visible fields in order."""
        return [field for section in self.sections for field in section.fields]

    @property
    def has_files(self) -> bool:
        """Whether the form must be sent as multipart."""
        return any(field.control.type.is_file for field in self.fields)

    @property
    def carried(self) -> list[tuple[str, str]]:
        """Typed values of fields that are hidden or locked now: kept on the page, should they come back."""
        pairs: list[tuple[str, str]] = []
        for key in self.keys:
            control, decided = self._form[key], self._states[key]
            gone = not decided.is_visible or decided.is_read_only
            if gone and control.is_submitted and not control.definition.is_read_only:
                pairs += control.pairs
        return pairs

    @property
    def summary(self) -> list[tuple[str, Problem]]:
        """For the list of errors: the id of the control that each problem is about (or ``""``)."""
        ids = {field.key: field.id for field in self.fields}
        return [(self._anchor(problem, ids), problem) for problem in self.problems]

    def _anchor(self, problem: Problem, ids: Mapping[str, str]) -> str:
        head, *rest = problem.place.split("/")
        return str(self._form[head].anchor(rest)) if head in ids else ""


def _gone(fieldset: FieldSet, formdata: Any, prefix: str) -> list[Problem]:
    """What was typed into controls of fields that the form had when it was shown and has no longer."""
    if formdata is None:
        return []
    typed: list[str] = []
    for name in formdata:
        start, dash, key = name.partition("-")
        if start == prefix and dash and "-" not in key and key not in fieldset.by_key:
            typed += [text for value in formdata.getlist(name) if (text := str(value).strip())]
    return [Problem(GONE, "", {"value": text[:LONGEST_TOLD]}) for text in typed[:MOST_PROBLEMS]]


def _with_currency(
    fieldset: FieldSet,
    context: FieldContext,
    values: Mapping[str, JsonValue] | None,
    formdata: Any,
    prefix: str,
) -> FieldContext:
    """The record's own currency, where it has one, decides how its amounts are read and shown."""
    definition = fieldset.by_role.get("currency")
    if definition is None:
        return context
    typed = formdata.get(f"{prefix}-{definition.key}") if formdata is not None else None
    currency = typed or (values or {}).get(definition.key)
    if not isinstance(currency, str) or not money.is_currency(currency):
        return context
    return replace(context, currency=currency)


def label_of(fieldset: FieldSet, problem: Problem, locale: str) -> str:
    """The name of the field (and column) that a problem is about, for lists of problems."""
    head, *rest = problem.place.removeprefix("/").split("/")
    definition = fieldset.by_key.get(head)
    if definition is None:
        return ""
    text = definition.label.text(locale)
    for step in rest:
        if step.isdecimal():
            text = f"{text} {int(step) + 1}"
            continue
        definition = next((item for item in definition.inner if item.key == step), None)
        if definition is None:
            break
        text = f"{text}: {definition.label.text(locale)}"
    return text
