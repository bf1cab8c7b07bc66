"""Earlier visits to stages, with the answers of then (B3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.cells import Cell
from blueprints.workspace.history import reason_name
from blueprints.workspace.panel import answered
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.shown import Reader, day, duration, stage_name
from builder.domain.feedback import Feedback
from builder.metadata.field_rights import seen_feedback
from builder.queries.definitions import feedback_version, pipeline_version
from builder.queries.record import RecordPage, StayView
from builder.queries.row import names_of_members, names_of_records


@dataclass(frozen=True)
class Visit:
    """An earlier visit to a stage, with its answers under the form of then (B3). ``is_merged``: by a record
    that was merged into this one; it counts in no figure.
    """

    stage: str
    entered: str
    left: str
    length: str
    who: str
    reason: str
    note: str
    override: str
    answers: tuple[tuple[str, Cell], ...]
    form: str
    is_merged: bool


def visits_of(here: Scope, page: RecordPage) -> list[Visit]:
    """Visits that have ended, the latest first; then those of records that were merged into this one."""
    ended = [stay for stay in reversed(page.stays) if not stay.is_open]
    ended += reversed(page.merged_stays)
    forms = {
        stay.id: _seen_form(here, stay.feedback_version_id)
        for stay in ended
        if stay.feedback_version_id is not None and stay.answers
    }
    records: set[int] = set()
    members: set[int] = set()
    for stay in ended:
        if stay.id in forms:
            pointed = ids_in(forms[stay.id].fields, (stay.answers,))
            records |= pointed[0]
            members |= pointed[1]
    reader = Reader(here, names_of_records(here.session, records), names_of_members(here.session, members))
    return [_visit(here, page, stay, forms.get(stay.id), reader) for stay in ended]


def _seen_form(here: Scope, version_id: int) -> Feedback:
    """The form of a past visit as the reader's role sees it (S118)."""
    form = feedback_version(here.session, here.catalog, version_id)
    return seen_feedback(form, here.actor.feedback_veil(form.key))


def _visit(here: Scope, page: RecordPage, stay: StayView, form: Any, reader: Reader) -> Visit:
    pipeline = pipeline_version(here.session, here.catalog, stay.pipeline_version_id)
    return Visit(
        stage=stage_name(pipeline, stay.stage_key),
        entered=day(stay.entered_at),
        left=day(stay.left_at),
        length=duration(stay.seconds),
        who=stay.left_by_name,
        reason=reason_name(pipeline, stay.reason_key) if stay.reason_key else "",
        note=stay.reason_note or "",
        override=stay.override_reason or "",
        answers=tuple(answered(reader, form.fields, stay.answers, page.record.currency)) if form else (),
        form=local(form.label) if form else "",
        is_merged=stay in page.merged_stays,
    )
