"""Importing files: upload, mapping, check, progress, result. Every step is a page that works by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, cast

from flask import Flask, g, make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done
from blueprints.messages import message, named, told
from blueprints.once import sent_posting
from blueprints.scope import scope, workspace_area
from blueprints.shell import NavItem, NavSection, add_navigation
from blueprints.workspace.import_choices import stored_choices
from builder.db.imports import ImportJob
from builder.domain.labels import Label
from builder.errors import N_, FunnelwrightError, Invalid
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.results import RefusedRow
from builder.queries import imports as queries
from builder.queries.imports import JobRow
from builder.services import imports as services
from builder.services import postings
from builder.services.import_checks import Report, Sample, check_file, preview
from builder.services.import_set_objects import leave_out, likely_object, set_object
from builder.services.import_sets import bind, promises, set_of
from builder.services.import_setup import carry_out, plan_import
from builder.services.unit_of_work import UnitOfWork

imports = workspace_area("imports", __name__, "/imports")
CHECKED_ROWS = 20_000


def register(app: Flask) -> None:
    """Register the pages and their link."""
    app.register_blueprint(imports)
    add_navigation(app, _navigation)


def _navigation() -> Iterator[NavSection]:
    if "scope" in g and g.scope.actor.can("import"):
        link = NavItem(gettext("Imports"), url_for("imports.job_list"), "upload")
        yield NavSection(gettext("Administration"), (link,), order=90)


@imports.before_request
def _may_import() -> None:
    scope().require("import")


@imports.get("/")
def job_list() -> str:
    """The latest imports."""
    here = scope()
    objects = {key: known.label_plural for key, known in here.catalog.objects.items()}
    return render_template(
        "pages/imports/list.html", jobs=queries.recent(here.session, here.actor), objects=objects
    )


@imports.get("/new")
def new_import() -> Response:
    return _show_upload()


@imports.post("/")
def receive() -> Response:
    """Keep the file and lead to its mapping; several files lead to the page of all of them. A form that is
    sent again leads to what it brought before.
    """
    uow, posting = scope().unit_of_work(), sent_posting()
    earlier = postings.made_before(uow, posting)
    if earlier is not None:
        return _brought(uow, earlier)
    sent = [file for file in request.files.getlist("file") if file.filename]
    kept: list[ImportJob] = []
    try:
        if not sent:
            raise Invalid(N_("Choose a file first."))
        for file in sent:
            kept.append(_received(uow, file, is_alone=len(sent) == 1))
        brought = bind(uow, kept) if len(kept) > 1 else kept[0].id
        # Claimed last: files are read and kept before the database is written.
        first = postings.once(uow, posting, lambda: brought)
    except FunnelwrightError as error:
        _let_go(uow, kept)
        said = message(error.message_key, error.values)
        name = sent[len(kept)].filename if len(kept) < len(sent) > 1 else None
        return _show_upload([("file", named(name, said) if name else said)], error.status)
    if first == brought:
        uow.commit()
    else:
        _let_go(uow, kept)
    return _brought(uow, first)


def _let_go(uow: UnitOfWork, kept: Sequence[ImportJob]) -> None:
    """Keep nothing of files whose import is not begun."""
    keys = [services.blob_key(job.workspace_id, job.file_id) for job in kept]
    uow.rollback()
    for key in keys:
        blobs().delete(key)


def _brought(uow: UnitOfWork, job_id: int) -> Response:
    job = services.find(uow, job_id)
    page = "mapping" if job.status == services.DRAFT else "show"
    return done(url_for(f"imports.{'together' if set_of(job) is not None else page}", job_id=job_id))


def _received(uow: UnitOfWork, file: FileStorage, *, is_alone: bool) -> ImportJob:
    """One file kept; of several, the object that its rows become is guessed."""
    chosen = request.form.get("object", "")
    limit = house.settings().max_upload
    job = services.receive(
        uow, blobs(), cast(BinaryIO, file.stream), file.filename or "", chosen, limit=limit
    )
    if not is_alone:
        profile = services.column_profile(blobs(), job)
        likely = likely_object(uow, profile, file.filename or "")
        if likely is None:
            leave_out(uow, job)
        else:
            set_object(uow, job, likely)
    return job


def _show_upload(problems: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    here = scope()
    objects = [(key, known.label_plural) for key, known in here.catalog.objects.items()]
    chosen = request.values.get("object", "")
    html = render_template(
        "pages/imports/new.html",
        objects=objects,
        chosen=chosen,
        problems=problems or [],
        limit=house.settings().max_upload,
    )
    return make_response(html, status)


@imports.get("/<rid:job_id>/check")
def check(job_id: int) -> Response:
    """What the import would do, row by row where it would refuse. Nothing is written."""
    return _show_check(job_id)


def _show_check(job_id: int, problems: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    here = scope()
    uow = here.unit_of_work()
    job = services.find(uow, job_id)
    if "plan" not in job.options:
        return done(url_for("imports.mapping", job_id=job_id))
    report: Report | None = None
    listed = list(problems or [])
    sample = Sample((), ())
    try:
        sample = preview(uow, blobs(), job)
        brought = promises(uow, blobs(), job)
        report = check_file(uow, blobs(), job, limit=CHECKED_ROWS, promises=brought)
    except FunnelwrightError as error:
        listed.append(("", message(error.message_key, error.values)))
    html = render_template(
        "pages/imports/check.html",
        job=queries.job(here.session, here.actor, job_id),
        report=report,
        refused=[(item.line, item.column, say(item)) for item in report.refusals] if report else [],
        problems=listed,
        sample=sample,
        checked_rows=CHECKED_ROWS,
        definition=here.catalog.object(job.object_key),
    )
    return make_response(html, status)


@imports.post("/<rid:job_id>/start")
def start(job_id: int) -> Response:
    """Publish what the plan needs and queue the work: both in one transaction."""
    here = scope()
    uow = here.unit_of_work()
    job = services.find(uow, job_id)
    choices = stored_choices(job.options)
    if choices is None:
        return done(url_for("imports.mapping", job_id=job_id))
    profile = services.column_profile(blobs(), job, joins=choices.joins)
    try:
        file_format = services.format_of(job, choices.joins)
        proposal = plan_import(uow, profile, file_format, job.object_key, choices)
        services.set_plan(uow, job, carry_out(uow, proposal), profile.rows)
        services.queue(uow, job)
        house.queue().enqueue_import(uow.session, here.workspace.key, job_id)
    except FunnelwrightError as error:
        uow.rollback()
        listed = [("", told(item)) for item in error.problems] or [
            ("", message(error.message_key, error.values))
        ]
        return _show_check(job_id, listed, error.status)
    uow.commit()
    house.queue().committed()
    return done(url_for("imports.show", job_id=job_id))


def say(item: RefusedRow) -> str:
    """The reason of a refusal in the reader's language."""
    return _said(item.message, item.values)


def why(job: JobRow) -> str:
    """Why an import could not go on, in the reader's language; nothing where it could."""
    if told_so := job.options.get("why"):
        return " ".join(_said(*reason) for reason in told_so)
    return message(job.problem) if job.problem else ""


def _said(key: str, values: Mapping[str, Any]) -> str:
    """A stored message; stored labels are dictionaries."""
    return message(
        key, {name: Label.of(value) if isinstance(value, dict) else value for name, value in values.items()}
    )


def blobs() -> FolderBlobStore:
    """Where files are kept."""
    return FolderBlobStore(house.settings().data_folder / "files")
