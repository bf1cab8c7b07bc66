"""The recycle bin: deleting, what is in it, restoring."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import local
from blueprints.revisions import sent_revision
from blueprints.scope import scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.shown import moment
from builder.queries.record import get_record
from builder.queries.recycle_bin import SHOWN, deleted_records
from builder.services import deletion as services

DELETE = "record.delete"
RESTORE = "record.restore"
ERASE = "record.erase"


@workspace.get("/r/<rid:record_id>/delete")
def ask_delete(record_id: int) -> Response:
    """Ask before a record goes into the bin; a dialog for htmx."""
    here = scope()
    here.require(DELETE)
    record = get_record(here.session, here.actor, record_id).record
    facts: dict[str, Any] = {
        "record": record,
        "definition": here.catalog.object(record.object_key),
        "address": record_address(record_id),
        "may_erase": here.actor.can(ERASE),
    }
    return show_form("pages/workspace/delete.html", fragment="fragments/record/delete.html", **facts)


@workspace.post("/r/<rid:record_id>/delete")
def delete_record(record_id: int) -> Response:
    here = scope()
    record = get_record(here.session, here.actor, record_id).record
    here.require(DELETE)
    uow = here.unit_of_work()
    services.delete(uow, record_id, sent_revision())
    uow.commit()
    target = url_for("workspace.record_list", object_key=record.object_key)
    return done(target, gettext("“%(name)s” is in the recycle bin now.", name=record.name))


@workspace.get("/recycle-bin")
def recycle_bin() -> Response:
    """Deleted records, the latest first."""
    here = scope()
    here.require(RESTORE)
    rows = deleted_records(here.session, here.actor)
    objects = here.catalog.objects
    lines = [
        (
            row,
            local(objects[row.object_key].label) if row.object_key in objects else row.object_key,
            moment(row.deleted_at),
        )
        for row in rows
    ]
    return make_response(
        render_template(
            "pages/workspace/recycle_bin.html", lines=lines, is_capped=len(rows) == SHOWN, most=SHOWN
        )
    )


@workspace.post("/r/<rid:record_id>/restore")
def restore_record(record_id: int) -> Response:
    here = scope()
    here.require(RESTORE)
    get_record(here.session, here.actor, record_id, with_deleted=True)
    uow = here.unit_of_work()
    services.restore(uow, record_id, sent_revision())
    uow.commit()
    return done(record_address(record_id), gettext("The record is back."))
