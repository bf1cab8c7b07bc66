"""Several files brought together: what each becomes, in which order they run, how far they are."""

from __future__ import annotations

from flask import url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done, show_form
from blueprints.messages import message, told
from blueprints.scope import scope
from blueprints.workspace.imports import blobs, imports
from builder.db.ids import to_public
from builder.errors import FunnelwrightError
from builder.queries import imports as queries
from builder.services import import_sets as services
from builder.services.imports import DRAFT


@imports.get("/<rid:job_id>/together")
def together(job_id: int) -> Response:
    """The files of a set in the order in which they run."""
    return _show(job_id)


@imports.post("/<rid:job_id>/together")
def choose_objects(job_id: int) -> Response:
    """What the rows of each file become; what was planned for other objects is void."""
    uow = scope().unit_of_work()
    try:
        for job in services.jobs_of(uow, job_id):
            if job.status == DRAFT and (wanted := request.form.get(f"object-{to_public(job.id)}")):
                services.set_object(uow, job, wanted)
    except FunnelwrightError as error:
        uow.rollback()
        return _show(job_id, [("", message(error.message_key, error.values))], error.status)
    uow.commit()
    return done(url_for("imports.together", job_id=job_id))


@imports.post("/<rid:job_id>/together/start")
def start_together(job_id: int) -> Response:
    """Publish what all plans need and queue the files: in one transaction, one after another."""
    here = scope()
    uow = here.unit_of_work()
    try:
        started = services.start(uow, blobs(), services.jobs_of(uow, job_id))
        house.queue().enqueue_import(uow.session, here.workspace.key, started[0].id)
    except FunnelwrightError as error:
        uow.rollback()
        said = [told(problem) for problem in error.problems] or [message(error.message_key, error.values)]
        return _show(job_id, [("", text) for text in said], error.status)
    uow.commit()
    house.queue().committed()
    return done(url_for("imports.together", job_id=job_id))


def _show(job_id: int, problems: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    here = scope()
    uow = here.unit_of_work()
    files = services.look(uow, blobs(), services.jobs_of(uow, job_id))
    lines = [
        (queries.job(here.session, here.actor, file.job.id), file, [told(item) for item in file.problems])
        for file in files
    ]
    return show_form(
        "pages/imports/together.html",
        status=status,
        fragment="fragments/import/together.html",
        set_id=job_id,
        lines=lines,
        objects=[(key, known.label_plural) for key, known in here.catalog.objects.items()],
        problems=problems or [],
        is_draft=any(file.job.status == DRAFT for file in files),
        is_ready=all(file.is_ready for file in files if file.job.status == DRAFT),
        is_running=any(line[0].is_running for line in lines),
    )
