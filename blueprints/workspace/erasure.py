"""Erasing a person's data on request: what goes, what stays and why, and the name typed before (S120)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.messages import message, told
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.files import blob_store
from builder.errors import Conflict, Invalid, Stale
from builder.queries.record import get_record
from builder.queries.row import FullRecord, names_of_visible
from builder.services import erasure as services

_LONGEST = 400
_MOST_SAME = 20


@workspace.get("/r/<rid:record_id>/erase")
def ask_erase(record_id: int) -> Response:
    """What erasing would take away and leave; nothing is written."""
    here = scope()
    here.require(services.RIGHT)
    return _show(here, get_record(here.session, here.actor, record_id).record)


@workspace.post("/r/<rid:record_id>/erase")
def erase_record(record_id: int) -> Response:
    """Erase for good, once the name was typed."""
    here = scope()
    here.require(services.RIGHT)
    record = get_record(here.session, here.actor, record_id).record
    seen, typed = sent_revision(), request.form.get("name", "")[:_LONGEST]
    uow = here.unit_of_work()
    try:
        blobs = services.erase(uow, record_id, typed, seen)
    except Invalid as error:
        uow.rollback()
        problems = [("name", told(problem)) for problem in error.problems]
        return _show(here, record, typed, problems, 422)
    except Stale:
        uow.rollback()
        text = gettext("This record changed meanwhile. Read again what goes, then repeat it.")
        now = get_record(here.session, here.actor, record_id).record
        return _show(here, now, typed, [("", text)], 409)
    except Conflict as error:
        uow.rollback()
        return _show(here, record, typed, [("", message(error.message_key, error.values))], 409)
    uow.commit()
    for key in blobs:
        blob_store().delete(key)
    target = url_for("workspace.record_list", object_key=record.object_key)
    return done(target, gettext("The data is erased. What was done stands in the audit log, without names."))


def _show(
    here: Scope,
    record: FullRecord,
    typed: str = "",
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    found = services.holding(here.unit_of_work(), record.id)
    names = names_of_visible(here.session, here.actor, found.same[:_MOST_SAME])
    facts: dict[str, Any] = {
        "record": record,
        "definition": here.catalog.object(record.object_key),
        "found": found,
        "same": [(name, record_address(one)) for one, name in names.items()],
        "typed": typed,
        "problems": problems or [],
    }
    return show_form(
        "pages/workspace/erase.html", fragment="fragments/record/erase.html", status=status, **facts
    )
