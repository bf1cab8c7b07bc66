"""Which role sees and changes which field, a table for each object (S118)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.admin.area import admin
from blueprints.forms import done, show_form
from blueprints.messages import local
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.system import translated
from builder.domain.fields import FieldDefinition, FieldSet
from builder.domain.labels import Label
from builder.domain.permissions import FEEDBACK_MARK
from builder.domain.roles import NEVER_HIDDEN, Role
from builder.errors import Invalid, NotFound, Stale
from builder.queries.definitions import live_numbers
from builder.services import field_rights as services
from builder.services.definitions import EDIT
from builder.services.field_rights import RIGHTS, RoleFields

_ROLE_FILE = "role/"


@dataclass(frozen=True, slots=True)
class Cell:
    """The right of one role for one field. ``is_computed``: hidden with what it is computed from, whatever
    is chosen. ``stored``: what somebody else saved meanwhile, in words, where it differs.
    """

    name: str
    label: str
    right: str
    is_computed: bool
    error: str = ""
    stored: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A field with a cell for each role; ``is_fixed``: it cannot be hidden."""

    label: str
    is_fixed: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """An object, or a feedback form under its marked key, with its fields."""

    key: str
    label: Label
    fields: FieldSet


def _subject(here: Scope, key: str) -> Subject:
    """Errors: NotFound."""
    if not key.startswith(FEEDBACK_MARK):
        found = here.whole_catalog.object(key)
        return Subject(key, found.label_plural, found.fields)
    form = here.whole_catalog.feedback.get(key.removeprefix(FEEDBACK_MARK))
    if form is None:
        raise NotFound()
    return Subject(key, form.label, form.fields)


@admin.get("/field-rights")
def field_rights_home() -> Response:
    here = scope()
    here.require(EDIT)
    for key in here.whole_catalog.objects:
        return redirect(url_for("admin.field_rights", object_key=key), 303)
    raise NotFound()


@admin.get("/field-rights/<object_key>")
def field_rights(object_key: str) -> Response:
    here = scope()
    here.require(EDIT)
    definition = _subject(here, object_key)
    return _show(here, definition, _stored(here, object_key))


@admin.post("/field-rights/<object_key>")
def change_field_rights(object_key: str) -> Response:
    """Publish the rights of all roles for the fields of one object."""
    here = scope()
    here.require(EDIT)
    definition, uow = _subject(here, object_key), here.unit_of_work()
    typed = _typed(here, definition)
    wanted = [
        RoleFields(key, typed[key], sent_revision(f"revision.{key}")) for key in here.whole_catalog.roles
    ]
    try:
        services.change(uow, object_key, wanted)
    except (Invalid, Stale) as error:
        uow.rollback()
        problems = _problems(definition, error)
        return _show(here, definition, typed, problems, status=error.status)
    uow.commit()
    return done(url_for("admin.field_rights", object_key=object_key), gettext("Saved."))


def _stored(here: Scope, object_key: str) -> dict[str, dict[str, str]]:
    return {key: _rights_of(role, object_key) for key, role in here.whole_catalog.roles.items()}


def _rights_of(role: Role, object_key: str) -> dict[str, str]:
    rights = role.fields.get(object_key)
    if rights is None:
        return {}
    return {**dict.fromkeys(rights.read_only, "read_only"), **dict.fromkeys(rights.hidden, "hidden")}


def _typed(here: Scope, definition: Subject) -> dict[str, dict[str, str]]:
    """By role, the rights in the sent form; anything but the two rights is visible."""
    return {
        key: {
            field.key: right
            for field in definition.fields
            if (right := request.form.get(_name(key, field.key), "")) in RIGHTS
        }
        for key in here.whole_catalog.roles
    }


def _name(role_key: str, field_key: str) -> str:
    return f"right.{role_key}.{field_key}"


def _problems(definition: Subject, error: Invalid | Stale) -> dict[str, str]:
    """Texts by the names of the cells that they belong to; of the whole under ``""``."""
    found: dict[str, str] = {}
    for problem in error.problems:
        role = str(getattr(problem, "file", "")).removeprefix(_ROLE_FILE).removesuffix(".json")
        _, _, field = problem.place.rpartition("/")
        name = _name(role, field) if field in definition.fields.by_key else ""
        found[name] = translated(problem.message, problem.values)
    return found or {"": translated(error.message_key, error.values)}


def _show(
    here: Scope,
    definition: Subject,
    rights: dict[str, dict[str, str]],
    problems: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    """``rights``: by role, stored or typed."""
    roles, problems = here.whole_catalog.roles, problems or {}
    stored = _stored(here, definition.key) if status == Stale.status else rights
    tabs = [
        (local(each.label_plural), url_for("admin.field_rights", object_key=key), key == definition.key, None)
        for key, each in here.whole_catalog.objects.items()
    ]
    answers = [
        (local(form.label), url_for("admin.field_rights", object_key=FEEDBACK_MARK + key),
         FEEDBACK_MARK + key == definition.key, None)
        for key, form in here.whole_catalog.feedback.items()
    ]  # fmt: skip
    return show_form(
        "pages/admin/field_rights.html",
        fragment="fragments/role/field_rights.html",
        definition=definition,
        tabs_of_objects=tabs,
        tabs_of_feedback=answers,
        roles=[(key, local(role.label)) for key, role in roles.items()],
        revisions=live_numbers(here.session, "role"),
        words=_words(),
        lines=[_line(here, definition, field, rights, stored, problems) for field in definition.fields],
        problems=[(name, text) for name, text in problems.items()],
        status=status,
    )


def _words() -> dict[str, str]:
    return {"": gettext("Visible"), "read_only": gettext("Read only"), "hidden": gettext("Hidden")}


def _line(
    here: Scope,
    definition: Subject,
    field: FieldDefinition,
    rights: dict[str, dict[str, str]],
    stored: dict[str, dict[str, str]],
    problems: dict[str, str],
) -> Line:
    cells = []
    for key, role in here.whole_catalog.roles.items():
        right, now = rights[key].get(field.key, ""), stored[key].get(field.key, "")
        veil = here.whole_catalog.veils_of(key).get(definition.key)
        name = _name(key, field.key)
        cells.append(
            Cell(
                name=name,
                label=f"{local(role.label)}: {local(field.label)}",
                right=right,
                is_computed=not right and not now and veil is not None and field.key in veil.fields,
                error=problems.get(name, ""),
                stored=_words()[now] if now != right else "",
            )
        )
    return Line(str(local(field.label)), field.role in NEVER_HIDDEN, tuple(cells))
