"""Departments of the workspace as a tree: adding, renaming, moving, closing."""

from __future__ import annotations

from flask import render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.admin.area import admin
from blueprints.forms import chosen_id, done, refuse, show_form, tell_stored
from blueprints.once import sent_posting
from blueprints.revisions import sent_revision
from blueprints.scope import scope
from builder.db.ids import to_public
from builder.errors import Invalid, NotFound, Stale
from builder.forms.people import DepartmentForm
from builder.queries import directory as queries
from builder.services import departments as services
from builder.services import postings
from builder.services.people import EDIT_PEOPLE


@admin.get("/departments")
def department_list() -> str:
    scope().require(EDIT_PEOPLE)
    return render_template("pages/admin/departments.html", rows=_rows())


@admin.get("/departments/new")
def new_department() -> Response:
    scope().require(EDIT_PEOPLE)
    return _show(DepartmentForm(data={"parent_id": request.args.get("below", "")}))


@admin.post("/departments/new")
def add_department() -> Response:
    form, uow = DepartmentForm(request.form), scope().unit_of_work()
    name, parent_id = form.name.data or "", chosen_id(form.parent_id.data)
    try:
        postings.once(uow, sent_posting(), lambda: services.add(uow, name, parent_id))
    except Invalid as error:
        uow.rollback()
        return _show(form, problems=refuse(form, error), status=422)
    uow.commit()
    return done(url_for("admin.department_list"), gettext("The department is there."))


@admin.get("/departments/<rid:department_id>")
def department(department_id: int) -> Response:
    scope().require(EDIT_PEOPLE)
    row = _row(department_id)
    return _show(_form_of(row), row)


@admin.post("/departments/<rid:department_id>")
def change_department(department_id: int) -> Response:
    """Rename and move."""
    here = scope()
    here.require(EDIT_PEOPLE)
    _row(department_id)
    form, uow, seen = DepartmentForm(request.form), here.unit_of_work(), sent_revision()
    try:
        services.change(uow, department_id, form.name.data or "", chosen_id(form.parent_id.data), seen)
    except (Invalid, Stale) as error:
        uow.rollback()
        now = _row(department_id)
        stored = _form_of(now) if isinstance(error, Stale) else None
        return _show(form, now, problems=refuse(form, error), stored=stored, status=error.status)
    uow.commit()
    return done(url_for("admin.department_list"), gettext("Saved."))


@admin.post("/departments/<rid:department_id>/end")
def end_department(department_id: int) -> Response:
    """Close it from today on."""
    here = scope()
    here.require(EDIT_PEOPLE)
    _row(department_id)
    uow, seen = here.unit_of_work(), sent_revision()
    try:
        services.end(uow, department_id, seen)
    except (Invalid, Stale) as error:
        uow.rollback()
        now = _row(department_id)
        form = _form_of(now)
        return _show(form, now, problems=refuse(form, error), status=error.status)
    uow.commit()
    return done(url_for("admin.department_list"), gettext("The department is closed."))


def _rows() -> list[queries.DepartmentRow]:
    here = scope()
    return queries.departments(here.session, here.workspace.day_of(here.clock.now()))


def _row(department_id: int) -> queries.DepartmentRow:
    row = next((each for each in _rows() if each.id == department_id), None)
    if row is None:
        raise NotFound()
    return row


def _form_of(row: queries.DepartmentRow) -> DepartmentForm:
    parent = to_public(row.parent_id) if row.parent_id is not None else ""
    return DepartmentForm(data={"name": row.name, "parent_id": parent})


def _show(
    form: DepartmentForm,
    row: queries.DepartmentRow | None = None,
    *,
    problems: list[tuple[str, str]] | None = None,
    stored: DepartmentForm | None = None,
    status: int = 200,
) -> Response:
    """``stored``: what somebody else saved meanwhile, told at each field."""
    form.parent_id.choices = [("", gettext("At the top"))] + [
        (to_public(each.id), "\u2003" * each.depth + each.name)
        for each in _rows()
        if row is None or each.id != row.id
    ]
    return show_form(
        "pages/admin/department.html",
        fragment="fragments/department/form.html",
        form=form,
        department=row,
        problems=[*(problems or []), *(tell_stored(form, stored) if stored is not None else [])],
        status=status,
    )
