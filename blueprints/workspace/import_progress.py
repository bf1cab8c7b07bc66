"""An import on its way and at its end: how far it is, stopping, going on, undoing, the result of each row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Response as FileResponse
from flask import make_response, render_template, stream_with_context, url_for
from flask_babel import format_timedelta, gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done
from blueprints.messages import message
from blueprints.scope import scope
from blueprints.workspace.import_process import board_of, made_process
from blueprints.workspace.imports import blobs, imports, say, why
from builder.domain.labels import Label
from builder.errors import Conflict
from builder.exchange.results import write_result
from builder.queries import imports as queries
from builder.services import imports as services
from builder.services.import_undo import begin_undo


@imports.get("/<rid:job_id>")
def show(job_id: int) -> Response:
    """How far it is; when it has ended, what became of the rows."""
    facts = _facts(job_id)
    if facts["job"].status == services.DRAFT:
        return done(url_for("imports.mapping", job_id=job_id))
    name = (
        "fragments/import/progress.html"
        if request.htmx and not request.htmx.boosted
        else "pages/imports/show.html"
    )
    return make_response(render_template(name, **facts))


def _facts(job_id: int) -> dict[str, Any]:
    here = scope()
    job = queries.job(here.session, here.actor, job_id)
    refused = queries.refusals(here.session, job_id) if not job.is_running else []
    kept = queries.kept(here.session, here.actor, job_id) if job.kept_records else ()
    definition = here.catalog.objects.get(job.object_key)
    seconds = job.seconds_left(here.clock.now())
    return {
        "job": job,
        "refusals": [(item.line, item.column, say(item)) for item in refused],
        "kept": kept,
        "made_process": made_process(here, job),
        "problem": why(job),
        "problems": [],
        "can_undo": job.is_undoable and here.actor.can("record.delete"),
        "rate": None if job.status in ("undoing", "undone") else job.rate(here.clock.now()),
        "left": None if seconds is None else format_timedelta(timedelta(seconds=max(1, seconds))),
        "board": board_of(here, job),
        "list_address": url_for("workspace.record_list", object_key=job.object_key) if definition else None,
        "object_label": definition.label_plural if definition else Label.of(job.object_key),
    }


def _meanwhile(job_id: int, error: Conflict) -> Response:
    """Somebody else was quicker: why nothing was done, on the page that says how the import stands now.

    Errors: Conflict for one that was not started, which has no such page.
    """
    scope().unit_of_work().rollback()
    facts = _facts(job_id)
    if facts["job"].status == services.DRAFT:
        raise error
    said = [("", message(error.message_key, error.values))]
    return make_response(render_template("pages/imports/show.html", **(facts | {"problems": said})), 409)


@imports.post("/<rid:job_id>/cancel")
def cancel(job_id: int) -> Response:
    """Stop after the running batch."""
    uow = scope().unit_of_work()
    try:
        services.cancel(uow, services.find(uow, job_id))
    except Conflict as error:
        return _meanwhile(job_id, error)
    uow.commit()
    said = gettext("The import was stopped. What was written stays, and it can go on from there.")
    return done(url_for("imports.show", job_id=job_id), said)


@imports.post("/<rid:job_id>/resume")
def resume(job_id: int) -> Response:
    """Go on behind the last rows that were written."""
    here = scope()
    uow = here.unit_of_work()
    try:
        services.resume(uow, services.find(uow, job_id))
    except Conflict as error:
        return _meanwhile(job_id, error)
    house.queue().enqueue_import(uow.session, here.workspace.key, job_id, again=True)
    uow.commit()
    house.queue().committed()
    return done(url_for("imports.show", job_id=job_id))


@imports.get("/<rid:job_id>/undo")
def ask_undo(job_id: int) -> Response:
    """What undoing would do, before it is done."""
    facts = _facts(job_id)
    if not facts["job"].is_undoable:
        return done(url_for("imports.show", job_id=job_id))
    return make_response(render_template("pages/imports/undo.html", **facts))


@imports.post("/<rid:job_id>/undo")
def undo(job_id: int) -> Response:
    """Mark the import and queue the work: both in one transaction."""
    here = scope()
    uow = here.unit_of_work()
    try:
        begin_undo(uow, services.find(uow, job_id))
    except Conflict as error:
        return _meanwhile(job_id, error)
    house.queue().enqueue_undo(uow.session, here.workspace.key, job_id)
    uow.commit()
    house.queue().committed()
    return done(url_for("imports.show", job_id=job_id))


@imports.get("/<rid:job_id>/result.csv")
def result(job_id: int) -> Response:
    """The file as it came, with what became of each row and one reason where it was refused."""
    here = scope()
    job = services.find(here.unit_of_work(), job_id)
    facts = queries.job(here.session, here.actor, job_id)
    headings = (gettext("Line"), gettext("Result"), gettext("Column"), gettext("Reason"))
    words = {
        "created": gettext("created"),
        "updated": gettext("updated"),
        "unchanged": gettext("unchanged"),
        "refused": gettext("refused"),
    }

    # Opened before the answer begins: a file that is gone is told, not broken off.
    opened = services.OpenFile(blobs(), job)

    def lines() -> Iterator[str]:
        yield "\ufeff"  # without it spreadsheets take UTF-8 for something else
        with opened as table:
            known = queries.verdicts(here.session, job_id)
            yield from write_result(table, known, say, headings=headings, words=words)

    answer = FileResponse(stream_with_context(lines()), mimetype="text/csv")
    answer.call_on_close(opened.close)
    stem = facts.file_name.rpartition(".")[0] or facts.file_name
    answer.headers.set("Content-Disposition", "attachment", filename=f"{stem}-result.csv")
    return answer
