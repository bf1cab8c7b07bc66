"""Which column of a file fills which field: the page, its preview, and what a person decides there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done, show_form
from blueprints.languages import language
from blueprints.messages import told
from blueprints.scope import Scope, scope
from blueprints.workspace.import_choices import read_choices, stored_choices
from blueprints.workspace.import_form import MappingPage, page_of
from blueprints.workspace.import_parts import read_joins
from blueprints.workspace.import_start import StartPage, begun, start_page
from blueprints.workspace.imports import blobs, imports
from builder.errors import N_, FunnelwrightError, Invalid, Problem
from builder.exchange.joining import Join
from builder.exchange.profile import TableProfile
from builder.queries import imports as queries
from builder.services import imports as services
from builder.services.import_choices import Choices, with_order
from builder.services.import_mappings import save_mapping
from builder.services.import_preview import preview_columns
from builder.services.import_sets import promises, set_of
from builder.services.import_setup import plan_import


@imports.get("/<rid:job_id>/mapping")
def mapping(job_id: int) -> Response:
    """Which column fills which field, with suggestions: from what was kept, or from where ``start`` says."""
    here = scope()
    uow = here.unit_of_work()
    job = services.find(uow, job_id)
    try:
        profile = services.column_profile(blobs(), job)
    except Invalid:
        # The page of the format says what is wrong with which line, and lets the file be read otherwise.
        return done(url_for("imports.file_format", job_id=job_id))
    wanted = request.args.get("start")
    choices = stored_choices(job.options) if wanted is None else None
    start = str(job.options.get("start", ""))
    if choices is None:
        start, choices = begun(uow, profile, here.catalog.object(job.object_key), wanted)
    profile = _with_joins(job, profile, choices.joins)
    page, _proposal = _planned(here, job, profile, choices, is_asking=False)
    return _show_mapping(job_id, page, start_page(uow, profile, job, start))


@imports.post("/<rid:job_id>/mapping")
def choose_mapping(job_id: int) -> Response:
    """Keep the choices; on when nothing is left to ask, else the same page with what is."""
    here = scope()
    uow = here.unit_of_work()
    job = services.find(uow, job_id)
    profile = services.column_profile(blobs(), job)
    joins = read_joins(request.form, profile)
    profile = _with_joins(job, profile, joins)
    choices = replace(read_choices(request.form, profile), joins=joins)
    is_asking = "refresh" not in request.form
    page, proposal = _planned(here, job, profile, choices, is_asking=is_asking)
    start = request.form.get("start", "")[:80]
    if proposal is None or page.problems or not is_asking:
        opened = start_page(uow, profile, job, start)
        return _show_mapping(job_id, page, opened, status=422 if is_asking else 200)
    if name := request.form.get("save_as", "").strip():
        try:
            save_mapping(uow, job.object_key, name, profile, page.choices, proposal)
        except FunnelwrightError as error:
            uow.rollback()
            listed = (*page.problems, *(("save_as", told(problem)) for problem in error.reasons))
            opened = start_page(uow, profile, job, start)
            return _show_mapping(job_id, replace(page, problems=listed), opened, status=error.status)
    services.set_proposal(uow, job, proposal, profile.rows)
    job.options = {**job.options, "choices": page.choices.to_document(), "start": start}
    uow.commit()
    together = set_of(job)
    if together is not None:
        return done(url_for("imports.together", job_id=together))
    return done(url_for("imports.check", job_id=job_id))


def _with_joins(job: Any, profile: TableProfile, joins: tuple[Join, ...]) -> TableProfile:
    """What the columns hold with those that are joined; the file is read again for them."""
    return services.column_profile(blobs(), job, joins=joins) if joins else profile


def _planned(
    here: Scope, job: Any, profile: Any, choices: Choices, *, is_asking: bool
) -> tuple[MappingPage, Any]:
    """The page of some choices and their proposal; without one when they cannot be."""
    definition = here.catalog.object(job.object_key)
    problems: list[Problem] = []
    proposal, previews = None, {}
    uow = here.unit_of_work()
    try:
        if choices.mode == "log":
            with services.OpenFile(blobs(), job) as table:
                choices = with_order(choices, table, profile)
        file_format = services.format_of(job, choices.joins)
        proposal = plan_import(uow, profile, file_format, job.object_key, choices)
        brought = promises(uow, blobs(), job)
        previews = preview_columns(uow, profile, proposal, language(), brought)
        if is_asking:
            problems = list(proposal.questions)
            if choices.history is not None and not choices.history.pipeline:
                problems.append(Problem(N_("The new pipeline needs a name.")))
    except FunnelwrightError as error:
        if is_asking:
            problems = list(error.reasons)
    return page_of(here, definition, profile, choices, proposal, previews, problems), proposal


def _show_mapping(job_id: int, page: MappingPage, start: StartPage, status: int = 200) -> Response:
    here = scope()
    job = queries.job(here.session, here.actor, job_id)
    return show_form(
        "pages/imports/mapping.html",
        status=status,
        fragment="fragments/import/mapping.html",
        page=page,
        start=start,
        save_as=request.form.get("save_as", start.saved),
        job=job,
        definition=here.catalog.object(job.object_key),
    )
