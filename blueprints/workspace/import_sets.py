"""Several files brought together: what each becomes, in which order they run, how far they are."""

from __future__ import annotations

from dataclasses import dataclass

from flask import make_response, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done, show_form
from blueprints.messages import message, told
from blueprints.scope import Scope, scope
from blueprints.workspace.imports import CHECKED_ROWS, blobs, imports, say, why
from builder.db.ids import to_public
from builder.domain.labels import Label
from builder.errors import FunnelwrightError
from builder.queries import imports as queries
from builder.queries.imports import JobRow
from builder.services import import_sets as services
from builder.services.import_checks import Report
from builder.services.import_set_checks import CheckedFile, check_set
from builder.services.import_set_objects import leave_out, set_object
from builder.services.imports import DRAFT

# So many refused rows of each file stand on the page; the count is of all.
SHOWN_REFUSALS = 50
# Instead of an object: the file is not started with the others.
LEFT_OUT = "-"


@dataclass(frozen=True)
class CheckLine:
    """A file before it starts: ``report`` of its rows, of which there are ``rows``; ``problems`` where it
    cannot be judged; ``refused``: (line, column, reason) of the first ones.
    """

    job: JobRow
    label: Label
    report: Report | None
    rows: int
    problems: tuple[str, ...]
    refused: tuple[tuple[int, str, str], ...]


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
                if wanted == LEFT_OUT:
                    leave_out(uow, job)
                else:
                    set_object(uow, job, wanted)
    except FunnelwrightError as error:
        uow.rollback()
        return _show(job_id, [("", message(error.message_key, error.values))], error.status)
    uow.commit()
    return done(url_for("imports.together", job_id=job_id))


@imports.get("/<rid:job_id>/together/check")
def check_together(job_id: int) -> Response:
    """What all files would bring, row by row where they would refuse. Nothing is written."""
    here = scope()
    uow = here.unit_of_work()
    checked = check_set(uow, blobs(), services.jobs_of(uow, job_id), CHECKED_ROWS)
    if not checked:
        return done(url_for("imports.together", job_id=job_id))
    html = render_template(
        "pages/imports/together_check.html",
        set_id=job_id,
        lines=[_check_line(here, item) for item in checked],
        is_ready=all(item.report is not None for item in checked),
    )
    return make_response(html)


def _check_line(here: Scope, item: CheckedFile) -> CheckLine:
    job = queries.job(here.session, here.actor, item.file.job.id)
    definition = here.catalog.objects.get(job.object_key)
    problems = (item.problem,) if item.problem is not None else item.file.problems
    refused = item.report.refusals if item.report is not None else []
    return CheckLine(
        job,
        definition.label_plural if definition is not None else Label.of(job.object_key),
        item.report,
        item.file.profile.rows if item.file.profile is not None else 0,
        tuple(told(problem) for problem in problems),
        tuple((row.line, row.column, say(row)) for row in refused[:SHOWN_REFUSALS]),
    )


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
        left_out=LEFT_OUT,
        why=why,
        is_draft=any(file.job.status == DRAFT for file in files),
        is_ready=all(file.is_ready for file in files if file.is_waiting),
        is_waiting=any(file.is_waiting for file in files),
        is_running=any(line[0].is_running for line in lines),
    )
