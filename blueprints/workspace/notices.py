"""What a person should hear of: mentions in notes (S125)."""

from __future__ import annotations

from flask import render_template, url_for
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.scope import scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.shown import moment
from builder.queries.notes import get_notice, newest_notice, notices_of
from builder.services import notices


@workspace.get("/notices")
def notice_list() -> str:
    """The latest notices, unread ones marked."""
    here = scope()
    found = notices_of(here.session, here.actor)
    return render_template(
        "pages/workspace/notices.html",
        notices=[(notice, moment(notice.created_at)) for notice in found],
        newest=newest_notice(here.session, here.actor),
        has_unread=any(notice.read_at is None for notice in found) or here.unread_notices > 0,
    )


@workspace.post("/notices/<rid:notice_id>")
def open_notice(notice_id: int) -> Response:
    """Go to what a notice is about; it counts as read from then on."""
    here = scope()
    record_id = get_notice(here.session, here.actor, notice_id)
    uow = here.unit_of_work()
    notices.read(uow, notice_id)
    uow.commit()
    return done(f"{record_address(record_id)}#timeline")


@workspace.post("/notices/read/<rid:notice_id>")
def read_notices(notice_id: int) -> Response:
    """All notices up to this one, the latest that the page knew of, are read."""
    here = scope()
    uow = here.unit_of_work()
    notices.read_up_to(uow, notice_id)
    uow.commit()
    return done(url_for("workspace.notice_list"))
