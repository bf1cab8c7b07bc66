"""People of the workspace: the list, adding, changing, a new password."""

from __future__ import annotations

from datetime import date

from flask import render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import mails
from blueprints.admin.area import admin
from blueprints.admin.invitations import invite_person, invited_before
from blueprints.forms import chosen_id, done, refuse, show_form, tell_stored
from blueprints.messages import local
from blueprints.once import sent_posting
from blueprints.revisions import sent_revision
from blueprints.scope import scope
from builder.db.ids import to_public
from builder.errors import Invalid, Stale
from builder.forms.people import PersonForm
from builder.queries import directory as queries
from builder.queries.holdings import holdings
from builder.services import people as services
from builder.services import postings
from builder.services.people import EDIT_PEOPLE, AddedPerson, PersonFacts
from builder.services.unit_of_work import UnitOfWork


@admin.get("/people")
def people_list() -> str:
    """Everybody, with role, department, manager and when they were last here."""
    here = scope()
    here.require(EDIT_PEOPLE)
    text = request.args.get("q", "").replace("\0", "").strip()[:200]
    with_inactive = "all" in request.args
    rows = queries.people(here.session, _today(), text=text, with_inactive=with_inactive)
    roles = {key: local(role.label) for key, role in here.catalog.roles.items()}
    facts = {"rows": rows, "roles": roles, "text": text, "with_inactive": with_inactive}
    if request.htmx and not request.htmx.boosted:
        return render_template("fragments/person/list.html", **facts)
    return render_template("pages/admin/people.html", **facts)


@admin.get("/people/new")
def new_person() -> Response:
    scope().require(EDIT_PEOPLE)
    return _show(PersonForm(data={"invites": True}))


@admin.post("/people/new")
def add_person() -> Response:
    """Add, and send an invitation, or tell a link or a password that was made here once, on a page of its
    own.
    """
    here = scope()
    here.require(EDIT_PEOPLE)
    form, uow, posting = PersonForm(request.form), here.unit_of_work(), sent_posting()
    made: list[AddedPerson] = []

    def make() -> int:
        made.append(services.add(uow, _facts(form, is_active=True), password=form.password.data or None))
        return made[0].member_id

    try:
        member_id = postings.once(uow, posting, make)
    except Invalid as error:
        uow.rollback()
        return _show(form, problems=refuse(form, error), status=422)
    invites = form.invites.data and not form.password.data
    if not made:
        uow.rollback()
        return _added_before(uow, member_id, invites=invites)
    (added,) = made
    if invites and added.has_sign_in:
        return invite_person(uow, member_id)
    uow.commit()
    if added.password is not None:
        return _tell(member_id, added.password)
    name = " ".join((form.name.data or "").split())
    return done(url_for("admin.people_list"), gettext("%(name)s is in the workspace now.", name=name))


def _added_before(uow: UnitOfWork, member_id: int, *, invites: bool) -> Response:
    """The answer to a form that was sent twice. A password that was made is told once: who missed it makes
    another one on the person's page.
    """
    row = queries.person(uow.session, member_id, _today())
    if invites and row.has_sign_in:
        return invited_before(uow, member_id)
    text = gettext("%(name)s is in the workspace already.", name=row.name)
    return done(url_for("admin.person", member_id=member_id), text)


@admin.get("/people/<rid:member_id>")
def person(member_id: int) -> Response:
    here = scope()
    here.require(EDIT_PEOPLE)
    row = queries.person(here.session, member_id, _today())
    return _show(_form_of(row), row)


@admin.post("/people/<rid:member_id>")
def change_person(member_id: int) -> Response:
    here = scope()
    here.require(EDIT_PEOPLE)
    before = queries.person(here.session, member_id, _today())
    form, uow, seen = PersonForm(request.form), here.unit_of_work(), sent_revision()
    try:
        services.change(uow, member_id, _facts(form, is_active=form.is_active.data), seen)
    except (Invalid, Stale) as error:
        uow.rollback()
        now = queries.person(here.session, member_id, _today())
        stored = _form_of(now) if isinstance(error, Stale) else None
        return _show(form, now, problems=refuse(form, error), stored=stored, status=error.status)
    uow.commit()
    has_left = before.is_active and not form.is_active.data
    if has_left and holdings(here.session, here.catalog, member_id):
        who = before.name
        words = gettext("Saved. What %(name)s owns stays with them until a colleague gets it.", name=who)
        return done(url_for("admin.show_handover", member_id=member_id), words)
    return done(url_for("admin.people_list"), gettext("Saved."))


@admin.post("/people/<rid:member_id>/password")
def new_password(member_id: int) -> Response:
    """Make a new password and tell it once; it ends the person's sessions."""
    uow = scope().unit_of_work()
    password = services.set_password(uow, member_id)
    uow.commit()
    return _tell(member_id, password)


def _facts(form: PersonForm, *, is_active: bool) -> PersonFacts:
    return PersonFacts(
        name=form.name.data or "",
        email=form.email.data or "",
        role_key=form.role_key.data or "",
        manager_id=chosen_id(form.manager_id.data),
        department_id=chosen_id(form.department_id.data),
        is_active=is_active,
    )


def _form_of(row: queries.PersonRow) -> PersonForm:
    return PersonForm(
        data={
            "name": row.name,
            "email": row.email,
            "role_key": row.role_key,
            "manager_id": _public(row.manager_id),
            "department_id": _public(row.department_id),
            "is_active": row.is_active,
        }
    )


def _show(
    form: PersonForm,
    row: queries.PersonRow | None = None,
    *,
    problems: list[tuple[str, str]] | None = None,
    stored: PersonForm | None = None,
    status: int = 200,
) -> Response:
    """``stored``: what somebody else saved meanwhile, told at each field."""
    here, today = scope(), _today()
    colleagues = queries.people(here.session, today)
    form.role_key.choices = [("", "")] + [
        (key, local(role.label)) for key, role in here.catalog.roles.items()
    ]
    form.manager_id.choices = [("", gettext("Nobody"))] + [
        (to_public(each.id), each.name) for each in colleagues if row is None or each.id != row.id
    ]
    form.department_id.choices = [("", gettext("None"))] + [
        (to_public(each.id), "\u2003" * each.depth + each.name)
        for each in queries.departments(here.session, today)
    ]
    return show_form(
        "pages/admin/person.html",
        fragment="fragments/person/form.html",
        form=form,
        sends_mails=mails.is_on(),
        person=row,
        problems=[*(problems or []), *(tell_stored(form, stored) if stored is not None else [])],
        status=status,
    )


def _tell(member_id: int, password: str) -> Response:
    row = queries.person(scope().session, member_id, _today())
    return show_form(
        "pages/admin/password.html", fragment="fragments/person/password.html", person=row, password=password
    )


def _public(value: int | None) -> str:
    return "" if value is None else to_public(value)


def _today() -> date:
    here = scope()
    return here.workspace.day_of(here.clock.now())
