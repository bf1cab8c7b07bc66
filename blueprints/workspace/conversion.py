"""Converting a record (S26): what will be made is shown first, every value can be corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local, named, told
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.process_choice import deciding_fields, open_processes
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.shown import form_context, is_id
from builder.domain.fields import Conversion, FieldDefinition, FieldSet, ObjectDefinition
from builder.domain.labels import Label
from builder.errors import N_, FunnelwrightError, Invalid, Problem, Unconfirmed
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.inputs import form_class
from builder.fieldtypes.registry import type_of
from builder.forms.layout import FormField
from builder.forms.record_form import RecordForm
from builder.forms.state import FieldState
from builder.queries.record import find_record, get_record
from builder.queries.row import FullRecord, names_of_members, names_of_records
from builder.queries.successors import successors_of
from builder.services.conversion import NOT_CONVERTIBLE, ConvertRecord, closing_stages, convert

NOT_THERE = N_("Choose a record that you can see.")
EXISTING = "existing"


@dataclass
class Target:
    """One record to be made. ``existing``: the control that names one to use instead (none for the main)."""

    object_key: str
    definition: ObjectDefinition
    label: str
    is_main: bool
    form: RecordForm
    links: tuple[str, ...]
    existing: FormField | None = None
    existing_id: int | None = None

    @property
    def prefix(self) -> str:
        return _prefix(self.object_key)


def _prefix(object_key: str) -> str:
    return f"c-{object_key}"


@workspace.get("/r/<rid:record_id>/convert")
def ask_convert(record_id: int) -> Response:
    here = scope()
    record, definition = _convertible(here, record_id)
    return _show(here, record, definition, _targets(here, record, definition, None))


@workspace.post("/r/<rid:record_id>/convert")
def convert_record(record_id: int) -> Response:
    """Make all in one transaction, or nothing and say why."""
    here = scope()
    record, definition = _convertible(here, record_id)
    revision = sent_revision()
    targets = _targets(here, record, definition, request.form)
    if any(target.form.is_refresh for target in targets):
        return _show(here, record, definition, targets)
    problems = _check(here, targets)
    if problems or any(target.form.problems for target in targets):
        return _show(here, record, definition, targets, problems, status=422)
    command = ConvertRecord(
        record_id,
        revision,
        {target.object_key: _values(target) for target in targets if target.existing_id is None},
        {target.object_key: target.existing_id for target in targets if target.existing_id is not None},
        request.form.get("reason") or None,
        request.form.get("to_stage") or None,
        "confirmed" in request.form,
        request.form.get("pipeline") or None,
    )
    uow = here.unit_of_work()
    try:
        made = convert(uow, command)
    except Unconfirmed as error:
        uow.rollback()
        warnings = [told(problem) for problem in error.problems]
        return _show(here, record, definition, targets, warnings=warnings, status=422)
    except Invalid as error:
        uow.rollback()
        return _show(here, record, definition, targets, _refused(error), status=422)
    uow.commit()
    return done(record_address(made.main), gettext("“%(name)s” is converted.", name=record.name))


def _convertible(here: Scope, record_id: int) -> tuple[FullRecord, ObjectDefinition]:
    record = get_record(here.session, here.actor, record_id).record
    here.require("record.create")
    definition = here.catalog.object(record.object_key)
    if definition.conversion is None:
        raise Invalid(NOT_CONVERTIBLE)
    return record, definition


def _targets(here: Scope, record: FullRecord, definition: ObjectDefinition, formdata: Any) -> list[Target]:
    conversion = definition.conversion
    assert conversion is not None
    context = _context(here, definition.fields, record.data)
    return [
        _target(here, record, conversion, object_key, dict(mapping), context, formdata)
        for object_key, mapping in conversion.targets
        if object_key in here.catalog.objects
    ]


def _target(
    here: Scope,
    record: FullRecord,
    conversion: Conversion,
    object_key: str,
    mapping: Mapping[str, str],
    context: FieldContext,
    formdata: Any,
) -> Target:
    definition = here.catalog.object(object_key)
    fields = definition.fields
    # What refers to records made beside it is filled in when they are made.
    linked = [key for key, source in mapping.items() if source.startswith("@")]
    asked = [
        field.key
        for field in fields
        if field.key not in linked and (field.key in mapping or field.is_required) and field.type != "formula"
    ]
    carried = {key: record.data[source] for key, source in mapping.items() if source in record.data}
    form = RecordForm(
        fields,
        context,
        formdata=formdata if formdata is not None else _typed(fields, carried, asked, context, object_key),
        only=asked,
        prefix=_prefix(object_key),
    )
    labels = tuple(local(fields.by_key[key].label) for key in linked if key in fields.by_key)
    is_main = object_key == conversion.main
    target = Target(object_key, definition, local(definition.label), is_main, form, labels)
    if not is_main:
        target.existing = _existing_control(target, context, formdata)
        text = target.existing.control.data
        target.existing_id = int(text) if isinstance(text, str) and is_id(text) else None
    return target


def _typed(
    fields: FieldSet, carried: Mapping[str, Any], asked: list[str], context: FieldContext, object_key: str
) -> Any:
    """Form data that show the carried values: what a person would have typed."""
    typed: MultiDict[str, str] = MultiDict()
    for key in asked:
        field = fields.by_key[key]
        if key in carried:
            for name, text in type_of(field).pairs(
                field, f"{_prefix(object_key)}-{key}", carried[key], context
            ):
                typed.add(name, text)
    return typed


def _existing_control(target: Target, context: FieldContext, formdata: Any) -> FormField:
    definition = FieldDefinition(
        EXISTING,
        "reference",
        Label.of(gettext("Use an existing one instead")),
        params={"target": target.object_key},
    )
    form = form_class("Existing", {EXISTING: type_of(definition).form_field(definition)})(
        formdata, prefix=f"{target.prefix}-", data={}, context=context
    )
    control = form[EXISTING]
    problems = [control.problem] if control.problem else []
    return FormField(control, FieldState(), context, problems, 1)


def _context(here: Scope, fields: FieldSet, data: Mapping[str, Any]) -> FieldContext:
    records, members = ids_in(fields, (data,))
    return form_context(
        here, names_of_records(here.session, records), names_of_members(here.session, members)
    )


def _check(here: Scope, targets: list[Target]) -> list[tuple[str, str]]:
    problems = []
    for target in targets:
        control = target.existing.control if target.existing else None
        if control is not None and control.problem is not None:
            problems.append((control.name, named(target.label, told(control.problem))))
        elif control is not None and target.existing_id is not None:
            opened = find_record(here.session, here.actor, target.existing_id)
            if opened is None or opened.record.object_key != target.object_key:
                problem = Problem(NOT_THERE, EXISTING)
                problems.append((control.name, named(target.label, told(problem))))
        if target.existing_id is None:
            target.form.validate()
    return problems


def _values(target: Target) -> dict[str, Any]:
    """What was on the page, emptied fields as None."""
    return {key: target.form.values.get(key) for key in target.form.keys}


def _refused(error: FunnelwrightError) -> list[tuple[str, str]]:
    places = {"to_stage": "to_stage", "reason_key": "reason"}
    listed = [(places.get(problem.place, ""), told(problem)) for problem in error.problems]
    return listed or [("", str(error))]


def _show(
    here: Scope,
    record: FullRecord,
    definition: ObjectDefinition,
    targets: list[Target],
    problems: list[tuple[str, str]] | None = None,
    *,
    warnings: Sequence[str] = (),
    status: int = 200,
) -> Response:
    conversion = definition.conversion
    assert conversion is not None
    main = next((each for each in targets if each.is_main), None)
    fitting = open_processes(
        here, conversion.main, main.form.values if main else {}, otherwise=conversion.pipeline
    )
    own = here.catalog.pipelines.get(record.pipeline_key or "")
    reasons = own.reasons.get("won", ()) if own else ()
    stages = closing_stages(own, record.stage_key) if own else ()
    return show_form(
        "pages/workspace/convert.html",
        fragment="fragments/record/convert.html",
        status=status,
        record=record,
        definition=definition,
        former=successors_of(here.session, record.id, conversion.main),
        targets=targets,
        problems=problems or [],
        warnings=warnings,
        stages=[(each.key, local(each.label)) for each in stages] if len(stages) > 1 else [],
        to_stage=request.form.get("to_stage", ""),
        pipelines=[(each.key, local(each.label), local(each.first.label)) for each in fitting],
        pipeline=request.form.get("pipeline", ""),
        by_rules=bool(main and deciding_fields(main.definition)),
        reasons=[(reason.key, local(reason.label)) for reason in reasons if not reason.is_retired],
        reason=request.form.get("reason", ""),
        address=record_address(record.id),
        action=url_for("workspace.convert_record", record_id=record.id),
        trail=[
            (local(definition.label_plural), url_for("workspace.record_list", object_key=definition.key)),
            (record.name, record_address(record.id)),
        ],
    )
