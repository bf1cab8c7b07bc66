"""Exports: the dialog of a list, the file at once or in the background, one's own exports and their files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from flask import Flask, g, make_response, render_template, send_file, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import done, show_form
from blueprints.messages import message, told
from blueprints.scope import Scope, scope, workspace_area
from blueprints.shell import NavItem, NavSection, add_navigation
from blueprints.workspace.export_form import Wanted, plan_of, read_wanted
from blueprints.workspace.list_state import ListState, read_state
from builder.domain.fields import ObjectDefinition
from builder.domain.labels import Label
from builder.errors import FunnelwrightError
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.export_plan import MEDIA_TYPES, ExportPlan
from builder.queries import exports as queries
from builder.services import exports as services
from builder.services.unit_of_work import UnitOfWork

exports = workspace_area("exports", __name__)
# A file of so many bytes stays in memory while it is made.
_IN_MEMORY = 4 << 20


def register(app: Flask) -> None:
    """Register the pages and their link."""
    app.register_blueprint(exports)
    add_navigation(app, _navigation)


def _navigation() -> Iterator[NavSection]:
    if "scope" in g and g.scope.actor.can(services.RIGHT):
        link = NavItem(gettext("Exports"), url_for("exports.job_list"), "download")
        yield NavSection(gettext("Administration"), (link,), order=90)


@exports.before_request
def _may_export() -> None:
    scope().require(services.RIGHT)


@exports.get("/o/<object_key>/export")
def ask(object_key: str) -> Response:
    """What to export from a list; a dialog for htmx."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_state(here, definition)
    return _show_form(here, definition, state, Wanted(), [("", text) for text in state.problems])


@exports.post("/o/<object_key>/export")
def export(object_key: str) -> Response:
    """The file itself where there are few records, else the page of the job that makes it."""
    here = scope()
    definition = here.catalog.object(object_key)
    state, wanted = read_state(here, definition, request.form), read_wanted(request.form)
    problems = [*wanted.problems(), *(("", text) for text in state.problems)]
    if problems:
        return _show_form(here, definition, state, wanted, problems, 422)
    plan = plan_of(here, definition, state, wanted)
    uow = here.unit_of_work()
    try:
        if services.is_small(uow, plan):
            return at_once(uow, plan)
        job_id = services.queue(uow, plan).id
        kept = services.KEPT.total_seconds()
        house.queue().enqueue_export(uow.session, here.workspace.key, job_id, kept)
    except FunnelwrightError as error:
        uow.rollback()
        listed = [("", told(item)) for item in error.problems] or [
            ("", message(error.message_key, error.values))
        ]
        return _show_form(here, definition, state, wanted, listed, error.status)
    uow.commit()
    house.queue().committed()
    return done(url_for("exports.show", job_id=job_id))


def at_once(uow: UnitOfWork, plan: ExportPlan, ids: Sequence[int] | None = None) -> Response:
    """The file, made before the answer begins: what goes wrong is told, and what leaves is noted first.

    ``ids``: the records behind a figure.
    """
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - sent on
    try:
        services.export_now(uow, plan, file, ids)
        uow.commit()
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return _download(file, f"{plan.file_name}.{plan.format}", plan.format)


def _download(file: BinaryIO, name: str, kind: str) -> Response:
    answer = send_file(file, MEDIA_TYPES[kind], as_attachment=True, download_name=name, max_age=0)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _show_form(
    here: Scope,
    definition: ObjectDefinition,
    state: ListState,
    wanted: Wanted,
    problems: list[tuple[str, str]],
    status: int = 200,
) -> Response:
    return show_form(
        "pages/workspace/export.html",
        status=status,
        fragment="fragments/export/form.html",
        definition=definition,
        state=state,
        wanted=wanted,
        problems=problems,
        count=None if state.problems else _count(here, definition, state),
        at_once=services.AT_ONCE,
        kept_days=services.KEPT.days,
    )


def _count(here: Scope, definition: ObjectDefinition, state: ListState) -> int:
    """How many records the list has, up to one more than are exported at once."""
    plan = plan_of(here, definition, state, Wanted())
    return services.rows_of(here.unit_of_work(), plan).count(services.AT_ONCE + 1)


@exports.get("/exports/")
def job_list() -> str:
    """One's own exports that ran in the background."""
    here = scope()
    objects = {key: known.label_plural for key, known in here.catalog.objects.items()}
    return render_template(
        "pages/workspace/exports.html",
        jobs=queries.recent(here.session, here.actor),
        objects=objects,
        now=here.clock.now(),
        kept_days=services.KEPT.days,
    )


@exports.get("/exports/<rid:job_id>")
def show(job_id: int) -> Response:
    """How far it is; then the file."""
    facts = _facts(job_id)
    is_fragment = request.htmx and not request.htmx.boosted
    name = "fragments/export/progress.html" if is_fragment else "pages/workspace/export_job.html"
    return make_response(render_template(name, **facts))


def _facts(job_id: int) -> dict[str, Any]:
    here = scope()
    job = queries.job(here.session, here.actor, job_id)
    definition = here.catalog.objects.get(job.object_key)
    now = here.clock.now()
    return {
        "job": job,
        "rate": job.rate(now),
        "has_file": job.has_file(now),
        "problem": message(job.problem["message"], job.problem["values"]) if job.problem else "",
        "object_label": definition.label_plural if definition else Label.of(job.object_key),
    }


@exports.get("/exports/<rid:job_id>/file")
def download(job_id: int) -> Response:
    """The file, for whoever asked for it."""
    here = scope()
    uow = here.unit_of_work()
    job = services.find(uow, job_id)
    file = services.open_file(uow, _blobs(), job)
    uow.commit()
    name = queries.job(here.session, here.actor, job_id).file_name
    return _download(file, name, name.rpartition(".")[2])


@exports.post("/exports/<rid:job_id>/cancel")
def cancel(job_id: int) -> Response:
    """Stop after the running batch."""
    uow = scope().unit_of_work()
    services.cancel(uow, services.find(uow, job_id))
    uow.commit()
    return done(url_for("exports.job_list"), gettext("The export was stopped. There is no file."))


@exports.post("/exports/<rid:job_id>/remove")
def remove(job_id: int) -> Response:
    """Remove the file before its days are over."""
    uow = scope().unit_of_work()
    services.drop_file(uow, _blobs(), services.find(uow, job_id).id)
    return done(url_for("exports.job_list"), gettext("The file was removed."))


def _blobs() -> FolderBlobStore:
    return FolderBlobStore(house.settings().data_folder / "files")
