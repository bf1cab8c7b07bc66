"""Merging records side by side, field by field (S121); undone on the page of its batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local, message, named, told
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.cells import Cell
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.shown import Reader, moment, stage_name
from builder.db.ids import from_public, to_public
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.errors import Conflict, Invalid, Malformed, NotFound, Stale
from builder.queries.duplicates import ComingAlong, coming_along
from builder.queries.record import get_record, require_change
from builder.queries.row import FullRecord, names_of_members, names_of_records
from builder.services import merging as services
from builder.services.bulk import Chosen
from builder.services.merging import CHOOSE_TWO, MOST_RECORDS, Merge, mergeable_fields

CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the records: a column of the page."""

    id: str
    row: str
    name: str
    address: str
    stage: str
    created: str
    brings: ComingAlong


@dataclass(frozen=True)
class FieldRow:
    """A field with its value in each record; ``picked``: of which it is taken. ``differs``: they do not
    agree.
    """

    key: str
    label: str
    cells: tuple[Cell, ...]
    picked: str
    differs: bool
    fault: str


@workspace.get("/o/<object_key>/merge")
def ask_merge(object_key: str) -> Response:
    """Records side by side; the address names them, with or without the revision that a list adds."""
    here = scope()
    here.require("record.edit")
    definition = here.catalog.object(object_key)
    ids = _ids([text.partition(":")[0] for text in request.args.getlist("row")])
    if not 2 <= len(ids) <= MOST_RECORDS:
        flash(message(CHOOSE_TWO), "warning")
        return redirect(url_for("workspace.record_list", object_key=object_key), 303)
    return _show(here, definition, _records(here, definition, ids))


@workspace.post("/o/<object_key>/merge")
def merge_records(object_key: str) -> Response:
    here = scope()
    here.require("record.edit")
    definition = here.catalog.object(object_key)
    chosen = _chosen(request.form.getlist("row"))
    records = _records(here, definition, [one.record_id for one in chosen])
    kept = request.form.get("keep", "")
    uow = here.unit_of_work()
    try:
        survivor = next((one for one in chosen if to_public(one.record_id) == kept), None)
        if survivor is None:
            raise Invalid(CHOOSE_TWO)
        others = tuple(one for one in chosen if one is not survivor)
        batch_id = services.merge(uow, Merge(survivor, others, _picks(definition)))
    except Invalid as error:
        uow.rollback()
        faults = {problem.place: told(problem) for problem in error.problems}
        problems = [_problem(definition, place, text) for place, text in faults.items()]
        general = [("", message(error.message_key, error.values))]
        return _show(here, definition, records, problems or general, faults, status=422)
    except Stale:
        uow.rollback()
        text = gettext("One of the records changed meanwhile. This is how they stand now; choose again.")
        return _show(
            here,
            definition,
            _records(here, definition, [one.record_id for one in chosen]),
            [("", text)],
            status=409,
        )
    except Conflict as error:
        uow.rollback()
        return _show(here, definition, records, [("", message(error.message_key, error.values))], status=409)
    uow.commit()
    return done(url_for("workspace.batch", batch_id=batch_id), gettext("The records are one now."))


def _problem(definition: ObjectDefinition, place: str, text: str) -> tuple[str, str]:
    field = definition.fields.by_key.get(place.partition("/")[0])
    return (f"pick-{field.key}", named(local(field.label), text)) if field else ("", text)


def _ids(texts: Sequence[str]) -> list[int]:
    """Errors: Malformed."""
    try:
        return list(dict.fromkeys(from_public(text) for text in texts[: MOST_RECORDS + 1]))
    except ValueError as error:
        raise Malformed(CHOOSE_TWO) from error


def _chosen(texts: Sequence[str]) -> list[Chosen]:
    """The records with the revisions that the person saw. Errors: Malformed."""
    found = []
    for text in texts[: MOST_RECORDS + 1]:
        name, _, revision = text[:40].partition(":")
        if not (revision.isascii() and revision.isdecimal()):
            raise Malformed(CHOOSE_TWO)
        found += [Chosen(record_id, int(revision)) for record_id in _ids([name])]
    return found


def _records(here: Scope, definition: ObjectDefinition, ids: Sequence[int]) -> list[FullRecord]:
    """Errors: NotFound, Forbidden (shared for reading only)."""
    found = []
    for record_id in ids:
        opened = get_record(here.session, here.actor, record_id)
        require_change(opened)
        if opened.record.object_key != definition.key:
            raise NotFound()
        found.append(opened.record)
    return found


def _picks(definition: ObjectDefinition) -> dict[str, int]:
    """Of which record each field is taken. Errors: Malformed."""
    picks = {}
    for field in mergeable_fields(definition):
        text = request.form.get(f"pick-{field.key}", "")
        if text:
            picks[field.key] = _ids([text])[0]
    return picks


def _show(
    here: Scope,
    definition: ObjectDefinition,
    records: Sequence[FullRecord],
    problems: Sequence[tuple[str, str]] = (),
    faults: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    kept = request.form.get("keep", "")
    if records and not kept:
        kept = to_public(_default(records).id)
    rows = _rows(here, definition, records, kept, faults or {})
    return show_form(
        "pages/workspace/merge.html",
        fragment="fragments/record/merge.html",
        status=status,
        definition=definition,
        candidates=_candidates(here, records),
        keep=kept,
        differing=[row for row in rows if row.differs or row.fault],
        same=[row for row in rows if not row.differs and not row.fault],
        problems=list(problems),
    )


def _default(records: Sequence[FullRecord]) -> FullRecord:
    """Who stays unless somebody says otherwise: who is in a process, then who says most, then the oldest."""
    return min(records, key=lambda one: (one.pipeline_key is None, -len(one.data), one.id))


def _candidates(here: Scope, records: Sequence[FullRecord]) -> list[Candidate]:
    brings = coming_along(here.session, here.actor, [record.id for record in records])
    return [
        Candidate(
            to_public(record.id),
            f"{to_public(record.id)}:{record.revision}",
            record.name or to_public(record.id),
            record_address(record.id),
            _stage(here, record),
            moment(record.created_at),
            brings[record.id],
        )
        for record in records
    ]


def _stage(here: Scope, record: FullRecord) -> str:
    pipeline = here.catalog.pipelines.get(record.pipeline_key or "")
    return "" if pipeline is None else stage_name(pipeline, record.stage_key)


def _rows(
    here: Scope,
    definition: ObjectDefinition,
    records: Sequence[FullRecord],
    kept: str,
    faults: Mapping[str, str],
) -> list[FieldRow]:
    """Fields that any of the records has; those that agree are taken as they are."""
    pointed, people = ids_in(definition.fields, [record.data for record in records])
    reader = Reader(here, names_of_records(here.session, pointed), names_of_members(here.session, people))
    found = []
    for field in mergeable_fields(definition):
        values = [record.data.get(field.key) for record in records]
        if all(value is None for value in values):
            continue
        found.append(
            FieldRow(
                field.key,
                str(local(field.label) or field.key),
                tuple(
                    reader.long_cell(field, value, record.currency)
                    for record, value in zip(records, values, strict=True)
                ),
                request.form.get(f"pick-{field.key}") or _pick(field, records, kept),
                any(value != values[0] for value in values),
                faults.get(field.key, ""),
            )
        )
    return found


def _pick(field: FieldDefinition, records: Sequence[FullRecord], kept: str) -> str:
    """The value of who stays, else the first there is."""
    order = sorted(records, key=lambda record: to_public(record.id) != kept)
    filled = next((record for record in order if record.data.get(field.key) is not None), order[0])
    return to_public(filled.id)
